import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convert } from "@nearside/converter";
import { readDirectory } from "@nearside/converter/node";
import { encodeProto } from "../../converter/testing/encode-proto.ts";
import { memorySink } from "../../converter/testing/memory-files.ts";
import { fixturesRoot } from "../fixtures.ts";

/** What kind of input a subject is: how it is damaged, and how it is converted. */
export type SubjectKind = "saved-model" | "frozen-graph" | "zip" | "tar.gz" | "graph-model";

/** A sound model that mutations are made from. */
export interface Subject {
  readonly name: string;
  readonly kind: SubjectKind;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

const examples = fileURLToPath(new URL("../../examples/models", import.meta.url));

/** The project's own models come first, in each form that there is; the shared fixtures where they are here. */
const sources: readonly (readonly [name: string, kind: SubjectKind, folder: string | undefined])[] = [
  ["digits", "saved-model", join(examples, "digits/saved_model")],
  ["linear-regression", "saved-model", join(examples, "linear-regression/saved_model")],
  ["linear-regression.zip", "zip", join(examples, "linear-regression/saved_model")],
  ["linear-regression.tar.gz", "tar.gz", join(examples, "linear-regression/saved_model")],
  ["linear-regression.json", "graph-model", join(examples, "linear-regression/saved_model")],
  ...[
    ...["made/k3_conv_bn_relu", "made/k3_lstm", "made/control_flow", "made/tf_cond", "made/hashtable_file"],
    ...["made/text_vectorization", "made/tf1_partitioned", "public/tf-half-plus-two-pbtxt"],
  ].map((fixture) => {
    const folder = fixturesRoot === undefined ? undefined : join(fixturesRoot, fixture, "saved_model");
    return [fixture.replace(/.*\//, ""), "saved-model", folder] as const;
  }),
];

/** The subjects with these names, or all there are. Throws for a name that there isn't. */
export async function readSubjects(names?: readonly string[]): Promise<readonly Subject[]> {
  const there = sources.filter(([, , folder]) => folder !== undefined && existsSync(folder));
  const known = [...there.map(([name]) => name), frozenGraph.name];
  const unknown = names?.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`no model "${unknown}" here; there are ${known.join(", ")}`);
  const chosen = there.filter(([name]) => names?.includes(name) ?? true);
  const subjects = await Promise.all(
    chosen.map(async ([name, kind, folder = ""]) => ({ name, kind, files: await filesOf(kind, folder) })),
  );
  return (names?.includes(frozenGraph.name) ?? true) ? [...subjects, frozenGraph] : subjects;
}

async function filesOf(kind: SubjectKind, folder: string): Promise<Subject["files"]> {
  if (kind === "graph-model") {
    const sink = memorySink();
    await convert(readDirectory(folder), sink);
    return sink.files;
  }
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(
    await Promise.all(
      paths.sort().map(async (path) => [path.slice(folder.length + 1), new Uint8Array(await readFile(path))] as const),
    ),
  );
}

/** softmax(relu(x·w + b)), with a cast and a reshape on the way. */
const frozenGraph: Subject = {
  name: "frozen",
  kind: "frozen-graph",
  files: {
    "model.pb": encodeProto(
      [
        1,
        node(
          "x",
          "Placeholder",
          [],
          [
            ["dtype", type(1)],
            ["shape", shapeAttr(-1, 4)],
          ],
        ),
      ],
      [
        1,
        node(
          "w",
          "Const",
          [],
          [
            ["dtype", type(1)],
            ["value", tensor([4, 3], 12)],
          ],
        ),
      ],
      [
        1,
        node(
          "b",
          "Const",
          [],
          [
            ["dtype", type(1)],
            ["value", tensor([3], 1)],
          ],
        ),
      ],
      [1, node("product", "MatMul", ["x", "w"], [["T", type(1)]])],
      [1, node("sum", "BiasAdd", ["product", "b"], [["T", type(1)]])],
      [1, node("relu", "Relu", ["sum"], [["T", type(1)]])],
      [1, node("shape", "Shape", ["relu"], [["T", type(1)]])],
      [1, node("reshaped", "Reshape", ["relu", "shape"], [["T", type(1)]])],
      [1, node("y", "Softmax", ["reshaped"], [["T", type(1)]])],
    ),
  },
};

function node(
  name: string,
  op: string,
  inputs: readonly string[],
  attrs: readonly (readonly [string, Uint8Array])[],
): Uint8Array {
  return encodeProto(
    [1, name],
    [2, op],
    ...inputs.map((input) => [3, input] as const),
    ...attrs.map(([key, value]) => [5, encodeProto([1, key], [2, value])] as const),
  );
}

function type(number: number): Uint8Array {
  return encodeProto([6, number]);
}

function shape(...sizes: readonly number[]): Uint8Array {
  return encodeProto(...sizes.map((size) => [2, encodeProto([1, size])] as const));
}

function shapeAttr(...sizes: readonly number[]): Uint8Array {
  return encodeProto([7, shape(...sizes)]);
}

/** A float32 constant; one value stands for all. */
function tensor(sizes: readonly number[], count: number): Uint8Array {
  const values = Array.from({ length: count }, (_, index) => [5, { float: index / 8 - 0.5 }] as const);
  return encodeProto([8, encodeProto([1, 1], [2, shape(...sizes)], ...values)]);
}
