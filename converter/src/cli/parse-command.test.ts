import { describe, expect, test } from "vitest";
import { parseCommand } from "./parse-command.ts";

describe("parseCommand", () => {
  test("leaves out what isn't given", () => {
    expect(parseCommand(["in", "out"])).toMatchObject({ name: "convert", input: "in", output: "out", isJson: false });
    expect(parseCommand(["in", "out"])).toHaveProperty("options", { quantize: {} });
  });

  test("puts the flags into options", () => {
    const args = ["in", "out", "--signature_name=a", "--weight_shard_size_bytes=9", "--quantize_uint16=x*"];
    expect(parseCommand([...args, "--quantize_float16"])).toHaveProperty("options", {
      signature: "a",
      shardBytes: 9,
      quantize: { uint16: ["x*"], float16: true },
    });
  });

  test("reads the shapes of several inputs", () => {
    const args = ["in", "out", "--input-shape", "x=1,224,224,3,name:0=?,-1,8,scalar="];
    expect(parseCommand(args)).toHaveProperty("options.inputShapes", {
      x: [1, 224, 224, 3],
      "name:0": [null, null, 8],
      scalar: [],
    });
    for (const text of ["1,2", "x=a", "x=1,,2", "x=1.5", ""]) {
      expect(() => parseCommand(["in", "out", `--input_shape=${text}`])).toThrow("--input_shape: expected name=size");
    }
  });

  test("takes quantization_bytes for the type of that size", () => {
    expect(parseCommand(["in", "out", "--quantization_bytes", "2"])).toHaveProperty("options.quantize", {
      uint16: true,
    });
  });

  test("reads what to verify on, and how far an automatic quantisation may go", () => {
    expect(parseCommand(["in", "out", "--quantize", "auto", "--verify", "golden.json"])).toMatchObject({
      verify: "golden.json",
      options: { quantize: { auto: { maxError: 0.01 } } },
    });
    expect(parseCommand(["--verify", "in", "out", "--quantize=auto", "--max-error=1e-3"])).toMatchObject({
      input: "in",
      verify: true,
      options: { quantize: { auto: { maxError: 1e-3 } } },
    });
    expect(parseCommand(["in", "out", "--quantize_int8=*kernel"])).toMatchObject({
      verify: false,
      options: { quantize: { int8: ["*kernel"] } },
    });
  });

  test("reads a frozen graph from its folder", () => {
    const args = ["models/frozen.pb", "out", "--input_format=tf_frozen_model", "--output_node_names=a,b:1"];
    expect(parseCommand(args)).toMatchObject({
      input: "models/",
      options: { frozenGraph: { file: "frozen.pb", outputs: ["a", "b:1"] } },
    });
  });

  test("reads a graph model from the folder of its model.json", () => {
    const command = { input: "models/", what: "graph-model" };
    expect(parseCommand(["models/model.json", "out", "--input_format=tfjs_graph_model"])).toMatchObject(command);
    expect(parseCommand(["models/", "out", "--input_format=tfjs_graph_model"])).toMatchObject(command);
  });

  test("gives a notice for flags that do nothing here", () => {
    const command = parseCommand(["in", "out", "--strip_debug_ops=True", "--control_flow_v2=True"]);
    expect(command).toHaveProperty("notices", [expect.stringContaining("--control_flow_v2 has no effect")]);
  });

  test("reads inspect, help and version", () => {
    expect(parseCommand(["inspect", "in", "--json"])).toEqual({ name: "inspect", input: "in", isJson: true });
    expect(parseCommand(["--help"])).toEqual({ name: "help" });
    expect(parseCommand(["-v"])).toEqual({ name: "version" });
  });

  test.each([
    [[], "got 0 paths"],
    [["in", "out", "more"], "got 3 paths"],
    [["--quantize_uint8", "in", "out"], '--quantize_uint8 took "in" for its value: put that flag after the paths'],
    [["in", "out", "--quantize_uint8", "--quantize_float16"], "expected one type for all other weights"],
    [["in", "out", "--max_error=0.1"], "add that or leave it out"],
    [["in", "out", "--quantize=auto", "--max_error=0"], "expected a number > 0"],
    [["in", "out", "--quantize=auto", "--quantize_int8"], "leave out --quantize_int8"],
    [["in", "out", "--quantize=auto", "--quantization_bytes=1"], "leave out --quantization_bytes"],
    [["in", "out", "--quantize_uint8", "--quantization_bytes=1"], "leave one out"],
    [["in", "out", "--all-signatures", "--signature_name=a"], "leave out --signature_name"],
    [["f.pb", "out", "--input_format=tf_frozen_model"], "expected --output_node_names too"],
    [["in", "out", "--output_node_names=a"], "it is for frozen graphs"],
    [["in", "out", "--input_format=tfjs_graph_model", "--skip_op_check"], "graph stays as it is"],
    [["inspect"], "inspect: expected one path, got 0"],
    [["inspect", "in", "--skip_op_check"], "inspect takes no such flag"],
  ])("refuses %j", (args, message) => {
    expect(() => parseCommand(args)).toThrow(
      expect.objectContaining({ code: "invalid-argument", message: expect.stringContaining(message) }),
    );
  });
});
