import { type OpenRequest, openProxySession } from "@nearside/core";
import { type ProcessOptions, processTransport } from "./process-transport.ts";
import type { Mortal } from "./supervised-session.ts";

export interface ProcessSessionOptions extends ProcessOptions, Pick<OpenRequest, "warmUp" | "precision"> {
  readonly signal?: AbortSignal | undefined;
}

/** Opens a model in a process of its own. Rejects with `no-backend` if the process ends before the model is open. */
export async function openProcessSession(
  model: string,
  { warmUp, precision, signal, ...options }: ProcessSessionOptions,
): Promise<Mortal> {
  const transport = processTransport(options);
  const request = { model, ...(warmUp !== undefined && { warmUp }), ...(precision && { precision }) };
  const session = await openProxySession(transport, request, { location: "local", ...(signal && { signal }) });
  return { session, death: transport.death, pid: transport.pid };
}
