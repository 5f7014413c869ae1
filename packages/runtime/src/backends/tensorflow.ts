import * as core from "@tensorflow/tfjs-core";
import { compose } from "../plan/composed.ts";
import { type LoadedBackend, startBackend } from "./loaded-backend.ts";

export interface TensorflowOptions {
  /** Registers TensorFlow.js's kernels for native TensorFlow with this core, and makes their backend. */
  readonly createBackend: (tfjsCore: typeof core) => core.KernelBackend;
}

/** Loads native TensorFlow, which runs a graph model op by op. Rejects with `no-backend`. */
export async function openTensorflowBackend({ createBackend }: TensorflowOptions): Promise<LoadedBackend> {
  core.registerBackend("tensorflow", () => {
    const backend = createBackend(core);
    for (const kernel of core.getKernelsForBackend("tensorflow")) {
      core.unregisterKernel(kernel.kernelName, "tensorflow");
      core.registerKernel({ ...kernel, kernelFunc: onTensorInfos(kernel.kernelFunc) });
    }
    return backend;
  });
  return startBackend("tensorflow");
}

/** These kernels call TensorFlow.js's ops: they need tensors, and leave some behind, where others take what a plan has. */
function onTensorInfos(kernel: core.KernelFunc): core.KernelFunc {
  return ({ inputs, attrs, backend: storage }) => {
    const backend = storage as core.KernelBackend; // whose kernels these are
    const given = Object.entries(inputs).filter((entry): entry is [string, core.TensorInfo] => Boolean(entry[1]));
    let isList = false;
    const outputs = compose(
      { name: "tensorflow", backend },
      given.map(([, input]) => input),
      (tensors) => {
        const named = Object.fromEntries(given.map(([name], index) => [name, tensors[index]]));
        const taken = (Array.isArray(inputs) ? tensors : named) as core.NamedTensorInfoMap; // some take a list
        const result = kernel({ inputs: taken, attrs, backend });
        isList = Array.isArray(result);
        return [result].flat().map(toTensor);
      },
    );
    return isList ? [...outputs] : (outputs[0] as core.TensorInfo); // one, then
  };
}

function toTensor(output: core.TensorInfo): core.Tensor {
  return output instanceof core.Tensor ? output : core.engine().makeTensorFromTensorInfo(output);
}
