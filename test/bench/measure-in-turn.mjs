import { median } from "./measure-process.mjs";

const hasCpuClock = process.threadCpuUsage !== undefined; // since Node 23.9

/** What this thread has had of the CPU, or the time where that can't be told. */
export const cpuMs = hasCpuClock
  ? () => {
      const { user, system } = process.threadCpuUsage();
      return (user + system) / 1000;
    }
  : () => performance.now();

/** Into how many turns the runs of each are divided. */
const turns = 10;

/** How many runs a runner has after it is opened, before it is measured in turn with others. */
const earlyRuns = 10;

/** The milliseconds of the first runs, and how many commands one has. */
export async function runEarly(runner, backend) {
  const earlyMs = [];
  for (let run = 0; run < earlyRuns; run++) {
    await backend.idle();
    const startMs = performance.now();
    await runner.run();
    earlyMs.push(performance.now() - startMs);
  }
  return { ...runner, earlyMs, commands: await backend.countCommands(runner.run) };
}

/**
 * Measures runners in turn, so that what else happens on the machine happens to all, each run on a device that is idle.
 * The outputs of all must agree where the backend computes. Encoding lasts until the last commands are submitted, those
 * that read the outputs included: on the CPU, whose clock ticks coarsely, so the mean counts.
 */
export async function measureInTurn(runners, backend, runs) {
  const times = runners.map(() => ({ encode: [], warm: [] }));
  let want;
  for (let turn = 0; turn < turns; turn++) {
    for (const [index, runner] of runners.entries()) {
      await runner.select();
      for (let run = 0; run < Math.ceil(runs / turns); run++) {
        await backend.idle();
        const [startMs, startCpuMs] = [performance.now(), cpuMs()];
        const outputs = await runner.run();
        times[index].warm.push(performance.now() - startMs);
        times[index].encode.push(backend.lastSubmitMs() - startCpuMs);
        want ??= outputs;
        if (backend.computes) expectSame(outputs, want, runner.name);
      }
    }
  }
  return runners.map(({ name, openMs, earlyMs, commands, bytes }, index) => {
    const { encode, warm } = times[index];
    const encodeMs = hasCpuClock ? mean(encode) : median(encode);
    return {
      name,
      "open ms": round(openMs),
      "1st ms": round(earlyMs[0]),
      "10th ms": round(earlyMs[earlyRuns - 1]),
      "encode ms": round(encodeMs),
      "µs/command": round((1000 * encodeMs) / commands),
      "p50 ms": round(median(warm)),
      "p95 ms": round(quantile(warm, 0.95)),
      commands,
      "device MB": round(bytes() / 1e6),
    };
  });
}

function expectSame(got, want, name) {
  for (const [index, values] of want.entries()) {
    for (const [at, value] of values.entries()) {
      const other = got[index][at];
      if (Math.abs(other - value) <= 1e-4 + 1e-4 * Math.abs(value)) continue;
      throw new Error(`${name}: expected ${value} in output ${index} at ${at}, as the first runner gave, got ${other}`);
    }
  }
}

function mean(numbers) {
  return numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
}

function quantile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** Three digits; undefined for what isn't known. */
function round(number) {
  return Number.isFinite(number) ? Number(number.toPrecision(3)) : undefined;
}
