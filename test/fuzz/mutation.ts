import type { ConvertOptions } from "@nearside/converter";
import { mutateTarGz, mutateZip } from "./mutate-archive.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { mutateIndex, mutateValue } from "./mutate-checkpoint.ts";
import { mutateProto } from "./mutate-proto.ts";
import { mutateJson, mutateText } from "./mutate-text.ts";
import { createRandom, type Random, seedOf } from "./random.ts";
import type { Subject } from "./subjects.ts";

/** A damaged model, and how to convert it. */
export interface Mutation {
  /** What was damaged. */
  readonly file: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly options: ConvertOptions;
}

/** Mutation `index` of a run: always the same for the same run and subject. */
export function mutationOf({ name, kind, files }: Subject, run: number, index: number): Mutation {
  const random = createRandom(seedOf(name, run, index));
  const options = random.pick(optionSets);
  if (kind === "zip") return { file: "model.zip", files: { "model.zip": mutateZip(files, random) }, options };
  if (kind === "tar.gz")
    return { file: "model.tar.gz", files: { "model.tar.gz": mutateTarGz(files, random) }, options };
  if (kind === "frozen-graph") {
    const bytes = mutateMessage(files["model.pb"] ?? none, "GraphDef", random);
    const frozenGraph = { file: "model.pb", outputs: [random.pick(["y", "y", "y:0", "relu", "w"])] };
    return { file: "model.pb", files: { "model.pb": bytes }, options: { ...options, frozenGraph } };
  }
  const file = kind === "graph-model" ? random.pick(graphModelFiles(files)) : random.pick(savedModelFiles(files));
  return { file, files: { ...files, ...mutateFile(file, files, random) }, options };
}

const optionSets: readonly ConvertOptions[] = [
  ...[{}, {}, {}, { skipOpCheck: true }, { shardBytes: 64 }],
  { quantize: { uint8: true } },
  { quantize: { float16: true } },
  { quantize: { uint16: ["*w*", "*kernel*"] } },
];

const none = new Uint8Array(0);
const indexPath = "variables/variables.index";
const shardPath = "variables/variables.data-00000-of-00001";

/** The graph is most of what a converter reads, so it is damaged most. */
function savedModelFiles(files: Subject["files"]): readonly string[] {
  const paths = Object.keys(files).filter((path) => path !== "fingerprint.pb");
  const graph = paths.filter((path) => path.startsWith("saved_model."));
  return [...graph, ...graph, ...graph, ...graph, ...graph, ...paths, indexPath];
}

function graphModelFiles(files: Subject["files"]): readonly string[] {
  return [...new Array<string>(9).fill("model.json"), ...Object.keys(files).filter((path) => path.endsWith(".bin"))];
}

function mutateFile(path: string, files: Subject["files"], random: Random): Subject["files"] {
  const bytes = files[path] ?? none;
  if (path.endsWith(".json")) return { [path]: mutateJson(bytes, random) };
  if (path.endsWith(".pbtxt") || path.endsWith(".txt")) return { [path]: mutateText(bytes, random) };
  if (path === "saved_model.pb") return { [path]: mutateMessage(bytes, "SavedModel", random) };
  if (path === indexPath && !random.oneIn(4)) return { [path]: mutateIndex(bytes, random) };
  if (path === shardPath && !random.oneIn(4)) {
    const { index, shard } = mutateValue(files[indexPath] ?? none, bytes, random);
    return { [indexPath]: index, [shardPath]: shard };
  }
  return { [path]: mutateBytes(bytes, random) };
}

function mutateMessage(bytes: Uint8Array, type: string, random: Random): Uint8Array {
  return random.oneIn(3) ? mutateBytes(bytes, random) : mutateProto(bytes, type, random);
}
