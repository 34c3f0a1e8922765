/// <reference lib="dom" />
/** Small parts that the page uses in many places: buttons, copyable text, states, times. */

import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { copyText } from "./clipboard.ts";
import { classes, type Content, html } from "./html.ts";
import { Glyph, Icon, type IconName } from "./icons.ts";
import { cutHint } from "./hint.ts";
import type { Page } from "./page_context.ts";
import type { Shown } from "./status.ts";
import { ago, fullTime } from "./time.ts";

/** A button; busy it says so, keeps its width and takes no clicks. */
export function Button(
  {
    label,
    icon,
    kind = "plain",
    isBusy = false,
    isDisabled = false,
    onClick,
    title,
    hideLabel = false,
    type = "button",
    shortcut,
    place,
  }: {
    label: string;
    icon?: IconName;
    kind?: "plain" | "primary" | "danger" | "quiet";
    isBusy?: boolean;
    isDisabled?: boolean;
    onClick?: (event: MouseEvent) => void;
    title?: string;
    /** Whether only the icon is to be seen. */
    hideLabel?: boolean;
    type?: "button" | "submit";
    shortcut?: string;
    /** Which others it gives the focus to when it goes: see kept_focus.ts. */
    place?: string;
  },
): VNode {
  return html`
    <button
      type=${type}
      class=${classes("button", `button-${kind}`, hideLabel && "button-icon")}
      disabled=${isDisabled}
      aria-disabled=${isBusy ? "true" : undefined}
      aria-busy=${isBusy ? "true" : undefined}
      aria-label=${hideLabel ? label : undefined}
      aria-keyshortcuts=${shortcut}
      data-place=${place}
      title=${title ?? (hideLabel ? label : undefined)}
      onClick=${isBusy ? undefined : onClick}
    >
      ${isBusy
        ? html`<${Glyph} shape="spinner" tone="busy" />`
        : icon === undefined
        ? null
        : html`<${Icon} name=${icon} />`}
      ${hideLabel ? null : html`<span>${label}</span>`}
    </button>
  `;
}

/** Milliseconds for which a button says that it has copied. */
const COPIED_FOR = 1500;

/** A text that a click copies. */
export function Copy(
  { page, text, what, children, isQuiet = false }: {
    page: Page;
    text: string;
    /** What is copied: `the attach command`. */
    what: string;
    children?: Content;
    /** Whether only the icon is to be seen. */
    isQuiet?: boolean;
  },
): VNode {
  const [told, setTold] = useState<"copied" | "failed" | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    const isCopied = await copyText(text);
    setTold(isCopied ? "copied" : "failed");
    page.actions.announce(isCopied ? `Copied ${what}` : `Could not copy ${what}`);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setTold(null), COPIED_FOR);
  };
  return html`
    <button
      type="button"
      class=${classes("copy", isQuiet && "copy-quiet", told !== null && `copy-${told}`)}
      onClick=${copy}
      title=${told === "failed" ? "The browser does not allow it" : `Copy ${what}`}
      aria-label=${isQuiet ? `Copy ${what}` : undefined}
    >
      ${isQuiet
        ? null
        : html`<span class="visually-hidden">Copy </span><code>${children ?? text}</code>`}
      <${Icon} name=${told === "copied" ? "check" : told === "failed" ? "cross" : "copy"} />
    </button>
  `;
}

/** A state: glyph, word, and what there is to add. */
export function Status({ shown, isShort = false }: { shown: Shown; isShort?: boolean }): VNode {
  return html`
    <span class=${`status tone-${shown.tone}`}>
      <${Glyph} shape=${shown.shape} tone=${shown.tone} />
      <span class="status-word">${shown.word}</span>
      ${shown.detail === "" || isShort
        ? null
        : html`<span class="status-detail">${" "}${shown.detail}</span>`}
    </span>
  `;
}

/** A time of the past, with its date in full for the mouse. */
export function Ago({ page, time }: { page: Page; time: string }): VNode {
  return html`
    <time datetime=${time} title=${page.isMounted ? fullTime(time) : undefined}>${ago(
      time,
      page.now,
    )}</time>
  `;
}

/** A hint, whose command can be copied. */
export function Hint({ page, hint }: { page: Page; hint: string }): VNode {
  const { before, command, after } = cutHint(hint);
  return html`
    <p class="hint">
      ${before === "" ? null : html`<span>${before}</span>`}
      ${command === "" ? null : html`<${Copy} page=${page} text=${command} what="the command" />`}
      ${after === "" ? null : html`<span>${after}</span>`}
    </p>
  `;
}

/** What went wrong, or well: the words, what they speak of, what helps, and behind them what can be done with it. */
export function NoticeBox(
  { page, tone, title, message, details = [], hint, isAlert = false, children }: {
    page: Page;
    tone: "bad" | "good";
    title?: string;
    message: string;
    details?: readonly string[] | undefined;
    hint: string | null;
    /** Whether a screen reader is to say it at once. */
    isAlert?: boolean;
    children?: Content;
  },
): VNode {
  return html`
    <div class=${`notice notice-${tone}`} role=${isAlert ? "alert" : undefined}>
      <${Icon} name=${tone === "bad" ? "warning" : "check"} />
      <div class="notice-text">
        <p>${title === undefined ? null : html`<strong>${title}:</strong>${" "}`}${message}</p>
        <${DetailLines} lines=${details} />
        ${hint === null ? null : html`<${Hint} page=${page} hint=${hint} />`}
      </div>
      ${children}
    </div>
  `;
}

/** What an error speaks of, line by line; many of them scroll, by the keyboard too. */
export function DetailLines({ lines }: { lines: readonly string[] }): VNode | null {
  if (lines.length === 0) return null;
  return html`
    <pre class="operation-details" tabindex="0" role="group" aria-label="Details">${lines.join(
      "\n",
    )}</pre>
  `;
}

/** A place where something will be, in the size that it will have. */
export function Skeleton({ lines = 1 }: { lines?: number }): VNode {
  return html`
    <div class="skeleton" aria-hidden="true">
      ${Array.from(
        { length: lines },
        (_, index) => html`<span key=${index} class="skeleton-line"></span>`,
      )}
    </div>
  `;
}

/** Nothing to show, and what helps. */
export function Empty(
  { title, children, icon }: { title: string; children?: Content; icon?: IconName },
): VNode {
  return html`
    <div class="empty">
      ${icon === undefined ? null : html`<${Icon} name=${icon} />`}
      <p class="empty-title">${title}</p>
      ${children}
    </div>
  `;
}
