import { elementCount } from "@nearside/core";
import { applyElementwise, broadcastShapes, type Elements } from "../graph/elementwise.ts";
import type { ComputedValue, StoredValue, TensorValue } from "../graph/graph.ts";
import { numbersOf } from "../graph/literal.ts";
import { copyStrided, joinAlong, sumOver } from "../graph/strided.ts";
import type { Checkpoint } from "../saved-model/checkpoint.ts";

/**
 * Computes a value from what lies in the checkpoint, each op's result rounded to float32. An op's result takes the
 * place of its largest operand, so that a filter with a batch norm folded into it takes the memory of the filter.
 */
export async function computeFloats(
  { op, operands, shape: ownShape }: ComputedValue,
  checkpoint: Checkpoint,
): Promise<Float32Array<ArrayBuffer>> {
  if (op in arrangements) return await arrange(op, operands, ownShape, checkpoint);
  const read: { shape: readonly number[]; elements: Float32Array<ArrayBuffer> }[] = [];
  for (const operand of operands) read.push({ shape: operand.shape, elements: await floatsOf(operand, checkpoint) });
  const shape = broadcastShapes(...operands.map((operand) => operand.shape)) ?? [];
  const count = elementCount(shape);
  const into = read.find(({ elements }) => elements.length === count)?.elements ?? new Float32Array(count);
  return applyElementwise(op, read, shape, into);
}

/** Computes an op whose last operands are lists of integers that say how. */
async function arrange(op: string, operands: readonly TensorValue[], shape: readonly number[], checkpoint: Checkpoint) {
  const lists: (readonly number[])[] = [];
  const read: Elements<Float32Array>[] = [];
  for (const operand of operands) {
    if (operand.dtype === "DT_FLOAT") {
      read.push({ shape: operand.shape, elements: await floatsOf(operand, checkpoint) });
    } else if (operand.kind === "literal") {
      lists.push(numbersOf(operand) ?? []);
    }
  }
  const into = new Float32Array(elementCount(shape));
  return arrangements[op]?.(read, lists, into) ?? into;
}

type Arrangement = (
  values: readonly Elements[],
  lists: readonly (readonly number[])[],
  into: Float32Array<ArrayBuffer>,
) => Float32Array<ArrayBuffer>;

const none: Elements = { shape: [], elements: [] };
const arrangements: Readonly<Record<string, Arrangement>> = {
  Join: (values, [[axis = 0] = []], into) => joinAlong(values, axis, into),
  Sum: ([value = none], [axes = []], into) => sumOver(value, axes, into),
  Walk: ([{ elements } = none], [dims = [], strides = [], [offset = 0] = []], into) =>
    copyStrided(elements, { dims, strides, offset }, into),
};

/** The elements of a float32 value in an array of their own. */
async function floatsOf(value: TensorValue, checkpoint: Checkpoint): Promise<Float32Array<ArrayBuffer>> {
  if (value.kind === "computed") return await computeFloats(value, checkpoint);
  if (value.kind === "stored") return await readFloats(value, checkpoint);
  if (!(value.data instanceof Uint8Array)) throw new Error("expected numbers, got strings");
  return new Float32Array(new Uint8Array(value.data).buffer);
}

async function readFloats(value: StoredValue, checkpoint: Checkpoint): Promise<Float32Array<ArrayBuffer>> {
  const floats = new Float32Array(elementCount(value.shape));
  const bytes = new Uint8Array(floats.buffer);
  let at = 0;
  for await (const chunk of checkpoint.read(value)) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return floats;
}
