import {
  type DType,
  dequantize,
  elementCount,
  type Manifest,
  parseManifest,
  quantizedBytes,
  type WeightSpec,
} from "@nearside/core";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { dispose, io, memory, type NamedTensorMap } from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDawn } from "../../testing/open-dawn.ts";
import { toFloat16 } from "../../testing/to-float16.ts";
import { openCpuBackend } from "../backends/cpu.ts";
import type { LoadedBackend } from "../backends/loaded-backend.ts";
import { openWasmBackend } from "../backends/wasm.ts";
import { openWebgpuBackend } from "../backends/webgpu.ts";
import { currentDevice } from "../plan/device.ts";
import { fromTfjs } from "../tfjs-tensor.ts";
import { loadWeights } from "./load-weights.ts";

const gpu = await openDawn();

const affine = (dtype: string) => ({ quantization: { dtype, min: -1.234567, scale: 0.0123456789 } });
const int8 = (...axes: readonly number[]) => ({ quantization: { dtype: "int8", axes } });

/** Weights of every kind, small ones and such as go to a device as they are stored; odd counts shift what follows. */
const kinds: readonly object[] = [
  { dtype: "string", shape: [2] },
  { dtype: "float32", shape: [3] },
  { dtype: "bool", shape: [5] },
  { dtype: "float32", shape: [7, 211] },
  { dtype: "int32", shape: [] },
  { dtype: "bool", shape: [1001] },
  { dtype: "int32", shape: [1003] },
  { dtype: "float32", shape: [3, 0, 2] },
  { dtype: "complex64", shape: [1, 601] },
  { dtype: "float32", shape: [13], quantization: { dtype: "float16" } },
  { dtype: "float32", shape: [65536], quantization: { dtype: "float16" } },
  { dtype: "float32", shape: [33], ...affine("uint8") },
  { dtype: "float32", shape: [5, 7, 41], ...affine("uint8") },
  { dtype: "int32", shape: [1111], quantization: { dtype: "uint8", min: -3.5, scale: 7.77 } },
  { dtype: "float32", shape: [1023], ...affine("uint16") },
  { dtype: "float32", shape: [65537], ...affine("uint16") },
  { dtype: "float32", shape: [3, 5], ...int8(1) },
  { dtype: "float32", shape: [3, 5, 71], ...int8(1) },
  { dtype: "float32", shape: [1025], ...int8() },
  { dtype: "float32", shape: [3, 3, 8, 17], ...int8(2, 3) },
];
const specs = parse(kinds.map((kind, index) => ({ name: `w${index}`, ...kind }))).weightGroups[0]?.weights ?? [];
const stored = specs.map(storedBytesOf);
const all = Uint8Array.from(stored.flatMap((bytes) => [...bytes]));

function parse(weights: readonly object[], shards?: readonly object[]): Manifest {
  const group = { paths: ["shard"], weights, ...(shards && { shards }) };
  const json = { format: "graph-model", signature: {}, modelTopology: {}, weightsManifest: [group] };
  return parseManifest(JSON.stringify(json));
}

/** Bytes that look random, the same ones for a weight each time; of float16 of that size, every one that there is. */
function storedBytesOf({ dtype, shape, quantization }: WeightSpec): Uint8Array {
  const count = elementCount(shape);
  const random = (length: number) =>
    Uint8Array.from({ length }, (_, at) => (Math.imul(at + 7, 2654435761) >>> 13) & 255);
  if (dtype === "string") return Uint8Array.of(1, 0, 0, 0, 97, 0, 0, 0, 0);
  if (dtype === "bool") return random(count).map((byte) => byte & 1);
  if (quantization === undefined) return random(count * (dtype === "complex64" ? 8 : 4)).map((byte) => byte & 0x7b); // no NaN
  if (quantization.dtype === "float16" && count === 65536) {
    return new Uint8Array(Uint16Array.from({ length: count }, (_, code) => code).buffer);
  }
  const bytes = random(quantizedBytes(quantization, shape));
  for (let at = count; quantization.dtype === "int8" && at < bytes.length; at += 2) bytes[at + 1] = 0x3d + (at % 3); // scales
  return bytes;
}

