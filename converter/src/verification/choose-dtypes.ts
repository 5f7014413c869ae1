import { InferenceError, type QuantizedDType, type Tensors } from "@nearside/core";
import type { QuantizeContext } from "../graph-model/quantize-weights.ts";
import type { Weight } from "../graph-model/weights.ts";
import { type ModelDescription, modelToJson } from "../graph-model/write-graph-model.ts";
import { readMemory } from "../memory-files.ts";
import { greatestError, outputErrors } from "./output-errors.ts";
import { type OpenModel, runModel } from "./run-model.ts";
import { makeVariants, type Variant, withBytes } from "./weight-variants.ts";

/** Which types an automatic quantisation chose, and what that costs. */
export interface ChosenDTypes {
  /** What was allowed, and what came out: the greatest relative error of an output, √(Σ(got − want)² / Σ want²). */
  readonly maxError: number;
  readonly error: number;
  /** How often the model was run to find out. */
  readonly evaluations: number;
  /** Each float32 weight's type and, where it was measured, the error that int8 for it alone (or its group) causes. */
  readonly weights: Readonly<
    Record<string, { readonly dtype: QuantizedDType | "float32"; readonly int8Error?: number }>
  >;
}

export interface ChooseOptions {
  readonly maxError: number;
  readonly openModel: OpenModel;
  /** What to measure the error on; random inputs if none are given. */
  readonly inputs?: readonly Tensors[] | undefined;
}

/** How many groups of weights are measured, each on its own. */
const maxGroups = 64;

/**
 * Finds the smallest types of float32 weights with which no output's error is above `maxError`. It begins with int8 for
 * all. Where that is too much, it measures what int8 for each weight alone does (for each of {@link maxGroups} groups, if
 * there are more), and makes those float16, then float32, that do the most per byte saved: as few as are needed, which
 * bisection finds. So it runs the model some {@link maxGroups} + 2·log₂(weights) times at most.
 * All variants of the weights are in memory meanwhile.
 */
export async function chooseDTypes(
  description: ModelDescription,
  weights: readonly Weight[],
  context: QuantizeContext,
  { maxError, openModel, inputs }: ChooseOptions,
): Promise<{
  readonly weights: readonly Weight[];
  readonly chosen: ChosenDTypes;
  readonly notices: readonly string[];
}> {
  const variants = await makeVariants(weights, context);
  const reference = await run(allAt(2), inputs);
  const given = reference.map((each) => each.inputs);
  const want = reference.map((each) => each.outputs);
  let evaluations = 0;

  function allAt(level: number): readonly number[] {
    return weights.map(() => level);
  }

  async function run(chosen: readonly number[], on: readonly Tensors[] | undefined) {
    const files = new Map<string, Uint8Array>();
    const picked = variants.map((each, index) => each[chosen[index] as number] as Variant); // one for each level
    const paths = picked.map(({ bytes }, index) => {
      files.set(`${index}.bin`, bytes);
      return `${index}.bin`;
    });
    const listed = picked.map(({ weight }) => weight);
    files.set("model.json", new TextEncoder().encode(modelToJson(description, listed, { paths })));
    return (await runModel(readMemory(files), openModel, on, context.signal)).runs;
  }

  async function errorOf(chosen: readonly number[]): Promise<number> {
    evaluations++;
    const runs = await run(chosen, given);
    return greatestError(
      outputErrors(
        runs.map(({ outputs }) => outputs),
        want,
      ),
    );
  }

  /** Raises the first groups to a level, as few as bring the error within bounds, or all. */
  async function raise(from: readonly number[], groups: readonly (readonly number[])[], level: number) {
    const raised = (count: number) => {
      const members = new Set(groups.slice(0, count).flat());
      return from.map((at, index) => (members.has(index) ? Math.max(at, level) : at));
    };
    let [low, high] = [0, groups.length]; // `low` is known to be too few
    let error = await errorOf(raised(high));
    if (error > maxError) return { chosen: raised(high), error };
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      const there = await errorOf(raised(middle));
      if (there > maxError) {
        low = middle;
      } else {
        [high, error] = [middle, there];
      }
    }
    return { chosen: raised(high), error };
  }

  let chosen = allAt(0);
  let error = await errorOf(chosen);
  const int8Errors = new Map<number, number>();
  if (error > maxError) {
    const groups = groupWeights(variants);
    const measured: { group: readonly number[]; error: number; bytes: number }[] = [];
    for (const group of groups) {
      const members = new Set(group);
      const alone = await errorOf(weights.map((_, index) => (members.has(index) ? 0 : 2)));
      for (const index of group) int8Errors.set(index, alone);
      measured.push({ group, error: alone, bytes: group.reduce((sum, index) => sum + savedBytes(variants[index]), 0) });
    }
    // Errors of weights that know nothing of each other add up as squares.
    measured.sort((a, b) => b.error ** 2 / b.bytes - a.error ** 2 / a.bytes);
    const order = measured.map(({ group }) => group);
    ({ chosen, error } = await raise(chosen, order, 1));
    if (error > maxError) {
      const rest = weights.flatMap((_, index) => (int8Errors.has(index) ? [] : [index]));
      ({ chosen, error } = await raise(chosen, [...order, rest], 2));
    }
  }
  if (error > maxError) {
    const message = `quantize auto: the outputs of the same model differ by ${error.toExponential(1)} from run to run`;
    throw new InferenceError("unsupported", `${message}, so no error can be measured; choose the types yourself`);
  }
  const final = variants.map((each, index) => withBytes(each[chosen[index] as number] as Variant));
  const named = final.flatMap(({ name, dtype, quantization }, index) => {
    const int8Error = int8Errors.get(index);
    const entry = { dtype: quantization?.dtype ?? ("float32" as const), ...(int8Error !== undefined && { int8Error }) };
    return dtype === "float32" ? [[name, entry] as const] : [];
  });
  return { weights: final, chosen: { maxError, error, evaluations, weights: Object.fromEntries(named) }, notices: [] };
}

/** The weights that int8 changes, in their order, in groups of about the same size where there are many. */
function groupWeights(variants: readonly (readonly Variant[])[]): readonly (readonly number[])[] {
  const changed = variants.flatMap(([small], index) => (small?.weight.quantization?.dtype === "int8" ? [index] : []));
  const size = Math.ceil(changed.length / maxGroups);
  const groups: number[][] = [];
  for (let at = 0; at < changed.length; at += size) groups.push(changed.slice(at, at + size));
  return groups;
}

/** What int8 saves against float16. */
function savedBytes([small, half]: readonly Variant[] = []): number {
  return Math.max(1, (half?.bytes.length ?? 0) - (small?.bytes.length ?? 0));
}
