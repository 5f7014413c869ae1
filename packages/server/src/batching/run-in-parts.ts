import { InferenceError, type RunOptions, type Tensors } from "@nearside/core";
import { joinRows, splitRows } from "./join-rows.ts";

/**
 * Runs rows that are too many for a batch in several, at most `partRows` each, and joins what they give. Rejects with
 * the first error, and takes back the other parts.
 */
export async function runInParts(
  inputs: Tensors,
  rows: number,
  options: RunOptions,
  partRows: number,
  run: (inputs: Tensors, rows: number, options: RunOptions) => Promise<Tensors>,
): Promise<Tensors> {
  const counts = Array.from({ length: Math.ceil(rows / partRows) }, (_, part) =>
    Math.min(partRows, rows - part * partRows),
  );
  const parts = splitRows(inputs, counts, rows) as Tensors[]; // each input has these rows
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const running = parts.map((part, index) => run(part, counts[index] as number, { ...options, signal }));
  try {
    const outputs = await Promise.all(running);
    for (const [index, part] of outputs.entries()) requireRows(part, outputs[0] as Tensors, counts[index] as number);
    return joinRows(outputs, rows);
  } finally {
    stop.abort();
    await Promise.allSettled(running);
  }
}

/** Throws `unsupported` unless each output has as many rows as the part's inputs, of the same shape as the first part's. */
function requireRows(outputs: Tensors, first: Tensors, rows: number): void {
  for (const [name, { shape }] of Object.entries(outputs)) {
    const expected = [rows, ...(first[name]?.shape ?? []).slice(1)];
    if (shape.length === expected.length && shape.every((size, axis) => size === expected[axis])) continue;
    const message = `output "${name}": expected [${expected}] of a part of the run, got [${shape}]`;
    throw new InferenceError("unsupported", `${message}; this model's runs can't be split: send fewer rows at a time`);
  }
}
