import { hostileNumber } from "./hostile.ts";
import {
  allMessages,
  entry,
  type Field,
  field,
  type Message,
  message,
  messagesOf,
  numberOf,
  schemaOf,
  textsOf,
} from "./proto-tree.ts";
import type { Random } from "./random.ts";

/** Changes a graph in a way that only a graph can be wrong: cycles, chains, bombs. False where there is none. */
export function mutateGraph(root: Message, random: Random): boolean {
  return random.pick(mutations)(root, random);
}

type Mutation = (root: Message, random: Random) => boolean;

/** Ops that hand on one tensor, with the attributes they need. */
const links = ["Identity", "Neg", "Relu", "Abs", "Reshape", "Cast", "Transpose", "AddV2", "Mul", "Enter"] as const;

const mutations: readonly Mutation[] = [
  function pointBack(root, random) {
    return withBody(root, random, (nodes) => {
      const [node, target] = [random.pick(nodes), random.pick(nodes)];
      const prefix = random.pick(["", "", "^"]);
      const suffix = random.pick(["", "", ":1", ":output:0"]);
      const input = field("NodeDef", "input", `${prefix}${nameOf(target)}${suffix}`);
      const at = node.fields.findIndex(({ number }) => number === input.number);
      if (at < 0 || random.oneIn(3)) node.fields.push(input);
      else node.fields[at] = input;
      return true;
    });
  },
  function callAnother(root, random) {
    const names = messagesOf(root, "OpDef").flatMap((each) => textsOf(each, "name"));
    const references = messagesOf(root, "NameAttrList");
    if (names.length === 0 || references.length === 0) return false;
    setText(random.pick(references), "name", random.pick(names));
    return true;
  },
  function callFromWithin(root, random) {
    const functions = messagesOf(root, "FunctionDef");
    if (functions.length === 0) return false;
    const [caller, callee] = [random.pick(functions), random.pick(functions)];
    const nodes = nodesOf(caller);
    const name = textsOf(messagesOf(callee, "OpDef")[0] ?? caller, "name")[0] ?? "";
    if (nodes.length === 0 || name === "") return false;
    const node = random.pick(nodes);
    setText(
      node,
      "op",
      random.pick(["PartitionedCall", "StatefulPartitionedCall", "StatelessWhile", "If", "Case", name]),
    );
    for (const key of ["f", "cond", "body", "then_branch", "else_branch"]) node.fields.push(functionAttr(key, name));
    return true;
  },
  function longChain(root, random) {
    return withBody(root, random, (nodes, body) => {
      const node = random.pick(nodes);
      const inputs = node.fields.filter(({ number }) => number === numberOf("NodeDef", "input"));
      const input = inputs[0];
      if (input === undefined || !(input.value instanceof Uint8Array)) return false;
      const op = random.pick(links);
      const before = new TextDecoder().decode(input.value);
      const length = random.size(15);
      for (let at = 0; at < length; at++) {
        const from = at === 0 ? before : `link_${at - 1}`;
        const second = op === "AddV2" || op === "Mul" || op === "Reshape" || op === "Transpose" ? [from] : [];
        body.fields.push(nodeField(body, `link_${at}`, op, [from, ...second]));
      }
      input.value = new TextEncoder().encode(`link_${length - 1}`);
      return true;
    });
  },
  function manyInputs(root, random) {
    return withBody(root, random, (nodes) => {
      const input = field("NodeDef", "input", nameOf(random.pick(nodes)));
      const node = random.pick(nodes);
      node.fields = [...node.fields, ...new Array<Field>(random.size(18)).fill(input)];
      return true;
    });
  },
  function functionTower(root, random) {
    const library = messagesOf(root, "FunctionDefLibrary")[0];
    const [sample] = random.oneIn(2) ? messagesOf(root, "FunctionDef") : [];
    const caller = messagesOf(root, "GraphDef")[0];
    if (library === undefined || caller === undefined) return false;
    const [height, calls] = [random.size(11), random.pick([1, 2, 3])];
    const op = random.pick(["PartitionedCall", "StatelessIf", "StatelessWhile", "Case"]);
    const top = random.pick([
      "storey_0",
      "missing",
      ...messagesOf(root, "OpDef").flatMap((each) => textsOf(each, "name")),
    ]);
    for (let at = 0; at < height; at++) {
      const next = at + 1 < height ? `storey_${at + 1}` : top;
      library.fields.push(field("FunctionDefLibrary", "function", storey(at, op, calls, next)));
    }
    const target = random.pick(nodesOf(random.pick([caller, sample ?? caller])));
    for (const key of functionKeys) target.fields.push(functionAttr(key, "storey_0"));
    setText(target, "op", op);
    return true;
  },
  function nestAttributes(root, random) {
    const nodes = messagesOf(root, "NodeDef");
    if (nodes.length === 0) return false;
    let attr = message("AttrValue", [field("AttrValue", "i", 1n)]);
    for (let left = random.size(9); left > 0; left--) {
      const inner = field("NameAttrList", "attr", entry("AttrValue", "a", attr));
      attr = message("AttrValue", [field("AttrValue", "func", message("NameAttrList", [inner]))]);
    }
    random.pick(nodes).fields.push(field("NodeDef", "attr", entry("AttrValue", "deep", attr)));
    return true;
  },
  function hugeShape(root, random) {
    const shapes = messagesOf(root, "TensorShapeProto");
    if (shapes.length === 0) return false;
    const dim = message("Dim", [field("Dim", "size", hostileNumber(random))]);
    const shape = random.pick(shapes);
    shape.fields = [...(random.oneIn(2) ? shape.fields : []), field("TensorShapeProto", "dim", dim)];
    if (random.oneIn(4)) shape.fields = new Array<Field>(random.size(14)).fill(field("TensorShapeProto", "dim", dim));
    return true;
  },
  function fillConstant(root, random) {
    const tensors = messagesOf(root, "TensorProto");
    if (tensors.length === 0) return false;
    const bytes = 2 ** random.below(42);
    for (const tensor of random.oneIn(3) ? tensors : [random.pick(tensors)]) {
      const content = numberOf("TensorProto", "tensorContent");
      const dim = field("TensorShapeProto", "dim", message("Dim", [field("Dim", "size", BigInt(bytes))]));
      tensor.fields = tensor.fields.filter(({ number }) => number !== content);
      tensor.fields.push(field("TensorProto", "tensorShape", message("TensorShapeProto", [dim])));
    }
    return true;
  },
  function otherType(root, random) {
    const fields = allMessages(root).flatMap((each) =>
      each.fields.filter(({ number }) => {
        const [first] = Object.entries(typeFields).filter(([type]) => type === each.type);
        return (
          first !== undefined && !each.isEntry && numberOf(each.type, first[1]) === number && schemaOf(each, number)
        );
      }),
    );
    if (fields.length === 0) return false;
    random.pick(fields).value = BigInt(
      random.pick([0, 1, 2, 3, 4, 7, 8, 9, 10, 14, 18, 19, 20, 21, 22, 23, 24, 29, 101, 999]),
    );
    return true;
  },
  function anotherNodesAttributes(root, random) {
    return withBody(root, random, (nodes) => {
      const [to, from] = [random.pick(nodes), random.pick(nodes)];
      const isKept = ({ number }: Field) => number !== numberOf("NodeDef", "attr");
      to.fields = [...to.fields.filter(isKept), ...from.fields.filter((each) => !isKept(each))];
      return true;
    });
  },
  function swapOps(root, random) {
    return withBody(root, random, (nodes) => {
      const [a, b] = [random.pick(nodes), random.pick(nodes)];
      setText(a, "op", textsOf(b, "op")[0] ?? "");
      return true;
    });
  },
  function otherInputs(root, random) {
    return withBody(root, random, (nodes) => {
      const node = random.pick(nodes);
      const input = numberOf("NodeDef", "input");
      const rest = node.fields.filter(({ number }) => number !== input);
      const inputs = node.fields.filter(({ number }) => number === input);
      if (inputs.length === 0) return false;
      node.fields = [...rest, ...(random.oneIn(2) ? inputs.slice(1) : inputs.reverse())];
      return true;
    });
  },
];

