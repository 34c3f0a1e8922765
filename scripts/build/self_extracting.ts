/**
 * Makes one executable file of a bundle and a Deno program, for where `deno compile` has no base binary:
 * a header for /bin/sh, the files of the bundle, the program. The first start unpacks them into the user's cache,
 * the bundle and the program each into a folder named after its content; every start runs them with `exec`, so
 * arguments, standard streams, the terminal, signals and the exit code are the program's own.
 *
 * - All are stored, not packed: 41 MB instead of 96 MB with gzip, but the first start takes 1.1 s instead
 *   of 0.25 s, and the file is meant to be started at once in CI.
 * - On the warm path the header uses builtins alone: each program that it starts costs a millisecond.
 * - Each file appears in its place whole, by a rename, so any number of first starts at once is fine. A
 *   folder that belongs to somebody else is never used: what lies in it would be run.
 * - Variables for Deno and Node that the user has set would steer the Deno inside. They are put aside
 *   as PIKO_KEPT_*, and `userVariables()` of src/build_info.ts gives them back to what piko starts.
 */

import { type Bundle, START } from "./bundle.ts";
import { PERMISSIONS, V8_FLAGS } from "./permissions.ts";

/** The header and each file of the bundle fill whole blocks, so that `dd` finds them without a computation. */
const BLOCK = 16_384;

/**
 * The blocks in which the program is written, and at which it begins. Linux keeps a file in memory in pieces as large as
 * those it was written in: from small ones the program starts 2 ms later, and from large ones it has 10 MB more of the file
 * in memory than it uses.
 */
const PROGRAM_BLOCK = 131_072;

/** The blocks of the header. */
const HEADER_BLOCKS = 1;

/** The variables that change what Deno does, or make it fail. */
const STEERING = [
  "DENO_AUDIT_PERMISSIONS",
  "DENO_AUTH_TOKENS",
  "DENO_AUTO_SERVE",
  "DENO_CACHE_DB_MODE",
  "DENO_CERT",
  "DENO_COMPAT",
  "DENO_CONDITIONS",
  "DENO_COVERAGE_DIR",
  "DENO_DIR",
  "DENO_EMIT_CACHE_MODE",
  "DENO_EXTRA_STACK_TRACES",
  "DENO_JOBS",
  "DENO_LOG",
  "DENO_NO_PACKAGE_JSON",
  "DENO_NO_PROMPT",
  "DENO_NO_UPDATE_CHECK",
  "DENO_PERMISSION_BROKER_PATH",
  "DENO_SERVE_ADDRESS",
  "DENO_TLS_CA_STORE",
  "DENO_TRACE_PERMISSIONS",
  "DENO_V8_FLAGS",
  "NODE_CHANNEL_FD",
  "NODE_DEBUG",
  "NODE_EXTRA_CA_CERTS",
  "NODE_OPTIONS",
  "NODE_V8_COVERAGE",
  "OTEL_DENO",
];

/** Writes the self-extracting file and makes it executable. */
export async function writeSelfExtracting(
  bundle: Bundle,
  program: Uint8Array<ArrayBuffer>,
  output: string,
): Promise<void> {
  const files = Object.entries(bundle).map(([name, code]) => {
    const bare = new TextEncoder().encode(code);
    return { name, bytes: pad(bare, Math.ceil(bare.length / BLOCK)) };
  });
  let skip = HEADER_BLOCKS;
  const places = files.map(({ name, bytes }) => {
    const place = { name, skip, blocks: bytes.length / BLOCK };
    skip += place.blocks;
    return place;
  });
  const script = header({
    bundleHash: await contentHash(await new Blob(files.map(({ bytes }) => bytes)).bytes()),
    files: places,
    programHash: await contentHash(program),
    programSize: program.length,
    programSkip: Math.ceil(skip * BLOCK / PROGRAM_BLOCK),
  });
  using file = await Deno.create(output);
  const start = pad(new TextEncoder().encode(script), HEADER_BLOCKS);
  for (const part of [start, ...files.map(({ bytes }) => bytes)]) await writeAll(file, part);
  await file.seek(Math.ceil(skip * BLOCK / PROGRAM_BLOCK) * PROGRAM_BLOCK, Deno.SeekMode.Start);
  await writeAll(file, program);
  await Deno.chmod(output, 0o755);
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await file.write(bytes.subarray(sent));
}

/** Fills bytes up with line ends, which neither sh nor JavaScript minds. */
function pad(bytes: Uint8Array, blocks: number): Uint8Array<ArrayBuffer> {
  if (bytes.length > blocks * BLOCK) throw new RangeError("the header is larger than its block");
  const padded = new Uint8Array(blocks * BLOCK).fill("\n".charCodeAt(0));
  padded.set(bytes);
  return padded;
}

async function contentHash(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex().slice(0, 20);
}

interface Parts {
  bundleHash: string;
  files: readonly { name: string; skip: number; blocks: number }[];
  programHash: string;
  programSize: number;
  programSkip: number;
}

