import { describe, expect, test } from "vitest";
import { parseFlags } from "./parse-flags.ts";

describe("parseFlags", () => {
  test("takes underscores and hyphens, `=` and the next argument", () => {
    const { values, positionals } = parseFlags(["in", "--signature-name", "encode", "out", "--saved_model_tags=a,b"]);
    expect(values).toEqual({ signature_name: "encode", saved_model_tags: ["a", "b"] });
    expect(positionals).toEqual(["in", "out"]);
  });

  test.each([
    [["--skip_op_check"], true],
    [["--skip_op_check=False"], false],
    [["--skip_op_check", "0"], false],
    [["--skip_op_check=1"], true],
    [["--skip_op_check", "out"], true],
  ])("reads the boolean in %j", (args, value) => {
    expect(parseFlags(args).values.skip_op_check).toBe(value);
  });

  test.each([
    [["--quantize_uint8"], true],
    [["--quantize_uint8", "--json"], true],
    [["--quantize_uint8", "--", "in"], true],
    [["--quantize_uint8=*"], ["*"]],
    [
      ["--quantize_uint8", "conv*,dense*"],
      ["conv*", "dense*"],
    ],
  ])("reads the patterns in %j", (args, value) => {
    expect(parseFlags(args).values.quantize_uint8).toEqual(value);
  });

  test("tells what a flag that needs no value took", () => {
    expect(parseFlags(["--quantize_uint8", "in", "out"]).taken).toEqual([{ flag: "quantize_uint8", text: "in" }]);
  });

  test("reads files by key", () => {
    const { values } = parseFlags(["--metadata", "card:card.json,labels:C:\\labels.json"]);
    expect(values.metadata).toEqual({ card: "card.json", labels: "C:\\labels.json" });
  });

  test.each([
    [["--quantise_uint8"], "did you mean --quantize_uint8?"],
    [["--shard_size_bytes=3"], "did you mean --weight_shard_size_bytes?"],
    [["--xyz"], "--help lists the flags"],
    [["-x"], "no such flag"],
    [["--json", "--json"], "got it twice"],
    [["--signature_name"], "expected a value (TEXT), got none"],
    [["--weight_shard_size_bytes", "4MB"], "expected a whole number ≥ 1"],
    [["--weight_shard_size_bytes", "0"], "expected a whole number ≥ 1"],
    [["--strip_debug_ops=maybe"], "expected true, false, 1 or 0"],
    [["--quantization_bytes=4"], "expected 1 or 2"],
    [["--input_format=keras"], 'got "keras"; load it in Python, model.export(folder)'],
    [["--metadata=card.json"], "expected key:file.json"],
  ])("refuses %j", (args, message) => {
    expect(() => parseFlags(args)).toThrow(
      expect.objectContaining({ code: "invalid-argument", message: expect.stringContaining(message) }),
    );
  });
});
