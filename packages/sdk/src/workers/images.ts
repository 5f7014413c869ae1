import { type Envelope, isImage, type RunInputs, type Tensors, toWireError } from "@nearside/core";
import { readImage } from "@nearside/runtime/images";
import { buffersOf } from "../buffers-of.ts";

/** Makes tensors of the images among the inputs that the page sends, each with a port for the answer. */
self.addEventListener("message", ({ data: inputs, ports: [port] }: MessageEvent<RunInputs>) => {
  const envelope = read(inputs);
  port?.postMessage(envelope, "reply" in envelope ? buffersOf(envelope.reply) : []);
});

function read(inputs: RunInputs): Envelope<Tensors> {
  try {
    const tensors = Object.entries(inputs).map(([name, input]) => [name, isImage(input) ? readImage(input) : input]);
    return { reply: Object.fromEntries(tensors) };
  } catch (error) {
    return { error: toWireError(error) };
  } finally {
    for (const input of Object.values(inputs)) if (isImage(input)) input.pixels.close();
  }
}
