import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toRecord } from "../src/protobuf/tf-record.ts";

/** Writes records as the warm-up requests of a version's folder, in TensorFlow's TFRecord form. */
export async function writeWarmUpRequests(folder: string, records: readonly Uint8Array[]): Promise<void> {
  await mkdir(join(folder, "assets.extra"), { recursive: true });
  await writeFile(join(folder, "assets.extra", "tf_serving_warmup_requests"), Buffer.concat(records.map(toRecord)));
}
