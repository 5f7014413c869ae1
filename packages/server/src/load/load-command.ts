import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { decodeMetadata, InferenceError } from "@nearside/core";
import { readArguments } from "../read-arguments.ts";
import { drawLoadChart } from "./draw-load-chart.ts";
import { generateLoad, type Load } from "./generate-load.ts";
import { grpcProtocols, httpProtocols, type LoadRequest, loadInputs, restRequest } from "./load-request.ts";
import { grpcSender, httpSender } from "./send-requests.ts";
import { formatSummaries, type LoadSummary, summariseLoad } from "./summarise-load.ts";

const protocols = { ...httpProtocols, ...grpcProtocols };
const protocolNames = Object.keys(protocols).join(", ");

const usage = `Sends requests to a server, and tells how fast they are answered.

Usage: nearside-server bench --url=URL --model=NAME [flags]

  --url=URL          the server, such as http://localhost:8501
  --model=NAME       the model
  --protocol=P       one of ${protocolNames} (default: binary)
  --grpc=ADDRESS     where it takes gRPC, for --protocol=grpc (default: localhost:8500)
  --clients=A,B      send from so many clients at a time, each as soon as it has its answer (default: 1,4,16)
  --rate=A,B         send so many requests per second instead, however long answers take
  --rows=N           rows of each request (default: 1)
  --input=FILE       the body of each request, for --protocol=rest; by default one is made that fits the model
  --seconds=S        how long to send for each of them (default: 10)
  --warm_up=S        how long to send before, without counting (default: 2)
  --output=FOLDER    where to write load.json and load.svg (default: the current folder)`;

const flags = {
  url: { type: "string" },
  model: { type: "string" },
  protocol: { type: "string", default: "binary" },
  grpc: { type: "string", default: "localhost:8500" },
  clients: { type: "string" },
  rate: { type: "string" },
  rows: { type: "string", default: "1" },
  input: { type: "string" },
  seconds: { type: "string", default: "10" },
  warm_up: { type: "string", default: "2" },
  output: { type: "string", default: "." },
  help: { type: "boolean" },
} as const;

/** The command `nearside-server bench`. */
export async function run(args: readonly string[]): Promise<void> {
  const values = readArguments("bench", () => parseArgs({ args: [...args], options: flags }).values);
  if (values.help) return console.log(usage);
  const { url, model, protocol, output } = values;
  if (url === undefined || model === undefined) throw invalid("--url and --model", "both", "one or none");
  if (!URL.canParse(url)) throw invalid("--url", "an address, such as http://localhost:8501", url);
  const server = new URL(url);
  const loads = parseLoads(values.clients, values.rate);
  const [seconds, warmUp] = [positive("--seconds", values.seconds), positive("--warm_up", values.warm_up)];
  const request = await makeRequest(server, model, protocol, values.input, whole("--rows", values.rows));
  const isGrpc = Object.hasOwn(grpcProtocols, protocol);
  const { send, close } = isGrpc ? grpcSender(values.grpc, request) : httpSender(server, request);
  const summaries: LoadSummary[] = [];
  try {
    for (const load of loads) {
      await generateLoad(send, load, warmUp * 1000);
      summaries.push(summariseLoad(load, await generateLoad(send, load, seconds * 1000)));
    }
  } finally {
    close();
  }
  console.log(formatSummaries(summaries));
  await mkdir(output, { recursive: true });
  const about = { url, model, protocol, requestBytes: request.body.byteLength, seconds };
  await writeFile(join(output, "load.json"), `${JSON.stringify({ ...about, loads: summaries }, null, 2)}\n`);
  await writeFile(
    join(output, "load.svg"),
    drawLoadChart(`${model}, ${protocol}, at ${isGrpc ? values.grpc : url}`, summaries),
  );
  console.log(`written: ${join(output, "load.json")}, ${join(output, "load.svg")}`);
}

async function makeRequest(
  server: URL,
  model: string,
  protocol: string,
  input: string | undefined,
  rows: number,
): Promise<LoadRequest> {
  if (!Object.hasOwn(protocols, protocol)) throw invalid("--protocol", `one of ${protocolNames}`, protocol);
  if (input !== undefined) {
    if (protocol !== "rest") throw invalid("--input", "--protocol=rest", protocol);
    return restRequest(model, await readFile(input));
  }
  const { href } = new URL(
    `v2/models/${encodeURIComponent(model)}`,
    server.href.endsWith("/") ? server : `${server.href}/`,
  );
  const response = await fetch(href).catch((cause: unknown) => {
    throw new InferenceError("unavailable", `${href} cannot be reached; is the server running?`, { cause });
  });
  if (!response.ok) throw new InferenceError("not-found", `${href}: HTTP ${response.status} ${await response.text()}`);
  const { signature } = decodeMetadata(await response.json(), href);
  return protocols[protocol as keyof typeof protocols](model, loadInputs(signature, rows)); // one of them
}

function parseLoads(clients: string | undefined, rate: string | undefined): Load[] {
  if (clients !== undefined && rate !== undefined) throw invalid("--clients and --rate", "one of them", "both");
  if (rate !== undefined) return rate.split(",").map((text) => ({ ratePerSecond: positive("--rate", text) }));
  return (clients ?? "1,4,16").split(",").map((text) => ({ clients: whole("--clients", text) }));
}

function positive(where: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw invalid(where, "a number above 0", text);
}

function whole(where: string, text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw invalid(where, "a whole number from 1", text);
}

function invalid(where: string, expected: string, got: string): InferenceError {
  return new InferenceError("invalid-argument", `${where}: expected ${expected}, got ${got}; see bench --help`);
}
