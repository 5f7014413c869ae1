import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, expect, test } from "vitest";
import { callsHere } from "../calls.ts";
import { compileSimdKernels, type SimdKernels, startSimdKernels } from "../code/simd-kernels.ts";
import { withSharedMemory } from "./share-memory.ts";
import { Team } from "./team.ts";

// Where the build puts it: a thread of Node 20 runs no TypeScript.
const served = new URL("../../../dist/simd/threads/serve-team.js", import.meta.url).href;
const code = `
  const { parentPort } = require("node:worker_threads");
  parentPort.once("message", async (invitation) => (await import("${served}")).serveTeam(invitation));`;

const kernelMemory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
const floats = new Float32Array(kernelMemory.buffer);
const [size, bytes] = [96, 384];
const [left, right, out] = [0, size * bytes, 2 * size * bytes];

const threads: Worker[] = [];
let kernels: SimdKernels;
let team: Team;
beforeAll(async () => {
  const module = await compileSimdKernels({ isShared: true });
  kernels = await startSimdKernels(module, kernelMemory);
  threads.push(...Array.from({ length: 2 }, () => new Worker(code, { eval: true })));
  team = new Team(kernels, threads as unknown as MessagePort[], { module, kernelMemory }); // all that is asked of them
  for (let index = 0; index < 2 * size * size; index++) floats[index] = Math.sin(index);
});
afterAll(async () => {
  for (const thread of threads) await thread.terminate();
});

/** Multiplies the matrices row by row, a group each. */
function multiply(calls: Team | ReturnType<typeof callsHere>): Float32Array {
  floats.fill(0, out / 4, out / 4 + size * size);
  for (let row = 0; row < size; row++) {
    const [from, to] = [left + row * bytes, out + row * bytes];
    calls.call("multiplyBy8", from, bytes, size, 1, 0, right, 0, to, bytes, 1, size, Number.NEGATIVE_INFINITY, 7);
    calls.endGroup();
  }
  calls.finish();
  return floats.slice(out / 4, out / 4 + size * size);
}

test("a team computes what one thread does, round after round", () => {
  const want = multiply(callsHere(kernels));
  expect(want.some((value) => value !== 0)).toBe(true);
  for (let round = 0; round < 30; round++) expect(multiply(team)).toEqual(want);
});

test("a team does the calls of a group in their order", () => {
  const copy = (from: number, to: number) => team.call("copyPatches", from, 0, 0, 0, to, 0, 0, 0, 1, 1, 1, size);
  for (let round = 0; round < 20; round++) {
    floats.fill(0, out / 4, out / 4 + 40 * size);
    for (let row = 0; row < 40; row += 2) {
      copy(left + round * bytes, out + row * bytes);
      copy(out + row * bytes, out + (row + 1) * bytes);
      team.endGroup();
    }
    team.finish();
    const want = floats.slice(round * size, (round + 1) * size);
    for (let row = 1; row < 40; row += 2) {
      expect(floats.slice(out / 4 + row * size, out / 4 + (row + 1) * size)).toEqual(want);
    }
  }
});

test("a kernel that breaks off in any thread is told, and the next round runs", () => {
  const beyond = kernelMemory.buffer.byteLength;
  for (let group = 0; group < 9; group++) {
    team.call("copyPatches", group === 4 ? beyond : left, 0, 0, 0, out, 0, 0, 0, 1, 1, 1, 4);
    team.endGroup();
  }
  expect(() => team.finish()).toThrow(WebAssembly.RuntimeError);
  expect(multiply(team)).toEqual(multiply(callsHere(kernels)));
});

test("only a binary whose memory has a maximum is given a shared one", () => {
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const bounded = Uint8Array.of(...header, 5, 4, 1, 1, 2, 3);
  expect(withSharedMemory(bounded)).toEqual(Uint8Array.of(...header, 5, 4, 1, 3, 2, 3));
  expect(withSharedMemory(Uint8Array.of(...header, 5, 3, 1, 0, 2))).toBeUndefined();
  expect(withSharedMemory(Uint8Array.of(...header))).toBeUndefined();
});
