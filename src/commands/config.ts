import { buildCommand } from "@stricli/core";
import { PikoError } from "../domain/errors.ts";
import { nearestName, quote } from "../domain/names.ts";
import { checkConfig, type CheckedConfig, showConfig } from "../operations/configuration.ts";
import { settingsText } from "../terminal/settings.ts";
import type { Context } from "./context.ts";
import { SERVICES_FLAG } from "./parameters.ts";

const ACTIONS = ["show", "check", "schema"];
const KINDS = ["project", "user"] as const;

interface Flags {
  editor?: string;
  shared?: readonly string[];
}

export const command = buildCommand({
  docs: {
    brief: "Show the configuration and where it comes from, or check it",
    fullDescription: [
      "Show the configuration that holds here, each value with where it comes from: defaults, then your own config.yml, then",
      "the project's .piko.yml, then flags. check says everything that is wrong with the two files, and ends with 1 when",
      "something is. schema prints the JSON schema of .piko.yml, or of config.yml, for an editor.",
      "",
      "  piko config",
      "  piko config check",
      "  piko config schema user > ~/.config/piko/schema.json",
      "",
      "The first line of a file names its schema for editors: # yaml-language-server: $schema=.piko/schema.json",
    ].join("\n"),
  },
  parameters: {
    flags: {
      editor: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "COMMAND",
        brief: "what holds when piko edit is given it too",
      },
      shared: {
        ...SERVICES_FLAG,
        brief: "what holds when piko create is given it too",
      },
    },
    aliases: { e: "editor" },
    positional: {
      kind: "tuple",
      parameters: [
        { brief: "show, check or schema", parse: String, placeholder: "ACTION", optional: true },
        {
          brief: "for schema: project or user",
          parse: String,
          placeholder: "FILE",
          optional: true,
        },
      ],
    },
  },
  async func(this: Context, flags: Flags, typed?: string, kind?: string) {
    const action = typed ?? "show";
    if (!ACTIONS.includes(action)) throw unknown("action", action, ACTIONS, "piko config");
    if (action !== "schema" && kind !== undefined) {
      throw new PikoError(`piko config ${action} takes no ${quote(kind)}`, {
        code: "usage",
        hint: `piko config ${action}`,
      });
    }
    const [flag] = Object.entries(flags).flatMap(([name, value]) =>
      value === undefined ? [] : [name]
    );
    if (action !== "show" && flag !== undefined) {
      throw new PikoError(`piko config ${action} takes no --${flag}`, {
        code: "usage",
        hint: `piko config ${action}`,
      });
    }
    if (action === "show") return await show(this, flags);
    if (action === "check") return await check(this);
    await schema(this, kind ?? "project");
  },
});

async function show(context: Context, flags: Flags): Promise<void> {
  const { output, folder } = context;
  const shown = await showConfig(context.tools(), folder, flags, context.watchQuietly);
  if (output.json) return output.answerJson(shown);
  const { root, settings } = shown;
  output.answer(settingsText(settings, {
    shorten: (path) => root !== null && path === `${root}/.piko.yml` ? ".piko.yml" : atHome(path),
    paint: (comment) => output.paintAnswer("dim", comment),
  }));
  if (root === null) output.note("There is no project here: piko init");
}

async function check(context: Context): Promise<void> {
  const { output } = context;
  const checked = await checkConfig(context.tools(), context.folder, context.watchQuietly);
  const errors = checked.findings.filter(({ level }) => level === "error").length;
  if (errors > 0) context.process.exitCode = 1;
  if (output.json) return output.answerJson(checked);
  for (const { file, line, column, level, message, shown } of checked.findings) {
    const place = line === null ? file : `${file}:${line}:${column}`;
    const word = output.paintAnswer(level === "error" ? "red" : "yellow", level);
    output.answer(
      [`${place}: ${word}: ${message}`, ...shown.map((text) => `    ${text}`)].join("\n"),
    );
  }
  output.answer(summary(checked, errors, context));
}

function summary({ files, findings }: CheckedConfig, errors: number, { output }: Context): string {
  const warnings = findings.length - errors;
  const missing = files.filter(({ exists }) => !exists).map(({ file }) => atHome(file));
  const absence = missing.length === 0 ? [] : [`there is no ${missing.join(" and no ")}`];
  if (findings.length === 0) {
    const there = files.filter(({ exists }) => exists).map(({ file }) => atHome(file));
    const fine = there.length === 0 ? [] : [`Nothing is wrong with ${there.join(" and ")}`];
    return `${output.paintAnswer("green", "✓")} ${capital([...fine, ...absence].join("; "))}`;
  }
  const counts = [count(errors, "error"), count(warnings, "warning")].filter((text) => text !== "");
  const where = [...new Set(findings.map(({ file }) => atHome(file)))].join(" and ");
  const mark = errors > 0 ? output.paintAnswer("red", "✗") : output.paintAnswer("yellow", "!");
  return `${mark} ${[`${counts.join(" and ")} in ${where}`, ...absence].join("; ")}`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function count(number: number, word: string): string {
  return number === 0 ? "" : `${number} ${word}${number === 1 ? "" : "s"}`;
}

async function schema({ output }: Context, kind: string): Promise<void> {
  const known = KINDS.find((name) => name === kind);
  if (known === undefined) throw unknown("schema", kind, KINDS, "piko config schema");
  const { configSchema } = await import("../domain/config_schema.ts");
  output.answerJson(configSchema(known));
}

function unknown(what: string, typed: string, known: readonly string[], start: string): PikoError {
  return new PikoError(`There is no ${what} ${quote(typed)}`, {
    code: "usage",
    hint: `${start} ${nearestName(typed, known) ?? known[0]}`,
  });
}

/** Writes a path with `~` for the home folder. */
function atHome(path: string): string {
  const home = Deno.env.get("HOME");
  return home !== undefined && path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}
