import { InferenceError, type Session, toInferenceError } from "@nearside/core";
import { convertSignatures } from "../convert-once.ts";
import { type ModelFolder, readModelFolder, type UnconvertedModel } from "../model-folder.ts";
import { readSignatureDefs, type SignatureDefs, toSignatureDef } from "../saved-model-signatures.ts";
import type { ServerEvent } from "../server-event.ts";
import { createStatistics, type RunStatistics, withStatistics } from "./run-statistics.ts";
import { runWarmUpRequests, type WarmUpOptions } from "./warm-up-requests.ts";

/** Makes a session of a model's files. */
export type OpenModel = (model: string, folder: ModelFolder, signal: AbortSignal) => Promise<Session>;

/** Makes a session of a SavedModel's signature as it is. Rejects with `unsupported` where nothing here can run it. */
export type OpenUnconverted = (model: string, source: UnconvertedModel, signal: AbortSignal) => Promise<Session>;

/** What a session that is to be wrapped runs. */
export interface SessionPlace {
  readonly model: string;
  readonly version: bigint;
  readonly signature: string;
  /** The version's folder, as the base path has it. */
  readonly path: string;
}

/** Puts a session around one that was opened, as batching does; closing it closes the one inside. */
export type WrapSession = (session: Session, place: SessionPlace) => Session | Promise<Session>;

/** A signature that can be run. */
export interface LoadedSignature {
  readonly session: Session;
  /** Its files, for whoever runs it elsewhere; undefined where it can't be converted and runs as it is. */
  readonly folder: ModelFolder | undefined;
}

/** A version of a model that is ready to run. */
export interface LoadedModel {
  readonly version: bigint;
  /** The signatures that can be run, by their names. */
  readonly signatures: ReadonlyMap<string, LoadedSignature>;
  /** Why others can't. */
  readonly refused: ReadonlyMap<string, InferenceError>;
  /** All signatures as the model's author declared them. */
  readonly definitions: SignatureDefs;
  readonly statistics: RunStatistics;
  /** Closes all sessions. */
  close(): Promise<void>;
}

/** How versions are loaded. */
export interface LoadOptions {
  readonly openModel: OpenModel;
  /** Opens what can't be converted; without it such signatures are refused. */
  readonly openUnconverted?: OpenUnconverted | undefined;
  readonly wrapSession?: WrapSession | undefined;
  /** Put around a session once its version is warm, so that it sees the runs of clients alone. */
  readonly wrapServing?: ((session: Session, place: SessionPlace) => Session) | undefined;
  /** Where converted and downloaded models are kept. */
  readonly cacheDir: string;
  /** Brings what a version's folder lacks before it is read; nothing by default. */
  readonly complete?: ((folder: string, signal: AbortSignal) => Promise<void>) | undefined;
  /** The tags of a SavedModel's graph (default `serve`). */
  readonly tags?: readonly string[] | undefined;
  /** Run the requests that the model brings along for it before it counts as loaded (default true). */
  readonly warmUpRequests?: boolean | undefined;
  /** How often each of them is run (default 1). */
  readonly warmUpIterations?: number | undefined;
  readonly onEvent: (event: ServerEvent) => void;
}

type VersionPlace = Omit<SessionPlace, "signature">;

/**
 * Loads a version: converts each signature where that is needed, opens its session, and runs the warm-up requests that
 * lie beside it. A signature that can't be run (as it can't be converted, and there is no TensorFlow), or that keeps state
 * which others would have to see, is refused by itself; without `serving_default`, or without any other where there is
 * none of that name, there is nothing to serve.
 */
