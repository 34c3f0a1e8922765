/**
 * Debian's and Ubuntu's packages: installs them as root, and fetches some without installing them. Asks for
 * nothing, mends what an interrupted run left, and names no mirror: the machine's own sources say where
 * packages come from, and error texts are shown without addresses.
 */

import { CommandError, PikoError } from "../../src/domain/errors.ts";
import { run, tryRun } from "../../src/programs/run.ts";
import { findExecutable } from "./probe.ts";

/** What is needed to know about the system. */
export interface System {
  /** "debian", "ubuntu", …; empty when /etc/os-release does not say. */
  id: string;
  /** "bookworm", "noble", …; empty when /etc/os-release does not say. */
  codename: string;
  /** Whether packages come from apt, as on Debian, Ubuntu and their like. */
  hasApt: boolean;
  isRoot: boolean;
}

/** Reads what system this is. */
export async function readSystem(): Promise<System> {
  const release = new Map<string, string>();
  try {
    for (const line of (await Deno.readTextFile("/etc/os-release")).split("\n")) {
      const [, key, value] = line.match(/^([A-Z_]+)="?([^"]*)"?$/) ?? [];
      if (key !== undefined && value !== undefined) release.set(key, value);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return {
    id: release.get("ID") ?? "",
    codename: release.get("VERSION_CODENAME") ?? "",
    hasApt: Deno.build.os === "linux" && findExecutable("apt-get") !== undefined &&
      findExecutable("dpkg") !== undefined,
    isRoot: Deno.build.os !== "windows" && Deno.uid() === 0,
  };
}

/** Installs packages by name, or package files by path; those that are there stay as they are. */
export async function installPackages(packages: readonly string[]): Promise<void> {
  await mendPackages();
  const install = [
    "install",
    "--yes",
    "--no-install-recommends",
    "--option=Dpkg::Options::=--force-confdef",
    "--option=Dpkg::Options::=--force-confold",
    "--",
    ...packages,
  ];
  await apt(install, `Cannot install ${packages.map(nameOf).join(", ")}`);
}

/** Reads the package lists anew. */
export async function updatePackageLists(): Promise<void> {
  await apt(["update"], "Cannot read the package lists");
}

/** Tells the versions of packages that would be installed; those that the lists do not have are left out. */
export async function candidateVersions(
  names: readonly string[],
  options: readonly string[] = [],
): Promise<Map<string, string>> {
  const argv = ["apt-cache", ...options, "policy", ...names];
  return parseCandidates(await run(argv, { variables: variables() }));
}

/** Reads the answer of `apt-cache policy`. */
export function parseCandidates(text: string): Map<string, string> {
  const candidates = new Map<string, string>();
  let name = "";
  for (const line of text.split("\n")) {
    name = line.match(/^(\S+):$/)?.[1] ?? name;
    const version = line.match(/^ {2}Candidate: (.+)$/)?.[1];
    if (version !== undefined && version !== "(none)") candidates.set(name, version);
  }
  return candidates;
}

/** Keeps apt's index in a folder: some container images switch it off, and each call takes seconds. */
export function indexIn(folder: string): string[] {
  return [
    `--option=Dir::Cache::pkgcache=${folder}/pkgcache.bin`,
    `--option=Dir::Cache::srcpkgcache=${folder}/srcpkgcache.bin`,
  ];
}

/** Reads which packages a package needs, directly or not, as apt knows them: name → names. */
export async function readDependencies(
  names: readonly string[],
  options: readonly string[] = [],
): Promise<Map<string, string[]>> {
  const argv = [
    "apt-cache",
    ...options,
    "depends",
    "--recurse",
    "--no-recommends",
    "--no-suggests",
    "--no-enhances",
    "--no-conflicts",
    "--no-breaks",
    "--no-replaces",
    ...names,
  ];
  return parseDependencies(await run(argv, { variables: variables() }));
}

/** Reads the answer of `apt-cache depends --recurse`; virtual packages, which stand in < >, are left out. */
export function parseDependencies(text: string): Map<string, string[]> {
  const dependencies = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of text.split("\n")) {
    const name = line.match(/^([^\s<|]\S*)$/)?.[1];
    if (name !== undefined) dependencies.set(name, current = []);
    const needed = line.match(/^ [ |](?:Pre)?Depends: ([^\s<]\S*)$/)?.[1];
    if (needed !== undefined) current.push(needed);
  }
  return dependencies;
}

/** Fetches packages into a folder without installing them. */
export async function fetchPackages(
  packages: readonly string[],
  folder: string,
  options: readonly string[] = [],
): Promise<void> {
  const what = packages.length > 3 ? `${packages.length} packages` : packages.join(", ");
  await apt([...options, "download", ...packages], `Cannot fetch ${what}`, folder);
}

/**
 * Fetches one package of another Debian release from the mirror that this machine uses already, with lists
 * of its own, so that the system's sources stay as they are; returns the package file's path.
 */
export async function fetchFromRelease(
  name: string,
  release: string,
  codename: string,
  folder: string,
): Promise<string> {
  const source = await findSource(codename);
  if (source === undefined) {
    throw new PikoError(`No Debian mirror for ${codename} stands in /etc/apt`, {
      code: "unavailable",
      hint:
        "install Docker Compose v2 as its documentation says: https://docs.docker.com/compose/install/",
    });
  }
  const parts = `${folder}/sources`;
  for (const path of [parts, `${folder}/lists/partial`, `${folder}/cache/archives/partial`]) {
    await Deno.mkdir(path, { recursive: true });
  }
  await Deno.writeTextFile(`${parts}/${release}.sources`, sourceFor(source, release));
  const options = [
    "--option=Dir::Etc::sourcelist=/dev/null",
    `--option=Dir::Etc::sourceparts=${parts}`,
    `--option=Dir::State::lists=${folder}/lists`,
    `--option=Dir::Cache=${folder}/cache`,
    "--option=Acquire::Languages=none",
  ];
  await apt([...options, "update"], `Cannot read the package list of ${release}`, folder);
  await fetchPackages([name], folder, options);
  for await (const entry of Deno.readDir(folder)) {
    if (entry.name.endsWith(".deb")) return `${folder}/${entry.name}`;
  }
  throw new PikoError(`${release} has no package ${name}`, { code: "unavailable" });
}

