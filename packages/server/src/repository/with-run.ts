import { type RunOptions, type Session, stream, type Tensors } from "@nearside/core";

/** The session with another `run`, and what is to be done once it is closed: it has no runs then. */
export function withRun(
  session: Session,
  run: (inputs: Tensors, options?: RunOptions) => Promise<Tensors>,
  onClosed: () => void | Promise<void> = () => {},
): Session {
  const close = () => session.close().finally(onClosed);
  const counted: Session = {
    model: session.model,
    signature: session.signature,
    backend: session.backend,
    location: session.location,
    keepsState: session.keepsState,
    run,
    stream: (items, options) => stream(counted, items, options),
    memory: () => session.memory(),
    close,
    [Symbol.asyncDispose]: close,
  };
  return counted;
}

/** The batch size of a run: the first dimension of the first input, 1 for a scalar or no input. */
export function rowsOf(inputs: Tensors): number {
  return Object.values(inputs)[0]?.shape?.[0] ?? 1;
}
