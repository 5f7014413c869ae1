import { type ChildProcess, spawn } from "node:child_process";
import { commandWorks } from "./command-works.ts";

/** A folder of schemas that test/deploy/write-schemas.mjs wrote, for kubeconform. */
const schemas = process.env.NEARSIDE_TEST_KUBE_SCHEMAS;
/** A cluster, or just an API server, that has the CustomResourceDefinitions; nothing stays there. */
const kubeconfig = process.env.NEARSIDE_TEST_KUBECONFIG;

/** What is here to check manifests with; where something isn't, the reason to skip. */
export const missing = {
  helm: (await commandWorks("helm", "version")) ? undefined : "helm is not here",
  kubeconform:
    schemas !== undefined && (await commandWorks("kubeconform", "-v"))
      ? undefined
      : "kubeconform is not here, or NEARSIDE_TEST_KUBE_SCHEMAS names no folder of schemas",
  cluster:
    kubeconfig !== undefined && (await commandWorks("kubectl", "version", "--client"))
      ? undefined
      : "kubectl is not here, or NEARSIDE_TEST_KUBECONFIG names no cluster",
} as const;

/** Renders a chart with these values, as Helm does for a release named `release`. */
export function renderChart(chart: string, values: object = {}): Promise<string> {
  const args = ["template", "release", chart, "--kube-version", "1.34.0", "--values", "-"];
  return pipe("helm", args, JSON.stringify(values));
}

/** What `helm lint` says of a chart; rejects where it finds a fault. */
export function lintChart(chart: string): Promise<string> {
  return pipe("helm", ["lint", "--strict", "--kube-version", "1.34.0", chart]);
}

/** Checks manifests against the schemas of their kinds; rejects with what doesn't fit, unknown fields included. */
export function validateManifests(yaml: string): Promise<string> {
  const location = `${schemas}/{{.ResourceKind}}{{.KindSuffix}}.json`;
  return pipe("kubeconform", ["-strict", "-summary", "-schema-location", location, "-"], yaml);
}

/** Lets an API server check manifests as if they were applied, its validation and defaults included. */
export function applyDryRun(yaml: string): Promise<string> {
  const args = ["apply", "--server-side", "--dry-run=server", "--validate=strict", "--filename=-"];
  return pipe("kubectl", ["--kubeconfig", String(kubeconfig), ...args], yaml);
}

/** What a command prints, given a text on its standard input; rejects with all of it where the command fails. */
async function pipe(command: string, args: readonly string[], input = ""): Promise<string> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(input);
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), exitCode(child)]);
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${errors}${output}`);
  return output;
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let result = "";
  for await (const chunk of stream.setEncoding("utf8")) result += chunk;
  return result;
}

function exitCode(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
}
