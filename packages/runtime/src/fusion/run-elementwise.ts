import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import { type Block, broadcastBlocks } from "./broadcast-blocks.ts";
import {
  type BlockField,
  blockUniforms,
  elementwiseShader,
  type Operand,
  type writeFormulas,
} from "./elementwise-shader.ts";

const groupSize = 128;

/**
 * Computes formulas on a WebGPU backend, of operands by name, of float32 and not empty, that are broadcast to the shape;
 * the caller holds the result.
 */
export function runElementwise(
  backend: WebGPUBackend,
  formulas: ReturnType<typeof writeFormulas>,
  tensors: Readonly<Record<string, TensorInfo>>,
  shape: number[],
): TensorInfo {
  const given = Object.entries(tensors);
  const size = util.sizeFromShape(shape);
  const blocks = given.map(([, { shape: own }]) => broadcastBlocks(own, shape));
  const components = size % 4 === 0 && blocks.every((each) => isVector(each) || isSplat(each)) ? 4 : 1;
  const operands = given.map(([name, tensor], index): Operand => {
    const own = blocks[index] as readonly Block[]; // one list for each
    const isWhole = util.sizeFromShape(tensor.shape) === size;
    const fields = isWhole ? undefined : own.map((block) => fieldsOf(block, size));
    return { name, blocks: fields, isVector: components === 4 && isVector(own) };
  });
  const program = {
    outputShape: [size],
    dispatchLayout: { x: [0] },
    dispatch: [Math.ceil(size / components / groupSize), 1, 1] as [number, number, number],
    workgroupSize: [groupSize, 1, 1] as [number, number, number],
    variableNames: operands.map(({ name }) => name),
    variableComponents: operands.map(({ isVector }) => (isVector ? components : 1)),
    outputComponent: components,
    size: true,
    uniforms: operands.map(blockUniforms).join(""),
    shaderKey: `elementwise_${components}_${JSON.stringify(operands)}_${formulas.body}`,
    getUserCode: () => elementwiseShader(formulas, operands, components),
  };
  const uniforms = operands.flatMap(({ blocks: fields = [] }, index) =>
    fields.flatMap((needed, block) =>
      needed.map((field) => ({ type: "int32", data: [blocks[index]?.[block]?.[field] ?? 0] })),
    ),
  );
  // As lists of elements, so that one shader does for all shapes.
  const flat = given.map(([, tensor]) => ({ ...tensor, shape: [util.sizeFromShape(tensor.shape)] }));
  const { dataId } = backend.runWebGPUProgram(program, flat, "float32", uniforms);
  return { dataId, shape, dtype: "float32" };
}

/** What of a block isn't plain: divisions are what takes long. */
function fieldsOf({ stride, size, step }: Block, resultSize: number): readonly BlockField[] {
  return [
    ...(stride > 1 ? ["stride" as const] : []),
    ...(stride * size < resultSize ? ["size" as const] : []), // else it is the outermost
    ...(step > 1 ? ["step" as const] : []),
  ];
}

/** Whether the elements that a vector of the result needs lie together, at a multiple of four. */
function isVector([innermost]: readonly Block[]): boolean {
  return innermost?.stride === 1 && innermost.size % 4 === 0;
}

/** Whether all elements of a vector of the result need the same one. */
function isSplat(blocks: readonly Block[]): boolean {
  return blocks.every(({ stride }) => stride % 4 === 0);
}
