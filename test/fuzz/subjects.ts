import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convert } from "@nearside/converter";
import { readDirectory } from "@nearside/converter/node";
import { encodeConstant, encodeGraph, encodeNode, encodePlaceholder } from "../../converter/testing/encode-graph.ts";
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

/** softmax(relu(x·w + b)), with a reshape on the way. */
const frozenGraph: Subject = {
  name: "frozen",
  kind: "frozen-graph",
  files: {
    "model.pb": encodeGraph(
      encodePlaceholder("x", [-1, 4]),
      encodeConstant(
        "w",
        "float32",
        [4, 3],
        Array.from({ length: 12 }, (_, index) => index / 8 - 0.5),
      ),
      encodeConstant("b", "float32", [3], [-0.5]),
      encodeNode("product", "MatMul", ["x", "w"]),
      encodeNode("sum", "BiasAdd", ["product", "b"]),
      encodeNode("relu", "Relu", ["sum"]),
      encodeNode("shape", "Shape", ["relu"]),
      encodeNode("reshaped", "Reshape", ["relu", "shape"]),
      encodeNode("y", "Softmax", ["reshaped"]),
    ),
  },
};
