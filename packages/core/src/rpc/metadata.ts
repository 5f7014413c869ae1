import { InferenceError } from "../errors.ts";
import type { Backend } from "../session.ts";
import type { Signature, TensorSpec } from "../signature.ts";
import { dtypeFromOip, oipName } from "./oip-dtypes.ts";
import type { SessionInfo } from "./protocol.ts";

/** A tensor in the model metadata of the Open Inference Protocol v2: −1 for a free dimension. */
export interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** Not of the protocol, which has no word for it: the number of dimensions is free, and `shape` says nothing. */
  readonly unknown_rank?: true;
}

/** What the model metadata of the protocol says of a session; `backend` and `keeps_state` are our additions. */
export interface SessionMetadata {
  readonly backend: Backend;
  readonly keeps_state?: true;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
}

/** Writes what a session is in the protocol's words. Throws `unsupported` for a dtype that the protocol has no name for. */
export function encodeMetadata({ signature, backend, keepsState }: SessionInfo): SessionMetadata {
  const { inputs, outputs } = signature;
  return {
    backend,
    ...(keepsState && { keeps_state: true }),
    inputs: encodeSpecs(inputs),
    outputs: encodeSpecs(outputs),
  };
}

/** Reads what {@link encodeMetadata} wrote. Throws `unsupported`, naming `where`, if it is something else. */
export function decodeMetadata(value: unknown, where: string): SessionInfo {
  const { backend, keeps_state, inputs, outputs } = (value ?? {}) as Partial<SessionMetadata>; // hostile: checked below
  if (typeof backend !== "string" || !Array.isArray(inputs) || !Array.isArray(outputs)) {
    const message = `${where}: expected model metadata { backend, inputs, outputs }; is it a Nearside server?`;
    throw new InferenceError("unsupported", message);
  }
  const signature = { inputs: decodeSpecs(inputs, where), outputs: decodeSpecs(outputs, where) };
  return { backend, keepsState: keeps_state === true, signature };
}

function encodeSpecs(specs: Signature["inputs"]): TensorMetadata[] {
  return Object.entries(specs).map(([name, { dtype, shape }]) => ({
    name,
    datatype: oipName(name, dtype),
    shape: shape?.map((size) => size ?? -1) ?? [],
    ...(shape === null && { unknown_rank: true }),
  }));
}

function decodeSpecs(tensors: readonly unknown[], where: string): Record<string, TensorSpec> {
  return Object.fromEntries(
    tensors.map((tensor) => {
      const { name, datatype, shape, unknown_rank } = (tensor ?? {}) as Partial<TensorMetadata>; // checked here
      const dtype = dtypeFromOip(String(datatype));
      if (typeof name !== "string" || dtype === undefined || !Array.isArray(shape) || !shape.every(Number.isInteger)) {
        throw new InferenceError("unsupported", `${where}: no tensor here is like ${JSON.stringify(tensor)}`);
      }
      return [name, { dtype, shape: unknown_rank ? null : shape.map((size) => (size < 0 ? null : size)) }];
    }),
  );
}
