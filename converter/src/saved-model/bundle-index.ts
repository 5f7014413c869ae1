import { InferenceError } from "@nearside/core";
import { damaged } from "../damaged.ts";
import type { Box } from "../graph/graph.ts";
import { decode, type Proto } from "./messages.ts";
import { decodeSliceKey } from "./slice-key.ts";
import { readSortedTable } from "./sorted-table.ts";

/** A part of a partitioned tensor. */
export interface Part {
  readonly box: Box;
  readonly entry: Proto<"BundleEntryProto">;
}

/** What `variables.index` says: where each tensor lies. */
export interface BundleIndex {
  readonly numShards: number;
  readonly entries: ReadonlyMap<string, Proto<"BundleEntryProto">>;
  /** What a partitioned tensor is made of, by its name. */
  readonly parts: ReadonlyMap<string, readonly Part[]>;
}

/** The index of a model without variables. */
export const emptyIndex: BundleIndex = { numShards: 0, entries: new Map(), parts: new Map() };

/** Reads the index of a checkpoint. Throws `data-loss`, naming `where`, for damage; `unsupported` for big-endian. */
export function readBundleIndex(bytes: Uint8Array, where: string): BundleIndex {
  const [header, ...rest] = readSortedTable(bytes, where);
  if (header === undefined || header.key.length !== 0) {
    throw damaged(where, "a header entry first", "none");
  }
  const { numShards, endianness } = decode("BundleHeaderProto", header.value, where);
  if (endianness !== 0) {
    const advice = "export the model again on a little-endian machine";
    throw new InferenceError("unsupported", `${where}: the checkpoint is big-endian; ${advice}`);
  }
  const entries = new Map<string, Proto<"BundleEntryProto">>();
  const parts = new Map<string, Part[]>();
  const text = new TextDecoder();
  for (const { key, value } of rest) {
    const entry = decode("BundleEntryProto", value, where);
    const slice = decodeSliceKey(key);
    if (slice === undefined) {
      entries.set(text.decode(key), entry);
    } else {
      const siblings = parts.get(slice.name) ?? [];
      parts.set(slice.name, [...siblings, { box: slice.box, entry }]);
    }
  }
  return { numShards, entries, parts };
}
