/// <reference lib="dom" />
/** How the page is connected: in a word in the bar, and in full across the page when something is wrong. */

import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { html } from "./html.ts";
import { Glyph, Icon } from "./icons.ts";
import type { Connection } from "./live_state.ts";
import type { Page } from "./page_context.ts";
import type { Shape, Tone } from "./status.ts";
import { clock } from "./time.ts";
import { Button, Copy, Hint } from "./widgets.ts";

/** Attempts in a row after which the server counts as gone. */
const GONE_AFTER = 3;

interface Told {
  shape: Shape;
  tone: Tone;
  word: string;
}

/** The connection in a word, and when something last came. */
export function ConnectionStatus({ page }: { page: Page }): VNode {
  const { shape, tone, word } = tellConnection(page.state.connection);
  return html`
    <p class=${`connection tone-${tone}`}>
      <${Glyph} shape=${shape} tone=${tone} />
      <span>${word}</span>
      <span class="connection-time">${page.isMounted
        ? html`updated <time>${clock(page.state.updatedAt)}</time>`
        : null}</span>
    </p>
  `;
}

/** What is wrong with the connection or the engine, and what helps; nothing when all is well. */
export function ConnectionBanner(
  { page, onRetry }: { page: Page; onRetry: () => void },
): VNode | null {
  const { connection, engine } = page.state;
  if (connection.kind === "refused") {
    return html`
      <div class="banner banner-bad" role="alert">
        <${Icon} name="key" />
        <div class="banner-text">
          <p><strong>This browser may not see the server any more.</strong> ${connection
            .message}.</p>
          <p class="hint">
            Open it with a new link: <${Copy} page=${page} text="piko server" what="the command" />
          </p>
        </div>
        <${Button} label="Try again" onClick=${onRetry} />
      </div>
    `;
  }
  if (connection.kind === "lost") {
    return html`<${LostBanner} page=${page} connection=${connection} onRetry=${onRetry} />`;
  }
  if (!engine.reachable) {
    return html`
      <div class="banner banner-warn" role="status">
        <${Icon} name="warning" />
        <div class="banner-text">
          <p>
            <strong>${engine.message ?? "The Docker engine does not answer"}.</strong>${" "}
            What runs is unknown until it answers.
          </p>
          ${engine.hint === null ? null : html`<${Hint} page=${page} hint=${engine.hint} />`}
        </div>
      </div>
    `;
  }
  return null;
}

function LostBanner(
  { page, connection, onRetry }: {
    page: Page;
    connection: Extract<Connection, { kind: "lost" }>;
    onRetry: () => void;
  },
): VNode | null {
  const { failures, retryAt } = connection;
  const seconds = useSecondsUntil(retryAt);
  // A server that is started again is back before anybody has read this.
  if (failures < GONE_AFTER) return null;
  return html`
    <div class="banner banner-bad" role="status">
      <${Icon} name="warning" />
      <div class="banner-text">
        <p>
          <strong>The server is gone.</strong> What you see is from ${clock(page.state.updatedAt)}.
        </p>
        <p class="hint">
          Start it again: <${Copy} page=${page} text="piko server" what="the command" />
        </p>
      </div>
      <span class="banner-retry" aria-hidden="true">
        ${seconds > 0 ? `Trying again in ${seconds} s` : "Trying…"}
      </span>
      <${Button} label="Try now" onClick=${onRetry} />
    </div>
  `;
}

function tellConnection(connection: Connection): Told {
  switch (connection.kind) {
    case "live":
      return { shape: "full", tone: "good", word: "Live" };
    case "connecting":
      return { shape: "spinner", tone: "busy", word: "Connecting" };
    case "resting":
      return { shape: "half", tone: "idle", word: "Resting" };
    case "lost":
      return connection.failures < GONE_AFTER
        ? { shape: "spinner", tone: "warn", word: "Reconnecting" }
        : { shape: "cross", tone: "bad", word: "Server gone" };
    case "refused":
      return { shape: "cross", tone: "bad", word: "Not allowed" };
  }
}

function useSecondsUntil(time: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [time]);
  return Math.max(0, Math.ceil((time - now) / 1000));
}
