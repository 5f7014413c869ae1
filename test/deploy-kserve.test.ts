import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { parseFlags } from "../packages/server/src/flags.ts";
import { applyDryRun, missing, validateManifests } from "./kubernetes.ts";

const text = await readFile(
  fileURLToPath(new URL("../packages/server/deploy/kserve-runtime.yaml", import.meta.url)),
  "utf8",
);
const [container] = parse(text).spec.containers;

test("the KServe runtime has the command and the arguments of KServe's runtime for TensorFlow Serving", () => {
  expect(container).toMatchObject({
    name: "kserve-container",
    command: ["/usr/bin/tensorflow_model_server"],
    args: [
      "--model_name={{.Name}}",
      "--port=9000",
      "--rest_api_port=8080",
      "--model_base_path=/mnt/models",
      "--rest_api_timeout_in_ms=60000",
    ],
  });
});

test("the KServe runtime's arguments are flags that the server takes, without a notice", () => {
  expect(parseFlags(container.args)).toMatchObject({
    ...{ run: "serve", notices: [] },
    options: { grpcPort: 9000, restPort: 8080, requestTimeoutMs: 60_000, models: [{ basePath: "/mnt/models" }] },
  });
});

test("the KServe runtime fits the schema of ClusterServingRuntime", async (ctx) => {
  if (missing.kubeconform) return ctx.skip(missing.kubeconform);
  expect(await validateManifests(text)).toContain("Valid: 1, Invalid: 0");
  await expect(validateManifests(text.replace("autoSelect", "autoSelekt"))).rejects.toThrow(/autoSelekt/);
});

test("an API server takes the KServe runtime", async (ctx) => {
  if (missing.cluster) return ctx.skip(missing.cluster);
  expect(await applyDryRun(text)).toContain(
    "clusterservingruntime.serving.kserve.io/nearside-server serverside-applied",
  );
});
