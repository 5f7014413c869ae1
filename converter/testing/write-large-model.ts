import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32c, maskCrc } from "../src/saved-model/crc32c.ts";
import { concat, type EncodedField, encodeFixed32, encodeProto } from "./encode-proto.ts";
import { encodeTable } from "./encode-table.ts";

/** How many variables a model has, and of how many bytes each is: a multiple of 64. */
export interface LargeModel {
  readonly variables: number;
  readonly variableBytes: number;
}

/**
 * Writes a SavedModel as TensorFlow 1 does, of any size, without TensorFlow: `y = Σ variable[ids]`, the sum of rows of
 * 16 float32 from each variable.
 */
export async function writeLargeModel(folder: string, { variables, variableBytes }: LargeModel): Promise<void> {
  await mkdir(join(folder, "variables"), { recursive: true });
  const names = Array.from({ length: variables }, (_, index) => `table_${String(index).padStart(6, "0")}`);
  const rows = variableBytes / rowBytes;
  await writeFile(join(folder, "saved_model.pb"), encodeModel(names, rows));
  const prefix = join(folder, "variables", "variables");
  const entries: [string, Uint8Array][] = [["", encodeProto([1, 1])]];
  await using shard = await open(`${prefix}.data-00000-of-00001`, "w");
  const values = new Float32Array(chunkBytes / 4).map((_, index) => Math.sin(index));
  for (const [place, name] of names.entries()) {
    let crc = 0;
    for (let done = 0; done < variableBytes; done += chunkBytes) {
      values.set([place, done], place % 16); // so that no two chunks are the same
      const chunk = new Uint8Array(values.buffer, 0, Math.min(chunkBytes, variableBytes - done));
      crc = crc32c(chunk, crc);
      await shard.write(chunk);
    }
    const fields = encodeProto([1, float], [2, shape(rows, columns)], [4, place * variableBytes], [5, variableBytes]);
    entries.push([name, concat(fields, encodeFixed32(6, maskCrc(crc)))]);
  }
  await writeFile(`${prefix}.index`, encodeTable([entries]));
}

const columns = 16;
const rowBytes = 4 * columns;
const chunkBytes = 1 << 20;

/** TensorFlow's numbers of element types. */
const [float, int32, string] = [1, 3, 7];

/** A SavedModel with one graph, whose restore op fills the variables. */
function encodeModel(names: readonly string[], rows: number): Uint8Array {
  const strings = (values: readonly string[]) =>
    encodeProto([1, string], [2, shape(values.length)], ...values.map((value) => [8, value] as const));
  const axis = encodeProto([1, int32], [2, shape()], [7, 0]);
  const nodes = [
    node("ids", "Placeholder", [], attr("dtype", 6, int32), attr("shape", 7, shape(-1))),
    node("axis", "Const", [], attr("dtype", 6, int32), attr("value", 8, axis)),
    node(
      "y",
      "AddN",
      names.map((name) => `${name}/rows`),
      attr("T", 6, float),
      attr("N", 3, names.length),
    ),
    node("prefix", "Placeholder", [], attr("dtype", 6, string), attr("shape", 7, shape())),
    node("names", "Const", [], attr("dtype", 6, string), attr("value", 8, strings(names))),
    node("slices", "Const", [], attr("dtype", 6, string), attr("value", 8, strings(names.map(() => "")))),
    node("restore", "RestoreV2", ["prefix", "names", "slices"]),
    node(
      "restore_all",
      "NoOp",
      names.map((name) => `^${name}/assign`),
    ),
    ...names.flatMap((name, place) => [
      node(
        name,
        "VarHandleOp",
        [],
        attr("dtype", 6, float),
        attr("shape", 7, shape(rows, columns)),
        attr("shared_name", 2, name),
      ),
      node(`${name}/read`, "ReadVariableOp", [name], attr("dtype", 6, float)),
      node(
        `${name}/rows`,
        "GatherV2",
        [`${name}/read`, "ids", "axis"],
        attr("Tparams", 6, float),
        attr("Tindices", 6, int32),
        attr("Taxis", 6, int32),
      ),
      node(`${name}/assign`, "AssignVariableOp", [name, `restore:${place}`], attr("dtype", 6, float)),
    ]),
  ];
  const info = (name: string, dtype: number, tensorShape: Uint8Array) =>
    encodeProto([1, name], [2, dtype], [3, tensorShape]);
  const entry = (key: string, value: Uint8Array) => encodeProto([1, key], [2, value]);
  const signature = encodeProto(
    [1, entry("ids", info("ids:0", int32, shape(-1)))],
    [2, entry("y", info("y:0", float, shape(-1, columns)))],
  );
  const metaGraph = encodeProto(
    [1, encodeProto([4, "serve"], [5, "1.15.0"])],
    [2, encodeProto(...nodes.map((each) => [1, each] as const))],
    [3, encodeProto([3, "restore_all"])],
    [5, entry("serving_default", signature)],
  );
  return encodeProto([1, 1], [2, metaGraph]);
}

function node(name: string, op: string, inputs: readonly string[], ...attrs: readonly EncodedField[]): Uint8Array {
  return encodeProto([1, name], [2, op], ...inputs.map((input) => [3, input] as const), ...attrs);
}

/** An attribute of a node, its value in the field of AttrValue with this number. */
function attr(name: string, kind: number, value: EncodedField[1]): EncodedField {
  return [5, encodeProto([1, name], [2, encodeProto([kind, value])])];
}

function shape(...sizes: readonly number[]): Uint8Array {
  return encodeProto(...sizes.map((size) => [2, encodeProto([1, size])] as const));
}
