import { array, broken, isObject, object } from "./parse-json.ts";

/**
 * Throws `data-loss`, naming the place, for what isn't built as a GraphDef in protocol buffers' JSON form, as far as
 * graphs are read. What its names and attributes say is for the loader of the graph to judge.
 */
export function checkGraph(json: unknown, where: string): void {
  const { node, library } = object(json, where);
  checkEach(node, isNode, "a node", `${where}.node`);
  const functions = object(library ?? {}, `${where}.library`).function;
  checkEach(functions, isFunction, "a function", `${where}.library.function`);
  for (const { signature, nodeDef } of (functions ?? []) as readonly CheckedFunction[]) {
    checkEach(nodeDef, isNode, "a node", `${where}: function "${signature.name}"`);
  }
}

/** What is known of a function that was checked. */
interface CheckedFunction {
  readonly signature: { readonly name: string };
  readonly nodeDef?: unknown;
}

type Is = (value: unknown) => boolean;

function checkEach(list: unknown = [], is: Is, expected: string, where: string): void {
  for (const [index, value] of array(list, where).entries()) {
    if (!is(value)) throw broken(`${where}[${index}]`, expected, JSON.stringify(value));
  }
}

const isNode: Is = (node) =>
  isNamed(node) && isText(node.op) && isListOf(node.input, isText) && (node.attr === undefined || isObject(node.attr));

const isFunction: Is = (value) =>
  isObject(value) &&
  isNamed(value.signature) &&
  isListOf(value.signature.inputArg, isNamed) &&
  isListOf(value.signature.outputArg, isNamed) &&
  isListOf(Object.values(value.ret ?? {}), isText);

function isNamed(value: unknown): value is Record<string, unknown> {
  return isObject(value) && isText(value.name);
}

const isText: Is = (value) => typeof value === "string";

function isListOf(list: unknown = [], is: Is): boolean {
  return Array.isArray(list) && list.every(is);
}
