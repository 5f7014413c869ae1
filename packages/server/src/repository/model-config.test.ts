import { describe, expect, test } from "vitest";
import { parseModelConfigs } from "./model-config.ts";

const list = (configs: string) => `model_config_list { ${configs} }`;

describe("parseModelConfigs", () => {
  test("reads names, base paths, policies and labels", () => {
    const text = list(`
      config { name: "a" base_path: "/a" model_platform: "tensorflow"
        model_version_policy { latest { num_versions: 2 } } version_labels { key: "stable" value: 7 } }
      config { name: "b" base_path: "/b" model_version_policy { all {} } }
      config { name: "c" base_path: "/c" model_version_policy { specific { versions: [4, 2] } }
        logging_config { sampling_config { sampling_rate: 0.1 } log_collector_config { type: "file" filename_prefix: "/l/c-" } } }
      config { name: "d" base_path: "/d" }`);
    expect(parseModelConfigs(text, "models.config")).toEqual([
      { name: "a", basePath: "/a", versions: { latest: 2 }, labels: { stable: 7n } },
      { name: "b", basePath: "/b", versions: "all" },
      {
        name: "c",
        basePath: "/c",
        versions: { specific: [4n, 2n] },
        requestLog: { samplingRate: 0.1, filenamePrefix: "/l/c-" },
      },
      { name: "d", basePath: "/d", versions: { latest: 1 } },
    ]);
  });

  test.each([
    ["", "expected model_config_list, got nothing"],
    ["custom_model_config { }", "custom_model_config: expected model_config_list"],
    [
      list('config { name: "a" base_path: "/a" logging_config { log_collector_config { type: "pubsub" } } }'),
      'model "a": logging_config: expected the type "file", got "pubsub"',
    ],
    [
      list('config { name: "a" base_path: "/a" logging_config { sampling_config { sampling_rate: 10 } } }'),
      'model "a": logging_config: expected a sampling_rate from 0 to 1, got 10',
    ],
    [list('config { base_path: "/a" }'), "expected a name for each model"],
    [list('config { name: "a" }'), 'model "a": expected a base path'],
    [
      list('config { name: "a" base_path: "/a" model_platform: "onnx" }'),
      'expected model_platform "tensorflow", got "onnx"',
    ],
    [list('config { name: "a" base_path: "/a" model_platform: "tensorflow" model_type: 1 }'), "Illegal setting both"],
    [
      list('config { name: "a" base_path: "/a" model_version_policy { all {} latest {} } }'),
      "expected one of latest, all and specific, got several",
    ],
  ])("refuses %s", (text, message) => {
    const parse = () => parseModelConfigs(text, "models.config");
    expect(parse).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(parse).toThrow(message);
  });
});
