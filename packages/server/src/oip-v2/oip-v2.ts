import { encodeMetadata, headerLengthName, InferenceError } from "@nearside/core";
import type { LoadedVersion, Repository } from "../repository.ts";
import { decodePathPart, errorReply, type HttpReply, type HttpRequest, jsonReply, type Route } from "../route.ts";
import { version as serverVersion } from "../version.ts";
import { decodeInferRequest } from "./infer-request.ts";
import { encodeInferResponse } from "./infer-response.ts";

const modelPath = /^\/v2\/models\/(?<name>[^/]+)(?:\/versions\/(?<version>\d{1,19}))?(?:\/(?<call>ready|infer))?$/i;

/** The Open Inference Protocol v2 over HTTP, with its binary tensor extension. Errors are `{ error, code }`. */
export const oipV2: Route = async (request, repository) => {
  try {
    return await dispatch(request, repository);
  } catch (error) {
    return errorReply(error, { isV1: false });
  }
};

async function dispatch(request: HttpRequest, repository: Repository): Promise<HttpReply> {
  const { method, path } = request;
  const call = `${method} ${path.replace(/\/$/, "").toLowerCase()}`;
  const { name, version, call: verb } = modelPath.exec(path)?.groups ?? {};
  if (name === undefined) {
    const answer = Object.hasOwn(serverCalls, call) ? serverCalls[call] : undefined;
    if (answer) return answer(repository);
    throw new InferenceError("not-found", `${method} ${path}: expected a call of the Open Inference Protocol v2`);
  }
  const expected = verb === "infer" ? "POST" : "GET";
  if (method !== expected) throw new InferenceError("not-found", `${path}: expected ${expected}, got ${method}`);
  const model = decodePathPart(name, "model name");
  const loaded = findVersion(repository, model, version);
  if (verb === "infer") return infer(model, loaded, request);
  if (verb === "ready") return jsonReply({ name: model, ready: true });
  const { session, version: served } = loaded;
  const platform = `nearside_${session.backend}`;
  return jsonReply({ name: model, versions: [String(served)], platform, ...encodeMetadata(session) });
}

/** The calls that concern no model. */
const serverCalls: Readonly<Record<string, (repository: Repository) => HttpReply>> = {
  "GET /v2": () => jsonReply({ name: "nearside", version: serverVersion, extensions: ["binary_tensor_data"] }),
  "GET /v2/health/live": () => jsonReply({ live: true }),
  "GET /v2/health/ready": ({ isReady }) => ({ ...jsonReply({ ready: isReady }), status: isReady ? 200 : 503 }),
};

/** The version, or an error: `unavailable` while it is loading or where it failed to load, else `not-found`. */
function findVersion(repository: Repository, model: string, version: string | undefined): LoadedVersion {
  const wanted = version === undefined ? undefined : BigInt(version);
  const known = repository.versions(model).find((each) => wanted === undefined || each.version === wanted);
  if (known?.state === "available") return known;
  const name = `model "${model}"${wanted === undefined ? "" : ` version ${wanted}`}`;
  if (known?.state === "loading") throw new InferenceError("unavailable", `${name} is still loading; try again`);
  if (known) throw new InferenceError("unavailable", `${name} failed to load: ${known.error.message}`);
  throw new InferenceError("not-found", `${name} is not on this server`);
}

async function infer(model: string, { session, version }: LoadedVersion, request: HttpRequest): Promise<HttpReply> {
  const { inputs, outputs, id, isBinaryReply } = decodeInferRequest(request.body, request.headers[headerLengthName]);
  const options = { signal: request.signal, ...(outputs && { outputs }) };
  const tensors = await session.run(inputs, options);
  const fields = { model_name: model, model_version: String(version), ...(id !== undefined && { id }) };
  return encodeInferResponse(fields, tensors, { isBinary: isBinaryReply });
}
