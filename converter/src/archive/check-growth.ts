import { InferenceError } from "@nearside/core";

/**
 * Throws `unsupported` for an archive that holds far more than it weighs: what is unpacked lies in memory, and a
 * megabyte can be made to hold a thousand. No model's files get that small.
 */
export function checkGrowth(path: string, archiveBytes: number, unpackedBytes: number): void {
  if (unpackedBytes <= Math.max(freeBytes, archiveBytes * maxGrowth)) return;
  const message = `${path}: ${archiveBytes} bytes hold ${unpackedBytes} or more, over ${maxGrowth} times as many`;
  throw new InferenceError("unsupported", `${message}; unpack the archive and convert the folder`);
}

const maxGrowth = 50;
const freeBytes = 2 ** 26;
