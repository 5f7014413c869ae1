import type { OpenRequest, Shard } from "@nearside/core";
import { type DownloadedShard, type DownloadOptions, downloadShard } from "./download-shard.ts";
import { ownHeaders } from "./own-headers.ts";
import { readBlob } from "./read-blob.ts";
import { verifyShard } from "./verify-shard.ts";

/** The shards of a model, wherever they lie. */
export interface ModelFiles {
  /** Where a shard is from. */
  nameOf(shard: Shard): string;
  /** Reads a shard and verifies it; see {@link downloadShard}. */
  download(shard: Shard, options: DownloadOptions): Promise<DownloadedShard>;
}

/**
 * The shards beside these addresses of `model.json`; a query (a signed URL's, say) holds for them, too. Without hashes
 * nothing shows that two mirrors have the same version, so then all are from the first, which gave the manifest. The
 * request's headers go to its own origin alone.
 */
export function filesAt(
  addresses: readonly string[],
  { model, headers }: Pick<OpenRequest, "model" | "headers">,
): ModelFiles {
  const urlsOf = ({ path, sha256 }: Shard) =>
    (sha256 === null ? addresses.slice(0, 1) : addresses).map((address) => {
      const url = new URL(path, address);
      if (url.search === "") url.search = new URL(address).search;
      return url.href;
    });
  return {
    nameOf: (shard) => urlsOf(shard)[0] ?? shard.path,
    download: (shard, options) => {
      const headersFor = (url: string) => ownHeaders(url, model, headers);
      return downloadShard(urlsOf(shard), shard, { ...options, headersFor });
    },
  };
}

/** The shards of a model that the page has itself, by path. */
export function filesIn(files: ReadonlyMap<string, Blob>): ModelFiles {
  return {
    nameOf: ({ path }) => path,
    async download(shard, { onBytes }) {
      const bytes = await readBlob(files, shard.path).arrayBuffer();
      onBytes?.(bytes.byteLength);
      return { bytes, sha256: await verifyShard(bytes, shard, shard.path), validator: undefined };
    },
  };
}
