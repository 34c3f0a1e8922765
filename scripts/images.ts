/**
 * The images that the sample and the tests run. What the engine has is used; what it has not is pulled; and
 * where no registry can be reached, real programs of Debian's packages are packed into images of the same
 * names, with a label that tells them apart. The packages are only unpacked, never installed.
 */

import { CommandError, messageOf, PikoError } from "../src/domain/errors.ts";
import { run, tryRun } from "../src/programs/run.ts";
import {
  candidateVersions,
  fetchPackages,
  indexIn,
  readDependencies,
  readSystem,
  updatePackageLists,
} from "./machine/packages.ts";
import { hasImage, IMAGES } from "./machine/probe.ts";
import { say } from "./machine/say.ts";
import postgresEntrypoint from "./images/postgres.sh" with { type: "text" };
import redisEntrypoint from "./images/redis.sh" with { type: "text" };

/** The label of an image that was made here; its value changes when the way it is made does. */
const MADE_HERE = "piko.sample-image";

/** Milliseconds that a registry gets for the smallest of the images before it counts as out of reach. */
const PULL_PATIENCE = 30_000;

/** How an image is made of Debian packages. */
interface Recipe {
  image: typeof IMAGES[number];
  packages: string[];
  /** Users of the image besides root: name → number. */
  users: Record<string, number>;
  /** Folders and files to leave out, as paths in the image. */
  without: string[];
  entrypoint?: string;
  /** Dockerfile instructions. */
  instructions: string[];
}

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const RECIPES: Recipe[] = [
  {
    image: "busybox:1.36",
    packages: ["busybox-static"],
    users: {},
    without: [],
    instructions: [`ENV PATH=${PATH}`, 'CMD ["sh"]'],
  },
  {
    image: "redis:7-alpine",
    packages: ["busybox-static", "redis-server", "redis-tools"],
    users: { redis: 999 },
    without: ["etc/redis", "etc/init.d"],
    entrypoint: redisEntrypoint,
    instructions: [
      `ENV PATH=${PATH}`,
      "WORKDIR /data",
      "VOLUME /data",
      "EXPOSE 6379",
      'ENTRYPOINT ["/usr/local/bin/docker-entrypoint.sh"]',
      'CMD ["redis-server"]',
    ],
  },
  {
    image: "postgres:15-alpine",
    packages: ["busybox-static", "postgresql-15", "postgresql-client-15", "tzdata", "libc-bin"],
    users: { postgres: 70 },
    without: ["usr/lib/postgresql/15/lib/bitcode", "usr/lib/postgresql/15/lib/llvmjit.so"],
    entrypoint: postgresEntrypoint,
    instructions: [
      `ENV PATH=/usr/lib/postgresql/15/bin:${PATH}`,
      "ENV LANG=C.UTF-8",
      "ENV PGDATA=/var/lib/postgresql/data",
      "VOLUME /var/lib/postgresql/data",
      "EXPOSE 5432",
      'ENTRYPOINT ["/usr/local/bin/docker-entrypoint.sh"]',
      'CMD ["postgres"]',
    ],
  },
];

/** Sees to it that the engine has the images of the sample and the tests. */
export async function ensureImages(): Promise<void> {
  const toMake: Recipe[] = [];
  for (const recipe of RECIPES) {
    const made = await labelOf(recipe.image);
    if (made !== undefined && (made === "" || made === await fingerprint(recipe))) continue;
    // Where one image cannot be had, no more time is spent on the registry.
    if (made || toMake.length > 0 || !await pull(recipe.image)) toMake.push(recipe);
  }
  if (toMake.length > 0) await makeImages(toMake);
}

/** Removes images unless containers use them, and tells which stay. */
export async function removeImages(images: readonly string[]): Promise<string[]> {
  const kept: string[] = [];
  for (const image of images.filter(hasImage)) {
    const { exitCode } = await tryRun(["docker", "image", "rm", "--", image]);
    if (exitCode !== 0) kept.push(image);
  }
  return kept;
}

/** Tells the fingerprint of an image that was made here, "" for any other image, undefined for none. */
async function labelOf(image: string): Promise<string | undefined> {
  const format = `{{index .Config.Labels "${MADE_HERE}"}}`;
  const { exitCode, stdout } = await tryRun(["docker", "image", "inspect", "-f", format, image]);
  return exitCode === 0 ? stdout.trim() : undefined;
}

async function fingerprint(recipe: Recipe): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(recipe));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return digest.toHex().slice(0, 16);
}

async function pull(image: string): Promise<boolean> {
  try {
    const argv = ["docker", "pull", "--quiet", "--", image];
    const outcome = await tryRun(argv, { timeout: PULL_PATIENCE * (image === IMAGES[0] ? 1 : 10) });
    if (outcome.exitCode === 0) say(`Pulled the image ${image}`);
    return outcome.exitCode === 0;
  } catch (error) {
    if (error instanceof PikoError && error.code === "failed") return false;
    throw error;
  }
}

