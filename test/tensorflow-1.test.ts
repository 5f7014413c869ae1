import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { openSession } from "@nearside/server";
import { expect, onTestFinished, test } from "vitest";
import { encodeProto } from "../converter/testing/encode-proto.ts";

const float = encodeProto([6, 1]);
const int32 = encodeProto([6, 3]);
const yes = encodeProto([5, 1]);
const anyLength = encodeProto([7, encodeProto([2, encodeProto([1, -1])])]);
const scalar = encodeProto([7, encodeProto()]);

type Attrs = Readonly<Record<string, Uint8Array>>;

/** A NodeDef. */
function node(name: string, op: string, inputs: readonly string[], attrs: Attrs = { T: float }): Uint8Array {
  const entries = Object.entries(attrs).map(([key, value]) => [5, encodeProto([1, key], [2, value])] as const);
  return encodeProto([1, name], [2, op], ...inputs.map((input) => [3, input] as const), ...entries);
}

/** A constant int32: a scalar, or a list of one. */
function integer(name: string, value: number, inputs: readonly string[] = [], isList = false): Uint8Array {
  const shape = isList ? encodeProto([2, encodeProto([1, 1])]) : encodeProto();
  const tensor = encodeProto([8, encodeProto([1, 3], [2, shape], [7, value])]);
  return node(name, "Const", inputs, { dtype: int32, value: tensor });
}

/** What TensorFlow 1 writes for `tf.map_fn(lambda e: e * e if e > 0 else -e, x)`, without what changes nothing. */
const squares = [
  node("x", "Placeholder", [], { dtype: float, shape: anyLength }),
  integer("zero", 0),
  integer("one", 1),
  integer("begin", 0, [], true),
  integer("end", 1, [], true),
  node("sizes", "Shape", ["x"], { T: float, out_type: int32 }),
  node("n", "StridedSlice", ["sizes", "begin", "end", "end"], {
    T: int32,
    Index: int32,
    shrink_axis_mask: encodeProto([3, 1]),
  }),
  node("places", "Range", ["zero", "n", "one"], { Tidx: int32 }),
  node("from", "TensorArrayV3", ["n"], { dtype: float, element_shape: scalar }),
  node("filled", "TensorArrayScatterV3", ["from", "places", "x", "from:1"]),
  node("to", "TensorArrayV3", ["n"], { dtype: float, element_shape: scalar }),
  node("loop/i", "Enter", ["zero"], { T: int32 }),
  node("loop/flow", "Enter", ["to:1"]),
  node("loop/n", "Enter", ["n"], { T: int32, is_constant: yes }),
  node("loop/from", "Enter", ["from"], { T: encodeProto([6, 20]), is_constant: yes }),
  node("loop/to", "Enter", ["to"], { T: encodeProto([6, 20]), is_constant: yes }),
  node("loop/filled", "Enter", ["filled"], { T: float, is_constant: yes }),
  node("loop/Merge", "Merge", ["loop/i", "loop/Next"], { T: int32 }),
  node("loop/Merge_1", "Merge", ["loop/flow", "loop/Next_1"]),
  node("loop/Less", "Less", ["loop/Merge", "loop/n"], { T: int32 }),
  node("loop/LoopCond", "LoopCond", ["loop/Less"], {}),
  node("loop/Switch", "Switch", ["loop/Merge", "loop/LoopCond"], { T: int32 }),
  node("loop/Switch_1", "Switch", ["loop/Merge_1", "loop/LoopCond"]),
  node("loop/at", "Identity", ["loop/Switch:1"], { T: int32 }),
  integer("loop/one", 1, ["^loop/at"]),
  node("loop/zero", "Const", ["^loop/at"], {
    dtype: float,
    value: encodeProto([8, encodeProto([1, 1], [2, encodeProto()], [5, { float: 0 }])]),
  }),
  node("loop/after", "Add", ["loop/at", "loop/one"], { T: int32 }),
  node("loop/element", "TensorArrayReadV3", ["loop/from", "loop/at", "loop/filled"], { dtype: float }),
  node("loop/Greater", "Greater", ["loop/element", "loop/zero"]),
  node("cond/Switch", "Switch", ["loop/element", "loop/Greater"]),
  node("cond/square", "Square", ["cond/Switch:1"]),
  node("cond/negative", "Neg", ["cond/Switch"]),
  node("cond/Merge", "Merge", ["cond/negative", "cond/square"]),
  node("loop/write", "TensorArrayWriteV3", ["loop/to", "loop/at", "cond/Merge", "loop/Switch_1:1"]),
  node("loop/Next", "NextIteration", ["loop/after"], { T: int32 }),
  node("loop/Next_1", "NextIteration", ["loop/write"]),
  node("loop/Exit", "Exit", ["loop/Switch_1"]),
  node("size", "TensorArraySizeV3", ["to", "loop/Exit"], {}),
  node("all", "Range", ["zero", "size", "one"], { Tidx: int32 }),
  node("y", "TensorArrayGatherV3", ["to", "all", "loop/Exit"], { dtype: float, element_shape: scalar }),
];

test.each(["cpu", "wasm"] as const)("TensorFlow 1's loops, branches and arrays run on %s", async (backend) => {
  const root = await mkdtemp(join(tmpdir(), "nearside-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const source = join(root, "frozen");
  await mkdir(source);
  await writeFile(join(source, "graph.pb"), encodeProto(...squares.map((each) => [1, each] as const)));
  const target = writeDirectory(join(root, "model"));
  const report = await convert(readDirectory(source), target, { frozenGraph: { file: "graph.pb", outputs: ["y"] } });
  expect(report.ops.StatelessIf).toBe(1);
  await using session = await openSession(join(root, "model"), { backend });
  for (const x of [[1, -2, 3], [4]]) {
    const { y } = await session.run({ x: { dtype: "float32", shape: [x.length], data: Float32Array.from(x) } });
    expect(y).toEqual({ dtype: "float32", shape: [x.length], data: Float32Array.from(x, (e) => (e > 0 ? e * e : -e)) });
  }
});
