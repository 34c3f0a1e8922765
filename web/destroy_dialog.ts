/// <reference lib="dom" />
/**
 * The dialog before an environment is destroyed: what goes, what stays, and the work that would be lost. Work is only thrown
 * away in a second step, after the server has refused the first one and said what it would cost; and only this work.
 */

import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { DestroyBody } from "../src/domain/api.ts";
import { ApiError, type Named } from "./api.ts";
import { Dialog, useIsOpen } from "./dialog.ts";
import { type Content, html } from "./html.ts";
import { Icon } from "./icons.ts";
import { findEnvironment } from "./live_state.ts";
import { fullName } from "./names.ts";
import { count, FileList } from "./overview_view.ts";
import type { Page } from "./page_context.ts";
import { environmentRoute } from "./route.ts";
import { Button, Hint, NoticeBox } from "./widgets.ts";

/** The most files that are listed before they are lost. */
const MOST_LISTED = 200;

/** The dialog that destroys an environment. */
export function DestroyDialog({ page, named }: { page: Page; named: Named }): VNode | null {
  const found = findEnvironment(page.state, named);
  const [volumes, setVolumes] = useState(false);
  const [isSending, setSending] = useState(false);
  const [refusal, setRefusal] = useState<ApiError | null>(null);
  // Whether other work was found than what somebody had agreed to lose.
  const [isChanged, setChanged] = useState(false);
  const close = () => page.openDialog(null);
  const isOpen = useIsOpen();
  useEffect(() => {
    page.actions.loadDetails(named);
  }, []);
  useEffect(() => {
    if (found === undefined) close();
  }, [found === undefined]);
  const keep = useRef<HTMLButtonElement>(null);
  // Before the next key is read: who presses Enter once more has not seen what would be lost.
  useLayoutEffect(() => {
    if (refusal !== null && refusal.unsaved.length > 0) keep.current?.focus();
  }, [refusal]);
  if (found === undefined) return null;

  const { environment, services } = found;
  const { work, branchExists } = page.state.details.get(fullName(named))?.value ?? {};
  const known = [...work?.files ?? [], ...work?.commits ?? []];
  // The server has refused because of these: the second step.
  const lost = refusal !== null && refusal.unsaved.length > 0 ? refusal.unsaved : null;

  const send = async (consent: Pick<DestroyBody, "force" | "fingerprint">) => {
    setSending(true);
    try {
      await page.actions.destroy(named, { volumes, ...consent });
      if (!isOpen()) return;
      close();
      page.go(environmentRoute(named, "activity"));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!isOpen()) return page.actions.tellRefusal(`${fullName(named)} was not destroyed`, error);
      setRefusal(error);
      setChanged(consent.force === true && error.unsaved.length > 0);
      setSending(false);
    }
  };
  const submit = (event: Event) => {
    event.preventDefault();
    if (!isSending && lost === null) send({ force: false });
  };
  const destroyAnyway = (event: MouseEvent) => {
    // The second half of a double click was meant for what stood there before.
    if (event.detail > 1) return;
    const { fingerprint } = refusal ?? {};
    send({ force: true, ...(fingerprint === undefined ? {} : { fingerprint }) });
  };

  const own = services.filter(({ container, shared }) => container !== null && !shared);
  const goes: Content[] = [
    ...(environment.mode === "docker"
      ? [
        own.length === 0
          ? "its containers and their network, where there are any"
          : html`${count(own.length, "container")} and ${
            own.length === 1 ? "its" : "their"
          } network`,
      ]
      : []),
    html`the worktree <code>${environment.path}</code>`,
    html`the data folder <code>${environment.dataDir}</code>`,
    ...(environment.session === null
      ? []
      : [html`the tmux session <code>${environment.session}</code>`]),
    ...(volumes ? ["its volumes with all that is in them"] : []),
  ];
  const stays: Content[] = [
    ...(branchExists === false
      ? []
      : [html`branch <code>${environment.branch}</code> with its commits`]),
    ...(environment.mode === "docker" && !volumes
      ? [`its volumes, which a new environment ${environment.name} finds again`]
      : []),
  ];

  return html`
    <${Dialog} title=${`Destroy ${named.name}?`} onClose=${close}>
      <form class="form" onSubmit=${submit} onKeyDown=${ignoreHeldEnter}>
        ${refusal !== null && lost === null
          ? html`
            <${NoticeBox}
              page=${page}
              tone="bad"
              message=${refusal.message}
              details=${refusal.details}
              hint=${refusal.hint}
              isAlert
            />
          `
          : null}
        <div class="fate">
          <${Fate} title="Goes" items=${goes} kind="goes" />
          ${stays.length === 0 ? null : html`<${Fate} title="Stays" items=${stays} kind="stays" />`}
        </div>
        ${environment.mode === "docker"
          ? html`
            <label class="check">
              <input
                type="checkbox"
                checked=${volumes}
                onChange=${(event: Event) => setVolumes((event.target as HTMLInputElement).checked)}
              />
              <span>Remove its volumes too: the data of its databases</span>
            </label>
          `
          : null}
        ${lost === null
          ? known.length === 0 ? null : html`
            <div class="notice notice-warn">
              <${Icon} name="warning" />
              <div class="notice-text">
                <p>${count(known.length, "thing")} in it ${known.length === 1
                  ? "is"
                  : "are"} not saved. Destroy stops at that:</p>
                <${FileList} files=${known} />
              </div>
            </div>
          `
          : html`
            <div key=${refusal?.fingerprint} class="notice notice-bad" role="alert">
              <${Icon} name="warning" />
              <div class="notice-text">
                <p><strong>${refusal?.message}</strong></p>
                ${isChanged
                  ? html`<p>It is not what it was: nothing was destroyed. This is there now:</p>`
                  : null}
                <${FileList} files=${lost} most=${MOST_LISTED} />
                ${environment.status === "missing"
                  ? html`<${Hint} page=${page} hint=${refusal?.hint ?? ""} />`
                  : html`<p>Commit it in <code>${environment.path}</code>, or lose it for good.</p>`}
              </div>
            </div>
          `}
        <div class="form-actions">
          <button
            ref=${keep}
            type="button"
            class="button button-plain"
            data-autofocus
            onClick=${close}
          >
            <span>Keep it</span>
          </button>
          ${lost === null
            ? html`
              <${Button}
                key="destroy"
                label="Destroy"
                icon="trash"
                kind="danger"
                type="submit"
                isBusy=${isSending}
              />
            `
            : html`
              <${Button}
                key="anyway"
                label=${`Destroy anyway, and lose ${count(lost.length, "thing")}`}
                icon="trash"
                kind="danger"
                isBusy=${isSending}
                onClick=${destroyAnyway}
              />
            `}
        </div>
      </form>
      <//>
  `;
}

/** Enter that is held down presses once, and nothing that has come to the focus since. */
function ignoreHeldEnter(event: KeyboardEvent): void {
  if (event.key === "Enter" && event.repeat) event.preventDefault();
}

function Fate(
  { title, items, kind }: { title: string; items: readonly Content[]; kind: "goes" | "stays" },
): VNode {
  return html`
    <section class=${`fate-part fate-${kind}`}>
      <h3 class="fate-title"><${Icon} name=${kind === "goes" ? "cross" : "check"} />${title}</h3>
      <ul>${items.map((item, index) => html`<li key=${index}>${item}</li>`)}</ul>
    </section>
  `;
}
