import { InferenceError } from "@nearside/core";
import { type ConvertOptions, convertSignature } from "./convert.ts";
import type { FileSink, FileSource } from "./files.ts";
import type { ConversionReport } from "./report/conversion-report.ts";
import { openSavedModel } from "./saved-model/saved-model.ts";

/**
 * Converts each signature of the SavedModel in `source`, into a folder of the sink that has the signature's name
 * (characters that mean something in a URL in percent form). Where one can't be converted, nothing is written.
 * Rejects as `convert` does.
 */
export async function convertAll(
  source: FileSource,
  sink: FileSink,
  { tags = ["serve"], ...options }: Omit<ConvertOptions, "signature" | "frozenGraph"> = {},
): Promise<readonly ConversionReport[]> {
  const wanted = [...tags].sort().join(",");
  const model = await openSavedModel(source);
  const graph = model.graphs.find((candidate) => candidate.tags.join(",") === wanted);
  if (graph === undefined || graph.signatures.length === 0) {
    const there = model.graphs.map((candidate) => `[${candidate.tags.join(",")}]`).join(", ");
    const message = `tags [${wanted}]: no graph of the model has them and a signature; it has ${there}`;
    throw new InferenceError("not-found", message);
  }
  const reports: ConversionReport[] = [];
  try {
    for (const signature of graph.signatures) {
      const folder = folderOf(sink, encodeURIComponent(signature));
      const open = async () => await model.open(signature, tags);
      reports.push(await convertSignature(open, source, folder, { ...options, signature }));
    }
    await sink.commit();
    return reports;
  } catch (error) {
    await sink.discard();
    throw error;
  }
}

/** A folder of a sink, which is committed or discarded as part of it. */
function folderOf(sink: FileSink, folder: string): FileSink {
  return {
    write: (path, bytes) => sink.write(`${folder}/${path}`, bytes),
    commit: async () => {},
    discard: async () => {},
  };
}
