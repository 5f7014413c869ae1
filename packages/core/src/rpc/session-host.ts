import { abortable } from "../abortable.ts";
import { fromWireError, InferenceError, toWireError, type WireError } from "../errors.ts";
import type { Session } from "../session.ts";
import { HostedState } from "./hosted-state.ts";
import type {
  CallOptions,
  Method,
  OpenRequest,
  Progress,
  Protocol,
  SessionInfo,
  StateRequest,
  Transport,
} from "./protocol.ts";

/** A reply or an error, in a form that survives a thread boundary. */
export type Envelope<Reply> = { readonly reply: Reply } | { readonly error: WireError };

/** The far end of a port: answers the calls of {@link Protocol} for one session. Calls are numbered to be cancelled. */
export interface SessionHost {
  call<M extends Method>(
    id: number,
    method: M,
    request: Protocol[M]["request"],
    onProgress?: (progress: Progress) => void,
  ): Promise<Envelope<Protocol[M]["reply"]>>;
  cancel(id: number): void;
}

/** A host over `open`, which makes the session here, and tells which text of `model.json` it found. */
export function createSessionHost(
  open: (request: OpenRequest, options: CallOptions) => Promise<Session & Pick<SessionInfo, "manifest">>,
): SessionHost {
  const states = new Map<number, HostedState>();
  let session: Session | undefined;
  const opened = (): Session => {
    if (session) return session;
    throw new InferenceError("closed", "no session is open here; open one first");
  };
  const stateOf = ({ id, names, values }: Pick<StateRequest, "id"> & Partial<StateRequest>): HostedState => {
    const state = names && values ? new HostedState(names, values) : states.get(id);
    if (!state) throw new InferenceError("failed-precondition", `there is no state ${id} here`);
    states.set(id, state);
    return state;
  };
  const handlers: Transport = {
    open: async (request, options = {}) => {
      const made = await open(request, options);
      session = made;
      const { signature, backend, keepsState, manifest } = made;
      return { signature, backend, keepsState, manifest };
    },
    run: async ({ inputs, outputs, state }, { signal } = {}) =>
      opened().run(inputs, {
        ...(outputs && { outputs }),
        ...(signal && { signal }),
        ...(state && { state: stateOf(state) }),
      }),
    readState: async (request) => stateOf(request).read(),
    freeState: async ({ id }) => {
      const state = states.get(id);
      states.delete(id);
      await state?.release();
      return null;
    },
    memory: async () => opened().memory(),
    close: async () => {
      await session?.close(); // and frees the states
      session = undefined;
      states.clear();
      return null;
    },
  };
  return createHost(handlers);
}

/** A host whose calls these answer. */
export function createHost(handlers: Transport): SessionHost {
  const calls = new Map<number, AbortController>();
  return {
    async call(id, method, request, onProgress) {
      const controller = new AbortController();
      calls.set(id, controller);
      try {
        return { reply: await handlers[method](request, { signal: controller.signal, onProgress }) };
      } catch (error) {
        return { error: toWireError(error) };
      } finally {
        calls.delete(id);
      }
    },
    cancel: (id) => calls.get(id)?.abort(new InferenceError("cancelled", "the caller took the call back")),
  };
}

/** A {@link SessionHost} seen from the other side of a port, where every call is asynchronous. */
export interface RemoteHost {
  call<M extends Method>(
    id: number,
    method: M,
    request: Protocol[M]["request"],
    options: CallOptions,
  ): Promise<Envelope<Protocol[M]["reply"]>>;
  cancel(id: number): void;
}

/** The transport to a host behind a port: numbers the calls, forwards aborts, unwraps the replies. */
export function hostTransport(host: RemoteHost): Transport {
  let lastId = 0;
  async function call<M extends Method>(
    method: M,
    request: Protocol[M]["request"],
    options: CallOptions = {},
  ): Promise<Protocol[M]["reply"]> {
    const id = ++lastId;
    const { signal } = options;
    signal?.throwIfAborted();
    const reply = host.call(id, method, request, options);
    const envelope = await abortable(reply, signal, () => host.cancel(id)); // the host may be deep in a run
    if ("error" in envelope) throw fromWireError(envelope.error);
    return envelope.reply;
  }
  return {
    open: (request, options) => call("open", request, options),
    run: (request, options) => call("run", request, options),
    readState: (request, options) => call("readState", request, options),
    freeState: (request, options) => call("freeState", request, options),
    memory: (request, options) => call("memory", request, options),
    close: (request, options) => call("close", request, options),
  };
}
