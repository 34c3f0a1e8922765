/**
 * `task demo`: piko's main job on a small but real repository, command by command as a person would type it.
 * Without Docker it shows the same in simple mode. `-- --clean` takes everything away again.
 */

import { PikoError } from "../src/domain/errors.ts";
import { run } from "../src/programs/run.ts";
import { clean, removeDemo } from "./demo/clean.ts";
import {
  type DemoPlace,
  demoPlace,
  type DemoRecord,
  readRecord,
  writeRecord,
} from "./demo/place.ts";
import { DemoShell, explain, quoted } from "./demo/shell.ts";
import { findExecutable, hasImage, IMAGES, type Program, whyMissing } from "./machine/probe.ts";
import { runScript, say } from "./machine/say.ts";
import { setUpMachine, tellMissing } from "./machine/set_up.ts";

const root = decodeURIComponent(new URL("..", import.meta.url).pathname).replace(/\/$/, "");
const dist = `${root}/dist`;

/** Without these, the demo shows simple mode. */
const FOR_DOCKER: readonly Program[] = ["engine", "compose", "images"];

/** The two environments, and what makes each its own. */
const AUTH = { name: "feature-auth", title: "The shop, with a login", order: "a key for the door" };
const PAYMENTS = { name: "feature-payments", title: "The shop, with payments", order: "a till" };

await runScript(async () => {
  const place = demoPlace();
  const unknown = Deno.args.filter((arg) => !["--", "--clean", "--yes"].includes(arg));
  if (unknown.length > 0) {
    throw new PikoError(`Unknown argument ${unknown[0]}`, {
      code: "usage",
      hint: "task demo -- --clean",
    });
  }
  const earlier = await readRecord(place);
  if (Deno.args.includes("--clean")) {
    if (earlier === undefined) {
      say(`There is no demo in ${place.folder}`);
      return 0;
    }
    if (earlier.mode !== undefined) await build({ anew: false });
    await clean(place, earlier, dist);
    return 0;
  }
  const record = await prepare(place, earlier, !Deno.args.includes("--yes"));
  const shell = new DemoShell(place, dist);
  await (record.mode === "docker" ? showDocker(shell, place, record) : showSimple(shell));
  tellWhatNext(place);
  return 0;
});

/** Sets up the machine, builds piko and lays out the sample repository anew. */
async function prepare(
  place: DemoPlace,
  earlier: DemoRecord | undefined,
  ask: boolean,
): Promise<DemoRecord> {
  // What the demo is about to bring is recorded first: a demo that is killed can still be cleaned up.
  const record = earlier ?? { composeProjects: [], images: [], engine: false, packages: [] };
  record.engine ||= whyMissing("engine") !== undefined;
  await writeRecord(place, record);
  const { missing, installed } = await setUpMachine({
    ask,
    want: ["git", "curl", "psql", "engine", "compose"],
  });
  record.packages = [...new Set([...record.packages, ...installed])];
  if (!missing.some(({ program }) => program === "engine")) {
    const absent = IMAGES.filter((image) => !hasImage(image));
    record.images = [...new Set([...record.images, ...absent])];
    await writeRecord(place, record);
    missing.push(...(await setUpMachine({ ask, want: ["images"] })).missing);
  }
  if (missing.some(({ program }) => program === "git")) {
    tellMissing(missing);
    throw new PikoError("The demo needs git", { code: "unavailable" });
  }
  await build({ anew: true });
  await removeDemo(place, record, dist, { force: false });
  const hasDocker = !missing.some(({ program }) => FOR_DOCKER.includes(program));
  record.mode = hasDocker ? "docker" : "simple";
  record.composeProjects = [];
  await writeRecord(place, record);
  if (record.mode === "simple") {
    tellMissing(missing.filter(({ program }) => FOR_DOCKER.includes(program)));
    explain("Docker cannot be used here, so this is simple mode: no containers.");
  }
  await makeRepository(place, record.mode);
  return record;
}

async function build({ anew }: { anew: boolean }): Promise<void> {
  if (!anew && await isFile(`${dist}/piko`)) return;
  say("Building dist/piko");
  const argv = [Deno.execPath(), "run", "--allow-all", "--no-prompt", "scripts/build.ts"];
  await run(argv, { cwd: root });
}

async function makeRepository({ shop }: DemoPlace, mode: "docker" | "simple"): Promise<void> {
  await copyFolder(`${root}/scripts/sample`, shop);
  if (mode === "simple") {
    await Deno.rename(`${shop}/simple.piko.yml`, `${shop}/.piko.yml`);
    await Deno.remove(`${shop}/docker-compose.yml`);
    await Deno.remove(`${shop}/db`, { recursive: true });
  } else {
    await Deno.remove(`${shop}/simple.piko.yml`);
  }
  const variables = Object.fromEntries(
    Object.entries(Deno.env.toObject()).filter(([name]) => !name.startsWith("GIT_")),
  );
  const git = (...args: string[]) => run(["git", ...args], { cwd: shop, variables });
  await git("init", "--quiet", "--initial-branch=main");
  await git("config", "user.name", "Demo");
  await git("config", "user.email", "demo@localhost");
  await git("config", "commit.gpgsign", "false");
  await git("add", ".");
  await git("commit", "--quiet", "--message=The shop");
}

