import { describe, expect, test } from "vitest";
import { encodeTarGz, encodeZip } from "../../testing/encode-archive.ts";
import { memorySource } from "../../testing/memory-files.ts";
import { isArchive, openArchive } from "./open-archive.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const long = `variables/${"x".repeat(120)}`;
const files = {
  "model/saved_model.pb": bytes("graph ".repeat(200)),
  [`model/${long}`]: bytes("0123456789"),
  "model/examples/1/saved_model.pb": bytes("another"),
};

const archives = [
  { name: "m.zip", encode: encodeZip },
  {
    name: "stored.ZIP",
    encode: (given: Readonly<Record<string, Uint8Array>>) => encodeZip(given, { isCompressed: false }),
  },
  { name: "m.tar.gz", encode: encodeTarGz },
  { name: "m.tgz", encode: encodeTarGz },
] as const;

describe.each(archives)("openArchive reads $name", ({ name, encode }) => {
  const open = (content: Uint8Array) => openArchive(memorySource({ [name]: content }), name);

  test("from the model's folder on, by ranges", async () => {
    const source = await open(encode(files));
    expect(await source.sizeBytes("saved_model.pb")).toBe(1200);
    expect(new TextDecoder().decode(await source.read("saved_model.pb", 3, 9))).toBe("ph gra");
    expect(new TextDecoder().decode(await source.read(long, 4, 99))).toBe("456789");
    expect(await source.sizeBytes("missing")).toBeUndefined();
  });

  test("and refuses one that is cut short", async () => {
    const whole = encode(files);
    await expect(open(whole.subarray(0, whole.length - 100))).rejects.toMatchObject({ code: "data-loss" });
  });

  test("and refuses one without a model", async () => {
    const archive = encode({ "notes.txt": bytes("mine") });
    await expect(open(archive)).rejects.toMatchObject({ code: "not-found" });
  });
});

describe("openArchive", () => {
  test("refuses a size that can't be, before it takes the memory", async () => {
    const archive = encodeZip({ "saved_model.pb": bytes("graph ".repeat(9)) });
    const at = Buffer.from(archive).lastIndexOf(bytes("saved_model.pb")) - 46 + 24;
    new DataView(archive.buffer).setUint32(at, 2 ** 31, true);
    await expect(openArchive(memorySource({ "m.zip": archive }), "m.zip")).rejects.toThrow(/of 2147483648 bytes/);
  });

  test.each([
    ["m.zip", encodeZip],
    ["m.tar.gz", encodeTarGz],
  ] as const)("refuses %s that would fill the memory once unpacked", async (name, encode) => {
    const archive = encode({ "saved_model.pb": bytes("graph"), zeros: new Uint8Array(70 * 2 ** 20) });
    await expect(openArchive(memorySource({ [name]: archive }), name)).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("unpack the archive"),
    });
  });

  test("refuses damage within a compressed file", async () => {
    const archive = encodeZip({ "saved_model.pb": bytes("graph ".repeat(9)) });
    archive.fill(255, 46, 52);
    const source = await openArchive(memorySource({ "m.zip": archive }), "m.zip");
    await expect(source.read("saved_model.pb", 0, 9)).rejects.toMatchObject({ code: "data-loss" });
  });
});

test("isArchive goes by the name", () => {
  expect(["a.zip", "a.tar.gz", "a.tgz", "a.pb", "zip"].map(isArchive)).toEqual([true, true, true, false, false]);
});
