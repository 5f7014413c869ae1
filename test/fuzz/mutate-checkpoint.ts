import { crc32c, maskCrc } from "../../converter/src/saved-model/crc32c.ts";
import { readSortedTable } from "../../converter/src/saved-model/sorted-table.ts";
import { encodeTable } from "../../converter/testing/encode-table.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { mutateProto } from "./mutate-proto.ts";
import { encodeTree, numberOf, parseTree } from "./proto-tree.ts";
import type { Random } from "./random.ts";

type Entries = (readonly [key: Uint8Array, value: Uint8Array])[];

/** An index whose entries are damaged and whose checksums are right. */
export function mutateIndex(index: Uint8Array, random: Random): Uint8Array {
  const entries = entriesOf(index);
  const at = random.below(entries.length);
  const [key, value] = entries[at] ?? [new Uint8Array(0), new Uint8Array(0)];
  const type = key.length === 0 ? "BundleHeaderProto" : "BundleEntryProto";
  const edits: readonly (() => void)[] = [
    () => entries.splice(at, 1),
    () => entries.splice(at, 0, [key, value]),
    () => entries.splice(at, 1, [random.pick(entries)[0], value]),
    () => entries.splice(at, 1, [key, random.pick(entries)[1]]),
    () => entries.splice(at, 1, [key.length === 0 ? key : mutateBytes(key, random), value]),
    () => entries.splice(at, 1, [key, mutateBytes(value, random)]),
    () => entries.splice(at, 1, [key, value.length === 0 ? value : mutateProto(value, type, random)]),
    () => entries.splice(at, 1, [key, value.length === 0 ? value : mutateProto(value, type, random)]),
    () => entries.splice(0, entries.length, ...entries.reverse()),
  ];
  random.pick(edits)();
  return encodeTable([entries], random.pick([undefined, undefined, storeAsLiteral, (block) => bomb(block, random)]));
}

/** Other bytes for a variable, with the checksum that fits them: also for the one that holds the object graph. */
export function mutateValue(
  index: Uint8Array,
  shard: Uint8Array,
  random: Random,
): { index: Uint8Array; shard: Uint8Array } {
  const entries = entriesOf(index);
  const at = 1 + random.below(Math.max(1, entries.length - 1));
  const [key, value] = entries[at] ?? [new Uint8Array(0), new Uint8Array(0)];
  const tree = parseTree(value, "BundleEntryProto");
  const fieldOf = (name: string) => tree.fields.find(({ number }) => number === numberOf("BundleEntryProto", name));
  const [offset, size] = [Number(fieldOf("offset")?.value ?? 0n), Number(fieldOf("size")?.value ?? 0n)];
  const bytes = mutateBytes(shard.subarray(offset, offset + size), random);
  const changed = Buffer.concat([shard, bytes]);
  const set = (name: string, to: bigint) => {
    const number = numberOf("BundleEntryProto", name);
    tree.fields = [...tree.fields.filter((each) => each.number !== number), { number, wire: 0, value: to }];
  };
  set("offset", BigInt(shard.length));
  if (random.oneIn(2)) set("size", BigInt(bytes.length));
  const crc = fieldOf("crc32c");
  if (crc !== undefined) crc.value = new Uint8Array(Uint32Array.of(maskCrc(crc32c(bytes))).buffer);
  entries[at] = [key, encodeTree(tree)];
  return { index: encodeTable([entries]), shard: changed };
}

function entriesOf(index: Uint8Array): Entries {
  return readSortedTable(index, "index").map(({ key, value }) => [key, value]);
}

/** A block in snappy's format that doesn't make it any smaller: literals of up to 60 bytes. */
function storeAsLiteral(block: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [varintOf(block.length)];
  for (let at = 0; at < block.length; at += 60) {
    const part = block.subarray(at, at + 60);
    parts.push(Uint8Array.of((part.length - 1) << 2), part);
  }
  return Buffer.concat(parts);
}

/** A block in snappy's format that says to be larger than it is, or copies itself over and over. */
function bomb(block: Uint8Array, random: Random): Uint8Array {
  const copies = new Array<readonly number[]>(random.size(16)).fill([0xfe, 1, 0]).flat();
  return Buffer.concat([varintOf(2 ** random.below(40)), Uint8Array.of(0, block[0] ?? 0), Uint8Array.from(copies)]);
}

function varintOf(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Uint8Array.from([...bytes, rest]);
}
