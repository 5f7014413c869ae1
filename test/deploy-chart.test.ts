import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { parseFlags } from "../packages/server/src/flags.ts";
import { parseModelConfigs } from "../packages/server/src/repository/model-config.ts";
import { applyDryRun, lintChart, missing, renderChart, validateManifests } from "./kubernetes.ts";
import { echoSession, serverOfFakes } from "./server-of-fakes.ts";

const chart = fileURLToPath(new URL("../packages/server/deploy/chart", import.meta.url));
const read = (name: string) => readFile(`${chart}/${name}`, "utf8");

/** Values that turn on what needs something installed in the cluster. */
const everything = {
  serviceMonitor: { enabled: true, endpoint: { authorization: { credentials: { name: "prometheus", key: "token" } } } },
  dashboard: { enabled: true },
  tls: { secretName: "tls" },
  tokens: { secretName: "tokens" },
  batching: { enabled: true, parameters: "max_batch_size { value: 8 }" },
};
const requests = { serverAddress: "http://prometheus:9090", query: "sum(rate(requests[1m]))", threshold: "10" };
const variants = {
  "as it comes": {},
  "with volumes and a strategy of other kinds": {
    models: { volume: { nfs: { server: "nfs.example", path: "/models" } } },
    cache: { volume: { persistentVolumeClaim: { claimName: "cache" } } },
    strategy: { type: "Recreate" },
  },
  "with all that needs something installed": everything,
  "scaled by the queue": { ...everything, autoscaling: { type: "hpa" } },
  "scaled to zero": {
    ...everything,
    autoscaling: { type: "keda", minReplicas: 0, keda: { triggers: [{ type: "prometheus", metadata: requests }] } },
  },
};

const render = (values: object) => renderChart(chart, values);

/** The YAML in the guides. */
async function samples(): Promise<readonly string[]> {
  const guides = await Promise.all(["../README.md", "../scale-to-zero.md"].map(read));
  return guides.flatMap((guide) =>
    [...guide.matchAll(/^ *```yaml\n(.*?)^ *```$/gms)].map(([, yaml]) => yaml as string),
  );
}

