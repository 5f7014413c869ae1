import { readFileSync } from "node:fs";
import { dtypes, isDType, type Tensor } from "@nearside/core";
import type { JsonAttrs } from "./run-op.ts";

/** One run of an op that TensorFlow made (make-kernel-golden.py). */
export interface KernelGolden {
  readonly op: string;
  /** What the case is about, or "" where the op's name says it. */
  readonly about: string;
  readonly attrs: JsonAttrs;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/** Numbers that JSON lacks (`nan`, `inf`) stand there as text. */
interface GoldenTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: readonly (string | number)[];
}

/** What TensorFlow computed, from kernel-golden.json. */
export function readKernelGolden(): readonly KernelGolden[] {
  const { cases } = JSON.parse(readFileSync(new URL("kernel-golden.json", import.meta.url), "utf8")) as {
    cases: readonly (Omit<KernelGolden, "inputs" | "outputs"> &
      Record<"inputs" | "outputs", readonly GoldenTensor[]>)[];
  }; // our own script wrote it
  return cases.map((run) => ({
    ...run,
    attrs: JSON.parse(JSON.stringify(run.attrs), (key, value) => (key === "s" ? decodeTexts(value) : value)),
    inputs: run.inputs.map(toTensor),
    outputs: run.outputs.map(toTensor),
  }));
}

/** Text attributes are base64 there, and plain in {@link JsonAttrs}. */
function decodeTexts(value: string | readonly string[]): string | readonly string[] {
  return typeof value === "string" ? atob(value) : value.map((each) => atob(each));
}

function toTensor({ dtype, shape, data }: GoldenTensor): Tensor {
  if (!isDType(dtype)) throw new Error(`no tensor can hold ${dtype}`);
  if (dtype === "string") return { dtype, shape, data: data.map(String) };
  const numbers = data.map((value) => (typeof value === "string" ? (texts[value] ?? Number.NaN) : value));
  const array = dtypes[dtype].array as typeof Float32Array; // stands for every numeric array
  return { dtype, shape, data: array.from(numbers) } as Tensor; // the array of that dtype
}

const texts: Readonly<Record<string, number>> = { inf: Number.POSITIVE_INFINITY, "-inf": Number.NEGATIVE_INFINITY };