/** The bytes in shards of this size. */
async function* shardsOf(bytes: Uint8Array, size: number): AsyncGenerator<ArrayBuffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size).buffer as ArrayBuffer; // a new array's
}

/** What JavaScript makes of the stored bytes: TensorFlow.js's decoder, and ours where it has none. */
async function decode(spec: WeightSpec, bytes: Uint8Array): Promise<readonly unknown[]> {
  if (spec.quantization?.dtype === "int8") return bitsOf(dequantize(bytes, spec.quantization, spec.shape));
  const tensors = io.decodeWeights(bytes.slice().buffer, [spec as io.WeightsManifestEntry]); // it has these dtypes
  const [values = []] = await Promise.all(Object.values(tensors).map(read));
  dispose(tensors);
  return values;
}

async function read(tensor: NamedTensorMap[string]): Promise<readonly unknown[]> {
  const { data } = await fromTfjs(tensor, tensor.dtype as DType); // TensorFlow.js's are of ours
  return Array.isArray(data) ? data : bitsOf(data as Float32Array);
}

/** NaNs are told apart, too. */
function bitsOf(values: Float32Array | Int32Array | Uint8Array): readonly number[] {
  if (!(values instanceof Float32Array)) return [...values];
  return [...new Uint32Array(values.buffer, values.byteOffset, values.length)];
}

describe.each([
  { name: "cpu", open: openCpuBackend },
  { name: "wasm", open: openWasmBackend },
  ...(gpu ? [{ name: "webgpu", open: () => openWebgpuBackend({ gpu }) }] : []),
])("loadWeights on $name", ({ open }) => {
  let backend: LoadedBackend;
  beforeAll(async () => {
    backend = await open();
  });
  afterAll(() => backend.close());

  test.each([4099, 1 << 22])("makes the numbers that JavaScript makes, of shards of %d bytes", async (size) => {
    const tensors = await loadWeights(parse(specs), shardsOf(all, size), currentDevice());
    for (const [index, spec] of specs.entries()) {
      const tensor = tensors[spec.name] as NamedTensorMap[string];
      expect({ dtype: tensor.dtype, shape: tensor.shape }).toEqual({ dtype: spec.dtype, shape: spec.shape });
      const [got, want] = [await read(tensor), await decode(spec, stored[index] as Uint8Array)]; // one for each
      expect(got.length).toBe(want.length);
      const wrong = got.findIndex((value, at) => value !== want[at]);
      expect({ wrong, got: got[wrong], want: want[wrong] }).toMatchObject({ wrong: -1 });
    }
    dispose(tensors);
    expect(memory().numTensors).toBe(0);
  });

  test("takes shards of a few bytes", async () => {
    const small = parse([
      specs[0],
      specs[2],
      { ...specs[3], shape: [1001] },
      { ...specs[11], shape: [1001] },
    ] as object[]);
    const bytes = Uint8Array.from({ length: 9 + 5 + 4004 + 1001 }, (_, at) =>
      at < 9 ? ([1, 0, 0, 0, 97, 0, 0, 0, 0][at] ?? 0) : at & 63,
    );
    for (const size of [1, 3]) {
      const tensors = await loadWeights(small, shardsOf(bytes, size), currentDevice());
      expect(await read(tensors.w0 as NamedTensorMap[string])).toEqual(["a", ""]);
      expect(await read(tensors.w3 as NamedTensorMap[string])).toEqual([
        ...new Uint32Array(bytes.slice(14, 14 + 4004).buffer),
      ]);
      expect(await read(tensors.w11 as NamedTensorMap[string])).toEqual(
        await decode({ ...specs[11], shape: [1001] } as WeightSpec, bytes.subarray(14 + 4004)),
      );
      dispose(tensors);
    }
  });

  test.each([5000, 70_000, all.length - 1])(
    "tells which weight %d bytes are too short for, and leaves nothing",
    async (length) => {
      await expect(
        loadWeights(parse(specs), shardsOf(all.subarray(0, length), 1000), currentDevice()),
      ).rejects.toMatchObject({
        code: "data-loss",
        message: expect.stringMatching(/weight "w\d+": expected \d+ bytes in the shards, got \d+;/),
      });
      expect(memory().numTensors).toBe(0);
      expect(currentDevice().backend.numDataIds()).toBe(0);
    },
  );

  test("asks for no shard where their sizes show that they are too short", async () => {
    const manifest = parse(specs, [{ bytes: all.length - 2, sha256: "0".repeat(64) }]);
    const shards = { next: () => Promise.reject(new Error("it asked")) };
    await expect(loadWeights(manifest, shards, currentDevice())).rejects.toMatchObject({ code: "data-loss" });
  });

  test("refuses a dtype that it doesn't know, by name", async () => {
    const manifest = parse([{ name: "odd", dtype: "float64", shape: [1] }]);
    await expect(loadWeights(manifest, shardsOf(all, 8), currentDevice())).rejects.toMatchObject({
      code: "data-loss",
      message: expect.stringContaining('weight "odd": expected one of float32'),
    });
  });
});

