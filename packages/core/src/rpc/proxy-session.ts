import { InferenceError } from "../errors.ts";
import type { AnyModel, ModelTypes, RunOptions, Session } from "../session.ts";
import { checkInputs, checkOutputs } from "../signature.ts";
import type { Tensors } from "../tensor.ts";
import type { CallOptions, OpenRequest, SessionInfo, Transport } from "./protocol.ts";

export interface ProxyOptions extends Pick<CallOptions, "signal" | "onProgress"> {
  readonly location: Session["location"];
}

/** Opens a session elsewhere; the transport is closed with it, also when opening fails. */
export async function openProxySession<M extends ModelTypes = AnyModel>(
  transport: Transport,
  request: OpenRequest,
  { location, ...options }: ProxyOptions,
): Promise<Session<M>> {
  try {
    return new ProxySession<M>(transport, request.model, location, await transport.open(request, options));
  } catch (error) {
    await transport.close(null);
    throw error;
  }
}

/** A session that is elsewhere: it checks its inputs here, before a byte is sent, and asks the transport for the rest. */
class ProxySession<M extends ModelTypes> implements Session<M> {
  readonly model: string;
  readonly location: Session["location"];
  readonly signature: SessionInfo["signature"];
  readonly backend: SessionInfo["backend"];
  readonly #transport: Transport;
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(transport: Transport, model: string, location: Session["location"], info: SessionInfo) {
    this.#transport = transport;
    this.model = model;
    this.location = location;
    this.signature = info.signature;
    this.backend = info.backend;
  }

  async run(inputs: M["inputs"], options: RunOptions = {}): Promise<M["outputs"]> {
    const { outputs, signal, transfer } = options;
    if (this.#closing) throw new InferenceError("closed", `session "${this.model}" is closed; open it again`);
    signal?.throwIfAborted();
    checkInputs(this.signature, inputs);
    if (outputs) checkOutputs(this.signature, outputs);
    const request = { inputs: inputs as Tensors, ...(outputs && { outputs }) }; // checked above
    const reply = this.#transport.run(request, { signal, transfer });
    this.#running.add(reply);
    try {
      return (await reply) as M["outputs"]; // the session elsewhere answers with the outputs of its signature
    } finally {
      this.#running.delete(reply);
    }
  }

  close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#running).then(async () => {
      await this.#transport.close(null);
    });
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
