/** A `piko server` that a test starts, asks and ends. */

import { Background } from "./background.ts";
import { type Sandbox, until } from "./sandbox.ts";

/** A `piko server` of a sandbox that listens. */
export class Server implements AsyncDisposable {
  readonly #sandbox: Sandbox;
  readonly #process: Background;
  readonly #variables: Readonly<Record<string, string>>;
  readonly origin: string;
  readonly loginUrl: string;

  private constructor(
    sandbox: Sandbox,
    process: Background,
    variables: Readonly<Record<string, string>>,
    loginUrl: string,
  ) {
    this.#sandbox = sandbox;
    this.#process = process;
    this.#variables = variables;
    this.loginUrl = loginUrl;
    this.origin = new URL(loginUrl).origin;
  }

  /** Starts one; `variables` are its own, besides those of the sandbox. */
  static async start(
    sandbox: Sandbox,
    port = 0,
    variables: Readonly<Record<string, string>> = {},
  ): Promise<Server> {
    const args = ["server", "--no-open", "--port", String(port)];
    const process = Background.piko(sandbox, args, { variables });
    let url: string | undefined;
    await until("the server's address", () => {
      url = process.stdout.flatMap((line) => line.match(/http:\/\/\S+/) ?? [])[0];
      return url !== undefined;
    });
    return new Server(sandbox, process, variables, url ?? "");
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** What it has said on stderr. */
  get said(): string {
    return this.#process.stderr.join("\n");
  }

  /** The header that lets a program in. */
  async key(): Promise<{ authorization: string }> {
    const token = await Deno.readTextFile(`${this.#sandbox.variables["PIKO_HOME"]}/server-token`);
    return { authorization: `Bearer ${token.trim()}` };
  }

  /** Ends it as Ctrl+C does, and returns its exit code. */
  async stop(): Promise<number> {
    this.#process.kill("SIGINT");
    return await this.#process.ended();
  }

  /** Starts it again on the same port. */
  async again(): Promise<Server> {
    const port = Number(new URL(this.origin).port);
    return await Server.start(this.#sandbox, port, this.#variables);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