/** The manifests of the rendered chart by their kinds. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into them, and a manifest of another form fails them
async function manifests(values: object): Promise<Readonly<Record<string, any>>> {
  const all = parseAllDocuments(await render(values)).map((document) => document.toJS());
  return Object.fromEntries(all.map((manifest) => [manifest.kind, manifest]));
}

describe("the chart, without Helm", () => {
  test("has a default for every value of its schema, and describes each", async () => {
    const compare = (values: Record<string, unknown>, schema: Schema, path: string) => {
      for (const [name, property] of Object.entries(schema.properties ?? {})) {
        if (path === "" && name === "global") continue; // Helm's own
        expect(property.description, path + name).toMatch(/\.$/);
        expect(values, path + name).toHaveProperty([name]);
        compare(values[name] as Record<string, unknown>, property, `${path}${name}.`);
      }
    };
    compare(parse(await read("values.yaml")), JSON.parse(await read("values.schema.json")), "");
  });

  test("gives the server flags that it takes, without a notice", async () => {
    const args = [...(await read("templates/deployment.yaml")).matchAll(/(?<=- )--.+/g)].map(([argument]) =>
      argument.replace("{{ .Values.logFormat }}", "json").replace(/\{\{.*?\}\}/g, "1"),
    );
    const file = "--batching_parameters_file=";
    expect(args.length).toBeGreaterThan(5);
    expect(parseFlags(args.filter((argument) => !argument.startsWith(file)))).toMatchObject({ notices: [] });
    expect(() => parseFlags(args)).toThrow("/etc/nearside/config/batching.config"); // which it reads at once
  });

  test("serves a models.config that the server reads", async () => {
    const { models } = parse(await read("values.yaml"));
    expect(parseModelConfigs(models.config, "models.config")).toMatchObject([
      { name: "model", basePath: "/models/model" },
    ]);
  });

  test("names no metric that the server doesn't have", async () => {
    await using server = await serverOfFakes({ echo: echoSession({ x: { dtype: "float32", shape: [null] } }) });
    const scraped = await fetch(`${server.url}/metrics`).then((response) => response.text());
    const names = [...scraped.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, type]) =>
      type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    );
    const files = ["files/dashboard.json", "templates/scaledobject.yaml", "templates/horizontalpodautoscaler.yaml"];
    const texts = await Promise.all(files.map(read));
    const used = texts.flatMap((text) => text.match(/(?:\bnearside_|:tensorflow:)[\w:]+/g) ?? []);
    expect(used.length).toBeGreaterThan(10);
    expect(names).toEqual(expect.arrayContaining(used));
  });

  test("has a dashboard whose panels each ask for something, in a place of their own", async () => {
    const { panels } = JSON.parse(await read("files/dashboard.json"));
    const places = new Set(panels.map(({ gridPos: { x, y } }: Panel) => `${x},${y}`));
    expect(places.size).toBe(panels.length);
    for (const { title, type, targets } of panels as Panel[]) {
      if (type !== "row") expect(targets?.length, title).toBeGreaterThan(0);
    }
  });
});

describe("the chart", () => {
  test("passes helm lint, by its schema", async (ctx) => {
    if (missing.helm) return ctx.skip(missing.helm);
    expect(await lintChart(chart)).toContain("0 chart(s) failed");
    await expect(render({ replicaCont: 3 })).rejects.toThrow(/replicaCont/);
    await expect(render({ autoscaling: { type: "keda", minReplicas: 0 } })).rejects.toThrow(/needs a trigger/);
  });

  test("runs three pods as a user with no rights, on a root file system that is read-only", async (ctx) => {
    if (missing.helm) return ctx.skip(missing.helm);
    const { Deployment, PodDisruptionBudget, NetworkPolicy, Service } = await manifests({});
    const { spec } = Deployment.spec.template;
    expect(Deployment.spec.replicas).toBe(3);
    expect(spec).toMatchObject({ automountServiceAccountToken: false, securityContext: { runAsNonRoot: true } });
    expect(spec.containers[0].securityContext).toEqual({
      ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
    });
    const labels = Deployment.spec.template.metadata.labels;
    for (const selector of [
      Deployment.spec.selector.matchLabels,
      PodDisruptionBudget.spec.selector.matchLabels,
      NetworkPolicy.spec.podSelector.matchLabels,
      Service.spec.selector,
    ]) {
      expect(labels).toMatchObject(selector);
    }
    expect(NetworkPolicy.spec).toMatchObject({ policyTypes: ["Ingress", "Egress"], egress: [] });
  });

  test("leaves the number of pods to who scales them", async (ctx) => {
    if (missing.helm) return ctx.skip(missing.helm);
    const byQueue = await manifests(variants["scaled by the queue"]);
    expect(byQueue.Deployment.spec).not.toHaveProperty("replicas");
    expect(byQueue.HorizontalPodAutoscaler.spec.metrics[0].pods).toMatchObject({
      metric: { name: "nearside_batching_queue_depth" },
      target: { type: "AverageValue", averageValue: "8" },
    });
    const toZero = await manifests(variants["scaled to zero"]);
    expect(toZero.Deployment.spec).not.toHaveProperty("replicas");
    expect(toZero.ScaledObject.spec).toMatchObject({ minReplicaCount: 0, maxReplicaCount: 10 });
    expect(toZero.ScaledObject.spec.triggers).toHaveLength(2);
  });

  test.for(Object.entries(variants))("%s gives the server flags that it takes", async ([, values], ctx) => {
    if (missing.helm) return ctx.skip(missing.helm);
    const { Deployment, ConfigMap } = await manifests({ ...values, dashboard: { enabled: false } });
    const args: string[] = Deployment.spec.template.spec.containers[0].args;
    const byFile = args.filter((argument) => !argument.startsWith("--batching_parameters_file="));
    expect(parseFlags(byFile)).toMatchObject({ run: "serve", notices: [] });
    expect(byFile.length < args.length).toBe("batching.config" in ConfigMap.data);
  });

  test.for(Object.entries(variants))("%s fits the schemas of its kinds", async ([, values], ctx) => {
    if (missing.helm ?? missing.kubeconform) return ctx.skip(missing.helm ?? missing.kubeconform);
    expect(await validateManifests(await render(values))).toContain("Invalid: 0, Errors: 0, Skipped: 0");
  });

  test.for(Object.entries(variants))("%s is taken by an API server", async ([, values], ctx) => {
    if (missing.helm ?? missing.cluster) return ctx.skip(missing.helm ?? missing.cluster);
    expect(await applyDryRun(await render(values))).toContain(
      "deployment.apps/release-nearside-server serverside-applied",
    );
  });

  test("takes the values in the guides", async (ctx) => {
    if (missing.helm) return ctx.skip(missing.helm);
    const values = (await samples()).map((yaml) => parse(yaml)).filter((each) => !each.apiVersion && !each.rules);
    expect(values).toHaveLength(2);
    for (const each of values) expect(await render(each)).toContain("kind: Deployment");
  });

  test("has guides whose InferenceService fits its schema", async (ctx) => {
    if (missing.kubeconform) return ctx.skip(missing.kubeconform);
    const services = (await samples()).filter((yaml) => yaml.includes("kind: InferenceService"));
    expect(await validateManifests(services.join("---\n"))).toContain("Valid: 1, Invalid: 0");
  });
});

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
}

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number };
  readonly targets?: readonly { readonly expr: string }[];
}
