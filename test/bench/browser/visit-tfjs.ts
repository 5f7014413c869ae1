import { type GraphModel, loadGraphModel } from "@tensorflow/tfjs-converter";
import { setBackend, type Tensor, tensor } from "@tensorflow/tfjs-core";
import { beginVisit } from "./visit.ts";

const kept = "indexeddb://model";
let model: GraphModel;

/** TensorFlow.js as its guide has it: kept in IndexedDB by the first visit, and taken from there by the next. */
beginVisit({
  async open({ model: url, backend }) {
    if (backend === "wasm") (await import("@tensorflow/tfjs-backend-wasm")).setWasmPaths("/tfjs/");
    else await import("@tensorflow/tfjs-backend-webgpu");
    if (!(await setBackend(backend))) throw new Error(`TensorFlow.js has no ${backend}`);
    try {
      model = await loadGraphModel(kept);
    } catch {
      model = await loadGraphModel(url); // the first visit
      await model.save(kept);
    }
  },
  async run(inputs) {
    const [input] = Object.values(inputs);
    const result = model.predict(tensor(input?.data as Float32Array, [...(input?.shape ?? [])])); // of one input
    return Promise.all([result].flat().map((each) => (each as Tensor).data()));
  },
});
