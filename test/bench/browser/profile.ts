import {
  getKernelsForBackend,
  type KernelConfig,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from "@tensorflow/tfjs-core";
import { fromPlainTensors, type PlainTensors } from "../../plain-tensors.ts";
import { openInPage, openWasmInPage } from "./open-in-page.ts";

/** Where the time of a run goes. */
export interface Profile {
  /** Milliseconds by kernel, and by the filter's size where it has one: the least of each call, added up. */
  readonly kernels: Readonly<Record<string, { readonly calls: number; readonly ms: number }>>;
  /** The least that a run took besides its kernels. */
  readonly otherMs: number;
}

interface Call {
  readonly name: string;
  readonly ms: number;
}

let calls: Call[] = [];

/** Times each kernel of our runtime on wasm, over `runs` runs of a model. */
async function profile(url: string, plain: PlainTensors, runs: number): Promise<Profile> {
  const backend = await openWasmInPage();
  for (const config of getKernelsForBackend("wasm")) {
    unregisterKernel(config.kernelName, "wasm");
    registerKernel(timed(config));
  }
  await using session = await openInPage(url, backend);
  const inputs = fromPlainTensors(plain);
  for (let count = 0; count < 10; count++) await session.run(inputs); // browsers compile what is hot in the background
  const least: number[] = [];
  let otherMs = Number.POSITIVE_INFINITY;
  for (let count = 0; count < runs; count++) {
    calls = [];
    const startMs = performance.now();
    await session.run(inputs);
    const kernelMs = calls.reduce((sum, { ms }) => sum + ms, 0);
    otherMs = Math.min(otherMs, performance.now() - startMs - kernelMs);
    for (const [index, { ms }] of calls.entries()) least[index] = Math.min(ms, least[index] ?? ms);
  }
  const kernels: Record<string, { calls: number; ms: number }> = {};
  for (const [index, { name }] of calls.entries()) {
    const kernel = kernels[name] ?? { calls: 0, ms: 0 };
    kernels[name] = { calls: kernel.calls + 1, ms: kernel.ms + (least[index] ?? 0) };
  }
  return { kernels, otherMs };
}

function timed(config: KernelConfig): KernelConfig {
  return {
    ...config,
    kernelFunc(args) {
      const startMs = performance.now();
      const result = config.kernelFunc(args);
      const filter = args.inputs.filter as TensorInfo | undefined;
      const name = filter ? `${config.kernelName} ${filter.shape.slice(0, 2).join("×")}` : config.kernelName;
      calls.push({ name, ms: performance.now() - startMs });
      return result;
    },
  };
}

export type ProfileCall = typeof profile;
Object.assign(globalThis, { profile });
