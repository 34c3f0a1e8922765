/**
 * Makes the JSON schemas of `.piko.yml` and `config.yml` from what they are checked by. An editor marks an unknown field by
 * them as an error where piko only warns: both mean that it does nothing. Draft 7 is what editors understand.
 */

import { type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import { PROJECT, USER } from "./config.ts";

/** Whose configuration a schema is of. */
export type ConfigKind = "project" | "user";

const SCHEMAS = { project: PROJECT, user: USER } as const;

const TITLES: Readonly<Record<ConfigKind, string>> = {
  project: "piko's configuration of a project, .piko.yml",
  user: "piko's configuration of a person, ~/.config/piko/config.yml",
};

const DRAFT = "http://json-schema.org/draft-07/schema#";

/** Makes the JSON schema of a configuration. */
export function configSchema(kind: ConfigKind): JsonSchema {
  return { $schema: DRAFT, title: TITLES[kind], ...convert(SCHEMAS[kind]) };
}

function convert(schema: v.GenericSchema): JsonSchema {
  // What stands behind a lazy schema is written in its place, and not among the definitions.
  const { $schema: _, $defs: __, ...converted } = toJsonSchema(schema, {
    target: "draft-07",
    typeMode: "input",
    // Rules that are code have no word in a JSON schema; piko itself still holds to them.
    ignoreActions: ["check", "raw_check"],
    overrideSchema({ valibotSchema, jsonSchema }) {
      if (valibotSchema.type === "loose_object") {
        // Fields named x-… carry anchors.
        return { ...jsonSchema, patternProperties: { "^x-": {} }, additionalProperties: false };
      }
      if (isLazy(valibotSchema)) {
        // What must be there depends on whether a list is there.
        const either = ["", []].map((input) => valibotSchema.getter(input))
          .filter(({ type }) => type !== "never").map(convert);
        return either.length === 1 ? either[0] : { anyOf: either };
      }
      return undefined;
    },
  });
  return converted;
}

function isLazy(schema: { type: string }): schema is v.LazySchema<v.GenericSchema> {
  return schema.type === "lazy";
}
