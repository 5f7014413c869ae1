import { median } from "./measure-process.mjs";

const hasCpuClock = process.threadCpuUsage !== undefined; // since Node 23.9

/** What this thread has had of the CPU, or the time where that can't be told. */
const cpuMs = hasCpuClock
  ? () => {
      const { user, system } = process.threadCpuUsage();
      return (user + system) / 1000;
    }
  : () => performance.now();

/**
 * Measures runners in turn, so that what else happens on the machine happens to all: `run` starts a run on a device that
 * is idle, and returns a promise of its outputs and of how many commands they took. The outputs of all must agree.
 * Encoding is what `run` takes itself until it returns: on the CPU, whose clock ticks coarsely, so the mean counts.
 */
export async function measureInTurn(runners, { runs, idle }) {
  const times = runners.map(() => ({ encode: [], warm: [] }));
  let want;
  for (let count = -3; count < runs; count++) {
    for (const [index, runner] of runners.entries()) {
      await runner.select();
      await idle();
      const [startMs, startCpuMs] = [performance.now(), cpuMs()];
      const result = runner.run();
      const encodeMs = cpuMs() - startCpuMs;
      const { outputs, commands } = await result;
      if (count >= 0) {
        times[index].encode.push(encodeMs);
        times[index].warm.push(performance.now() - startMs);
      }
      runner.commands = commands;
      want ??= outputs;
      expectSame(outputs, want, runner.name);
    }
  }
  return runners.map(({ name, firstMs, commands, bytes }, index) => {
    const { encode, warm } = times[index];
    const encodeMs = hasCpuClock ? mean(encode) : median(encode);
    return {
      name,
      "first ms": round(firstMs),
      "encode ms": round(encodeMs),
      "µs/command": commands > 0 ? round((1000 * encodeMs) / commands) : undefined,
      "warm p50 ms": round(median(warm)),
      "warm p95 ms": round(quantile(warm, 0.95)),
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

function round(number) {
  return Number(number.toPrecision(3));
}