/** The field of each message that is a data type. */
const typeFields = {
  ArgDef: "type",
  AttrValue: "type",
  TensorInfo: "dtype",
  TensorProto: "dtype",
  BundleEntryProto: "dtype",
};

const functionKeys = ["f", "cond", "body", "then_branch", "else_branch"] as const;

/** Runs `change` on the nodes of the main graph or of a function; false where there are none. */
function withBody(root: Message, random: Random, change: (nodes: Message[], body: Message) => boolean): boolean {
  const bodies = [...messagesOf(root, "GraphDef"), ...messagesOf(root, "FunctionDef")];
  if (bodies.length === 0) return false;
  const body = random.pick(bodies);
  const nodes = nodesOf(body);
  return nodes.length > 0 && change(nodes, body);
}

function nodesOf(body: Message): Message[] {
  return body.fields.flatMap(({ value }) =>
    typeof value === "object" && "type" in value && value.type === "NodeDef" ? [value] : [],
  );
}

function nameOf(node: Message): string {
  return textsOf(node, "name")[0] ?? "";
}

function setText(target: Message, name: string, text: string): void {
  const set = field(target.type, name, text);
  target.fields = [...target.fields.filter(({ number }) => number !== set.number), set];
}

function functionAttr(key: string, name: string): Field {
  const reference = message("NameAttrList", [field("NameAttrList", "name", name)]);
  const attr = message("AttrValue", [field("AttrValue", "func", reference)]);
  return field("NodeDef", "attr", entry("AttrValue", key, attr));
}

function nodeField(body: Message, name: string, op: string, inputs: readonly string[], attrs: Field[] = []): Field {
  const fields = [field("NodeDef", "name", name), field("NodeDef", "op", op)];
  const node = message("NodeDef", [...fields, ...inputs.map((input) => field("NodeDef", "input", input)), ...attrs]);
  return field(body.type, body.type === "GraphDef" ? "node" : "nodeDef", node);
}

/** A function of one float that calls another one. */
function storey(at: number, op: string, calls: number, next: string): Message {
  const arg = (name: string) => message("ArgDef", [field("ArgDef", "name", name), field("ArgDef", "type", 1n)]);
  const signature = message("OpDef", [
    field("OpDef", "name", `storey_${at}`),
    field("OpDef", "inputArg", arg("x")),
    field("OpDef", "outputArg", arg("y")),
  ]);
  const body = message("FunctionDef", [field("FunctionDef", "signature", signature)]);
  for (let call = 0; call < calls; call++) {
    const attrs = functionKeys.map((key) => functionAttr(key, next));
    body.fields.push(nodeField(body, `call_${call}`, op, ["x", "x"], attrs));
  }
  const ret: Message = {
    type: "string",
    isEntry: true,
    fields: [
      { number: 1, wire: 2, value: new TextEncoder().encode("y") },
      { number: 2, wire: 2, value: new TextEncoder().encode("call_0:output:0") },
    ],
  };
  body.fields.push(field("FunctionDef", "ret", ret));
  return body;
}
