import type { Node } from "./graph.ts";

/** An integer attribute, 0 where it isn't there. */
export function integerAttr({ attrs }: Node, name: string): number {
  const attr = attrs[name];
  return attr !== undefined && "i" in attr ? Number(attr.i) : 0;
}

/** A list of integers, empty where it isn't there. */
export function integersAttr({ attrs }: Node, name: string): readonly number[] {
  const attr = attrs[name];
  return attr !== undefined && "list" in attr ? (attr.list.i?.map(Number) ?? []) : [];
}

/** A text attribute, empty where it isn't there. */
export function textAttr({ attrs }: Node, name: string): string {
  const attr = attrs[name];
  return attr !== undefined && "s" in attr ? new TextDecoder().decode(attr.s) : "";
}

/** The texts of a list attribute. */
export function textsAttr({ attrs }: Node, name: string): readonly string[] {
  const attr = attrs[name];
  const texts = attr !== undefined && "list" in attr ? attr.list.s : undefined;
  return texts?.map((bytes) => new TextDecoder().decode(bytes)) ?? [];
}

/** True if the attribute is there and true. */
export function isTrue({ attrs }: Node, name: string): boolean {
  const attr = attrs[name];
  return attr !== undefined && "b" in attr && attr.b;
}

/** True if the channels are the last axis, as they are where nothing is said. */
export function isChannelsLast(node: Node): boolean {
  return ["", "NHWC", "NDHWC"].includes(textAttr(node, "data_format"));
}
