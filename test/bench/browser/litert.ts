import { type CompiledModel, loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";
import { offer } from "./contender.ts";

let accelerator: "wasm" | "webgpu";
let model: CompiledModel;

/** LiteRT.js: it picks relaxed SIMD itself, and runs one thread unless asked for more. */
offer({
  async load(name) {
    accelerator = name;
    await loadLiteRt("/litert/");
  },
  async open({ tflite }) {
    model = await loadAndCompile(tflite, { accelerator });
  },
  async run(inputs) {
    const fed = Object.entries(inputs).map(
      ([name, { shape, data }]) => [name, new Tensor(data as Float32Array, [...shape])] as const,
    );
    const results = await model.run(Object.fromEntries(fed));
    const outputs: Record<string, ArrayLike<number>> = {};
    for (const [name, result] of Object.entries(results)) {
      outputs[name] = await result.data();
      result.delete();
    }
    for (const [, input] of fed) input.delete();
    return outputs;
  },
});
