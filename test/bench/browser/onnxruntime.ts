import type { InferenceSession } from "onnxruntime-web";
import { offer } from "./contender.ts";

let backend: "wasm" | "webgpu";
let library: typeof import("onnxruntime-web");
let session: InferenceSession;

/** ONNX Runtime Web. Its WebAssembly starts with the first session. */
offer({
  async load(name) {
    backend = name;
    library = await (name === "wasm" ? import("onnxruntime-web/wasm") : import("onnxruntime-web/webgpu"));
    const { env } = library;
    env.wasm.numThreads = 1;
    env.wasm.wasmPaths = "/onnxruntime/";
  },
  async open({ onnx }) {
    session = await library.InferenceSession.create(onnx, { executionProviders: [backend] });
  },
  async run(inputs) {
    const fed = Object.entries(inputs).map(([name, { shape, data }]) => [
      name,
      new library.Tensor("float32", data as Float32Array, [...shape]),
    ]);
    const results = await session.run(Object.fromEntries(fed));
    const outputs: Record<string, ArrayLike<number>> = {};
    for (const [name, result] of Object.entries(results)) outputs[name] = (await result.getData()) as Float32Array;
    return outputs;
  },
});