export async function loadVersion(
  place: VersionPlace,
  options: LoadOptions,
  signal: AbortSignal,
): Promise<LoadedModel> {
  const { cacheDir, tags = ["serve"], warmUpRequests = true, warmUpIterations = 1 } = options;
  await options.complete?.(place.path, signal);
  const found = await convertSignatures(place.path, { cacheDir, tags });
  const signatures = new Map<string, LoadedSignature>();
  const refused = new Map<string, InferenceError>();
  const statistics = createStatistics();
  const close = async () => {
    await Promise.all([...signatures.values()].map(({ session }) => session.close()));
  };
  try {
    for (const [signature, files] of found) {
      signal.throwIfAborted();
      try {
        const ofSignature = { ...place, signature };
        const { session, folder } = await openSignature(ofSignature, files, found.size === 1, options, signal);
        const wrapped = await wrapOrClose(options.wrapSession, statistics.countingExecutions(session), ofSignature);
        signatures.set(signature, { session: withStatistics(wrapped, statistics), folder });
      } catch (error) {
        const refusal = toInferenceError(error);
        if (refusal.code !== "unsupported") throw error;
        refused.set(signature, refusal);
      }
    }
    requireDefault(place, signatures, refused);
    const declared = await readSignatureDefs(place.path, tags);
    const definitions = declared ?? manifestSignatures(signatures);
    const loaded = { version: place.version, signatures, refused, definitions, statistics, close };
    if (warmUpRequests) {
      const onWarmUp: WarmUpOptions["onWarmUp"] = (records, durationMs, error) =>
        options.onEvent({ type: "warm-up", ...place, records, durationMs, error });
      await runWarmUpRequests(place.path, loaded, { iterations: warmUpIterations, signal, onWarmUp });
    }
    signal.throwIfAborted();
    statistics.reset(); // what ran so far were no clients' requests
    return { ...loaded, signatures: forClients(signatures, place, options) };
  } catch (error) {
    await close();
    throw error;
  }
}

function forClients(
  signatures: ReadonlyMap<string, LoadedSignature>,
  place: VersionPlace,
  { wrapServing }: LoadOptions,
): ReadonlyMap<string, LoadedSignature> {
  if (!wrapServing) return signatures;
  return new Map(
    [...signatures].map(([signature, { session, folder }]) => [
      signature,
      { session: wrapServing(session, { ...place, signature }), folder },
    ]),
  );
}

/** Opens a signature: the graph model in a folder, or where it can't be converted, the SavedModel as it is. */
async function openSignature(
  { model, path, signature }: SessionPlace,
  files: string | UnconvertedModel,
  isOnlyOne: boolean,
  { openModel, openUnconverted, tags = ["serve"] }: LoadOptions,
  signal: AbortSignal,
): Promise<LoadedSignature> {
  if (typeof files !== "string") {
    if (!openUnconverted) throw files.refusal;
    checkState(signature, files.keepsState, isOnlyOne);
    return { session: await openUnconverted(model, files, signal), folder: undefined };
  }
  const folder = await readModelFolder(files, files === path ? undefined : { path, tags, signature });
  checkState(signature, folder.manifest.state.length > 0, isOnlyOne);
  return { session: await openModel(model, folder, signal), folder };
}

async function wrapOrClose(wrap: WrapSession | undefined, session: Session, place: SessionPlace): Promise<Session> {
  if (!wrap) return session;
  try {
    return await wrap(session, place);
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Each signature has a session of its own, so what one of several changes, the others would never see. */
function checkState(signature: string, keepsState: boolean, isOnlyOne: boolean): void {
  if (!keepsState || isOnlyOne) return;
  const message = `signature "${signature}" changes variables, which the model's other signatures would not see here`;
  throw new InferenceError("unsupported", `${message}; export it as the model's only signature`);
}

/** The signatures of a graph model, which has no other file that declares them. */
function manifestSignatures(signatures: ReadonlyMap<string, LoadedSignature>): SignatureDefs {
  return new Map(
    [...signatures].flatMap(([name, { folder }]) => (folder ? [[name, toSignatureDef(folder.manifest)] as const] : [])),
  );
}

function requireDefault(
  { model, version }: Pick<SessionPlace, "model" | "version">,
  signatures: ReadonlyMap<string, LoadedSignature>,
  refused: ReadonlyMap<string, InferenceError>,
): void {
  const refusal = refused.get("serving_default") ?? (signatures.size === 0 ? [...refused.values()][0] : undefined);
  if (refusal) throw refusal;
  if (signatures.size > 0) return;
  throw new InferenceError("not-found", `model "${model}" version ${version}: expected a signature, found none`);
}

/** The signature that a request means which names none: `serving_default`, or the first where there is none of that name. */
export function defaultSignature({ signatures }: LoadedModel): LoadedSignature {
  const found = signatures.get("serving_default") ?? [...signatures.values()][0];
  return found as LoadedSignature; // a version without any isn't loaded
}
