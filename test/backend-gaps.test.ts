import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { getKernelsForBackend } from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-backend-webgl";
import "@tensorflow/tfjs-backend-webgpu";
import { beforeAll, describe, expect, test } from "vitest";
import { type BrowserBackend, browserBackends, supportOf } from "../converter/src/backend-gaps.ts";
import { isOp, isOwnOp } from "../converter/src/ops.ts";
import { openCpuBackend } from "../packages/runtime/src/backends/cpu.ts";
import { openWasmBackend } from "../packages/runtime/src/backends/wasm.ts";
import { complexKernels } from "../packages/runtime/src/kernels/complex.ts";
import { kernels as ownKernels } from "../packages/runtime/src/kernels/index.ts";
import { spectralKernels } from "../packages/runtime/src/kernels/spectral.ts";
import { kernelsOfFile, kernelsOfOps } from "./tfjs-kernels.ts";

const stockKernels = registeredKernels();
for (const open of [openCpuBackend, openWasmBackend]) await (await open()).close(); // for what they register
const allKernels = registeredKernels();

function registeredKernels(): Readonly<Record<BrowserBackend, ReadonlySet<string>>> {
  const names = (backend: BrowserBackend) => new Set(getKernelsForBackend(backend).map(({ kernelName }) => kernelName));
  return { webgpu: names("webgpu"), webgl: names("webgl"), wasm: names("wasm"), cpu: names("cpu") };
}

/** What only tensors of complex numbers need, but for the ops of these names. */
const complexOps = ["Complex", "ComplexAbs", "Imag", "Real"];

/** True if none of `kernels` is missing, those for gradients aside. */
function hasAll(registered: ReadonlySet<string>, kernels: ReadonlySet<string>, op: string): boolean {
  const needed = [...kernels].filter((name) => !name.includes("Backprop") && !complexOps.includes(name));
  return [...needed, ...complexOps.filter((name) => name === op)].every((name) => registered.has(name));
}

/** The kernels of TensorFlow.js that each op of ours may run. */
async function kernelsOfOwnOps(
  stock: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const folder = fileURLToPath(new URL("../packages/runtime/src/kernels", import.meta.url));
  const found = new Map<string, ReadonlySet<string>>();
  for (const name of readdirSync(folder).filter((file) => !/\.test\.ts$|^(index)\.ts$/.test(file))) {
    const tables = Object.values(await import(join(folder, name))).filter((value) => typeof value === "object");
    const kernels = new Set(kernelsOfFile(join(folder, name)));
    // Ours computes what it can without it and leaves it equations that no layer has.
    if (name === "matrices.ts") kernels.delete("Einsum");
    // These are TensorFlow.js's own ops made right: each needs what it needed before.
    const needs = (op: string) => (name === "corrections.ts" ? (stock.get(op) ?? new Set<string>()) : kernels);
    for (const op of tables.flatMap((table) => Object.keys(table ?? {}))) found.set(op, needs(op));
  }
  return found;
}

describe.each(browserBackends)("what is said to run on %s", (backend) => {
  const stock = kernelsOfOps();
  let own: ReadonlyMap<string, ReadonlySet<string>>;
  beforeAll(async () => {
    own = await kernelsOfOwnOps(stock);
  });

  test("is what its kernels run", () => {
    expect(stockKernels[backend].size).toBeGreaterThan(100);
    const ops = [...new Set([...stock.keys(), ...Object.keys(ownKernels)])].filter(isOp).sort();
    expect(ops.length).toBeGreaterThan(200);
    expect(Object.keys(ownKernels).filter((op) => !own.has(op))).toEqual([]);
    const needsComplex = { ...complexKernels, ...spectralKernels };
    const actual = ops.map((op) => {
      const kernels = stock.get(op);
      if (kernels !== undefined && !isOwnOp(op) && hasAll(stockKernels[backend], kernels, op)) return [op, "any"];
      const isOwn = Object.hasOwn(ownKernels, op);
      const needed = isOwn ? own.get(op) : kernels;
      const isFed = op === "Conj" || !Object.hasOwn(needsComplex, op) || allKernels[backend].has("Complex");
      const isRun = needed !== undefined && isFed && hasAll(allKernels[backend], needed, isOwn ? "" : op);
      return [op, isRun ? "nearside" : "none"];
    });
    expect(ops.map((op) => [op, supportOf(op, backend)])).toEqual(actual);
  });
});
