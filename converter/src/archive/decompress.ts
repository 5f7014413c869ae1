import { InferenceError } from "@nearside/core";
import { damaged } from "../damaged.ts";
import type { FileSource } from "../files.ts";

/** Bytes of a file: from `start` up to, not including, `end`. */
export interface FileRange {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** What a compressed part of a file holds, in chunks. Throws `data-loss` where it is damaged. */
export async function* decompress(
  source: FileSource,
  range: FileRange,
  format: "gzip" | "deflate-raw",
): AsyncIterable<Uint8Array> {
  const { readable, writable } = new DecompressionStream(format);
  const writing = feed(source, range, writable.getWriter());
  writing.catch(() => {}); // it comes out at the reading end, too
  const reader = readable.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
    await writing;
  } catch (error) {
    if (error instanceof InferenceError) throw error;
    // What the stream says of damage differs from platform to platform.
    const reason = error instanceof Error ? error.message : String(error);
    throw damaged(range.path, `whole ${format} data at ${range.start}`, reason);
  } finally {
    await reader.cancel().catch(() => {}); // lets go of what a reader that stops early leaves
  }
}

/** Writes the range to the stream, chunk by chunk as the stream takes them. */
async function feed(
  source: FileSource,
  { path, start, end }: FileRange,
  writer: ReturnType<DecompressionStream["writable"]["getWriter"]>,
): Promise<void> {
  try {
    for (let at = start; at < end; at += chunkBytes) {
      const chunk = await source.read(path, at, Math.min(end, at + chunkBytes));
      if (chunk.length === 0) throw damaged(path, `${end} bytes`, `${at}`);
      await writer.write(new Uint8Array(chunk));
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error);
    throw error;
  }
}

const chunkBytes = 1 << 20;
