import { median } from "./measure-process.mjs";

/**
 * Measures runners in turn, so that what else happens on the machine happens to all: `run` starts a run and returns how
 * many commands it encoded and a promise of its outputs. The outputs of all must agree. Encoding is what `run` takes
 * itself, on a device that is idle: its least time, which other work on the machine can only add to, counts.
 */
export async function measureInTurn(runners, { runs, idle }) {
  const times = runners.map(() => ({ encode: [], warm: [] }));
  let want;
  for (let count = -3; count < runs; count++) {
    for (const [index, runner] of runners.entries()) {
      await runner.select();
      await idle();
      const startMs = performance.now();
      const result = runner.run();
      const encodedMs = performance.now();
      const { outputs, commands } = await result;
      if (count >= 0) {
        times[index].encode.push(encodedMs - startMs);
        times[index].warm.push(performance.now() - startMs);
      }
      runner.commands = commands;
      want ??= outputs;
      expectSame(outputs, want, runner.name);
    }
  }
  return runners.map(({ name, firstMs, commands, bytes }, index) => {
    const { encode, warm } = times[index];
    const least = Math.min(...encode);
    return {
      name,
      "first ms": round(firstMs),
      "encode ms": round(least),
      "encode p50 ms": round(median(encode)),
      "µs/command": commands > 0 ? round((1000 * least) / commands) : undefined,
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

function quantile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

function round(number) {
  return Number(number.toPrecision(3));
}
