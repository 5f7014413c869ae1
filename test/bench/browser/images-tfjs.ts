import { type GraphModel, loadGraphModel } from "@tensorflow/tfjs-converter";
import {
  browser,
  div,
  expandDims,
  image,
  ready,
  setBackend,
  slice,
  sub,
  type Tensor,
  tidy,
} from "@tensorflow/tfjs-core";
import { mean, offerImages, std } from "./image-frames.ts";

let model: GraphModel;

/** TensorFlow.js as its guides have it: in the page, op by op. */
offerImages({
  async open(url, backend) {
    if (backend === "wasm") (await import("@tensorflow/tfjs-backend-wasm")).setWasmPaths("/tfjs/");
    else await import("@tensorflow/tfjs-backend-webgpu");
    if (!(await setBackend(backend))) throw new Error(`TensorFlow.js has no ${backend}`);
    await ready();
    model = await loadGraphModel(url);
  },
  async run(frame) {
    const output = tidy(() => {
      const pixels = browser.fromPixels(frame as unknown as HTMLCanvasElement); // its types don't know this kind
      const square = slice(pixels, [0, 420, 0], [1080, 1080, 3]); // as `cover` cuts it
      const small = image.resizeBilinear(square, [224, 224], false, true);
      return model.predict(expandDims(div(sub(div(small, 255), mean), std), 0)) as Tensor;
    });
    const values = await output.data();
    output.dispose();
    return values;
  },
});
