import { headerLengthName, InferenceError, type Tensor } from "@nearside/core";
import { isJsonObject, type JsonObject, parseJson } from "../json/parse-json.ts";
import { type JsonThreads, jsonBytesOf } from "../json-threads/json-threads.ts";
import type { LoadedSignature } from "../repository/load-version.ts";
import type { Repository } from "../repository/repository.ts";
import type { ElementOptions } from "../rest-v1/predict-response.ts";
import { decodePathPart, errorReply, type HttpReply, type HttpRequest, jsonReply, type Route } from "../route.ts";
import { version as serverVersion } from "../version.ts";
import {
  extensions,
  findModel,
  infer,
  modelMetadata,
  modelStatistics,
  type NamedModel,
  repositoryIndex,
} from "./model-calls.ts";

const modelPath =
  /^\/v2\/models\/(?<name>[^/]+)(?:\/versions\/(?<version>\d{1,19}))?(?:\/(?<call>ready|infer|stats))?$/i;
const controlPath = /^\/v2\/repository\/models\/(?<name>[^/]+)\/(?<call>load|unload)$/i;

/** Which calls of the protocol are answered, and how. */
export interface OipV2Options extends ElementOptions {
  readonly json: JsonThreads;
  /** Whether clients may load and unload models. */
  readonly allowModelControl: boolean;
}

/**
 * The Open Inference Protocol v2 over HTTP, with the binary tensor, the repository and the statistics extension. Errors
 * are `{ error, code }`.
 */
export function oipV2({ allowModelControl, ...options }: OipV2Options): Route {
  return async (request, repository) => {
    try {
      const control = controlPath.exec(request.path)?.groups;
      if (control && request.method === "POST") {
        if (!allowModelControl) throw modelControlError();
        return await controlModel(control, repository);
      }
      return await dispatch(request, repository, options);
    } catch (error) {
      return errorReply(error, { isV1: false });
    }
  };
}

/** The error for a client that may not load and unload models. */
export function modelControlError(): InferenceError {
  const message = "loading and unloading models by request is off; start the server with --allow_model_control";
  return new InferenceError("unsupported", message);
}

type JsonOptions = Omit<OipV2Options, "allowModelControl">;

async function dispatch(request: HttpRequest, repository: Repository, options: JsonOptions): Promise<HttpReply> {
  const { method, path } = request;
  const call = `${method} ${path.replace(/\/$/, "").toLowerCase()}`;
  const answer = Object.hasOwn(serverCalls, call) ? serverCalls[call] : undefined;
  if (answer) return answer(repository, request);
  const groups = modelPath.exec(path)?.groups;
  if (!groups) {
    throw new InferenceError("not-found", `${method} ${path}: expected a call of the Open Inference Protocol v2`);
  }
  const model = { name: decodePathPart(groups.name ?? "", "model name"), version: groups.version };
  const verb = groups.call?.toLowerCase();
  const expected = verb === "infer" ? "POST" : "GET";
  if (method !== expected) throw new InferenceError("not-found", `${path}: expected ${expected}, got ${method}`);
  if (verb === "infer") return inferOverHttp(model, request, repository, options);
  if (verb === "stats") return statistics(repository, model);
  if (verb !== "ready") return jsonReply(modelMetadata(repository, model));
  findModel(repository, model);
  return jsonReply({ name: model.name, ready: true });
}

/** The calls that concern no model. */
const serverCalls: Readonly<Record<string, (repository: Repository, request: HttpRequest) => HttpReply>> = {
  "GET /v2": () => jsonReply({ name: "nearside", version: serverVersion, extensions }),
  "GET /v2/health/live": () => jsonReply({ live: true }),
  "GET /v2/health/ready": ({ isReady }) => ({ ...jsonReply({ ready: isReady }), status: isReady ? 200 : 503 }),
  "GET /v2/models/stats": (repository) => statistics(repository, {}),
  "POST /v2/repository/index": (repository, { body }) => {
    const onlyReady = parseOptional(body)?.get("ready") === true;
    return jsonReply(repositoryIndex(repository, { onlyReady }));
  },
};

async function inferOverHttp(
  model: NamedModel,
  { body, headers, signal }: HttpRequest,
  repository: Repository,
  { json, ...options }: JsonOptions,
): Promise<HttpReply> {
  const headerLength = headers[headerLengthName];
  const jsonBytes = Math.min(body.byteLength, Number(headerLength ?? body.byteLength)) || 0; // no number: the reader tells
  const read = ({ session: { signature } }: LoadedSignature) =>
    json.run("readInfer", { body, headerLength, signature }, jsonBytes);
  const { call, outputs, version } = await infer(repository, model, read, signal);
  const { id } = call;
  const fields = { model_name: model.name, model_version: String(version), ...(id !== undefined && { id }) };
  const names = Object.keys(outputs);
  const binary = new Set(names.filter((name) => call.binary.get(name) ?? call.binaryByDefault));
  const written = names.flatMap((name) => (binary.has(name) ? [] : (outputs[name] as Tensor))); // its own key
  return json.run("writeInfer", { fields, outputs, binary, ...options }, jsonBytesOf(written));
}

async function controlModel(groups: Readonly<Record<string, string | undefined>>, repository: Repository) {
  const name = decodePathPart(groups.name ?? "", "model name");
  if (groups.call?.toLowerCase() === "load") await repository.loadModel(name);
  else await repository.unloadModel(name);
  return jsonReply({});
}

function statistics(repository: Repository, model: Partial<NamedModel>): HttpReply {
  return jsonReply({ model_stats: modelStatistics(repository, model).map(toSnakeCase) });
}

/** A value as JSON has it here: names in snake case, and counts as numbers. */
function toSnakeCase(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null) return value;
  const rename = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [rename(name), toSnakeCase(item)]));
}

/** The object in a body that may be empty. Throws `invalid-argument` for anything else. */
function parseOptional(body: Uint8Array): JsonObject | undefined {
  if (body.byteLength === 0) return undefined;
  const document = parseJson(new TextDecoder().decode(body));
  if (isJsonObject(document)) return document;
  throw new InferenceError("invalid-argument", "body: expected a JSON object, got another value");
}
