/// <reference lib="dom" />
/** What was done to an environment: each operation with its steps, and the output of scripts while it is written. */

import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Operation } from "../src/domain/api.ts";
import { AnsiText } from "./ansi_text.ts";
import type { Named } from "./api.ts";
import { classes, html } from "./html.ts";
import { Glyph, Icon } from "./icons.ts";
import { operationsOf, pendingKey } from "./live_state.ts";
import {
  cancelTitle,
  entriesOf,
  isEnding,
  type NoteEntry,
  operationTitle,
  type OutputLine,
  STEP_TITLES,
  type StepEntry,
} from "./operation_steps.ts";
import type { Page } from "./page_context.ts";
import type { Shape, Tone } from "./status.ts";
import { duration } from "./time.ts";
import { Ago, Button, DetailLines, Empty, Hint } from "./widgets.ts";

/** The most lines of one step that are drawn; all of them are in the log files. */
const MOST_LINES = 500;

/** The operations of an environment, the newest first and open. */
export function ActivityView({ page, named }: { page: Page; named: Named }): VNode {
  const operations = operationsOf(page.state, named);
  if (operations.length === 0) {
    return html`
      <${Empty} title="Nothing was done here yet">
        <p>What this server starts, stops, creates or destroys is listed here with its steps and output.</p>
        <//>
    `;
  }
  return html`
    <div class="activity">
      ${operations.map((operation, index) =>
        html`
          <${OperationView} key=${operation
            .id} page=${page} operation=${operation} isNewest=${index === 0} />
        `
      )}
    </div>
  `;
}

function OperationView(
  { page, operation, isNewest }: { page: Page; operation: Operation; isNewest: boolean },
): VNode {
  const [isOpen, setOpen] = useState(isNewest);
  const { id, state, startedAt, endedAt, error } = operation;
  const isShown = isOpen || state === "running";
  useEffect(() => {
    if (isShown) page.actions.loadReports(id);
  }, [id, isShown, page.state.snapshots]);
  const reports = page.state.reports.get(id) ?? [];
  const entries = entriesOf(reports, operation);
  const { shape, tone } = OUTCOMES[state];
  const end = endedAt === null ? page.now : Date.parse(endedAt);
  return html`
    <section class="operation" aria-label=${operationTitle(operation)}>
      <div class="operation-head">
        <button
          type="button"
          class="operation-toggle"
          aria-expanded=${isShown ? "true" : "false"}
          onClick=${() => setOpen(!isOpen)}
        >
          <${Glyph} shape=${shape} tone=${tone} />
          <strong>${operationTitle(operation)}</strong>
        </button>
        <span class="operation-time">
          <${Ago} page=${page} time=${startedAt} />${page.isMounted
            ? html`, ${duration(end - Date.parse(startedAt))}`
            : null}
        </span>
        ${state === "running"
          ? html`<${CancelButton} page=${page} operation=${operation} icon="cross" />`
          : null}
      </div>
      ${error === null ? null : html`
        <div class="operation-error">
          <p>${error.message}</p>
          <${DetailLines} lines=${error.details ?? []} />
          ${error.hint === null ? null : html`<${Hint} page=${page} hint=${error.hint} />`}
        </div>
      `}
      ${isShown
        ? html`
          <ol class="steps">
            ${entries.map((entry) =>
              entry.kind === "step"
                ? html`<${StepView} key=${entry.key} page=${page} entry=${entry} />`
                : html`<${NoteView} key=${entry.key} page=${page} entry=${entry} />`
            )}
            ${entries.length === 0 && state === "running"
              ? html`
                <li
                  class="step"><${Glyph} shape="spinner" tone="busy" /><span class="step-title">Beginning</span></li>
              `
              : null}
          </ol>
        `
        : null}
    </section>
  `;
}

