import {
  type ConversionProgress,
  convert,
  type FileSource,
  listSignatures,
  readFiles,
  writeFiles,
} from "@nearside/converter";
import { expose } from "comlink";
import { InferenceError } from "nearside";
import type { ConvertedModel, ConvertFiles, ConvertRequest } from "./convert-protocol.ts";

const answer: ConvertFiles = async (request, onProgress) => {
  try {
    return { model: await convertFiles(request, onProgress) };
  } catch (error) {
    const code = error instanceof InferenceError ? error.code : undefined;
    return { error: { code, message: error instanceof Error ? error.message : String(error) } };
  }
};
expose(answer);

async function convertFiles(
  { files, signature: wanted }: ConvertRequest,
  onProgress: (progress: ConversionProgress) => void,
): Promise<ConvertedModel> {
  const startedMs = performance.now();
  const source = await readFiles(files);
  const { tags, signatures } = await findGraph(source);
  const signature = wanted ?? signatures.find((name) => name === "serving_default") ?? signatures[0];
  const written = new Map<string, Blob>();
  const report = await convert(source, writeFiles(written), {
    tags,
    ...(signature !== undefined && { signature }),
    onProgress,
  });
  return { files: written, report, signatures, convertMs: performance.now() - startedMs };
}

/** The graph that serves, or the first. */
async function findGraph(source: FileSource) {
  const graphs = await listSignatures(source);
  return graphs.find(({ tags }) => tags.join() === "serve") ?? graphs[0] ?? { tags: ["serve"], signatures: [] };
}
