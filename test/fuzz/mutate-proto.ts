import { hostileNumber, hostileText } from "./hostile.ts";
import { mutateGraph } from "./mutate-graph.ts";
import { allMessages, encodeTree, type Field, isMessage, type Message, parseTree, schemaOf } from "./proto-tree.ts";
import type { Random } from "./random.ts";

/**
 * The bytes of a message with fields of it removed, repeated, exchanged or set to what no program expects, and lengths
 * that fit all the same: so the damage gets past the parser, to what trusts it.
 */
export function mutateProto(bytes: Uint8Array, type: string, random: Random): Uint8Array {
  const root = parseTree(bytes, type);
  for (let left = random.pick([1, 1, 1, 2, 3]); left > 0; left--) {
    if (random.oneIn(2) && mutateGraph(root, random)) continue;
    mutateField(root, random);
  }
  return encodeTree(root);
}

function mutateField(root: Message, random: Random): void {
  const messages = allMessages(root).filter(({ fields }) => fields.length > 0);
  if (messages.length === 0) return;
  // Types first, or nodes' attributes, of which there are most, would get all the mutations.
  const type = random.pick([...new Set(messages.map((message) => message.type))]);
  const message = random.pick(messages.filter((each) => each.type === type));
  const index = random.below(message.fields.length);
  const field = message.fields[index];
  if (field === undefined) return;
  const others = messages.flatMap((each) =>
    each.type === message.type && each.isEntry === message.isEntry
      ? each.fields.filter(({ number }) => number === field.number)
      : [],
  );
  const edits: readonly (() => void)[] = [
    () => message.fields.splice(index, 1),
    () => message.fields.splice(index, 0, ...new Array<Field>(random.size(8)).fill(field)),
    () => {
      message.fields = [...message.fields, ...message.fields];
    },
    () => {
      message.fields[index] = structuredClone(random.pick(others)); // which may be around the message
    },
    () => {
      message.fields[index] = { ...field, lie: BigInt(2) ** BigInt(random.below(64)) };
    },
    () => {
      message.fields[index] = { ...field, value: hostile(message, field, random) };
    },
    () => {
      message.fields[index] = { ...field, value: hostile(message, field, random) };
    },
    () => {
      message.fields[index] = { ...field, value: structuredClone(random.pick(messages)) };
    },
  ];
  random.pick(edits)();
}

function hostile(message: Message, { number, wire, value }: Field, random: Random): Field["value"] {
  if (typeof value === "bigint" || wire === 0) return hostileNumber(random);
  if (isMessage(value)) return new Uint8Array(0);
  if (wire === 2 && schemaOf(message, number)?.type === "string") return new TextEncoder().encode(hostileText(random));
  const bytes = value.slice();
  for (let at = 0; at < bytes.length; at++) if (random.oneIn(3)) bytes[at] = random.below(256);
  return random.oneIn(3) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
}
