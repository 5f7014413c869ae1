import { describe, expect, test } from "vitest";
import { decodeProto, encodeProto } from "./codec.ts";
import { parseTextProto } from "./text-proto.ts";

describe("encodeProto", () => {
  test("writes the bytes that protocol buffers' specification gives", () => {
    const bytes = encodeProto("tensorflow.serving.ModelSpec", { name: "ab", version: { value: 150n } });
    expect([...bytes]).toEqual([0x0a, 2, 0x61, 0x62, 0x12, 3, 0x08, 0x96, 1]);
  });

  test("leaves out zeros, but not those of a choice, nor minus zero", () => {
    expect([...encodeProto("tensorflow.serving.ModelSpec", { name: "", versionLabel: "" })]).toEqual([0x22, 0]);
    expect([...encodeProto("tensorflow.serving.Regression", { value: 0 })]).toEqual([]);
    expect([...encodeProto("tensorflow.serving.Regression", { value: -0 })]).toEqual([0x0d, 0, 0, 0, 0x80]);
  });

  test("writes what decodeProto reads: every kind of field", () => {
    const message = {
      dtype: 1,
      tensorShape: { dim: [{ size: -1, name: "batch" }, { size: 2 ** 40 }], unknownRank: true },
      tensorContent: Uint8Array.from({ length: 300 }, (_, index) => index),
      floatVal: Float32Array.of(0.5, -0, Number.NaN),
      doubleVal: [1e300, -1],
      intVal: [-1, 0, 2 ** 31 - 1],
      stringVal: [Uint8Array.of(0, 255), new Uint8Array()],
      int64Val: [-(2n ** 63n), 2n ** 63n - 1n, 0n],
      boolVal: [true, false],
      uint32Val: [2 ** 32 - 1],
      uint64Val: BigUint64Array.of(2n ** 64n - 1n),
    };
    const decoded = decodeProto("tensorflow.TensorProto", encodeProto("tensorflow.TensorProto", message), "here");
    expect(decoded).toEqual({
      ...message,
      tensorShape: {
        dim: [
          { size: -1, name: "batch" },
          { size: 2 ** 40, name: "" },
        ],
        unknownRank: true,
      },
      floatVal: [0.5, -0, Number.NaN],
      uint64Val: [2n ** 64n - 1n],
      versionNumber: 0,
      scomplexVal: [],
      dcomplexVal: [],
      halfVal: [],
    });
  });

  test("writes maps, of messages and of numbers", () => {
    const labels = new Map([
      ["stable", 42n],
      ["", 0n],
    ]);
    const config = encodeProto("tensorflow.serving.ModelConfig", { versionLabels: labels });
    expect(decodeProto("tensorflow.serving.ModelConfig", config, "here").versionLabels).toEqual(labels);
    const feature = new Map([["x", { int64List: { value: [7n] } }]]);
    const features = decodeProto("tensorflow.Features", encodeProto("tensorflow.Features", { feature }), "here");
    expect(features.feature.get("x")).toMatchObject({ int64List: { value: [7n] }, floatList: undefined });
  });
});

describe("parseTextProto", () => {
  test("reads a configuration as people write it", () => {
    const text = `
      # two models
      model_config_list: {
        config { name: 'a' base_path: "/models/a" model_version_policy { specific { versions: 42 versions: 43 } }
          version_labels { key: "stable" value: 42 } version_labels: < key: "canary", value: 43 > }
        config: [{ name: "b", base_path: "/models/" "b"; model_platform: "tensorflow" }]
      }`;
    const { modelConfigList } = parseTextProto("tensorflow.serving.ModelServerConfig", text, "models.config");
    expect(modelConfigList?.config).toMatchObject([
      {
        name: "a",
        modelVersionPolicy: { specific: { versions: [42n, 43n] }, latest: undefined },
        versionLabels: new Map([
          ["stable", 42n],
          ["canary", 43n],
        ]),
      },
      { name: "b", basePath: "/models/b", modelPlatform: "tensorflow", modelVersionPolicy: undefined },
    ]);
  });

  test.each([
    [
      "model_config_list { config { nme: 'a' } }",
      /models.config, line 1: expected one of the fields name, base_path, .*got nme/,
    ],
    ["model_config_list {\n config { name: 5 } }", 'models.config, line 2: expected a value of type string, got "5"'],
    ["model_config_list {", "models.config, line 1: expected a closing brace, got the end"],
  ])("refuses %s and says where", (text, message) => {
    const parse = () => parseTextProto("tensorflow.serving.ModelServerConfig", text, "models.config");
    expect(parse).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(parse).toThrow(message);
  });
});