async function makeImages(recipes: readonly Recipe[]): Promise<void> {
  const names = recipes.map(({ image }) => image);
  say(`Making ${names.join(", ")} from Debian's packages`);
  const folder = await Deno.makeTempDir({ prefix: "piko-images-" });
  try {
    const fetched = await fetchAll(recipes, folder);
    for (const recipe of recipes) {
      const root = `${folder}/${recipe.image.replaceAll(":", "-")}`;
      await unpack(closure(recipe.packages, fetched.dependencies), fetched.files, root);
      await addBusybox(root);
      await addFiles(recipe, root);
      await importImage(recipe, root, `${folder}/image.tar`);
    }
  } catch (error) {
    if (!(error instanceof PikoError || error instanceof CommandError)) throw error;
    const more = error instanceof PikoError ? error.details : error.stderr.trimEnd().split("\n");
    throw new PikoError(`Cannot make the images ${names.join(", ")}`, {
      code: "unavailable",
      hint: names.map((name) => `docker pull ${name}`).join("; "),
      details: [messageOf(error), ...more],
      cause: error,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The dependencies of packages, and the folder that holds their files. */
interface Fetched {
  dependencies: Map<string, string[]>;
  files: string;
}

async function fetchAll(recipes: readonly Recipe[], folder: string): Promise<Fetched> {
  const packages = [...new Set(recipes.flatMap((recipe) => recipe.packages))];
  const index = indexIn(folder);
  await requirePackages(packages, index);
  const dependencies = await readDependencies(packages, index);
  const files = `${folder}/packages`;
  await Deno.mkdir(files);
  await fetchPackages(closure(packages, dependencies), files, index);
  return { dependencies, files };
}

async function requirePackages(packages: readonly string[], index: string[]): Promise<void> {
  const system = await readSystem();
  if (!system.hasApt) {
    throw new PikoError("No registry answers, and this system has no Debian packages", {
      code: "unavailable",
    });
  }
  let known = await candidateVersions(packages, index);
  if (known.size < packages.length && system.isRoot) {
    await updatePackageLists();
    known = await candidateVersions(packages, index);
  }
  const absent = packages.filter((name) => !known.has(name));
  if (absent.length > 0) {
    throw new PikoError(`The package lists of this system have no ${absent.join(", ")}`, {
      code: "unavailable",
    });
  }
}

/** Returns the packages with all libraries they need; other dependencies serve installation alone. */
function closure(
  packages: readonly string[],
  dependencies: ReadonlyMap<string, readonly string[]>,
): string[] {
  const found = new Set(packages);
  for (const name of found) {
    for (const needed of dependencies.get(name) ?? []) {
      // LLVM is 100 MB for a just-in-time compiler that PostgreSQL does without when it is not there.
      if (/^(lib|zlib)/.test(needed) && !/^libllvm|-perl$/.test(needed)) found.add(needed);
    }
  }
  return [...found].filter((name) => dependencies.has(name));
}

async function unpack(packages: readonly string[], files: string, root: string): Promise<void> {
  // Packages of different releases write to /lib and to /usr/lib; in the image they are one.
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    await Deno.mkdir(`${root}/usr/${name}`, { recursive: true });
    await Deno.symlink(`usr/${name}`, `${root}/${name}`);
  }
  for await (const { name } of Deno.readDir(files)) {
    if (!packages.includes(name.split("_")[0] ?? "")) continue;
    // dpkg --extract would put folders in the place of these links.
    const script = 'dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink -C "$2"';
    await run(["sh", "-c", script, "sh", `${files}/${name}`, root]);
  }
}

/** Gives the image a shell and the usual small programs, where no package brought the real one. */
async function addBusybox(root: string): Promise<void> {
  const list = await run([`${root}/usr/bin/busybox`, "--list"]);
  for (const name of list.split("\n")) {
    if (name === "" || name === "busybox") continue;
    try {
      await Deno.symlink("busybox", `${root}/usr/bin/${name}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}

async function addFiles({ users, without, entrypoint }: Recipe, root: string): Promise<void> {
  for (const path of ["usr/share/doc", "usr/share/man", "usr/share/locale", ...without]) {
    await removeIfThere(`${root}/${path}`);
  }
  const entries = Object.entries({ root: 0, ...users, nobody: 65534 });
  const passwd = entries.map(([name, id]) =>
    `${name}:x:${id}:${id}::${id === 0 ? "/root" : "/"}:/bin/sh\n`
  );
  const group = entries.map(([name, id]) => `${name}:x:${id}:\n`);
  for (const path of ["etc", "root", "tmp", "var/run", "var/tmp", "proc", "sys", "dev"]) {
    await Deno.mkdir(`${root}/${path}`, { recursive: true });
  }
  await Deno.chmod(`${root}/tmp`, 0o1777);
  await Deno.chmod(`${root}/var/tmp`, 0o1777);
  await Deno.writeTextFile(`${root}/etc/passwd`, passwd.join(""));
  await Deno.writeTextFile(`${root}/etc/group`, group.join(""));
  if (entrypoint !== undefined) {
    const folder = `${root}/usr/local/bin`;
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(`${folder}/docker-entrypoint.sh`, entrypoint);
    await Deno.chmod(`${folder}/docker-entrypoint.sh`, 0o755);
  }
}

async function importImage(recipe: Recipe, root: string, tar: string): Promise<void> {
  const owner = ["--numeric-owner", "--owner=0", "--group=0"];
  await run(["tar", "--create", ...owner, `--file=${tar}`, `--directory=${root}`, "."]);
  const instructions = [...recipe.instructions, `LABEL ${MADE_HERE}=${await fingerprint(recipe)}`];
  const changes = instructions.flatMap((instruction) => ["--change", instruction]);
  await run(["docker", "import", ...changes, "--", tar, recipe.image]);
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