/** One Debian mirror of this machine. */
export interface Source {
  uris: string;
  signedBy: string | undefined;
}

/** Finds the mirror that a file of /etc/apt names for a release's own suite. */
export function parseSource(
  text: string,
  format: "list" | "sources",
  suite: string,
): Source | undefined {
  return format === "list" ? parseListSource(text, suite) : parseDeb822Source(text, suite);
}

function parseListSource(text: string, suite: string): Source | undefined {
  for (const line of text.split("\n")) {
    const match = line.match(/^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)$/);
    const [, options, uri, itsSuite, components] = match ?? [];
    if (uri === undefined || uri.startsWith("cdrom:")) continue;
    if (itsSuite !== suite || !components?.split(/\s+/).includes("main")) continue;
    return { uris: uri, signedBy: options?.match(/signed-by=(\S+)/i)?.[1] };
  }
  return undefined;
}

function parseDeb822Source(text: string, suite: string): Source | undefined {
  const withoutComments = text.split("\n").filter((line) => !line.startsWith("#")).join("\n");
  for (const stanza of withoutComments.split(/\n\s*\n/)) {
    const words = (field: string) =>
      stanza.match(new RegExp(`^${field}:((?:.*)(?:\n[ \t].*)*)`, "mi"))?.[1]?.trim().split(
        /\s+/,
      ) ?? [];
    if (words("Enabled")[0]?.toLowerCase() === "no" || !words("Types").includes("deb")) continue;
    if (!words("Suites").includes(suite) || !words("Components").includes("main")) continue;
    const signedBy = words("Signed-By");
    return {
      uris: words("URIs").join(" "),
      signedBy: signedBy.length === 1 ? signedBy[0] : undefined,
    };
  }
  return undefined;
}

async function findSource(codename: string): Promise<Source | undefined> {
  const files = ["/etc/apt/sources.list"];
  for await (const entry of Deno.readDir("/etc/apt/sources.list.d")) {
    files.push(`/etc/apt/sources.list.d/${entry.name}`);
  }
  for (const file of files.sort()) {
    const format = file.endsWith(".sources") ? "sources" : "list";
    if (!file.endsWith(`.${format}`)) continue;
    try {
      const source = parseSource(await Deno.readTextFile(file), format, codename);
      if (source !== undefined) return source;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}

function sourceFor({ uris, signedBy }: Source, release: string): string {
  const keyring = signedBy ?? "/usr/share/keyrings/debian-archive-keyring.gpg";
  return `Types: deb\nURIs: ${uris}\nSuites: ${release}\nComponents: main\nSigned-By: ${keyring}\n`;
}

/** Finishes what an interrupted installation left half done. */
async function mendPackages(): Promise<void> {
  const { stdout } = await tryRun(["dpkg", "--audit"], { variables: variables() });
  if (stdout.trim() === "") return;
  const argv = ["dpkg", "--force-confdef", "--force-confold", "--configure", "--pending"];
  await tryRun(argv, { variables: variables() });
  await apt(["install", "--yes", "--fix-broken"], "Cannot finish an interrupted installation");
}

async function apt(args: readonly string[], failure: string, cwd?: string): Promise<void> {
  const argv = [
    "apt-get",
    "--quiet",
    // Root's temporary folders are closed to apt's own user, as which it would otherwise fetch.
    "--option=APT::Sandbox::User=root",
    "--option=DPkg::Lock::Timeout=300",
    "--option=Acquire::Retries=3",
    ...args,
  ];
  const outcome = await tryRun(argv, { cwd, variables: variables() });
  if (outcome.exitCode === 0) return;
  const lines = `${outcome.stdout}\n${outcome.stderr}`.split("\n");
  const errors = lines.filter((line, at) =>
    /^(E:|dpkg: error)/.test(line) || (lines[at - 1]?.startsWith("dpkg: error") && line !== "")
  );
  const shown = errors.length > 0 ? errors : lines.filter((line) => line !== "").slice(-10);
  throw new PikoError(failure, {
    code: "unavailable",
    hint: `see what apt-get ${args.find((arg) => !arg.startsWith("-"))} says when run by hand`,
    details: shown.map(withoutAddresses),
    cause: new CommandError(argv, outcome),
  });
}

/** Takes the addresses of mirrors and proxies, which may be private, out of an error text. */
export function withoutAddresses(text: string): string {
  return text
    .replace(/\b[a-z+]+:\/\/\S+/gi, "<mirror>")
    .replace(
      /(resolve|connect to|connection to|from) '?[\w-]+(\.[\w-]+)+(:\d+)?'?/gi,
      "$1 <mirror>",
    );
}

function nameOf(packageOrPath: string): string {
  return packageOrPath.split("/").at(-1)?.split("_")[0] ?? packageOrPath;
}

function variables(): Record<string, string> {
  return {
    ...Deno.env.toObject(),
    LC_ALL: "C",
    DEBIAN_FRONTEND: "noninteractive",
    NEEDRESTART_SUSPEND: "1",
  };
}
