// A registry of npm that has the platform packages alone, so that npm chooses among them as it will when they are published.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

/** Serves packages until it is closed: `{ name, version, archive? }`; without an archive a package is known, but not to be had. */
export async function serve(packages) {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url).slice(1);
    const found = packages.find(({ name }) => path === name || path === `${name}.tgz`);
    // The next one at this address has other packages.
    response.setHeader("cache-control", "no-store");
    if (found === undefined || (path.endsWith(".tgz") && found.archive === undefined)) {
      response.writeHead(404).end("{}");
    } else if (path.endsWith(".tgz")) {
      response.end(readFileSync(found.archive));
    } else {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(description(found, `http://${request.headers.host}`)));
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

function description({ name, version, archive }, url) {
  const [os, cpu, libc] = name.replace("@portlease/", "").split("-");
  const tarball = `${url}/${name}.tgz`;
  const manifest = {
    name,
    version,
    os: [os],
    cpu: [cpu],
    ...(os === "linux" && { libc: [libc === "gnu" ? "glibc" : libc] }),
    dist: archive === undefined ? { tarball } : { tarball, integrity: integrity(archive) },
  };
  return { name, "dist-tags": { latest: version }, versions: { [version]: manifest } };
}

function integrity(archive) {
  return `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
}
