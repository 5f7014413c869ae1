import type { Attr, Node } from "./graph.ts";

/** The ops that run functions a number of times that a tensor decides, and the attributes that name the functions. */
const functionAttrs: Readonly<Record<string, readonly string[]>> = {
  If: ["then_branch", "else_branch"],
  StatelessIf: ["then_branch", "else_branch"],
  While: ["cond", "body"],
  StatelessWhile: ["cond", "body"],
};

/** The attributes that name a loop's or branch's functions; none for any other node. */
export function functionAttrsOf({ op }: Node): readonly string[] {
  return functionAttrs[op] ?? [];
}

/** True for a loop. All its inputs go to both of its functions. */
export function isLoop({ op }: Node): boolean {
  return op === "While" || op === "StatelessWhile";
}

/** True for a branch. Its first input is the predicate, the others go to both of its functions. */
export function isBranch({ op }: Node): boolean {
  return op === "If" || op === "StatelessIf";
}

/** The name of the function that an attribute names. */
export function functionOf(attr: Attr | undefined): string | undefined {
  return attr !== undefined && "func" in attr ? attr.func.name : undefined;
}
