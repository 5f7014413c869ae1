import { constants, deflateRawSync, gunzipSync, gzipSync } from "node:zlib";
import { encodeTarGz, encodeZip } from "../../converter/testing/encode-archive.ts";
import { hostileText } from "./hostile.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import type { Random } from "./random.ts";

type Files = Readonly<Record<string, Uint8Array>>;

/** A zip archive of the files with damaged records, paths that lead elsewhere or contents that grow beyond reason. */
export function mutateZip(files: Files, random: Random): Uint8Array {
  const edits: readonly (() => Uint8Array)[] = [
    () => mutateBytes(encodeZip(files), random),
    () => mutateBytes(encodeZip(files, { isCompressed: false }), random),
    () => mutateTail(encodeZip(files, { isCompressed: random.oneIn(2) }), random),
    () => mutateTail(encodeZip(files, { isCompressed: random.oneIn(2) }), random),
    () => encodeZip(withPath(files, random)),
    () => zipOfZeros(files, random),
  ];
  return random.pick(edits)();
}

/** The same for a gzipped tar archive. */
export function mutateTarGz(files: Files, random: Random): Uint8Array {
  const tar = () => new Uint8Array(gunzipSync(encodeTarGz(files)));
  const edits: readonly (() => Uint8Array)[] = [
    () => mutateBytes(encodeTarGz(files), random),
    () => gzipSync(mutateBytes(tar(), random)),
    () => gzipSync(mutateHeader(tar(), random)),
    () => gzipSync(mutateHeader(tar(), random)),
    () => encodeTarGz(withPath(files, random)),
    () => tarGzOfZeros(files, random),
    () => gzipSync(mutateBytes(deflateRawSync(tar()), random)),
  ];
  return random.pick(edits)();
}

/** Changes the directory, which stands at the end, where offsets and sizes are. */
function mutateTail(zip: Uint8Array, random: Random): Uint8Array {
  const tail = Math.min(zip.length, 22 + random.size(9));
  return Buffer.concat([zip.subarray(0, zip.length - tail), mutateBytes(zip.subarray(zip.length - tail), random)]);
}

/** Changes the header of a file, and makes its sum fit again. */
function mutateHeader(tar: Uint8Array, random: Random): Uint8Array {
  const headers: number[] = [];
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    headers.push(at);
    const size = Number.parseInt(Buffer.from(tar.subarray(at + 124, at + 135)).toString(), 8);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  const at = random.pick(headers);
  const changed = tar.slice();
  const header = changed.subarray(at, at + 512);
  const edits: readonly (() => void)[] = [
    () =>
      header.set(
        new TextEncoder().encode(random.pick(["77777777777", "-1", "999", "0", "\0", "1e3", "00000000777"])),
        124,
      ),
    () => header.set(new TextEncoder().encode(random.pick(["L", "x", "g", "5", "2", "K", "\0"])), 156),
    () => header.set(new TextEncoder().encode(hostileText(random).slice(0, 99)), 0),
    () => {
      for (let left = random.size(4); left > 0; left--) header[random.below(512)] = random.below(256);
    },
  ];
  random.pick(edits)();
  setChecksum(header);
  return changed;
}

function withPath(files: Files, random: Random): Files {
  const [from, bytes] = random.pick(Object.entries(files));
  const others = Object.entries(files).filter(([path]) => path !== from || random.oneIn(2));
  const folder = random.pick(["", "../", "../../", "/", "./", "a/../../", "..\\", "C:\\"]);
  const path = random.oneIn(2) ? `${folder}${from}` : hostileText(random).slice(0, 60_000);
  return Object.fromEntries([...others, [path, bytes]]);
}

/** How many MiB of zeros to put into an archive, where they take a thousandth of that. */
function mebibytes(random: Random): number {
  return random.size(11);
}

const zeros = new Uint8Array(2 ** 20);

/** An archive with a file of zeros, often one of the model's. */
function zipOfZeros(files: Files, random: Random): Uint8Array {
  const path = random.oneIn(2) ? random.pick(Object.keys(files)) : "zeros";
  const count = mebibytes(random);
  const part = deflateRawSync(zeros, { finishFlush: constants.Z_FULL_FLUSH });
  const deflated = Buffer.concat([...new Array<Uint8Array>(count).fill(part), deflateRawSync(new Uint8Array(0))]);
  const zip = encodeZip({ ...files, [path]: deflated }, { isCompressed: false });
  const record = new DataView(zip.buffer, zip.byteOffset + Buffer.from(zip).lastIndexOf(path) - 46);
  record.setUint16(10, 8, true); // deflated
  record.setUint32(24, random.oneIn(4) ? 2 ** random.below(32) : count * zeros.length, true);
  return zip;
}

/** The same for a gzipped tar archive, whose parts may be compressed one by one. */
function tarGzOfZeros(files: Files, random: Random): Uint8Array {
  const path = random.oneIn(2) ? random.pick(Object.keys(files)) : "zeros";
  const count = mebibytes(random);
  const others = Object.entries(files).filter(([each]) => each !== path);
  const header = gunzipSync(encodeTarGz({ [path]: new Uint8Array(0) })).subarray(0, 512);
  header.set(new TextEncoder().encode((count * zeros.length).toString(8).padStart(11, "0")), 124);
  setChecksum(header);
  const rest = gunzipSync(encodeTarGz(Object.fromEntries(others)));
  return Buffer.concat([gzipSync(header), ...new Array<Uint8Array>(count).fill(gzipSync(zeros)), gzipSync(rest)]);
}

function setChecksum(header: Uint8Array): void {
  header.fill(32, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
}