async function showDocker(shell: DemoShell, place: DemoPlace, record: DemoRecord): Promise<void> {
  explain(
    `In ${place.shop} lies a small shop: a web page, PostgreSQL and Redis, with fixed ports in its\n` +
      "docker-compose.yml. Two copies of it would be in each other's way. piko knows it from now on:",
  );
  await shell.show("piko init");

  explain("Two branches at once, each with its own code, containers, ports and data:");
  for (const { name } of [AUTH, PAYMENTS]) {
    await shell.show(`piko create ${name} --no-attach`);
    record.composeProjects.push(
      await shell.ask(
        `eval "$(piko env ${name} --export)"; printf %s "$PIKO_PROJECT"`,
      ),
    );
    await writeRecord(place, record);
  }
  await shell.show("piko list");
  await shell.show(`piko ports ${AUTH.name}`);

  explain("Each branch changes its page, and each web port shows its own branch's:");
  for (const environment of [AUTH, PAYMENTS]) {
    await shell.show(changeTitle(environment));
    const page = await shell.show(webPage(environment.name));
    requireThat(page.includes(environment.title), `The page of ${environment.name} is not its own`);
  }

  explain("Each database gets a row, through the port that piko gave it:");
  for (const { name, order } of [AUTH, PAYMENTS]) {
    await shell.show(sql(name, `INSERT INTO orders (item) VALUES ('${order}')`));
  }
  explain("And neither sees the other's:");
  for (const [mine, other] of [[AUTH, PAYMENTS], [PAYMENTS, AUTH]] as const) {
    const rows = await shell.show(sql(mine.name, "SELECT * FROM orders"));
    requireThat(rows.includes(mine.order), `${mine.name} does not have its own row`);
    requireThat(!rows.includes(other.order), `${mine.name} sees the row of ${other.name}`);
  }

  explain("One of them is done. Its commits stay on the branch; the other one runs on:");
  await shell.show(`piko destroy ${PAYMENTS.name} --yes --volumes`);
  await shell.show("piko list");
  await shell.show(`git log --oneline ${PAYMENTS.name}`);
  const rows = await shell.show(sql(AUTH.name, "SELECT * FROM orders"));
  requireThat(rows.includes(AUTH.order), `${AUTH.name} lost its row`);
}

async function showSimple(shell: DemoShell): Promise<void> {
  explain("piko knows the repository from now on:");
  await shell.show("piko init");

  explain("Two branches at once, each with its own worktree and data directory:");
  for (const { name } of [AUTH, PAYMENTS]) await shell.show(`piko create ${name} --no-attach`);
  await shell.show("piko list");

  explain("Each gets a commit on its branch and a line in its data:");
  for (const environment of [AUTH, PAYMENTS]) {
    await shell.show(changeTitle(environment));
    await shell.show(
      `eval "$(piko env ${environment.name} --export)"\n` +
        `echo '${environment.order}' >> "$PIKO_DATA_DIR/orders.txt"`,
    );
  }
  explain("And neither sees the other's:");
  for (const [mine, other] of [[AUTH, PAYMENTS], [PAYMENTS, AUTH]] as const) {
    const seen = await shell.show(
      `eval "$(piko env ${mine.name} --export)"\n` +
        'cat "$PIKO_ENV_PATH/web/title.txt" "$PIKO_DATA_DIR/orders.txt"',
    );
    requireThat(
      seen.includes(mine.title) && seen.includes(mine.order),
      `${mine.name} lacks its own`,
    );
    requireThat(!seen.includes(other.order), `${mine.name} sees the data of ${other.name}`);
  }

  explain("One of them is done. Its commits stay on the branch; the other one stays as it is:");
  await shell.show(`piko destroy ${PAYMENTS.name} --yes --volumes`);
  await shell.show("piko list");
  await shell.show(`git log --oneline ${PAYMENTS.name}`);
}

function changeTitle({ name, title }: typeof AUTH): string {
  return `eval "$(piko env ${name} --export)"\ncd "$PIKO_ENV_PATH"\n` +
    `echo '${title}' > web/title.txt\ngit commit -qam 'Change the title'`;
}

function webPage(name: string): string {
  const fetch = findExecutable("curl") === undefined ? "wget -q -O -" : "curl -sS";
  return `eval "$(piko env ${name} --export)"\n${fetch} "http://localhost:$PIKO_WEB_PORT/"`;
}

function sql(name: string, statement: string): string {
  const psql = findExecutable("psql") === undefined
    ? 'docker compose -p "$PIKO_PROJECT" exec -T db psql'
    : 'PGPASSWORD=sample psql -h localhost -p "$PIKO_DB_PORT"';
  return `eval "$(piko env ${name} --export)"\n${psql} -U shop -c "${statement}"`;
}

function tellWhatNext({ shop, pikoHome }: DemoPlace): void {
  explain("That was it. To go on from here, type:");
  console.log(`
  export PATH=${quoted(dist)}:"$PATH" PIKO_HOME=${quoted(pikoHome)}
  cd ${quoted(shop)}
  piko list
  piko create another-idea
  piko --help`);
  explain("And to take it all away again:");
  console.log(`
  cd ${quoted(root)}
  npx -y deno@2.9.5 task demo -- --clean`);
}

function requireThat(holds: boolean, otherwise: string): void {
  if (!holds) throw new PikoError(otherwise, { code: "failed" });
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
