import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConvertOptions, convert, type FileSource } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { onTestFinished } from "vitest";
import { encodeGraph } from "../../converter/testing/encode-graph.ts";
import { memorySource } from "../../converter/testing/memory-files.ts";
import { fixturesRoot } from "../fixtures.ts";

/** `model.json`, as far as these tests look into it. */
export interface ModelJson {
  readonly format: string;
  readonly convertedBy: string;
  readonly generatedBy: string;
  readonly signature: { readonly inputs: Infos; readonly outputs: Infos };
  readonly modelTopology: Topology;
  readonly modelInitializer?: Topology;
  readonly initializerSignature?: { readonly outputs: Infos };
  readonly userDefinedMetadata?: Readonly<Record<string, unknown>>;
  readonly weightsManifest: readonly {
    readonly paths: readonly string[];
    readonly shards: readonly { readonly bytes: number }[];
    readonly weights: readonly {
      readonly name: string;
      readonly dtype: string;
      readonly shape: readonly number[];
      readonly quantization?: Readonly<Record<string, unknown>>;
    }[];
  }[];
}

type Infos = Readonly<Record<string, { readonly name: string; readonly dtype: string; readonly resourceId?: string }>>;

interface Topology {
  readonly node: readonly JsonNode[];
  readonly library?: { readonly function?: readonly { readonly nodeDef: readonly JsonNode[] }[] };
  readonly versions?: { readonly producer: number };
}

interface JsonNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** A converted model in a folder that is gone when the test is over. */
export interface Converted {
  readonly folder: string;
  readonly json: ModelJson;
}

/** Converts a SavedModel of the shared fixtures, which must be here. */
export function convertFixture(fixture: string, options: ConvertOptions = {}): Promise<Converted> {
  return convertSource(readDirectory(join(fixturesRoot ?? "", fixture, "saved_model")), options);
}

/** Converts a frozen graph of these nodes. */
export function convertNodes(
  nodes: readonly Uint8Array[],
  outputs: readonly string[],
  options: ConvertOptions = {},
): Promise<Converted> {
  const source = memorySource({ "frozen.pb": encodeGraph(...nodes) });
  return convertSource(source, { ...options, frozenGraph: { file: "frozen.pb", outputs } });
}

export async function convertSource(source: FileSource, options: ConvertOptions): Promise<Converted> {
  const folder = await temporaryFolder();
  await convert(source, writeDirectory(folder), options);
  return { folder, json: JSON.parse(await readFile(join(folder, "model.json"), "utf8")) as ModelJson };
}

/** A folder of the test's own. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nearside-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** How often each op occurs in the graph and its functions, constants and inputs aside. */
export function opsOf({ modelTopology }: ModelJson): Readonly<Record<string, number>> {
  const nodes = [modelTopology.node, ...(modelTopology.library?.function ?? []).map(({ nodeDef }) => nodeDef)].flat();
  const counts: Record<string, number> = {};
  for (const { op } of nodes) if (op !== "Const" && op !== "Placeholder") counts[op] = (counts[op] ?? 0) + 1;
  return counts;
}

/** The only node with this op. */
export function onlyNode({ modelTopology }: ModelJson, op: string): JsonNode {
  const [node, ...others] = modelTopology.node.filter((each) => each.op === op);
  if (node === undefined || others.length > 0) throw new Error(`expected one ${op}`);
  return node;
}

/** The ops that a fused node applies. */
export function fusedOps({ attr }: JsonNode): readonly string[] {
  const list = attr?.fused_ops?.list as { readonly s: readonly string[] } | undefined; // what JSON has for it
  return (list?.s ?? []).map((text) => Buffer.from(text, "base64").toString());
}
