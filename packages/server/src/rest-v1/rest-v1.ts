import { InferenceError } from "@nearside/core";
import { classify } from "../inference/classify.ts";
import { exampleSignature } from "../inference/examples.ts";
import { modelStatus, statusToJson } from "../inference/model-status.ts";
import { findSignature } from "../inference/predict.ts";
import { regress } from "../inference/regress.ts";
import { runLoosely } from "../inference/run-loosely.ts";
import { type JsonThreads, jsonBytesOf } from "../json-threads/json-threads.ts";
import type { LoadedModel } from "../repository/load-version.ts";
import type { ModelSpec, Repository } from "../repository/repository.ts";
import { decodePathPart, errorReply, type HttpReply, type HttpRequest, jsonReply, type Route } from "../route.ts";
import { encodeClassifyResponse, encodeRegressResponse } from "./examples-response.ts";
import { encodeMetadata } from "./metadata.ts";
import type { ElementOptions } from "./predict-response.ts";

const runPath =
  /^\/v1\/models\/(?<name>[^/:]+)(?:\/versions\/(?<version>\d+)|\/labels\/(?<label>[^/:]+))?:(?<verb>classify|regress|predict)$/i;
const statusPath =
  /^\/v1\/models(?:\/(?<name>[^/:]+))?(?:\/versions\/(?<version>\d+)|\/labels\/(?<label>[^/:]+))?(?:\/(?<part>metadata))?$/i;

/** How the API's JSON is read and written. */
export interface RestV1Options extends ElementOptions {
  readonly json: JsonThreads;
}

/** TensorFlow Serving's REST API: its paths, bodies, messages and status codes. */
export function restV1(options: RestV1Options): Route {
  return async (request, repository) => {
    try {
      if (request.method === "OPTIONS") return preflight(request);
      return await dispatch(request, repository, options);
    } catch (error) {
      return errorReply(error, { isV1: true });
    }
  };
}

async function dispatch(request: HttpRequest, repository: Repository, options: RestV1Options): Promise<HttpReply> {
  const { method, path } = request;
  const malformed = () => new InferenceError("invalid-argument", `Malformed request: ${method} ${path}`);
  const pattern = { POST: runPath, GET: statusPath }[method];
  const groups = pattern?.exec(path)?.groups;
  if (!groups) throw malformed();
  const model = parseModel(groups);
  if (method === "GET" && groups.part !== undefined) return getMetadata(model, repository);
  if (method === "GET") return getStatus(model, repository);
  const run = Object.hasOwn(verbs, groups.verb ?? "") ? verbs[groups.verb as keyof typeof verbs] : undefined;
  if (!run) throw malformed(); // in capitals
  try {
    repository.find(model);
  } catch (error) {
    // TensorFlow Serving tells of a body's faults before it looks for the model.
    await options.json.run("readPredict", { body: request.body, signatures: new Map() }, request.body.byteLength);
    throw error;
  }
  const body = await repository.use<string | Uint8Array>(model, (loaded) => run(loaded, request, options));
  return { status: 200, headers: { "content-type": "application/json" }, body };
}

/** What each verb answers to a request. */
const verbs = {
  async predict(loaded: LoadedModel, { body, signal }: HttpRequest, options: RestV1Options): Promise<Uint8Array> {
    const { json, nonFiniteAsNull } = options;
    const signatures = new Map([...loaded.signatures].map(([name, { session }]) => [name, session.signature] as const));
    const { name, request } = await json.run("readPredict", { body, signatures }, body.byteLength);
    const found = findSignature(loaded, name);
    if (!found || !request) {
      const message = `Serving signature name: "${name}" not found in signature def`;
      throw new InferenceError("invalid-argument", message);
    }
    const outputs = await runLoosely(found.session, request.inputs, { signal });
    return json.run(
      "writePredict",
      { form: request.form, outputs, nonFiniteAsNull },
      jsonBytesOf(Object.values(outputs)),
    );
  },
  async classify(loaded: LoadedModel, { body, signal }: HttpRequest, options: RestV1Options): Promise<string> {
    const { json } = options;
    const { name, input } = await json.run("readExamples", { body, verb: "classify" }, body.byteLength);
    return encodeClassifyResponse(await classify(exampleSignature(loaded, name), input, signal), options);
  },
  async regress(loaded: LoadedModel, { body, signal }: HttpRequest, options: RestV1Options): Promise<string> {
    const { json } = options;
    const { name, input } = await json.run("readExamples", { body, verb: "regress" }, body.byteLength);
    return encodeRegressResponse(await regress(exampleSignature(loaded, name), input, signal), options);
  },
};

/** The model that a path names. */
function parseModel(groups: Readonly<Record<string, string | undefined>>): ModelSpec {
  const { name = "", version, label } = groups;
  if (version !== undefined && BigInt(version) >= 2n ** 63n) {
    throw new InferenceError("invalid-argument", `Failed to convert version: ${version} to numeric.`);
  }
  return {
    name: decodePathPart(name, "model name"),
    version: version === undefined ? undefined : BigInt(version),
    label: label === undefined ? undefined : decodePathPart(label, "model version label"),
  };
}

/** The status of all versions, or of one; a label is ignored, as TensorFlow Serving does. */
function getStatus({ name, version }: ModelSpec, repository: Repository): HttpReply {
  requireName(name);
  return jsonReply(statusToJson(modelStatus(repository, name, version)), { indent: 1 });
}

function getMetadata(model: ModelSpec, repository: Repository): HttpReply {
  requireName(model.name);
  return jsonReply(encodeMetadata(model.name, repository.find(model)), { indent: 1 });
}

function requireName(name: string): void {
  if (name === "") throw new InferenceError("invalid-argument", "Missing model name in request.");
}

/** What TensorFlow Serving answers to OPTIONS; the headers that make it a CORS preflight are added outside. */
function preflight({ headers }: HttpRequest): HttpReply {
  if (/https?:\/\//.test(headers.origin ?? "")) return { status: 200, headers: {}, body: "" };
  throw new InferenceError("invalid-argument", "Origin header is missing in CORS preflight");
}
