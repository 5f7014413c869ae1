import {
  type DType,
  decodeTensorData,
  decodeText,
  dtypeFromOip,
  elementCount,
  encodeTensorData,
  InferenceError,
  oipName,
  type Tensor,
  type Tensors,
  toInferenceError,
} from "@nearside/core";
import type { InferParameters } from "../oip-v2/infer-request.ts";
import {
  extensions,
  findModel,
  infer,
  modelMetadata,
  modelStatistics,
  repositoryIndex,
} from "../oip-v2/model-calls.ts";
import { modelControlError } from "../oip-v2/oip-v2.ts";
import type { Proto } from "../protobuf/codec.ts";
import type { Draft } from "../protobuf/encode.ts";
import type { Repository } from "../repository/repository.ts";
import { tensorOf } from "../rest-v1/json-tensor.ts";
import { version as serverVersion } from "../version.ts";
import type { Handlers } from "./service.ts";

type InferRequest = Proto<"inference.ModelInferRequest">;
type InferResponse = Draft<Proto<"inference.ModelInferResponse">>;

/** The Open Inference Protocol v2 over gRPC, with the repository and the statistics extension. */
export function inferenceService(
  repository: Repository,
  { allowModelControl }: { readonly allowModelControl: boolean },
): Handlers<"inference.GRPCInferenceService"> {
  const requireControl = () => {
    if (!allowModelControl) throw modelControlError();
  };
  return {
    ServerLive: async () => ({ live: true }),
    ServerReady: async () => ({ ready: repository.isReady }),
    async ModelReady(model) {
      findModel(repository, model);
      return { ready: true };
    },
    ServerMetadata: async () => ({ name: "nearside", version: serverVersion, extensions }),
    ModelMetadata: async (model) => modelMetadata(repository, model),
    ModelInfer: (request, signal) => inferOverGrpc(repository, request, signal),
    async *ModelStreamInfer(requests, signal) {
      for await (const request of requests) {
        try {
          yield { inferResponse: await inferOverGrpc(repository, request, signal) };
        } catch (error) {
          yield { errorMessage: toInferenceError(error).message, inferResponse: { id: request.id } };
        }
      }
    },
    ModelStatistics: async ({ name, version }) => ({ modelStats: modelStatistics(repository, { name, version }) }),
    RepositoryIndex: async ({ ready }) => ({ models: repositoryIndex(repository, { onlyReady: ready }) }),
    async RepositoryModelLoad({ modelName }) {
      requireControl();
      await repository.loadModel(modelName);
      return {};
    },
    async RepositoryModelUnload({ modelName }) {
      requireControl();
      await repository.unloadModel(modelName);
      return {};
    },
  };
}

async function inferOverGrpc(
  repository: Repository,
  request: InferRequest,
  signal: AbortSignal,
): Promise<InferResponse> {
  const model = { name: request.modelName, version: request.modelVersion };
  const { outputs, version } = await infer(repository, model, () => readCall(request), signal);
  const tensors = Object.entries(outputs);
  return {
    modelName: request.modelName,
    modelVersion: String(version),
    id: request.id,
    outputs: tensors.map(([name, { dtype, shape }]) => ({ name, datatype: oipName(name, dtype), shape })),
    rawOutputContents: tensors.map(([, tensor]) => encodeTensorData(tensor)),
  };
}

function readCall({ inputs, outputs, parameters, rawInputContents }: InferRequest) {
  const names = outputs.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`output "${twice}"`, "each name once", "it twice");
  return {
    inputs: readInputs(inputs, rawInputContents),
    outputs: names.length > 0 ? names : undefined,
    parameters: readParameters(parameters),
  };
}

function readInputs(inputs: InferRequest["inputs"], raw: readonly Uint8Array[]): Tensors {
  if (raw.length > 0 && raw.length !== inputs.length) {
    throw invalid("raw_input_contents", `${inputs.length} entries, one for each input`, `${raw.length}`);
  }
  const tensors = new Map<string, Tensor>();
  for (const [index, input] of inputs.entries()) {
    const { name, datatype, shape, contents } = input;
    const where = `input "${name}"`;
    const dtype = dtypeFromOip(datatype);
    if (tensors.has(name)) throw invalid(where, "each name once", "it twice");
    if (dtype === undefined) throw invalid(`${where}.datatype`, "a datatype of the protocol", datatype);
    if (!shape.every((size) => size >= 0) || !Number.isSafeInteger(elementCount(shape))) {
      throw invalid(`${where}.shape`, "whole numbers ≥ 0 that fit in memory", `[${shape.join(",")}]`);
    }
    const bytes = raw[index];
    if (bytes && contents) throw invalid(where, "contents or raw_input_contents", "both");
    tensors.set(
      name,
      bytes ? decodeTensorData(dtype, shape, bytes, where) : readContents(dtype, shape, contents, where),
    );
  }
  return Object.fromEntries(tensors);
}

function readContents(
  dtype: DType,
  shape: readonly number[],
  contents: Proto<"inference.InferTensorContents"> | undefined,
  where: string,
): Tensor {
  const field = contentFields[dtype];
  if (field === null) throw invalid(where, "raw_input_contents for its datatype", "contents");
  const values = (contents?.[field] ?? []).map((value) => {
    if (value instanceof Uint8Array) return decodeText(value);
    return typeof value === "boolean" ? Number(value) : value;
  });
  const count = elementCount(shape);
  if (values.length !== count) throw invalid(where, `${count} elements for [${shape.join(",")}]`, `${values.length}`);
  return tensorOf(dtype, shape, values);
}

/** Which list of contents has the elements of each dtype. */
const contentFields = {
  bool: "boolContents",
  int8: "intContents",
  int16: "intContents",
  int32: "intContents",
  int64: "int64Contents",
  uint8: "uintContents",
  uint16: "uintContents",
  uint32: "uintContents",
  uint64: "uint64Contents",
  float32: "fp32Contents",
  float64: "fp64Contents",
  string: "bytesContents",
  complex64: null,
} as const satisfies Readonly<Record<DType, keyof Proto<"inference.InferTensorContents"> | null>>;

function readParameters(parameters: ReadonlyMap<string, Proto<"inference.InferParameter">>): InferParameters {
  const entries = [...parameters].map(([name, choice]) => {
    const { boolParam, int64Param, stringParam, doubleParam, uint64Param } = choice;
    return [name, boolParam ?? int64Param ?? stringParam ?? doubleParam ?? uint64Param ?? ""] as const;
  });
  return new Map(entries);
}

function invalid(where: string, expected: string, got: string): InferenceError {
  return new InferenceError("invalid-argument", `${where}: expected ${expected}, got ${got}`);
}