/** Writes the header; its own variables begin with `piko_`, since an assignment would change an exported one. */
function header(parts: Parts): string {
  const flags = [
    ...PERMISSIONS,
    V8_FLAGS,
    "--quiet",
    "--no-config",
    "--no-lock",
    "--no-remote",
    "--no-npm",
    "--cached-only",
  ].map((flag) => `'${flag}'`).join(" ");
  return `#!/bin/sh
# piko: this header, then piko in JavaScript, then Deno, which runs it. See scripts/build/self_extracting.ts.

case $0 in
  /*) piko_self=$0 ;;
  */*) piko_self=$PWD/\${0#./} ;;
  *) if [ -f "$PWD/$0" ]; then piko_self=$PWD/$0; else piko_self=$(command -v "$0"); fi ;;
esac

for piko_name in ${STEERING.join(" ")}; do
  eval "piko_set=\\\${$piko_name+yes} piko_value=\\\${$piko_name-}"
  if [ -n "$piko_set" ]; then
    export "PIKO_KEPT_$piko_name=$piko_value"
    unset "$piko_name"
  else
    unset "PIKO_KEPT_$piko_name"
  fi
done

# A part is there when it is ours and not empty.
piko_whole() {
  [ -O "$1" ] && [ -s "$1" ] && [ -x "$1" ]
}

piko_ready() {
  piko_deno=$1/${parts.programHash}/deno
  piko_script=$1/${parts.bundleHash}/${START}
  piko_whole "$piko_deno"${
    parts.files.map(({ name }) => ` && piko_whole "$1/${parts.bundleHash}/${name}"`).join("")
  }
}

# In a folder for everybody, such as /tmp, a place is ours if nobody else can write into it.
piko_private() {
  [ -n "$(find "$1" -prune -type d -user "$(id -u)" -perm 700 2>/dev/null)" ]
}

# Unpacks one part beside its place, and moves it there when it is whole: piko_part FOLDER NAME SIZE BLOCK SKIP [COUNT]
piko_part() {
  piko_why=$(dd if="$piko_self" of="$piko_beside/$2" bs="$4" skip="$5" \${6:+"count=$6"} 2>&1) ||
    { echo "$piko_why"; return 1; }
  [ "$(($(wc -c <"$piko_beside/$2")))" -eq "$3" ] || { echo "$piko_self is not whole"; return 1; }
  chmod 500 "$piko_beside/$2" || return
  if [ "$2" = deno ]; then "$piko_beside/deno" --version >/dev/null || return; fi
  sync "$piko_beside/$2" 2>/dev/null
  mkdir -p "$1" && [ -O "$1" ] && mv -f "$piko_beside/$2" "$1/$2"
}

# Runs in a subshell; what it prints is the reason if it fails.
piko_unpack() {
  umask 077
  case $1 in
    '') echo "HOME is not set"; return 1 ;;
    "\${HOME:-/}/.cache/piko") [ -O "$HOME" ] || { echo "$HOME belongs to another user"; return 1; } ;;
  esac
  mkdir -p "$1" || return
  [ -O "$1" ] || { echo "$1 belongs to another user"; return 1; }
  # What a killed start has left an hour ago or earlier.
  find "$1" -maxdepth 1 -name 'unpack.*' -mmin +60 -exec rm -rf {} + 2>/dev/null
  piko_beside=$(mktemp -d "$1/unpack.XXXXXX") || return
  trap 'rm -rf "$piko_beside"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  piko_whole "$1/${parts.programHash}/deno" ||
    piko_part "$1/${parts.programHash}" deno ${parts.programSize} ${PROGRAM_BLOCK} ${parts.programSkip} || return
  ${
    parts.files.map(({ name, skip, blocks }) =>
      `piko_part "$1/${parts.bundleHash}" ${name} ${blocks * BLOCK} ${BLOCK} ${skip} ${blocks}`
    ).join(" || return\n  ")
  }
}

case \${XDG_CACHE_HOME:-} in
  /*) piko_place=$XDG_CACHE_HOME/piko ;;
  *) piko_place=\${HOME:+$HOME/.cache/piko} ;;
esac
if ! piko_ready "$piko_place"; then
  piko_other=\${TMPDIR:-/tmp}/piko-$(id -u)
  if [ -d "$piko_other" ] && piko_private "$piko_other" && piko_ready "$piko_other"; then
    piko_place=$piko_other
  elif piko_why=$(piko_unpack "$piko_place" 2>&1) && piko_ready "$piko_place"; then
    :
  elif
    mkdir -m 700 "$piko_other" 2>/dev/null
    piko_private "$piko_other" || piko_why="$piko_why
$piko_other is not a folder of this user alone"
    piko_private "$piko_other" && piko_why=$(piko_unpack "$piko_other" 2>&1) && piko_ready "$piko_other"
  then
    piko_place=$piko_other
  else
    echo "✗ Cannot unpack piko into $piko_place or $piko_other" >&2
    echo "$piko_why" >&2
    echo "  Set XDG_CACHE_HOME to a folder that you can write to and run programs from" >&2
    exit 1
  fi
fi

# Deno does not start in a folder that was removed, and piko says it better.
unset PIKO_FOLDER_GONE
[ . -ef "$PWD" ] || [ -n "$(pwd -P 2>/dev/null)" ] || { cd / && export PIKO_FOLDER_GONE=1; }

export DENO_DIR="$piko_place/${parts.bundleHash}/cache" DENO_NO_UPDATE_CHECK=1 PIKO_EXECUTABLE="$piko_self"
exec "$piko_deno" run ${flags} "$piko_script" "$@"
exit 126
`;
}
