import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

/** What becomes of one request. */
export type CdnFault =
  /** The connection ends when so many bytes were sent, and this resolved. */
  | { readonly cutAfter: number; readonly when?: Promise<unknown> }
  /** The whole file, whatever range was asked for. */
  | { readonly ignoresRanges: true }
  /** Other bytes, under the same ETag. */
  | { readonly change: (bytes: Buffer) => Buffer }
  /** No file, but this. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** The answer comes when this resolves; `onAsked` hears of the request. */
  | { readonly after: Promise<unknown>; readonly onAsked?: () => void };

export interface CdnRequest {
  readonly path: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly authorization: string | undefined;
  status: number;
  /** Bytes of the body. */
  sentBytes: number;
}

/** A server of files as a CDN is one: ETags, ranges, other origins allowed; it can fail as told. */
export interface Cdn extends AsyncDisposable {
  readonly origin: string;
  /** What was asked for, in order. */
  readonly requests: CdnRequest[];
  /** Faults by path, one for each request to come. */
  readonly faults: Map<string, CdnFault[]>;
  /** Files that take the place of those in the folders. */
  readonly files: Map<string, Buffer>;
  /** Whether connections are refused. */
  isDown: boolean;
}

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** Serves folders by prefix on a free loopback port. */
export async function serveCdn(folders: Readonly<Record<string, string>>): Promise<Cdn> {
  const server = createServer((request, response) => void answer(request, response));
  const cdn = { requests: [] as CdnRequest[], faults: new Map<string, CdnFault[]>(), files: new Map(), isDown: false };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    if (cdn.isDown) return void request.socket.destroy();
    const { range, authorization, "if-range": ifRange, "if-none-match": ifNoneMatch } = request.headers;
    const record: CdnRequest = { path, range, ifRange: ifRange?.toString(), authorization, status: 0, sentBytes: 0 };
    cdn.requests.push(record);
    const fault = cdn.faults.get(path)?.shift();
    const file = cdn.files.get(path) ?? (await readBelow(folders, path));
    if (fault && "after" in fault) {
      fault.onAsked?.();
      await fault.after;
    }
    const when = Promise.resolve(fault && "when" in fault ? fault.when : undefined);
    const send = (status: number, headers: Readonly<Record<string, string>> = {}, body?: Buffer) => {
      record.status = status;
      const length = { "content-length": String(body?.length ?? 0) };
      response.writeHead(status, { "access-control-allow-origin": "*", ...length, ...headers });
      const part = fault && "cutAfter" in fault ? body?.subarray(0, fault.cutAfter) : body;
      record.sentBytes = part?.length ?? 0;
      if (!part || part === body) response.end(part);
      else response.write(part, () => void when.then(() => response.socket?.end())); // it arrives before the cut
    };
    if (fault && "status" in fault) return send(fault.status, fault.headers);
    if (!file) return send(404);
    const etag = `"${createHash("sha256").update(file).digest("hex").slice(0, 16)}"`;
    const headers = {
      etag,
      "content-type": contentTypes[extname(path)] ?? "application/octet-stream",
      "cache-control": "no-cache",
    };
    if (ifNoneMatch === etag) return send(304, headers);
    const bytes = fault && "change" in fault ? fault.change(file) : file;
    const from = /^bytes=(\d+)-$/.exec(range ?? "")?.[1];
    if (from === undefined || (fault && "ignoresRanges" in fault) || (ifRange !== undefined && ifRange !== etag))
      return send(200, headers, bytes);
    const contentRange = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
    send(206, { ...headers, "content-range": contentRange }, bytes.subarray(Number(from)));
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a TCP server has one
  return Object.assign(cdn, {
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

async function readBelow(folders: Readonly<Record<string, string>>, path: string): Promise<Buffer | undefined> {
  const prefix = Object.keys(folders).find((candidate) => path.startsWith(candidate));
  const file = prefix && join(folders[prefix] as string, normalize(`/${path.slice(prefix.length)}`));
  const isFile = file && (await stat(file).catch(() => undefined))?.isFile();
  return isFile ? readFile(file) : undefined;
}
