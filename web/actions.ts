/// <reference lib="dom" />
/** What a person does on the page: each asks the server, shows that it is asked, and tells when it is refused. */

import type { CreateBody, DestroyBody, OperationInFull } from "../src/domain/api.ts";
import * as api from "./api.ts";
import { type Action, ApiError, type Named } from "./api.ts";
import type { Live } from "./live.ts";
import {
  type Details,
  type LiveState,
  type Notice,
  pendingKey,
  withOperation,
  withReports,
} from "./live_state.ts";
import { fullName } from "./names.ts";

/** Milliseconds for which it is told that something went well. */
const GOOD_NEWS_FOR = 5000;

/** The actions of the page, over one {@link Live}. */
export class Actions {
  readonly #live: Live;
  #notices = 0;
  /** The environments whose details are asked for, and whether they are to be asked for once more. */
  readonly #loads = new Map<string, boolean>();
  /** The operations whose reports were asked for, and after which snapshot. */
  readonly #loadedReports = new Map<string, number>();

  constructor(live: Live) {
    this.#live = live;
  }

  /** Starts, stops or restarts an environment, or some of its services. */
  async start(action: Action, named: Named, services: readonly string[] = []): Promise<void> {
    await this.#withPending(action, named, async () => {
      this.#take(await api.startAction(named, action, services));
    });
  }

  /** Opens an environment's worktree in the editor. */
  async open(named: Named): Promise<void> {
    await this.#withPending("open", named, async () => {
      const { opened } = await api.openEditor(named);
      this.tell("good", `Opened ${named.name} with ${opened.editor[0] ?? "the editor"}`, named);
    });
  }

  /**
   * Creates an environment and returns its name.
   *
   * @throws {ApiError} what the form shows at its field.
   */
  async create(project: string, body: CreateBody): Promise<string> {
    const answer = await api.createEnvironment(project, body);
    this.#take(answer);
    return answer.operation.environment;
  }

  /**
   * Destroys an environment.
   *
   * @throws {ApiError} conflict with the list of unsaved work.
   */
  async destroy(named: Named, body: DestroyBody): Promise<void> {
    this.#take(await api.destroyEnvironment(named, body));
  }

  /** Breaks an operation off. */
  async cancel(operation: { id: string; project: string; environment: string }): Promise<void> {
    const named = { project: operation.project, name: operation.environment };
    await this.#withPending(`cancel ${operation.id}`, named, async () => {
      this.#take(await api.cancelOperation(operation.id));
    });
  }

  /** Asks for everything anew, that of one environment too. */
  refresh(named: Named | null): void {
    this.#live.refresh();
    if (named !== null) this.loadDetails(named);
  }

  /**
   * Asks for what an environment's view shows; what was there stays until the answer. Asked for again meanwhile, it asks once
   * more afterwards: git has to look through the whole worktree each time.
   */
  async loadDetails(named: Named): Promise<void> {
    const key = fullName(named);
    if (this.#loads.has(key)) {
      this.#loads.set(key, true);
      return;
    }
    do {
      this.#loads.set(key, false);
      try {
        const value = await api.fetchDetails(named);
        this.#setDetails(key, () => ({ value, failed: null }));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        this.#setDetails(key, (before) => ({
          value: before?.value ?? null,
          failed: error.message,
        }));
      }
    } while (this.#loads.get(key));
    this.#loads.delete(key);
  }

  /** Asks for what an operation has told so far; what it tells later comes by itself. */
  async loadReports(id: string): Promise<void> {
    const { snapshots, operations } = this.#live.state;
    if (this.#loadedReports.get(id) === snapshots) return;
    const known = new Set(operations.map(({ id }) => id));
    for (const loaded of this.#loadedReports.keys()) {
      if (!known.has(loaded)) this.#loadedReports.delete(loaded);
    }
    this.#loadedReports.set(id, snapshots);
    try {
      const { operation, reports } = await api.fetchOperation(id);
      this.#live.update((state) => {
        const after = withOperation(state, operation);
        const isKept = after.operations.some((kept) => kept.id === id);
        return isKept ? withReports(after, id, reports) : after;
      });
    } catch (error) {
      this.#loadedReports.delete(id);
      if (!(error instanceof ApiError)) throw error;
      // The state of the connection is told elsewhere, and an operation of before a restart is forgotten.
      if (error.status !== 0 && error.status !== 404) this.#tellError(error, null);
    }
  }

  /** Shows a notice: good news for a while, bad news until it is dismissed. */
  tell(tone: Notice["tone"], message: string, about: Named | null): void {
    this.#addNotice({
      tone,
      message,
      hint: null,
      details: [],
      about: about === null ? null : fullName(about),
    });
  }

  /** Tells why something was refused whose dialog is not there any more, wherever one is by now. */
  tellRefusal(what: string, { message, hint, details }: ApiError): void {
    this.#addNotice({ tone: "bad", message: `${what}: ${message}`, hint, details, about: null });
  }

  /** Takes a notice away. */
  dismiss(id: number): void {
    this.#live.update((state) => ({
      ...state,
      notices: state.notices.filter((notice) => notice.id !== id),
    }));
  }

  /** Has something read out by a screen reader. */
  announce(text: string): void {
    this.#live.announce(text);
  }

  async #withPending(action: string, named: Named, work: () => Promise<void>): Promise<void> {
    const key = pendingKey(action, named);
    if (this.#live.state.pending.has(key)) return;
    const change = (edit: (pending: Set<string>) => void) =>
      this.#live.update((state) => {
        const pending = new Set(state.pending);
        edit(pending);
        return { ...state, pending };
      });
    change((pending) => pending.add(key));
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#tellError(error, named);
    } finally {
      change((pending) => pending.delete(key));
    }
  }

  #take(answer: Partial<OperationInFull>): void {
    const { operation, reports = [] } = answer;
    if (operation === undefined) return;
    this.#live.update((state) => {
      const known: LiveState = withOperation(state, operation);
      return reports.length === 0 ? known : withReports(known, operation.id, reports);
    });
  }

  #setDetails(key: string, change: (before: Details | undefined) => Details): void {
    this.#live.update((state) => {
      // It may have been destroyed while the server looked at it.
      if (!state.environments.some(({ environment }) => fullName(environment) === key)) {
        return state;
      }
      const details = new Map(state.details).set(key, change(state.details.get(key)));
      return { ...state, details };
    });
  }

  #tellError({ message, hint, details }: ApiError, about: Named | null): void {
    this.#addNotice({
      tone: "bad",
      message,
      hint,
      details,
      about: about === null ? null : fullName(about),
    });
  }

  #addNotice(notice: Omit<Notice, "id">): void {
    const id = ++this.#notices;
    if (notice.tone === "good") setTimeout(() => this.dismiss(id), GOOD_NEWS_FOR);
    this.#live.update((state) => ({
      ...state,
      notices: [...state.notices.filter(({ message }) => message !== notice.message), {
        ...notice,
        id,
      }],
      announcement: { text: notice.message, count: state.announcement.count + 1 },
    }));
  }
}
