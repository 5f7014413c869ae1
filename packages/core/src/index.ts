export { abortable } from "./abortable.ts";
export { type DataOf, type DType, dtypes, isDType } from "./dtype.ts";
export {
  type ErrorCode,
  errorCodes,
  fromWireError,
  InferenceError,
  type InferenceErrorOptions,
  toInferenceError,
  toWireError,
  type WireError,
} from "./errors.ts";
export { httpStatuses } from "./http-statuses.ts";
export {
  areTensors,
  type Bitmap,
  closeImages,
  type ImageInput,
  isImage,
  type RunInputs,
  withoutImages,
} from "./image-input.ts";
export { type TensorOptions, type TensorValues, tensor } from "./make-tensor.ts";
export {
  type Manifest,
  parseManifest,
  type Shard,
  type StateEntry,
  type TensorNames,
  type WeightGroup,
  type WeightSpec,
} from "./manifest.ts";
export { nearestWord } from "./nearest-word.ts";
export { listReasons, type Opener, openFirst, type SessionEvent } from "./open-first.ts";
export {
  type AffineQuantization,
  type ChannelQuantization,
  dequantize,
  type HalfQuantization,
  type Quantization,
  type QuantizedDType,
  quantizedBytes,
  quantizedDTypes,
  type WeightChannels,
  type WeightElements,
  weightChannels,
} from "./quantization.ts";
export { openWithRecovery, type RecoveryOptions } from "./recovering-session.ts";
export {
  type BinaryBody,
  decodeTensorData,
  decodeTensors,
  encodeTensorData,
  encodeTensors,
  headerLengthName,
} from "./rpc/codec.ts";
export { decodeMetadata, encodeMetadata, type SessionMetadata, type TensorMetadata } from "./rpc/metadata.ts";
export { dtypeFromOip, oipName } from "./rpc/oip-dtypes.ts";
export type {
  CallOptions,
  Method,
  OpenRequest,
  Progress,
  Protocol,
  RunRequest,
  SessionInfo,
  StateRequest,
  Transport,
} from "./rpc/protocol.ts";
export { openProxySession, type ProxyOptions } from "./rpc/proxy-session.ts";
export {
  createHost,
  createSessionHost,
  type Envelope,
  hostTransport,
  type RemoteHost,
  type SessionHost,
} from "./rpc/session-host.ts";
export { RunState, type RunStateOptions, type StateNames } from "./run-state.ts";
export { RunsInFlight } from "./runs-in-flight.ts";
export { sampleInputs } from "./sample-inputs.ts";
export type {
  AnyModel,
  Backend,
  InputsOf,
  ModelTypes,
  Precision,
  RunOptions,
  Session,
  SessionMemory,
} from "./session.ts";
export { checkInputs, checkOutputs, formatSpec, type Signature, type TensorSpec } from "./signature.ts";
export { type HeldState, plainPlace, type StatePlace } from "./state-place.ts";
export { type StreamItems, type StreamOptions, type StreamStep, stream } from "./stream.ts";
export { assertTensor, dataLength, elementCount, type Tensor, type Tensors } from "./tensor.ts";
export { dtypeFromTensorFlow, tensorflowNames } from "./tensorflow-dtype.ts";
export { decodeText, encodeText } from "./text-bytes.ts";
