/**
 * Reads `.piko.yml` and the person's own `config.yml`. What is wrong is shown where it stands: file, line, column, and
 * the line itself. YAML and the schemas are loaded only when there is a file, which most commands' start-up owes to.
 */

import type { Checked, ProjectConfig, UserConfig } from "../domain/config.ts";
import type { Finding, ReadConfig } from "../domain/config_text.ts";
import { PikoError } from "../domain/errors.ts";
import { shellWord } from "../domain/variables.ts";

/** A configuration, and what is odd about it but does no harm, each as one sentence with its place. */
export interface Configured<Config> {
  config: Config;
  warnings: string[];
}

/** Reading 1 MB of YAML takes about a second; nobody writes as much by hand. */
const MAX_BYTES = 256 * 1024;

/** The mistakes that one error tells of at most. */
const MAX_TOLD = 10;

/** A file of configuration as it stands, whatever is wrong with it. */
export interface ConfigFile<Config> extends ReadConfig<Config> {
  path: string;
  text: string;
}

/**
 * Reads the `.piko.yml` of a folder; a missing file is an empty configuration.
 *
 * @throws {PikoError} usage when it is broken, with line and column; failed when it cannot be read.
 */
export async function readProjectConfig(root: string): Promise<Configured<ProjectConfig>> {
  const file = await readProjectFile(root);
  if (file !== undefined) return configured(file);
  const misnamed = await findMisnamed(root);
  return {
    config: { scripts: {}, shared: [], shells: {}, ignore: [], windows: [], copy: [], link: [] },
    warnings: misnamed === undefined ? [] : [misnamed],
  };
}

/**
 * Reads the person's own configuration from a path; a missing file is an empty one.
 *
 * @throws {PikoError} usage when it is broken, with line and column; failed when it cannot be read.
 */
export async function readUserConfig(path: string): Promise<Configured<UserConfig>> {
  const file = await readUserFile(path);
  if (file !== undefined) return configured(file);
  return { config: { defaultWindows: [], shells: {} }, warnings: [] };
}

/**
 * Reads the `.piko.yml` of a folder with all that is to say about it; undefined when there is none.
 *
 * @throws {PikoError} usage when it is no text, failed when it cannot be read.
 */
export async function readProjectFile(
  root: string,
): Promise<ConfigFile<ProjectConfig> | undefined> {
  return await readConfigFile(
    `${root}/.piko.yml`,
    async () => (await import("../domain/config.ts")).checkProjectConfig,
  );
}

/**
 * Reads the person's own configuration with all that is to say about it; undefined when there is none.
 *
 * @throws {PikoError} usage when it is no text, failed when it cannot be read.
 */
export async function readUserFile(path: string): Promise<ConfigFile<UserConfig> | undefined> {
  return await readConfigFile(
    path,
    async () => (await import("../domain/config.ts")).checkUserConfig,
  );
}

/** Makes a fingerprint of the `.piko.yml` of a folder, also of one that is no text; undefined when there is none. */
export async function fingerprintConfig(folder: string): Promise<string | undefined> {
  let text: string | undefined;
  try {
    text = await readText(`${folder}/.piko.yml`);
  } catch (error) {
    // What makes it unreadable tells it from a readable one.
    if (!(error instanceof PikoError)) throw error;
    text = error.message;
  }
  if (text === undefined) return undefined;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex();
}

/** Says that a file is not read because of its name. */
export async function findMisnamed(root: string): Promise<string | undefined> {
  return await isThere(`${root}/.piko.yaml`)
    ? `${root}/.piko.yaml is not read: its name must be .piko.yml`
    : undefined;
}

/** Lists the services of compose files; undefined when they alone do not tell, as when one includes others. */
export async function readComposeServices(files: readonly string[]): Promise<string[] | undefined> {
  const services = new Set<string>();
  for (const file of files) {
    const compose = await readCompose(file);
    if (compose === undefined || compose.includesOthers) return undefined;
    for (const service of compose.services ?? []) services.add(service);
  }
  return [...services];
}

async function readCompose(
  path: string,
): Promise<{ services: string[] | undefined; includesOthers: boolean } | undefined> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  const yaml = await import("yaml");
  // Compose's own tags, such as !override, are no concern of those who want the names alone.
  const document = yaml.parseDocument(text, { logLevel: "silent", stringKeys: true });
  if (document.errors.length > 0 || !yaml.isMap(document.contents)) return undefined;
  const services = document.get("services");
  return {
    services: yaml.isMap(services)
      ? services.items.map(({ key }) => String(yaml.isScalar(key) ? key.value : key))
      : undefined,
    includesOthers: document.has("include"),
  };
}

async function readConfigFile<Config>(
  path: string,
  loadCheck: () => Promise<(content: unknown) => Checked<Config>>,
): Promise<ConfigFile<Config> | undefined> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  const [check, { readConfigText }] = await Promise.all([
    loadCheck(),
    import("../domain/config_text.ts"),
  ]);
  return { path, text, ...readConfigText(text, check) };
}

/**
 * Takes the configuration of a file.
 *
 * @throws {PikoError} usage when it is broken, with line and column.
 */
export function configured<Config>(file: ConfigFile<Config>): Configured<Config> {
  const { path, config, findings } = file;
  if (config === undefined) throw refusal(file);
  return { config, warnings: findings.map((finding) => sentenceOf(path, finding)) };
}

type RefusedFile = Pick<ConfigFile<unknown>, "path" | "isYaml" | "findings">;

/** Makes the error of a file that is broken, with all that is wrong with it. */
export function refusal({ path, isYaml, findings }: RefusedFile): PikoError {
  const errors = findings.filter(({ level }) => level === "error");
  const [first, ...others] = errors.slice(0, MAX_TOLD);
  if (first === undefined) throw new TypeError("a refusal needs something that was found");
  const more = errors.length - MAX_TOLD;
  return new PikoError(
    `${isYaml ? "Wrong configuration" : "Broken YAML"} at ${sentenceOf(path, first)}`,
    {
      code: "usage",
      hint: `correct ${path}, and try again`,
      details: [
        ...first.shown,
        ...others.flatMap((other) => [sentenceOf(path, other), ...other.shown]),
        ...(more > 0 ? [`… and ${more} more: piko config check`] : []),
      ],
    },
  );
}

/** Says what was found and where: `/x/.piko.yml:3:10: …`. */
export function sentenceOf(path: string, { line, column, message }: Finding): string {
  return `${path}:${line}:${column}: ${message}`;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    const info = await Deno.stat(path);
    if (!info.isFile) {
      throw new PikoError(`${path} is not a file`, {
        code: "usage",
        hint: `look at what is there: ls -ld ${shellWord(path)}`,
      });
    }
    if (info.size > MAX_BYTES) {
      throw new PikoError(`${path} is larger than ${MAX_BYTES / 1024} KB`, {
        code: "usage",
        hint: `look what it is: ls -l ${shellWord(path)}`,
      });
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(await Deno.readFile(path));
  } catch (error) {
    if (error instanceof PikoError) throw error;
    if (error instanceof Deno.errors.NotFound) {
      if (!await isThere(path)) return undefined;
      throw new PikoError(`${path} is a link that leads nowhere`, {
        code: "usage",
        hint: `look where it leads: ls -l ${shellWord(path)}`,
        cause: error,
      });
    }
    if (error instanceof TypeError) {
      throw new PikoError(`${path} is not written in UTF-8`, {
        code: "usage",
        hint: `look what it is, and save it as UTF-8: file ${shellWord(path)}`,
        cause: error,
      });
    }
    throw new PikoError(`Cannot read ${path}`, { code: "failed", cause: error });
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
