import { closeImages, type Envelope, type Tensors, toWireError } from "@nearside/core";
import { readImages } from "@nearside/runtime/images";
import { buffersOf } from "../buffers-of.ts";
import type { Images } from "../inputs/copy-images.ts";

/** Makes tensors of the images that the page hands over, each time with a port for the answer. */
self.addEventListener("message", ({ data: images, ports: [port] }: MessageEvent<Images>) => {
  const envelope = read(images);
  port?.postMessage(envelope, "reply" in envelope ? buffersOf(envelope.reply) : []);
});

function read(images: Images): Envelope<Tensors> {
  try {
    return { reply: readImages(images) };
  } catch (error) {
    return { error: toWireError(error) };
  } finally {
    closeImages(images);
  }
}
