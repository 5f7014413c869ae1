import { elementCount } from "@nearside/core";
import { applyElementwise, broadcastShapes } from "../graph/elementwise.ts";
import type { ComputedValue, StoredValue, TensorValue } from "../graph/graph.ts";
import { numbersOf } from "../graph/literal.ts";
import { transpose } from "../graph/transpose.ts";
import type { Checkpoint } from "../saved-model/checkpoint.ts";

/**
 * Computes a value from what lies in the checkpoint, each op's result rounded to float32. An op's result takes the
 * place of its largest operand, so that a filter with a batch norm folded into it takes the memory of the filter.
 */
export async function computeFloats(
  { op, operands }: ComputedValue,
  checkpoint: Checkpoint,
): Promise<Float32Array<ArrayBuffer>> {
  if (op === "Transpose") return await computeTranspose(operands, checkpoint);
  const read: { shape: readonly number[]; elements: Float32Array<ArrayBuffer> }[] = [];
  for (const operand of operands) read.push({ shape: operand.shape, elements: await floatsOf(operand, checkpoint) });
  const shape = broadcastShapes(...operands.map((operand) => operand.shape)) ?? [];
  const count = elementCount(shape);
  const into = read.find(({ elements }) => elements.length === count)?.elements ?? new Float32Array(count);
  return applyElementwise(op, read, shape, into);
}

async function computeTranspose([value, order]: readonly TensorValue[], checkpoint: Checkpoint) {
  if (value === undefined || order?.kind !== "literal") throw new Error("Transpose: expected a value and a literal");
  const elements = await floatsOf(value, checkpoint);
  return transpose({ shape: value.shape, elements }, numbersOf(order) ?? [], new Float32Array(elements.length));
}

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
