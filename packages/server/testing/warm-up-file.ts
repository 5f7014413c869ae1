import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32c, maskCrc } from "@nearside/converter/protobuf";

/** Writes records as the warm-up requests of a version's folder, in TensorFlow's TFRecord form. */
export async function writeWarmUpRequests(folder: string, records: readonly Uint8Array[]): Promise<void> {
  await mkdir(join(folder, "assets.extra"), { recursive: true });
  await writeFile(join(folder, "assets.extra", "tf_serving_warmup_requests"), Buffer.concat(records.map(toRecord)));
}

function toRecord(bytes: Uint8Array): Uint8Array {
  const record = Buffer.alloc(bytes.length + 16);
  record.writeBigUInt64LE(BigInt(bytes.length), 0);
  record.writeUInt32LE(maskCrc(crc32c(record.subarray(0, 8))), 8);
  record.set(bytes, 12);
  record.writeUInt32LE(maskCrc(crc32c(bytes)), 12 + bytes.length);
  return record;
}
