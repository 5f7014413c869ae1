import { InferenceError, openWithRecovery, type Session, type SessionEvent } from "@nearside/core";
import { expectClose } from "@nearside/core/testing";
import { openLocalSession } from "@nearside/runtime";
import { openCpuBackend } from "@nearside/runtime/backends/cpu";
import { openWebgpuBackend } from "@nearside/runtime/backends/webgpu";
import { engine } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { noDawn, openDawn } from "../packages/runtime/testing/open-dawn.ts";
import { type DeviceFaults, installDeviceFaults } from "./device-faults.ts";
import { longModelFiles, longModelGolden } from "./long-model.ts";

let gpu: GPU | undefined;
let faults: DeviceFaults;
beforeAll(async () => {
  gpu = await openDawn();
  if (gpu) faults = installDeviceFaults(globalThis);
});

const { inputs, outputs } = longModelGolden;
const never = Number.POSITIVE_INFINITY;
const fifty = { timeout: 300_000 }; // devices, which take a while on a CPU

const openOnGpu = async () =>
  openLocalSession("long", longModelFiles(), await openWebgpuBackend({ gpu }), { ownsBackend: true });
/** The first run of such a session is no recorded one. */
const openCold = async () =>
  openLocalSession("long", longModelFiles(), await openWebgpuBackend({ gpu }), { ownsBackend: true, warmUp: false });
const openOnCpu = async () => openLocalSession("long", longModelFiles(), await openCpuBackend(), { ownsBackend: true });

/** What is left when all sessions are closed. */
function leftOver() {
  const { numTensors, numDataBuffers } = engine().state;
  return { numTensors, numDataBuffers, devices: faults.liveDevices };
}
const nothing = { numTensors: 0, numDataBuffers: 0, devices: 0 };

/** Every tenth command of a session's first run. */
async function everyTenth(open: () => Promise<Session>): Promise<readonly number[]> {
  await using session = await open();
  faults.destroyAt(never);
  await session.run(inputs);
  return Array.from({ length: Math.floor(faults.commands / 10) }, (_, index) => (index + 1) * 10);
}

/** The code of the error that a run ends in; undefined if its result is right. */
async function codeOf(session: Session): Promise<string | undefined> {
  try {
    expectClose(await session.run(inputs), outputs);
    return undefined;
  } catch (error) {
    if (error instanceof InferenceError) return error.code;
    throw error;
  }
}

test(
  "a session has the right result at whichever tenth command its device is destroyed, and leaks nothing",
  fifty,
  async (ctx) => {
    if (!gpu) return ctx.skip(noDawn);
    let devices = 0;
    for (const open of [openOnGpu, openCold]) {
      const commands = await everyTenth(open);
      devices += commands.length;
      const events: SessionEvent[] = [];
      const onEvent = (event: SessionEvent) => void events.push(event);
      // What is lost again at once is opened in the next way, which is a new device here as well.
      const openers = Array<typeof open>(commands.length + 1).fill(open);
      const session = await openWithRecovery("long", openers, { onEvent });
      const { numTensors, numDataBuffers } = engine().state;
      for (const command of commands) {
        faults.destroyAt(command);
        expect(await codeOf(session), `at command ${command}`).toBeUndefined();
        expect(await codeOf(session), "later").toBeUndefined(); // the first may have had its result before the device went
        expect(leftOver()).toEqual({ numTensors, numDataBuffers, devices: 1 });
      }
      await session.close();
      expect(leftOver()).toEqual(nothing);
      const losses = events.filter((event) => event.type === "lost");
      expect(losses.map(({ error }) => error.code)).toEqual(commands.map(() => "device-lost"));
      expect(events).toHaveLength(2 * commands.length + 1);
    }
    expect(devices).toBeGreaterThanOrEqual(50);
  },
);

test("a session that does not recover is device-lost for good, and can be closed", async (ctx) => {
  if (!gpu) return ctx.skip(noDawn);
  const session = await openOnGpu();
  faults.destroyAt(100);
  for (let run = 0; run < 2; run++) expect(await codeOf(session)).toBe("device-lost");
  await session.close();
  expect(leftOver()).toEqual(nothing);
});

test("runs that are in flight together when their device is destroyed are all run again, in one new session", async (ctx) => {
  if (!gpu) return ctx.skip(noDawn);
  const events: SessionEvent["type"][] = [];
  const onEvent = ({ type }: SessionEvent) => void events.push(type);
  const session = await openWithRecovery("long", [openOnGpu, openOnCpu], { onEvent });
  faults.destroyAt(100);
  const codes = await Promise.all(Array.from({ length: 5 }, () => codeOf(session)));
  expect(codes).toEqual(Array.from({ length: 5 }, () => undefined));
  await session.close();
  expect(events).toEqual(["opened", "lost", "opened"]);
  expect(leftOver()).toEqual(nothing);
});

test("a session is opened elsewhere, and leaves nothing, where its device is destroyed while it opens", async (ctx) => {
  if (!gpu) return ctx.skip(noDawn);
  faults.destroyAt(never);
  await (await openOnGpu()).close();
  const { commands } = faults;
  const times = 12;
  for (let time = 0; time < times; time++) {
    faults.destroyAt(Math.floor(((time + 0.5) / times) * commands));
    const events: SessionEvent[] = [];
    const onEvent = (event: SessionEvent) => void events.push(event);
    const session = await openWithRecovery("long", [openOnGpu, openOnCpu], { onEvent });
    expect(await codeOf(session)).toBeUndefined();
    expect(session.backend).toBe("cpu");
    await session.close();
    expect(events).toMatchObject([{ type: "refused" }, { type: "opened", backend: "cpu" }]);
    expect(leftOver()).toEqual(nothing);
  }
});
