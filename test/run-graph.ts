import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tensors } from "@nearside/core";
import type { Graph } from "../converter/src/graph/graph.ts";
import { listWeights } from "../converter/src/graph-model/weights.ts";
import { describeGraphModel, writeGraphModel } from "../converter/src/graph-model/write-graph-model.ts";
import { writeDirectory } from "../converter/src/node.ts";
import { openCheckpoint } from "../converter/src/saved-model/checkpoint.ts";
import { memorySource } from "../converter/testing/memory-files.ts";
import { runInTfjs } from "./run-in-tfjs.ts";

/** What stock TensorFlow.js computes of a graph whose constants are all literals or computed of such. */
export async function runGraph(graph: Graph, inputs: Tensors): Promise<Tensors> {
  const folder = await mkdtemp(join(tmpdir(), "nearside-"));
  try {
    const checkpoint = await openCheckpoint(memorySource({}), "variables");
    const sink = writeDirectory(join(folder, "model"));
    const model = { graph, checkpoint, producer: 0, tensorflowVersion: "", writers: () => new Map() };
    const description = describeGraphModel(model, graph, { metadata: {}, structuredOutputs: undefined });
    await writeGraphModel(description, listWeights(graph), checkpoint, sink, { shardBytes: 2 ** 22 });
    await sink.commit();
    return await runInTfjs(join(folder, "model"), inputs);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
