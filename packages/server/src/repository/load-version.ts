import { InferenceError, type Session } from "@nearside/core";
import { convertSignatures } from "../convert-once.ts";
import { type ModelFolder, readModelFolder } from "../model-folder.ts";
import { readSignatureDefs, type SignatureDefs, toSignatureDef } from "../saved-model-signatures.ts";
import { createStatistics, type RunStatistics, withStatistics } from "./run-statistics.ts";
import { runWarmUpRequests } from "./warm-up-requests.ts";

/** Makes a session of a model's files. */
export type OpenModel = (model: string, folder: ModelFolder, signal: AbortSignal) => Promise<Session>;

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
  readonly folder: ModelFolder;
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
  readonly wrapSession?: WrapSession | undefined;
  /** Where converted models are kept. */
  readonly cacheDir: string;
  /** The tags of a SavedModel's graph (default `serve`). */
  readonly tags?: readonly string[] | undefined;
  /** Run the requests that the model brings along for it before it counts as loaded (default true). */
  readonly warmUpRequests?: boolean | undefined;
  /** How often each of them is run (default 1). */
  readonly warmUpIterations?: number | undefined;
}

/**
 * Loads a version: converts each signature where that is needed, opens its session, and runs the warm-up requests that
 * lie beside it. A signature that can't be converted, or that keeps state which others would have to see, is refused by
 * itself; without `serving_default`, or without any other where there is none of that name, there is nothing to serve.
 */
export async function loadVersion(
  place: Pick<SessionPlace, "model" | "version" | "path">,
  { openModel, wrapSession, cacheDir, tags = ["serve"], warmUpRequests = true, warmUpIterations = 1 }: LoadOptions,
  signal: AbortSignal,
): Promise<LoadedModel> {
  const folders = await convertSignatures(place.path, { cacheDir, tags });
  const signatures = new Map<string, LoadedSignature>();
  const refused = new Map<string, InferenceError>();
  const statistics = createStatistics();
  const close = async () => {
    await Promise.all([...signatures.values()].map(({ session }) => session.close()));
  };
  try {
    for (const [signature, converted] of folders) {
      signal.throwIfAborted();
      const savedModel = converted === place.path ? undefined : { path: place.path, tags, signature };
      const folder = converted instanceof InferenceError ? converted : await readModelFolder(converted, savedModel);
      const refusal = folder instanceof InferenceError ? folder : stateRefusal(signature, folder, folders.size);
      if (refusal !== undefined || folder instanceof InferenceError) {
        refused.set(signature, refusal as InferenceError); // the folder is one, or the state's
        continue;
      }
      const session = await openModel(place.model, folder, signal);
      const counted = statistics.countingExecutions(session);
      const wrapped = wrapSession ? await wrapOrClose(wrapSession, counted, { ...place, signature }) : counted;
      signatures.set(signature, { session: withStatistics(wrapped, statistics), folder });
    }
    requireDefault(place, signatures, refused);
    const declared = await readSignatureDefs(place.path, tags);
    const definitions =
      declared ?? new Map([...signatures].map(([name, { folder }]) => [name, toSignatureDef(folder.manifest)]));
    const loaded = { version: place.version, signatures, refused, definitions, statistics, close };
    if (warmUpRequests) await runWarmUpRequests(place.path, loaded, { iterations: warmUpIterations, signal });
    signal.throwIfAborted();
    statistics.reset(); // what ran so far were no clients' requests
    return loaded;
  } catch (error) {
    await close();
    throw error;
  }
}

async function wrapOrClose(wrap: WrapSession, session: Session, place: SessionPlace): Promise<Session> {
  try {
    return await wrap(session, place);
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Each signature has a session of its own, so what one of several changes, the others would never see. */
function stateRefusal(
  signature: string,
  { manifest }: ModelFolder,
  signatureCount: number,
): InferenceError | undefined {
  if (manifest.state.length === 0 || signatureCount === 1) return undefined;
  const message = `signature "${signature}" changes variables, which the model's other signatures would not see here`;
  return new InferenceError("unsupported", `${message}; export it as the model's only signature`);
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
