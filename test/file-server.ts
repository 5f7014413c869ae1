import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";

/** Changes a file on its way to the browser: other bytes, or an HTTP status instead. */
export type Fault = (bytes: Uint8Array) => Uint8Array | { readonly status: number };

export interface FileServer extends AsyncDisposable {
  readonly origin: string;
  /** The paths asked for, in order. Tests empty it by `length = 0`. */
  readonly requests: string[];
  /** Faults by path. */
  readonly faults: Map<string, Fault>;
}

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** Headers that isolate a page from other origins: it may then share memory between threads, and has finer timers. */
export const isolatingHeaders = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
} as const;

/**
 * Serves folders by prefix (`{ "/models/": folder }`) on a free loopback port, and keeps a record of what was asked.
 * `headers` go with every file.
 */
export async function serveFiles(
  folders: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<FileServer> {
  const requests: string[] = [];
  const faults = new Map<string, Fault>();
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    requests.push(pathname);
    const prefix = Object.keys(folders).find((candidate) => pathname.startsWith(candidate));
    const file = prefix && join(folders[prefix] as string, normalize(`/${pathname.slice(prefix.length)}`));
    const bytes = file && (await readFile(file).catch(() => undefined));
    const sent = bytes && (faults.get(pathname)?.(bytes) ?? bytes);
    const extension = /\.[a-z]+$/.exec(pathname)?.[0] ?? "";
    if (!sent) response.writeHead(404).end();
    else if ("status" in sent) response.writeHead(sent.status).end();
    else {
      const contentType = contentTypes[extension] ?? "application/octet-stream";
      response.writeHead(200, { "content-type": contentType, ...headers }).end(sent);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a TCP server has one
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    faults,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
