import { InferenceError } from "@nearside/core";
import type { Repository } from "../repository.ts";
import { decodePathPart, errorReply, type HttpReply, type HttpRequest, jsonReply, type Route } from "../route.ts";
import { encodeMetadata } from "./metadata.ts";
import { encodeStatus } from "./model-status.ts";
import { decodePredictRequest, parsePredictBody, signatureName } from "./predict-request.ts";
import { encodePredictResponse } from "./predict-response.ts";

const predictPath =
  /^\/v1\/models\/(?<name>[^/:]+)(?:\/versions\/(?<version>\d+)|\/labels\/(?<label>[^/:]+))?:(?<verb>classify|regress|predict)$/i;
const statusPath =
  /^\/v1\/models(?:\/(?<name>[^/:]+))?(?:\/versions\/(?<version>\d+)|\/labels\/(?<label>[^/:]+))?(?:\/(?<part>metadata))?$/i;

/** TensorFlow Serving's REST API: its paths, bodies, messages and status codes. */
export const restV1: Route = async (request, repository) => {
  try {
    if (request.method === "OPTIONS") return preflight(request);
    return await dispatch(request, repository);
  } catch (error) {
    return errorReply(error, { isV1: true });
  }
};

async function dispatch(request: HttpRequest, repository: Repository): Promise<HttpReply> {
  const { method, path } = request;
  const malformed = new InferenceError("invalid-argument", `Malformed request: ${method} ${path}`);
  const pattern = { POST: predictPath, GET: statusPath }[method];
  const groups = pattern?.exec(path)?.groups;
  if (!groups) throw malformed;
  const model = parseModel(groups);
  if (method === "GET" && groups.part !== undefined) return getMetadata(model, repository);
  if (method === "GET") return getStatus(model, repository);
  if (groups.verb === "predict") return predict(model, request, repository);
  if (groups.verb !== "classify" && groups.verb !== "regress") throw malformed; // in capitals
  throw new InferenceError("unsupported", `${groups.verb} is not supported yet; call predict on the same model`);
}

/** The model that a path names. */
interface NamedModel {
  readonly name: string;
  readonly version: bigint | undefined;
  readonly label: string | undefined;
}

function parseModel(groups: Readonly<Record<string, string | undefined>>): NamedModel {
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

async function predict(model: NamedModel, request: HttpRequest, repository: Repository): Promise<HttpReply> {
  const document = parsePredictBody(request.body);
  const signature = signatureName(document);
  refuseLabel(model);
  const { session } = repository.find(model.name, model.version);
  if (signature !== "serving_default") {
    const message = `Serving signature name: "${signature}" not found in signature def`;
    throw new InferenceError("invalid-argument", message);
  }
  const { form, inputs } = decodePredictRequest(document, session.signature);
  const outputs = await session.run(inputs, { signal: request.signal });
  return {
    status: 200,
    headers: { "content-type": "application/json" },
    body: encodePredictResponse(form, outputs),
  };
}

function getStatus({ name, version }: NamedModel, repository: Repository): HttpReply {
  requireName(name);
  const versions = repository.versions(name).filter((known) => version === undefined || known.version === version);
  if (versions.length > 0) return jsonReply(encodeStatus(versions), { indent: 1 });
  const what = version === undefined ? "any versions" : `version ${version}`;
  throw new InferenceError("not-found", `Could not find ${what} of model ${name}`);
}

function getMetadata(model: NamedModel, repository: Repository): HttpReply {
  requireName(model.name);
  refuseLabel(model);
  return jsonReply(encodeMetadata(model.name, repository.find(model.name, model.version)), { indent: 1 });
}

function requireName(name: string): void {
  if (name === "") throw new InferenceError("invalid-argument", "Missing model name in request.");
}

function refuseLabel({ label }: NamedModel): void {
  if (label === undefined) return;
  throw new InferenceError("invalid-argument", `Unrecognized servable version label: ${label}`);
}

/** What TensorFlow Serving answers to OPTIONS; the headers that make it a CORS preflight are added outside. */
function preflight({ headers }: HttpRequest): HttpReply {
  if (/https?:\/\//.test(headers.origin ?? "")) return { status: 200, headers: {}, body: "" };
  throw new InferenceError("invalid-argument", "Origin header is missing in CORS preflight");
}
