import { type RunOptions, type Session, type Tensors, toInferenceError } from "@nearside/core";
import { createSampler } from "../logging/sampler.ts";
import type { FinishedCall } from "../monitoring/finished-call.ts";
import { encodeProto } from "../protobuf/codec.ts";
import { toTensorProto } from "../protobuf/tensor-proto.ts";
import type { SessionPlace } from "../repository/load-version.ts";
import type { ModelConfig } from "../repository/model-config.ts";
import { withRun } from "../repository/with-run.ts";
import type { ServerEvent } from "../server-event.ts";
import { RecordFiles } from "./record-files.ts";

export interface RequestLogOptions {
  /** The tags of the graphs that are served (default `serve`). */
  readonly tags?: readonly string[] | undefined;
  /** Told of each record: whether it is in a file. */
  readonly onRecord: (model: string, isWritten: boolean) => void;
  readonly onEvent: (event: ServerEvent) => void;
}

interface ModelLog {
  readonly samplingRate: number;
  readonly isSampled: () => boolean;
  /** Where its requests go; undefined for the server's log. */
  readonly files: RecordFiles | undefined;
}

/** Keeps a part of the models' requests, as each one's `logging_config` says. */
export class RequestLog {
  readonly #options: RequestLogOptions;
  #logs: ReadonlyMap<string, ModelLog> = new Map();
  /** Until the files of former configurations are written. */
  #ending: Promise<unknown> = Promise.resolve();

  constructor(options: RequestLogOptions) {
    this.#options = options;
  }

  /** From now on does what these models' configurations say. */
  configure(models: readonly ModelConfig[]): void {
    const ended = [...this.#logs.values()].map(({ files }) => files?.close());
    this.#ending = Promise.all([this.#ending, ...ended]).then(() => {}); // not the results of all that went before
    const logged = models.flatMap(({ name, requestLog }) => (requestLog ? [[name, requestLog] as const] : []));
    this.#logs = new Map(
      logged.map(([name, { samplingRate, filenamePrefix }]) => {
        const files = filenamePrefix === undefined ? undefined : this.#filesOf(name, filenamePrefix);
        return [name, { samplingRate, isSampled: createSampler(samplingRate), files }];
      }),
    );
  }

  /** A session whose runs are kept, where its model's are, as TensorFlow Serving's `PredictionLog`s. */
  watch(session: Session, place: SessionPlace): Session {
    return withRun(session, (inputs, options) => {
      const running = session.run(inputs, options);
      const log = this.#logs.get(place.model);
      if (!log?.files || !log.isSampled()) return running;
      return running.then((outputs) => {
        const { files } = this.#logs.get(place.model) ?? {}; // which may be others by now, or none
        files?.append(() => this.#toRecord(place, log.samplingRate, inputs, outputs, options));
        return outputs;
      });
    });
  }

  /** The call, and whether the server's log is to have it for its model's sake. */
  mark(call: FinishedCall): FinishedCall {
    const log = call.model === null ? undefined : this.#logs.get(call.model);
    return log && !log.files && log.isSampled() ? { ...call, isSampled: true } : call;
  }

  /** Resolves when all is written. */
  async close(): Promise<void> {
    this.configure([]);
    await this.#ending;
  }

  #filesOf(model: string, prefix: string): RecordFiles {
    const { onRecord, onEvent } = this.#options;
    let isFailing = false;
    return new RecordFiles(`${prefix}${encodeURIComponent(model)}-`, (error) => {
      if (error && !isFailing) onEvent({ type: "request-log", model, error: toInferenceError(error) }); // once
      isFailing = error !== undefined;
      onRecord(model, error === undefined);
    });
  }

  #toRecord(
    { model, version, signature }: SessionPlace,
    samplingRate: number,
    inputs: Tensors,
    outputs: Tensors,
    { outputs: outputFilter = [] }: RunOptions = {},
  ): Uint8Array {
    const modelSpec = { name: model, version: { value: version }, signatureName: signature };
    return encodeProto("tensorflow.serving.PredictionLog", {
      logMetadata: { modelSpec, samplingConfig: { samplingRate }, savedModelTags: this.#options.tags ?? ["serve"] },
      predictLog: {
        request: { modelSpec, inputs: toProtos(inputs), outputFilter },
        response: { modelSpec, outputs: toProtos(outputs) },
      },
    });
  }
}

function toProtos(tensors: Tensors) {
  return new Map(
    Object.entries(tensors).map(([name, tensor]) => [name, toTensorProto(tensor, { asContent: true })] as const),
  );
}