test("loadWeights on wasm refuses a weight that its memory has no room for", async () => {
  const backend = await openWasmBackend();
  for (const count of [2 ** 30 + 1, 2 ** 40]) {
    const manifest = parse([{ name: "large", dtype: "float32", shape: [count] }]);
    await expect(loadWeights(manifest, shardsOf(all, 8), currentDevice())).rejects.toMatchObject({
      code: "out-of-memory",
    });
  }
  expect(currentDevice().backend.numDataIds()).toBe(0);
  await backend.close();
});

describe.skipIf(gpu === undefined)("loadWeights on a WebGPU device", () => {
  let backend: LoadedBackend;
  beforeAll(async () => {
    backend = await openWebgpuBackend({ gpu });
  });
  afterAll(() => backend.close());

  test("sends weights as they are stored, and makes no float32 of them in JavaScript", async () => {
    const large = parse([
      { name: "float16", dtype: "float32", shape: [33_333], quantization: { dtype: "float16" } },
      { name: "uint8", dtype: "float32", shape: [33_333], ...affine("uint8") },
      { name: "int8", dtype: "float32", shape: [3, 11_111], ...int8(0) },
      { name: "float32", dtype: "float32", shape: [33_333] },
    ]);
    const sizes = { float16: 66_666, uint8: 33_333, int8: 33_339, float32: 133_332 };
    const bytes = new Uint8Array(Object.values(sizes).reduce((sum, size) => sum + size, 0)).fill(0x3a);
    const { device } = currentDevice().backend as WebGPUBackend;
    const seen = watchFloats(() =>
      watchUploads(device, () => loadWeights(large, shardsOf(bytes, 50_000), currentDevice())),
    );
    const {
      value: { value: tensors, uploadedBytes },
      largestArray,
    } = await seen;
    const words = (size: number) => 4 * Math.ceil(size / 4);
    const stored = words(sizes.float16) + words(sizes.uint8) + words(sizes.int8) + sizes.float32;
    const headers = 3 * 16 + 256 * 4; // four numbers each, and what uint8's codes stand for
    expect(uploadedBytes).toBe(stored + headers);
    expect(largestArray).toBe(256);
    dispose(tensors);
  });

  test("refuses a weight that is larger than a buffer may be, before it asks for its bytes", async () => {
    const manifest = parse([{ name: "large", dtype: "float32", shape: [2 ** 40], ...affine("uint8") }]);
    const shards = { next: () => Promise.reject(new Error("it asked")) };
    await expect(loadWeights(manifest, shards, currentDevice())).rejects.toMatchObject({
      code: "no-backend",
      message: expect.stringMatching(
        /"large": expected at most \d+ bytes, which is this device's limit, got 4398046511104;/,
      ),
    });
  });

  test("rejects where the device reports a fault", async () => {
    const { device } = currentDevice().backend as WebGPUBackend;
    const make = device.createComputePipeline;
    device.createComputePipeline = (descriptor) =>
      make.call(device, { ...descriptor, layout: device.createPipelineLayout({ bindGroupLayouts: [] }) });
    const manifest = parse([{ name: "w", dtype: "float32", shape: [2000], ...affine("uint8") }]);
    const loading = loadWeights(manifest, shardsOf(new Uint8Array(2000), 2000), currentDevice());
    await expect(loading.finally(() => (device.createComputePipeline = make))).rejects.toMatchObject({
      code: "no-backend",
      message: expect.stringContaining('weight "w": the device refused it'),
    });
    expect(memory().numTensors).toBe(0);
  });
});

