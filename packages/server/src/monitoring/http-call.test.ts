import { expect, test } from "vitest";
import { httpCall } from "./http-call.ts";

test.each([
  ["/v1/models/m:predict", "Predict", "m"],
  ["/v1/models/a%2Fb/versions/3:classify", "Classify", "a/b"],
  ["/V1/Models/m/labels/stable:REGRESS", "Regress", "m"],
  ["/v1/models/m", "GetModelStatus", "m"],
  ["/v1/models/m/versions/3/metadata", "GetModelMetadata", "m"],
  ["/v2/models/m/infer", "ModelInfer", "m"],
  ["/v2/models/m/versions/1/ready", "ModelReady", "m"],
  ["/v2/models/m", "ModelMetadata", "m"],
  ["/v2/models/m/stats", "ModelStatistics", "m"],
  ["/v2/repository/models/m/load", "RepositoryModelLoad", "m"],
  ["/models/m/1/model.json", "ModelFile", "m"],
  ["/v1/models/%zz", "GetModelStatus", "%zz"],
  ["/v2/health/live", null, null],
  ["/metrics", null, null],
])("httpCall tells what %s asks for", (path, api, model) => {
  expect(httpCall(path)).toEqual({ api, model });
});
