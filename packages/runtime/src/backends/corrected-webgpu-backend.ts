import { env, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { BufferPool } from "./buffer-pool.ts";
import { LeanWebgpuBackend } from "./lean-webgpu-backend.ts";
import type { Program, ProgramArguments } from "./open-webgpu-backend.ts";
import { withPreciseSines } from "./precise-sines.ts";

// Below it TensorFlow.js computes on the CPU as long as all inputs are there.
const smallSize = 1000;

/**
 * TensorFlow.js's WebGPU backend without what it does wrongly itself.
 *
 * It keeps small tensors' values when it uploads them, and goes on computing with them on the CPU. TensorFlow.js drops
 * them: a loop's counter moves to the device once a kernel there takes the constant that it began with, and each
 * index is read back through a canvas, which not every worker survives.
 */
export class CorrectedWebgpuBackend extends LeanWebgpuBackend {
  readonly bufferPool: BufferPool;

  constructor(...args: ConstructorParameters<typeof LeanWebgpuBackend>) {
    super(...args);
    this.bufferPool = new BufferPool(this.device, () => this.submitCommands());
    Object.assign(this, { bufferManager: this.bufferPool }); // the types want its private fields, too
  }

  override uploadToGPU(dataId: object): void {
    const { values, shape } = this.tensorMap.get(dataId);
    super.uploadToGPU(dataId);
    if (values && util.sizeFromShape(shape) < smallSize) this.tensorMap.get(dataId).values = values;
  }

  override shouldExecuteOnCPU(inputs: TensorInfo[], sizeThreshold = smallSize): boolean {
    if (super.shouldExecuteOnCPU(inputs, sizeThreshold)) return true;
    const isKept = ({ dataId, shape }: TensorInfo) =>
      this.tensorMap.get(dataId).values != null && util.sizeFromShape(shape) < sizeThreshold;
    return env().getBool("WEBGPU_CPU_FORWARD") && inputs.every(isKept);
  }

  override runWebGPUProgram(program: Program, ...rest: ProgramArguments): TensorInfo {
    const [inputs, dtype, uniforms, given] = rest;
    const stored = inputs.map(({ dataId }) => this.tensorMap.get(dataId).dtype);
    const output = given ?? this.makeTensorInfo(program.outputShape, dtype);
    try {
      super.runWebGPUProgram(correct(program, stored, dtype), inputs, dtype, uniforms, output);
    } catch (error) {
      if (!given) this.disposeData(output.dataId); // whose buffer the device has no room for, say
      throw error;
    }
    // Where a program writes into a tensor that was there before, what was kept of it is no longer true.
    if (given) Object.assign(this.tensorMap.get(output.dataId), { values: null });
    return output;
  }
}

/**
 * A program with its shader's faults mended. Programs are made for one run each. `stored` is what the elements of its
 * inputs are in memory, which a cast from integers to floats doesn't change.
 */
function correct(program: Program, stored: readonly TensorInfo["dtype"][], dtype: TensorInfo["dtype"]): Program {
  // The length stands in the shader's text, so shaders of other lengths are not the same.
  if (program.shaderKey.startsWith("cum_")) program.shaderKey += `_${program.outputShape.at(-1)}`;
  if (program.shaderKey.startsWith("unary_")) {
    const make = program.getUserCode.bind(program);
    program.getUserCode = () => withPreciseSines(make());
  }
  // It hands integers to a function that takes floats, which doesn't compile.
  if (/^transpose_\d/.test(program.shaderKey) && stored[0] !== "float32") {
    const code = program.getUserCode();
    const element = /A\[getIndexFromCoords[^\]]*\]/;
    program.getUserCode = () =>
      dtype === "float32"
        ? code.replace(element, "f32($&)")
        : code.replace("setOutputAtIndex(", "setOutputAtIndexI32(");
  }
  return program;
}
