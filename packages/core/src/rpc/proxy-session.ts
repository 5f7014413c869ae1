import { RunsInFlight } from "../runs-in-flight.ts";
import type { AnyModel, InputsOf, ModelTypes, RunOptions, Session, SessionMemory } from "../session.ts";
import { checkInputs, checkOutputs } from "../signature.ts";
import type { StatePlace } from "../state-place.ts";
import { type StreamItems, type StreamOptions, type StreamStep, stream } from "../stream.ts";
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
  readonly keepsState: boolean;
  readonly #transport: Transport;
  readonly #runs: RunsInFlight;
  #place: Promise<StatePlace> | undefined;

  constructor(transport: Transport, model: string, location: Session["location"], info: SessionInfo) {
    this.#transport = transport;
    this.#runs = new RunsInFlight(model);
    this.model = model;
    this.location = location;
    this.signature = info.signature;
    this.backend = info.backend;
    this.keepsState = info.keepsState;
  }

  async run(inputs: InputsOf<M>, options: RunOptions = {}): Promise<M["outputs"]> {
    const { outputs, priority, signal, transfer, state } = options;
    this.#runs.throwIfClosed();
    signal?.throwIfAborted();
    if (state) return this.#runs.add(this.#runWith(state, inputs, options));
    checkInputs(this.signature, inputs);
    if (outputs) checkOutputs(this.signature, outputs);
    const request = { inputs, ...(outputs && { outputs }), ...(priority && { priority }) }; // checked above
    const reply = await this.#runs.add(this.#transport.run(request, { signal, transfer }));
    return reply as M["outputs"]; // the session elsewhere answers with the outputs of its signature
  }

  stream<T>(items: StreamItems<T>, options?: StreamOptions<M, T>): AsyncGenerator<StreamStep<M, T>, void> {
    return stream(this, items, options);
  }

  async memory(): Promise<SessionMemory> {
    this.#runs.throwIfClosed();
    return this.#runs.add(this.#transport.memory(null));
  }

  close(): Promise<void> {
    return this.#runs.close(async () => {
      await this.#transport.close(null);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #runWith(state: NonNullable<RunOptions["state"]>, inputs: InputsOf<M>, options: RunOptions) {
    this.#place ??= this.#openPlace();
    return (await state.run(await this.#place, inputs, options)) as M["outputs"]; // as above
  }

  /** The code comes when a state is first used. */
  async #openPlace(): Promise<StatePlace> {
    const { elsewherePlace, plainPlace } = await import("../stream-runs.ts");
    if (this.location === "server") return plainPlace(this as unknown as Session);
    return elsewherePlace(this.signature, this.#transport, this.#runs);
  }
}
