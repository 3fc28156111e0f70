// A browser, and a server whose pages may load what lies beside them and nothing else.

import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { delimiter, extname, join, normalize } from "node:path";

/** Scripts of one's own and WebAssembly: no eval, no scripts in the page, no other address. */
export const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";
const TYPES = { ".wasm": "application/wasm", ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript" };

/** Chromium, as playwright knows it, without whatever it would do by itself on the network. */
export function launch(chromium) {
  const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
  args.push("--disable-component-update", "--disable-sync");
  // Without one of its own on the machine, the one that `playwright-core install chromium` brought.
  const executablePath = onPath("chromium");
  return chromium.launch({ args, ...(executablePath !== undefined && { executablePath }) });
}

function onPath(name) {
  const places = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, name));
  return places.find((place) => existsSync(place));
}

/** Serves a folder. A path that ends with `.html` is a page with nothing but the script of that name. */
export async function serve(folder, headers = { "content-security-policy": POLICY }) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const path = join(folder, normalize(pathname));
    response.setHeaders(new Map(Object.entries(headers)));
    response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream");
    if (pathname.endsWith(".html")) {
      const script = pathname.replace(/\.html$/, "");
      const kind = script.endsWith(".mjs") ? "module" : "text/javascript";
      response.end(`<!doctype html><meta charset="utf-8"><script type="${kind}" src="${script}"></script>`);
    } else if (existsSync(path) && statSync(path).isFile()) {
      createReadStream(path).pipe(response);
    } else {
      // Browsers ask for an icon by themselves.
      response.writeHead(pathname === "/favicon.ico" ? 204 : 404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** The first line that a page prints, or its worker, or what goes wrong there. */
export async function answerOf(browser, url) {
  const page = await browser.newPage();
  try {
    const answered = new Promise((resolve, reject) => {
      page.on("console", (line) => {
        if (line.type() === "log") {
          resolve(line.text());
        } else if (line.type() === "error") {
          reject(new Error(line.text()));
        }
      });
      page.on("pageerror", reject);
    });
    await Promise.all([page.goto(url), answered]);
    return await answered;
  } finally {
    await page.close();
  }
}
