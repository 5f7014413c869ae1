import { convert, type FileSource, listSignatures, readFiles, writeFiles } from "@nearside/converter";
import { InferenceError } from "nearside";
import type { ConvertedModel, ConvertMessage, ConvertRequest } from "./convert-protocol.ts";

addEventListener("message", async ({ data }: MessageEvent<ConvertRequest>) => {
  try {
    send({ model: await convertFiles(data) });
  } catch (error) {
    const code = error instanceof InferenceError ? error.code : undefined;
    send({ error: { code, message: error instanceof Error ? error.message : String(error) } });
  }
});

async function convertFiles({ files, signature: wanted }: ConvertRequest): Promise<ConvertedModel> {
  const startedMs = performance.now();
  const source = await readFiles(files);
  const { tags, signatures } = await findGraph(source);
  const signature = wanted ?? signatures.find((name) => name === "serving_default") ?? signatures[0];
  const written = new Map<string, Blob>();
  const report = await convert(source, writeFiles(written), {
    tags,
    ...(signature !== undefined && { signature }),
    onProgress: (progress) => send({ progress }),
  });
  return { files: written, report, signatures, convertMs: performance.now() - startedMs };
}

/** The graph that serves, or the first. */
async function findGraph(source: FileSource) {
  const graphs = await listSignatures(source);
  return graphs.find(({ tags }) => tags.join() === "serve") ?? graphs[0] ?? { tags: ["serve"], signatures: [] };
}

function send(message: ConvertMessage): void {
  postMessage(message);
}
