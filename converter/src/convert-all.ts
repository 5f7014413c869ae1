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
      // Of some signatures there may be no golden values: those are verified on random inputs.
      const verify = hasGolden(options.verify, signature) ? options.verify : true;
      const open = async () => await model.open(signature, tags);
      const own = { ...options, signature, ...(options.verify && { verify }) };
      reports.push(await convertSignature(open, source, folder, own));
    }
    await sink.commit();
    return reports;
  } catch (error) {
    await sink.discard();
    throw error;
  }
}

function hasGolden(verify: ConvertOptions["verify"], signature: string): boolean {
  return typeof verify === "object" && verify.some((golden) => golden.signature === signature);
}

/** A folder of a sink, which is committed or discarded as part of it. */
function folderOf(sink: FileSink, folder: string): FileSink {
  return {
    write: (path, bytes) => sink.write(`${folder}/${path}`, bytes),
    commit: async () => {},
    discard: async () => {},
  };
}
