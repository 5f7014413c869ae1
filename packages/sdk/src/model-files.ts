import { InferenceError, type Shard } from "@nearside/core";

/** The files that a model consists of, wherever they lie. A name is what `open` takes and what messages say. */
export interface ModelFiles {
  readonly manifestName: string;
  shardName(shard: Shard): string;
  /** Opens a file for reading. Rejects with `not-found` or `unavailable`. */
  open(name: string, init: RequestInit): Promise<Response>;
}

/** The text of `model.json`. Always asks the network, which answers 304 if it hasn't changed. */
export async function readManifestText({ manifestName, open }: ModelFiles, signal?: AbortSignal): Promise<string> {
  const response = await open(manifestName, { cache: "no-cache", signal: signal ?? null });
  return response.text();
}

/** The files of the model whose `model.json` is at `url`. */
export function filesAt(url: string): ModelFiles {
  return {
    manifestName: url,
    /** Shards lie beside `model.json`; a query (a signed URL's, say) holds for them too. */
    shardName({ path }) {
      const shardUrl = new URL(path, url);
      if (shardUrl.search === "") shardUrl.search = new URL(url).search;
      return shardUrl.href;
    },
    open: get,
  };
}

/** The files of a model that the page has itself, by path. */
export function filesIn(files: ReadonlyMap<string, Blob>): ModelFiles {
  return {
    manifestName: "model.json",
    shardName: ({ path }) => path,
    async open(name) {
      const blob = files.get(name);
      if (blob) return new Response(blob);
      const names = [...files.keys()].join(", ") || "none";
      throw new InferenceError("not-found", `${name} is not among the model's files; got ${names}`);
    },
  };
}

async function get(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (cause) {
    init.signal?.throwIfAborted();
    throw new InferenceError("unavailable", `${url} cannot be reached; check the address, the network and CORS`, {
      cause,
    });
  }
  if (response.ok) return response;
  const code = response.status === 404 || response.status === 410 ? "not-found" : "unavailable";
  throw new InferenceError(code, `${url}: HTTP ${response.status}; check the address`);
}
