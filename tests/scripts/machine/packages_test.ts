import assert from "node:assert/strict";
import {
  parseCandidates,
  parseDependencies,
  parseSource,
  withoutAddresses,
} from "../../../scripts/machine/packages.ts";

const DEB822 = `# The archive
Types: deb
URIs: https://mirror.example/security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/security.gpg

Enabled: no
Types: deb
URIs: https://mirror.example/off
Suites: bookworm
Components: main

Types: deb deb-src
# the nearest
URIs: https://mirror.example/debian
  https://other.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/archive.gpg
`;

Deno.test("parseSource() finds the release's own stanza in a .sources file", () => {
  assert.deepEqual(parseSource(DEB822, "sources", "bookworm"), {
    uris: "https://mirror.example/debian https://other.example/debian",
    signedBy: "/usr/share/keyrings/archive.gpg",
  });
});

Deno.test("parseSource() finds no other release in a .sources file", () => {
  assert.equal(parseSource(DEB822, "sources", "trixie"), undefined);
});

Deno.test("parseSource() does not take an embedded key for a file", () => {
  const text =
    "Types: deb\nURIs: http://a\nSuites: sid\nComponents: main\nSigned-By:\n -----BEGIN\n x\n";
  assert.deepEqual(parseSource(text, "sources", "sid"), { uris: "http://a", signedBy: undefined });
});

Deno.test("parseSource() reads one-line entries with and without options", () => {
  const text = [
    "# deb http://commented.example/debian bookworm main",
    "deb cdrom:[Debian]/ bookworm main",
    "deb-src http://mirror.example/debian bookworm main",
    "deb http://mirror.example/debian bookworm-updates main",
    "deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main non-free",
  ].join("\n");
  assert.deepEqual(parseSource(text, "list", "bookworm"), {
    uris: "http://mirror.example/debian",
    signedBy: "/k.gpg",
  });
  assert.deepEqual(parseSource("deb http://a bookworm main", "list", "bookworm"), {
    uris: "http://a",
    signedBy: undefined,
  });
});

Deno.test("parseCandidates() leaves out packages that cannot be had", () => {
  const text = `git:
  Installed: (none)
  Candidate: 1:2.39.5-0+deb12u2
  Version table:
     1:2.39.5-0+deb12u2 500
docker-compose-v2:
  Installed: (none)
  Candidate: (none)
`;
  assert.deepEqual([...parseCandidates(text)], [["git", "1:2.39.5-0+deb12u2"]]);
});

Deno.test("parseDependencies() keeps alternatives and leaves out virtual packages", () => {
  const text = `redis-server
  PreDepends: init-system-helpers
 |Depends: lsb-base
  Depends: <lsb-virtual>
    sysvinit-utils
  Depends: redis-tools
<lsb-virtual>
redis-tools
  Depends: libc6
`;
  assert.deepEqual([...parseDependencies(text)], [
    ["redis-server", ["init-system-helpers", "lsb-base", "redis-tools"]],
    ["redis-tools", ["libc6"]],
  ]);
});

Deno.test("withoutAddresses() takes mirrors and proxies out of apt's errors", () => {
  const text = "E: Failed to fetch http://user:secret@mirror.example/a.deb  Could not resolve " +
    "'mirror.example'\nCould not connect to proxy.internal:3128 (10.0.0.1)";
  const shown = withoutAddresses(text);
  assert.ok(!/example|secret|internal/.test(shown), shown);
});
