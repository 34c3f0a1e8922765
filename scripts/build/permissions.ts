/**
 * What the built piko may do, the same for both kinds of build: files, programs and variables, the network
 * on this machine alone, and no foreign functions. 0.0.0.0 and [::] are there because piko finds out
 * whether a port is free by binding it; `unix:` takes no pattern, so another engine's socket than the
 * default one is reached through the `docker` program.
 */

/** The flags of `deno run` and `deno compile` that give piko its permissions and nothing else. */
export const PERMISSIONS: readonly string[] = [
  "--allow-read",
  "--allow-write",
  "--allow-run",
  "--allow-env",
  "--allow-sys",
  "--allow-net=127.0.0.1,[::1],localhost,0.0.0.0,[::],unix:/var/run/docker.sock",
  "--no-prompt",
  // Deno.listenDatagram, which finds out whether a UDP port is free, is still marked unstable.
  "--unstable-net",
];

/**
 * The flags of V8. Functions are compiled with their file and not at their first call: the cache that Deno keeps of
 * compiled code then holds them too, which spares `piko list` 3 ms. What is young in memory has 4 MB from the start: with
 * the usual one V8 tidies up while a list is made, and the threads that it starts for it cost 2 ms. Sparkplug, the
 * baseline compiler, costs a list 1 ms and earns it nothing; the server answers as many requests without it. Neither the
 * young nor the old may grow as far as V8 lets them by default, to five times what lives: the server, which needs 15 MB
 * itself, had 190 MB in memory after a flood of lines, and has 100 MB like this, at no loss of speed.
 */
export const V8_FLAGS =
  "--v8-flags=--no-lazy,--min-semi-space-size=4,--max-semi-space-size=4,--heap-growing-percent=30,--no-sparkplug";
