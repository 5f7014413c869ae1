import { InferenceError, type Session, type Signature, type Tensors } from "@nearside/core";
import type { LoadedVersion, Repository } from "../src/repository.ts";

/** A session made by hand, that computes its outputs with `run`. */
export function fakeSession(signature: Signature, run: (inputs: Tensors) => Tensors | Promise<Tensors>): Session {
  return {
    model: "fake",
    signature,
    backend: "cpu",
    location: "local",
    keepsState: false,
    run: async (inputs) => run(inputs),
    memory: async () => ({ deviceBytes: 0, tensors: 0 }),
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

/** A repository with one session as version 123 of `half`. */
export function fakeRepository(session: Session): Repository {
  const { inputs, outputs } = session.signature;
  const names = (specs: object) => Object.fromEntries(Object.keys(specs).map((name) => [name, `${name}:0`]));
  const manifest = { signature: session.signature, inputNames: names(inputs), outputNames: names(outputs) };
  const half: LoadedVersion = {
    state: "available",
    version: 123n,
    session,
    folder: {
      path: "/nowhere",
      manifest: { ...manifest, weightGroups: [], state: [], decimalInputs: [], json: {} },
      readShard: () => Promise.reject(new InferenceError("data-loss", "a fake has no shards")),
    },
  };
  const versions = (model: string) => (model === "half" ? [half] : []);
  return {
    isReady: true,
    load: async () => {},
    versions,
    find(model, version) {
      const found = versions(model).find((known) => version === undefined || known.version === version);
      if (found) return found;
      const wanted = version === undefined ? `Latest(${model})` : `Specific(${model}, ${version})`;
      throw new InferenceError("not-found", `Servable not found for request: ${wanted}`);
    },
    close: async () => {},
  };
}