/** The button that breaks an operation off; once that was asked for, by whomever, it says so and takes no clicks. */
export function CancelButton(
  { page, operation, icon, kind }: {
    page: Page;
    operation: Operation;
    icon?: "cross";
    kind?: "quiet";
  },
): VNode {
  const { id, project, environment: name } = operation;
  const isAsked = page.state.pending.has(pendingKey(`cancel ${id}`, { project, name })) ||
    isEnding(operation);
  return html`
    <${Button}
      label=${isAsked ? "Cancelling" : cancelTitle(operation.kind)}
      icon=${icon}
      kind=${kind}
      isBusy=${isAsked}
      onClick=${() => page.actions.cancel(operation)}
    />
  `;
}

function StepView({ page, entry }: { page: Page; entry: StepEntry }): VNode {
  const { step, state, message, startedAt, endedAt, output } = entry;
  const { shape, tone } = STEPS[state];
  const time = (endedAt === null ? page.now : Date.parse(endedAt)) - Date.parse(startedAt);
  // What programs tell of their own work is of interest only while it lasts, or when it went wrong.
  const isNarration = step === "containers" && state === "done";
  const last = isNarration || state !== "running" ? "" : output.at(-1)?.text ?? "";
  return html`
    <li class=${`step step-${state}`}>
      <${Glyph} shape=${shape} tone=${tone} />
      <span class="step-title">${STEP_TITLES[step]}</span>
      <span class="step-message">${message}</span>
      <span class="step-time">${page.isMounted && (time >= 500 || state === "running")
        ? duration(time)
        : ""}</span>
      ${output.length === 0 || isNarration
        ? null
        : html`<${OutputView} lines=${output} isLive=${state === "running" && last !== ""} />`}
    </li>
  `;
}

/** The output of a step; it stays at its end while lines come, unless one has scrolled up. */
function OutputView({ lines, isLive }: { lines: readonly OutputLine[]; isLive: boolean }): VNode {
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    if (box.current !== null && isAtEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines.length]);
  const shown = lines.slice(-MOST_LINES);
  return html`
    <div
      class=${classes("output", isLive && "output-live")}
      ref=${box}
      tabindex="0"
      role="log"
      aria-label="Output"
      aria-live="off"
      onScroll=${(event: Event) => {
        const { scrollHeight, scrollTop, clientHeight } = event.currentTarget as HTMLElement;
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < 24;
      }}
    >
      ${lines.length > shown.length
        ? html`<div class="output-line output-cut">${
          lines.length - shown.length
        } earlier lines are in .piko/logs</div>`
        : null}
      ${shown.map(({ index, text }) =>
        html`
          <div key=${index} class="output-line">
            <${AnsiText} text=${text} />
          </div>
        `
      )}
    </div>
  `;
}

function NoteView({ page, entry }: { page: Page; entry: NoteEntry }): VNode {
  const { kind, message, hint } = entry;
  const icon = kind === "undone" ? "restart" : kind === "warning" ? "warning" : "clock";
  return html`
    <li class=${`step step-note step-${kind}`}>
      ${kind === "note"
        ? html`<span class="step-dot" aria-hidden="true">·</span>`
        : html`<${Icon} name=${icon} />`}
      <div class="step-text">
        <span>${kind === "undone" ? `Undone: ${message}` : message}</span>
        ${hint === null ? null : html`<${Hint} page=${page} hint=${hint} />`}
      </div>
    </li>
  `;
}

const OUTCOMES: Readonly<Record<Operation["state"], { shape: Shape; tone: Tone }>> = {
  running: { shape: "spinner", tone: "busy" },
  done: { shape: "check", tone: "good" },
  failed: { shape: "cross", tone: "bad" },
  cancelled: { shape: "hollow", tone: "idle" },
};

const STEPS: Readonly<Record<StepEntry["state"], { shape: Shape; tone: Tone }>> = {
  running: { shape: "spinner", tone: "busy" },
  done: { shape: "check", tone: "good" },
  failed: { shape: "cross", tone: "bad" },
  stopped: { shape: "hollow", tone: "idle" },
};
