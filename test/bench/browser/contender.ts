import type { Tensors } from "@nearside/core";
import { fromPlainTensors, type PlainTensors } from "../../plain-tensors.ts";

/** Where a model's files are, by what wrote them. */
export interface ModelUrls {
  /** Our converter's `model.json`, and that of the Python converter. */
  readonly nearside: string;
  readonly reference: string;
  readonly tflite: string;
  readonly onnx: string;
}

/**
 * One library that runs models in a browser. Each has a page of its own, which is shown in a frame: two that are made
 * of TensorFlow.js would share its list of kernels.
 */
export interface Contender {
  /** Loads the library and starts its backend: all that needs no model. */
  load(backend: "wasm" | "webgpu"): Promise<void>;
  open(model: ModelUrls): Promise<void>;
  /** Takes tensors by the names of the signature, and gives the outputs by theirs: copies, in JavaScript. */
  run(inputs: Tensors): Promise<Readonly<Record<string, ArrayLike<number>>>>;
}

/** What a contender's page offers to whoever shows it. */
export interface OfferedContender extends Pick<Contender, "load" | "open"> {
  /** Takes the inputs of all runs to come; a frame's arrays are not instances of another's classes. */
  feed(inputs: PlainTensors): void;
  run(): ReturnType<Contender["run"]>;
}

export interface ContenderWindow {
  contender?: OfferedContender;
}

/** Offers the page's contender. */
export function offer(contender: Contender): void {
  let tensors: Tensors = {};
  const offered: OfferedContender = {
    load: contender.load,
    open: contender.open,
    feed: (inputs) => {
      tensors = fromPlainTensors(inputs);
    },
    run: () => contender.run(tensors),
  };
  (globalThis as ContenderWindow).contender = offered;
}