test.skipIf(gpu === undefined)(
  "loadWeights keeps what only products take as float16, where that is asked for",
  async () => {
    const backend = await openWebgpuBackend({ gpu });
    const kinds = [{}, { quantization: { dtype: "float16" } }, affine("uint8"), affine("uint16"), int8(1)];
    const specs = kinds.map((kind, index) => ({ name: `w${index}`, dtype: "float32", shape: [41, 25], ...kind }));
    const node = specs.map(({ name }) => ({ name: `product of ${name}`, op: "MatMul", input: ["x", name] }));
    const manifest = { ...parse(specs), json: { modelTopology: { node } } };
    const weights = manifest.weightGroups[0]?.weights ?? [];
    const stored = weights
      .map(storedBytesOf)
      .map((bytes) => bytes.map((byte, at) => (at % 2 === 0 ? byte : byte & 0x3b))); // none is beyond float16
    const all = Uint8Array.from(stored.flatMap((bytes) => [...bytes]));
    const tensors = await loadWeights(manifest, shardsOf(all, 1000), currentDevice("float16"));
    for (const [index, weight] of weights.entries()) {
      const { dataId } = tensors[weight.name] as NamedTensorMap[string];
      const words = (await currentDevice().backend.read(dataId)) as Int32Array;
      const got = dequantize(new Uint8Array(words.buffer), { dtype: "float16", original_dtype: "float32" }, [1025]);
      const bits = (await decode(weight, stored[index] as Uint8Array)) as number[]; // one for each
      const want = new Float32Array(Uint32Array.from(bits).buffer).map(toFloat16);
      expect({ index, values: [...got] }).toEqual({ index, values: [...want] });
    }
    dispose(tensors);
    await backend.close();
  },
);

/** The bytes that get to a device while something is done. */
async function watchUploads<T>(device: GPUDevice, act: () => Promise<T>): Promise<{ value: T; uploadedBytes: number }> {
  const { writeBuffer } = device.queue;
  const { createBuffer } = device;
  let uploadedBytes = 0;
  device.queue.writeBuffer = (...call: Parameters<typeof writeBuffer>) => {
    const [, , data, , size = data.byteLength] = call; // parts are of arrays of bytes
    uploadedBytes += size;
    writeBuffer.apply(device.queue, call);
  };
  device.createBuffer = (descriptor) => {
    if (descriptor.mappedAtCreation) uploadedBytes += descriptor.size;
    return createBuffer.call(device, descriptor);
  };
  try {
    return { value: await act(), uploadedBytes };
  } finally {
    Object.assign(device.queue, { writeBuffer });
    Object.assign(device, { createBuffer });
  }
}

/** The most elements that a Float32Array had that was made while something was done. */
async function watchFloats<T>(act: () => Promise<T>): Promise<{ value: T; largestArray: number }> {
  const original = globalThis.Float32Array;
  let largestArray = 0;
  globalThis.Float32Array = new Proxy(original, {
    construct(target, args, newTarget) {
      const made = Reflect.construct(target, args, newTarget);
      largestArray = Math.max(largestArray, made.length);
      return made;
    },
  });
  try {
    return { value: await act(), largestArray };
  } finally {
    globalThis.Float32Array = original;
  }
}
