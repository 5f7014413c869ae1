export {
  type AnyModel,
  type Backend,
  type DataOf,
  type DType,
  type ErrorCode,
  type ImageInput,
  InferenceError,
  type ModelTypes,
  type Precision,
  type Progress,
  type RunOptions,
  RunState,
  type RunStateOptions,
  type Session,
  type SessionEvent,
  type SessionMemory,
  type Signature,
  type StateNames,
  type StreamItems,
  type StreamOptions,
  type StreamStep,
  type Tensor,
  type TensorOptions,
  type TensorSpec,
  type Tensors,
  type TensorValues,
  tensor,
} from "@nearside/core";
export * as cache from "./cache/cache.ts";
export { type ConnectOptions, connectSession } from "./connect-session.ts";
export type { FallbackServer } from "./fallback/open-with-server.ts";
export { type FallbackOptions, type FallbackPolicy, withFallback } from "./fallback/with-fallback.ts";
export { type AudioOptions, audio } from "./inputs/audio.ts";
export { type FramesOptions, frames } from "./inputs/frames.ts";
export { type ImageOptions, type ImageSource, image } from "./inputs/image.ts";
export { readImage } from "./inputs/read-image.ts";
export { type SamplesOptions, samples } from "./inputs/samples.ts";
export type { ModelUrl } from "./model-url.ts";
export { type OpenOptions, openSession } from "./open-session.ts";
export type { LocalBackend } from "./worker-scripts.ts";
