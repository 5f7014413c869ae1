import { describe, expect, test } from "vitest";
import { encodeZip } from "../testing/encode-archive.ts";
import { readFiles, writeFiles } from "./blob-files.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A file as `<input webkitdirectory>` lists it. */
const picked = (path: string, text: string) =>
  Object.assign(new File([text], path.slice(path.lastIndexOf("/") + 1)), { webkitRelativePath: path });

describe("readFiles", () => {
  test("reads a picked folder from the model on, by ranges", async () => {
    const source = await readFiles([
      picked("models/readme.txt", "no model"),
      picked("models/digits/saved_model.pb", "0123456789"),
    ]);
    expect(await source.sizeBytes("saved_model.pb")).toBe(10);
    expect(await source.read("saved_model.pb", 2, 5)).toEqual(bytes("234"));
    expect(await source.read("saved_model.pb", 8, 20)).toEqual(bytes("89"));
    expect(await source.sizeBytes("readme.txt")).toBeUndefined();
    await expect(source.read("missing", 0, 1)).rejects.toMatchObject({ code: "not-found" });
  });

  test("reads blobs by path, and text graphs", async () => {
    const source = await readFiles(new Map([["saved_model.pbtxt", new Blob(["text"])]]));
    expect(await source.read("saved_model.pbtxt", 0, 99)).toEqual(bytes("text"));
  });

  test("reads a picked archive", async () => {
    const zip = encodeZip({ "m/saved_model.pb": bytes("0123456789") });
    const source = await readFiles([new File([Uint8Array.from(zip)], "m.zip")]);
    expect(await source.read("saved_model.pb", 2, 5)).toEqual(bytes("234"));
  });

  test("says what is missing where there is no model", async () => {
    const refused = { code: "not-found", message: expect.stringContaining("give the SavedModel's folder") };
    await expect(readFiles([picked("a/b.txt", "")])).rejects.toMatchObject(refused);
    await expect(readFiles([])).rejects.toMatchObject(refused);
  });
});

describe("writeFiles", () => {
  test("keeps what is written when it is committed, and nothing that is discarded", async () => {
    const files = new Map<string, Blob>();
    const sink = writeFiles(files);
    await sink.write("a.bin", bytes("lost"));
    await sink.discard();
    const buffer = bytes("kept");
    await sink.write("b.bin", buffer);
    buffer.fill(0); // the writer's own again
    expect(files.size).toBe(0);
    await sink.commit();
    expect([...files.keys()]).toEqual(["b.bin"]);
    expect(await files.get("b.bin")?.text()).toBe("kept");
  });
});
