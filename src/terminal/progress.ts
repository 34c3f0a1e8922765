/** Shows what an operation reports: one line per step that moves on a terminal, plain lines elsewhere. */

import { visible } from "../domain/failure.ts";
import { type Report, type Step, STEP_TITLES } from "../domain/report.ts";
import type { Output } from "./output.ts";

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** Milliseconds between two frames of the moving line. */
const FRAME_TIME = 80;

/** Steps whose output is shown only with `--verbose`, since it is a program's own narration. */
const NARRATED: ReadonlySet<Step> = new Set(["containers"]);

/** Prints reports; disposed, it leaves no moving line behind. */
export class Progress implements Disposable {
  readonly #output: Output;
  #timer: ReturnType<typeof setInterval> | undefined;
  #frame = 0;
  #text = "";
  #startedAt = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Prints one report. */
  readonly report = (report: Report): void => {
    const output = this.#output;
    switch (report.kind) {
      case "started":
        this.#startedAt = performance.now();
        this.#move(report.step, report.message);
        break;
      case "progress":
        if (output.isTerminal) this.#move(report.step, report.message);
        else if (output.verbose || report.step === "files") output.note(`  ${report.message}`);
        if (output.isTerminal && report.step === "files") output.note(`  ${report.message}`);
        break;
      case "done":
        this.#stop();
        if (report.message !== "" || output.verbose || isSlow(report.step)) {
          output.note(`${output.paint("green", "✓")} ${this.#line(report.step, report.message)}`);
        }
        break;
      case "failed":
        this.#stop();
        output.note(`${output.paint("red", "✗")} ${STEP_TITLES[report.step]}`);
        break;
      case "output":
        if (!NARRATED.has(report.step) || output.verbose) {
          output.note(`${output.paint("dim", "  │")} ${report.line}`);
        } else if (output.isTerminal && report.line.trim() !== "") {
          this.#move(report.step, report.line.trim());
        }
        break;
      case "undone":
        output.note(`  ${output.paint("dim", "↩")} ${report.message}`);
        break;
      case "warning":
        output.warn(visible([report.message, report.hint ?? []].flat().join("\n  ")));
        break;
      case "note":
      case "waiting":
        output.note(`  ${report.message}`);
        break;
    }
  };

  [Symbol.dispose](): void {
    this.#stop();
  }

  #line(step: Step, message: string): string {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const time = seconds >= 0.5 ? this.#output.paint("dim", ` (${seconds.toFixed(1)} s)`) : "";
    return `${STEP_TITLES[step].padEnd(14)}${message}`.trimEnd() + time;
  }

  #move(step: Step, message: string): void {
    this.#text = `${STEP_TITLES[step].padEnd(14)}${message}`.trimEnd();
    if (!this.#output.isTerminal) return;
    this.#draw();
    this.#timer ??= setInterval(() => this.#draw(), FRAME_TIME);
  }

  #draw(): void {
    this.#frame = (this.#frame + 1) % FRAMES.length;
    this.#output.showMoving(
      `${this.#output.paint("cyan", FRAMES[this.#frame] ?? "")} ${this.#text}`,
    );
  }

  #stop(): void {
    // Naming clearInterval loads 6 ms of Node's timers.
    if (this.#timer !== undefined) clearInterval(this.#timer);
    this.#timer = undefined;
    this.#output.clearMoving();
  }
}

/** Steps that are worth a line even when there is nothing to say but that they are done. */
function isSlow(step: Step): boolean {
  return ["prepare", "containers", "ready", "setup", "destroy"].includes(step);
}
