import type { RunOptions, Session, Tensor, TensorSpec, Tensors } from "@nearside/core";

/**
 * Runs a session on inputs that may lack the last axes of the signature, where those have size 1: TensorFlow Serving
 * doesn't compare shapes with the signature's, and its first example sends `[1.0, 2.0, 5.0]` for an input `[?, 1]`. Such
 * inputs get the axes, and the outputs that have them by the signature lose them again.
 */
export async function runLoosely(session: Session, inputs: Tensors, options: RunOptions): Promise<Tensors> {
  const missing = Object.entries(inputs).map(([name, tensor]) => missingAxes(tensor, session.signature.inputs[name]));
  const [count = 0] = missing;
  if (count === 0 || missing.some((each) => each !== count)) return session.run(inputs, options);
  const ones = new Array<number>(count).fill(1);
  const outputs = await session.run(
    mapShapes(inputs, (_name, shape) => [...shape, ...ones]),
    options,
  );
  return mapShapes(outputs, (name, shape) => {
    const declared = session.signature.outputs[name]?.shape;
    const endsInOnes = (sizes: readonly (number | null)[]) => sizes.length > count && sizes.slice(-count).every(isOne);
    return declared && endsInOnes(declared) && endsInOnes(shape) ? shape.slice(0, -count) : shape;
  });
}

/** How many axes of size 1 the tensor lacks at its end; 0 where it fits, or differs otherwise. */
function missingAxes({ shape }: Tensor, spec: TensorSpec | undefined): number {
  const declared = spec?.shape;
  if (!declared || shape.length >= declared.length) return 0;
  const isLike = shape.every((size, axis) => declared[axis] === null || declared[axis] === size);
  return isLike && declared.slice(shape.length).every(isOne) ? declared.length - shape.length : 0;
}

function isOne(size: number | null): boolean {
  return size === 1;
}

function mapShapes(tensors: Tensors, map: (name: string, shape: readonly number[]) => readonly number[]): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, { ...tensor, shape: map(name, tensor.shape) }]),
  );
}
