export {
  type AnyModel,
  type Backend,
  type DataOf,
  type DType,
  type ErrorCode,
  InferenceError,
  type ModelTypes,
  type Precision,
  type Progress,
  type RunOptions,
  type Session,
  type SessionEvent,
  type SessionMemory,
  type Signature,
  type Tensor,
  type TensorSpec,
  type Tensors,
} from "@nearside/core";
export { type ConnectOptions, connectSession } from "./connect-session.ts";
export type { ModelUrl } from "./model-url.ts";
export { type OpenOptions, openSession } from "./open-session.ts";
export type { LocalBackend } from "./worker-scripts.ts";
