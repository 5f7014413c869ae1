import { image, openSession, type Session } from "nearside";
import { mean, offerImages, std } from "./image-frames.ts";

let session: Session;

/** The SDK: the page takes the pixels, the worker does the rest. */
offerImages({
  async open(model, backend) {
    session = await openSession(model, { backend, cache: false });
  },
  async run(frame) {
    const { y } = await session.run({ x: await image(frame, { size: 224, mean, std }) });
    return y?.data as Float32Array;
  },
});
