import { parseManifest, type Tensors } from "@nearside/core";
import { openLocalSession } from "@nearside/runtime";
import { BufferPool } from "@nearside/runtime/backends/buffer-pool";
import { watchDevice } from "@nearside/runtime/backends/watch-device";
import { openWebgpuBackend } from "@nearside/runtime/backends/webgpu";
import { beforeAll, expect, test } from "vitest";
import { noDawn, openDawn } from "../packages/runtime/testing/open-dawn.ts";
import { repeatModel } from "./hand-made-models.ts";

let gpu: GPU | undefined;
beforeAll(async () => {
  gpu = await openDawn();
});

async function openDevice(): Promise<GPUDevice> {
  const adapter = await gpu?.requestAdapter();
  if (!adapter) throw new Error(noDawn);
  return adapter.requestDevice();
}

const numbers = Float32Array.from({ length: 1024 }, (_, index) => index % 7); // too many to be computed on the CPU
const repeat = (times: number): Tensors => ({
  x: { dtype: "float32", shape: [numbers.length], data: numbers },
  times: { dtype: "int32", shape: [1], data: Int32Array.of(times) },
});

test("a tensor that is too large for the device is out-of-memory, and the session goes on", async (ctx) => {
  if (!gpu) return ctx.skip(noDawn);
  const manifest = parseManifest(repeatModel.json);
  const readShard = async () => new Int32Array(1).buffer;
  const backend = await openWebgpuBackend({ gpu });
  await using session = await openLocalSession("repeat", { manifest, readShard }, backend, { ownsBackend: true });
  await session.run(repeat(2));
  const { tensors } = await session.memory();
  // A GiB, which SwiftShader's limits allow, though it can't have it; and more than they allow.
  for (const bytes of [2 ** 30, 2 ** 40]) {
    const run = session.run(repeat(bytes / numbers.byteLength));
    await expect(run).rejects.toMatchObject({ code: "out-of-memory" });
    expect((await session.memory()).tensors).toBe(tensors);
    expect(await session.run(repeat(3))).toEqual({ y: { dtype: "float32", shape: [], data: Float32Array.of(6) } });
  }
});

/** Something that a device reports as an error of validation. */
function fault(device: GPUDevice): void {
  device.createBuffer({ size: 8, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.MAP_WRITE });
}

/** A promise, and what resolves it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

test.for(["first", "last"] as const)(
  "a fault is told to all that was in flight, if whose it is ends %s",
  async (order, ctx) => {
    if (!gpu) return ctx.skip(noDawn);
    const device = await openDevice();
    const { watch } = watchDevice(device);
    const [one, other] = [gate(), gate()];
    const faulty = watch(async () => {
      fault(device);
      await one.opened;
    });
    const beside = watch(() => other.opened);
    const runs = [
      [one, faulty],
      [other, beside],
    ] as const;
    for (const [{ open }, run] of order === "first" ? runs : runs.toReversed()) {
      open();
      await expect(run).rejects.toMatchObject({ code: "internal", message: /the device failed/ });
    }
    await watch(async () => {}); // which came later
    device.destroy();
  },
);

test("a fault after another run has ended well is only told to those that are still in flight", async (ctx) => {
  if (!gpu) return ctx.skip(noDawn);
  const device = await openDevice();
  const { watch } = watchDevice(device);
  const [one, other] = [gate(), gate()];
  const sound = watch(() => one.opened);
  const faulty = watch(async () => {
    await other.opened;
    fault(device);
  });
  one.open();
  await sound;
  other.open();
  await expect(faulty).rejects.toMatchObject({ code: "internal" });
  device.destroy();
});

test("a run that fails by itself rejects with its own error, unless the device is lost", async (ctx) => {
  if (!gpu) return ctx.skip(noDawn);
  const device = await openDevice();
  const { watch } = watchDevice(device);
  const failure = new Error("of the run");
  const fail = async () => {
    throw failure;
  };
  await expect(watch(fail)).rejects.toBe(failure);
  const lost = watch(async () => {
    device.destroy();
    await fail();
  });
  await expect(lost).rejects.toMatchObject({ code: "device-lost" });
  await expect(watch(async () => "not run")).rejects.toMatchObject({ code: "device-lost" });
});

test("a buffer pool hands out what was given back, and destroys what 16 runs had no need of", async (ctx) => {
  if (!gpu) return ctx.skip(noDawn);
  const device = await openDevice();
  let submissions = 0;
  const pool = new BufferPool(device, () => submissions++);
  const take = (size: number) => pool.acquireBuffer(size, GPUBufferUsage.STORAGE);
  const run = (...sizes: number[]) => {
    for (const buffer of sizes.map(take)) pool.releaseBuffer(buffer);
    pool.countRun();
  };
  const runTimes = (count: number, ...sizes: number[]) => {
    for (let index = 0; index < count; index++) run(...sizes);
  };
  const bytes = () => [pool.numBytesUsed, pool.numBytesAllocated];

  const kept = take(32);
  runTimes(15, 64, 64, 128);
  expect([bytes(), submissions]).toEqual([[32, 288], 0]);
  run(64); // the sixteenth
  expect([bytes(), submissions]).toEqual([[32, 288], 1]); // all of it was needed
  runTimes(16, 64);
  expect([bytes(), submissions]).toEqual([[32, 96], 2]); // one of 64 was
  pool.releaseBuffer(take(8), false);
  expect(bytes()).toEqual([32, 96]);
  pool.trim();
  expect(bytes()).toEqual([32, 32]);
  pool.dispose();
  pool.releaseBuffer(kept); // which is gone
  expect(bytes()).toEqual([0, 0]);
  device.destroy();
});
