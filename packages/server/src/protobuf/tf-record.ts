import { crc32c, maskCrc } from "@nearside/converter/protobuf";
import { InferenceError } from "@nearside/core";

/**
 * The records of a TFRecord file: each its length (uint64), a checksum of that, the bytes, and a checksum of those.
 * Throws `data-loss` with TensorFlow Serving's message for anything else.
 */
export function readRecords(bytes: Uint8Array, where: string): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < 12) throw notRecords(where, at);
    const length = Number(view.getBigUint64(at, true));
    const start = at + 12;
    const isWhole = length <= bytes.length - start - 4;
    if (!isWhole || !fits(view, at + 8, bytes.subarray(at, at + 8))) throw notRecords(where, at);
    const record = bytes.subarray(start, start + length);
    if (!fits(view, start + length, record)) throw notRecords(where, at);
    records.push(record);
    at = start + length + 4;
  }
  return records;
}

/** The bytes as a record of a TFRecord file. */
export function toRecord(bytes: Uint8Array): Uint8Array {
  const record = Buffer.alloc(bytes.length + 16);
  record.writeBigUInt64LE(BigInt(bytes.length), 0);
  record.writeUInt32LE(maskCrc(crc32c(record.subarray(0, 8))), 8);
  record.set(bytes, 12);
  record.writeUInt32LE(maskCrc(crc32c(bytes)), 12 + bytes.length);
  return record;
}

function fits(view: DataView, at: number, bytes: Uint8Array): boolean {
  return view.getUint32(at, true) === maskCrc(crc32c(bytes));
}

function notRecords(where: string, at: number): InferenceError {
  const message = `${where}, byte ${at}: no record. Please verify your warmup data is in TFRecord format.`;
  return new InferenceError("data-loss", message);
}
