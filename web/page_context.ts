/** What the parts of the page are given: what there is to show, and what a person can do with it. */

import type { Actions } from "./actions.ts";
import type { Named } from "./api.ts";
import type { LiveState } from "./live_state.ts";
import type { Route } from "./route.ts";

/** The dialogs, of which one can be open. */
export type DialogState =
  | { kind: "palette" }
  | { kind: "help" }
  | { kind: "create"; project: string | null; name?: string }
  | { kind: "destroy"; named: Named };

/** One moment of the page. */
export interface Page {
  state: LiveState;
  route: Route;
  /** Milliseconds since 1970; while the server renders and the browser takes over, the server's. */
  now: number;
  /** Whether the browser has taken over, so that what only it knows can be shown: its time zone, its keyboard. */
  isMounted: boolean;
  actions: Actions;
  dialog: DialogState | null;
  /** Goes to another place; `replace` leaves no step for the browser's back button. */
  go: (route: Route, options?: { replace?: boolean }) => void;
  openDialog: (dialog: DialogState | null) => void;
}
