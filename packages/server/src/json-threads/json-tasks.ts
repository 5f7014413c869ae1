import type { Signature, Tensors } from "@nearside/core";
import { decodeInferRequest } from "../oip-v2/infer-request.ts";
import { encodeInferResponse } from "../oip-v2/infer-response.ts";
import { readExamples } from "../rest-v1/examples-request.ts";
import { type PredictForm, readPredict } from "../rest-v1/predict-request.ts";
import { type ElementOptions, encodePredictResponse } from "../rest-v1/predict-response.ts";

/** What is done with the JSON of requests and replies: functions of plain data, so that a thread can do them. */
export const jsonTasks = {
  readPredict: ({ body, signatures }: { body: Uint8Array; signatures: ReadonlyMap<string, Signature> }) =>
    readPredict(body, signatures),
  readExamples: ({ body, verb }: { body: Uint8Array; verb: "classify" | "regress" }) => readExamples(body, verb),
  readInfer: ({ body, headerLength, signature }: InferBody) => decodeInferRequest(body, headerLength, signature),
  writePredict: ({ form, outputs, ...options }: PredictReply): Uint8Array =>
    Buffer.from(encodePredictResponse(form, outputs, options)),
  writeInfer: ({ fields, outputs, binary, ...options }: InferReply) =>
    encodeInferResponse(fields, outputs, binary, options),
} as const;

interface InferBody {
  readonly body: Uint8Array;
  readonly headerLength: string | string[] | undefined;
  readonly signature: Signature;
}

interface PredictReply extends ElementOptions {
  readonly form: PredictForm;
  readonly outputs: Tensors;
}

interface InferReply extends ElementOptions {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly outputs: Tensors;
  /** The outputs to be sent as bytes. */
  readonly binary: ReadonlySet<string>;
}

/** The name of a task. */
export type JsonTask = keyof typeof jsonTasks;

/** What a task takes. */
export type TaskInput<T extends JsonTask> = Parameters<(typeof jsonTasks)[T]>[0];

/** What a task gives. */
export type TaskOutput<T extends JsonTask> = ReturnType<(typeof jsonTasks)[T]>;

/** Performs a task here. Throws as the task does. */
export function performTask<T extends JsonTask>(task: T, input: TaskInput<T>): TaskOutput<T> {
  const perform = jsonTasks[task] as (input: TaskInput<T>) => TaskOutput<T>; // a row's input and output belong together
  return perform(input);
}
