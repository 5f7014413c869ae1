import { InferenceError, openWithRecovery, type Session, type SessionEvent } from "@nearside/core";
import { expectClose } from "@nearside/core/testing";
import { openLocalSession } from "@nearside/runtime";
import { openCpuBackend } from "@nearside/runtime/backends/cpu";
import { openWebgpuBackend } from "@nearside/runtime/backends/webgpu";
import { memory } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { noDawn, openDawn } from "./dawn.ts";
import { type DeviceFaults, installDeviceFaults } from "./device-faults.ts";
import { longModelFiles, longModelGolden } from "./long-model.ts";

let gpu: GPU | undefined;
let faults: DeviceFaults;
beforeAll(async () => {
  gpu = await openDawn();
  if (gpu) faults = installDeviceFaults(globalThis);
});

const { inputs, outputs } = longModelGolden;
const openOnGpu = async () =>
  openLocalSession("long", longModelFiles(), await openWebgpuBackend({ gpu }), { ownsBackend: true });
const openOnCpu = async () => openLocalSession("long", longModelFiles(), await openCpuBackend(), { ownsBackend: true });

/** Commands of a run, after the first few. */
async function countCommands(session: Session): Promise<number> {
  for (let run = 0; run < 3; run++) await session.run(inputs);
  faults.destroyAt(Number.POSITIVE_INFINITY);
  await session.run(inputs);
  return faults.commands;
}

/** Every tenth command of a run, fifty times; begins again where the run is shorter. */
function everyTenth(commands: number): readonly number[] {
  return Array.from({ length: 50 }, (_, index) => ((index * 10 + 9) % commands) + 1);
}

test("a device that is destroyed at any command of a run gives the right result or device-lost, and leaks nothing", async (ctx) => {
  if (!gpu) return ctx.skip(noDawn);
  const before = memory().numTensors;
  const first = await openOnGpu();
  const commands = await countCommands(first);
  await first.close();
  const codes: string[] = [];
  for (const command of everyTenth(commands)) {
    const session = await openOnGpu();
    await session.run(inputs);
    faults.destroyAt(command);
    try {
      expectClose(await session.run(inputs), outputs);
      codes.push("right");
    } catch (error) {
      if (!(error instanceof InferenceError)) throw error;
      codes.push(error.code);
    }
    await expect(session.run(inputs)).rejects.toMatchObject({ code: "device-lost" });
    await session.close();
    expect([memory().numTensors, faults.liveDevices]).toEqual([before, 0]);
  }
  console.log(`${commands} commands a run; `, codes.join(" "));
  expect(codes.filter((code) => code !== "right" && code !== "device-lost")).toEqual([]);
});

test("a session that recovers gives the right result wherever its device is destroyed, and leaks nothing", async (ctx) => {
  if (!gpu) return ctx.skip(noDawn);
  const before = memory().numTensors;
  const first = await openOnGpu();
  const commands = await countCommands(first);
  await first.close();
  for (const command of everyTenth(commands)) {
    const events: SessionEvent["type"][] = [];
    const session = await openWithRecovery("long", [openOnGpu, openOnCpu], {
      onEvent: ({ type }) => events.push(type),
    });
    await session.run(inputs);
    faults.destroyAt(command);
    expectClose(await session.run(inputs), outputs);
    expectClose(await session.run(inputs), outputs); // the first one may have had its result before the device went
    expect(session.backend).toBe("webgpu");
    await session.close();
    expect(events).toEqual(["opened", "lost", "opened"]);
    expect([memory().numTensors, faults.liveDevices]).toEqual([before, 0]);
  }
});
