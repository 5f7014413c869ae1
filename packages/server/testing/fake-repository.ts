import {
  InferenceError,
  type RunInputs,
  type Session,
  type Signature,
  stream,
  type Tensors,
  withoutImages,
} from "@nearside/core";
import type { LoadedModel } from "../src/repository/load-version.ts";
import type { Repository } from "../src/repository/repository.ts";
import { createStatistics } from "../src/repository/run-statistics.ts";
import { toSignatureDef } from "../src/saved-model-signatures.ts";

/** A session made by hand, that computes its outputs with `run`. */
export function fakeSession(signature: Signature, run: (inputs: Tensors) => Tensors | Promise<Tensors>): Session {
  const session: Session = {
    model: "fake",
    signature,
    backend: "cpu",
    location: "local",
    keepsState: false,
    run: async (inputs: RunInputs) => run(withoutImages(inputs)),
    stream: (items, options) => stream(session, items, options),
    memory: async () => ({ deviceBytes: 0, tensors: 0 }),
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  return session;
}

/** A repository with these sessions as the signatures of version 123 of `half`, labelled `stable`. */
export function fakeRepository(session: Session, others: Readonly<Record<string, Session>> = {}): Repository {
  const signatures = Object.entries({ serving_default: session, ...others }).map(([name, each]) => {
    return [name, { session: each, folder: fakeFolder(each.signature) }] as const;
  });
  const loaded: LoadedModel = {
    version: 123n,
    signatures: new Map(signatures),
    refused: new Map(),
    definitions: new Map(signatures.map(([name, { folder }]) => [name, toSignatureDef(folder.manifest)])),
    statistics: createStatistics(),
    close: async () => {},
  };
  const find: Repository["find"] = ({ name, version, label }) => {
    if (label !== undefined && label !== "stable") {
      throw new InferenceError("invalid-argument", `Unrecognized servable version label: ${label}`);
    }
    if (name === "half" && (version === undefined || version === 123n)) return loaded;
    const wanted = version === undefined ? `Latest(${name})` : `Specific(${name}, ${version})`;
    throw new InferenceError("not-found", `Servable not found for request: ${wanted}`);
  };
  return {
    isReady: true,
    isDraining: false,
    models: ["half"],
    load: async () => {},
    poll: async () => {},
    reload: async () => {},
    loadModel: async () => {},
    unloadModel: async () => {},
    versions: (model) => (model === "half" ? [{ version: 123n, state: "available", error: null, loaded }] : []),
    find,
    drain: () => {},
    use: async (spec, work) => work(find(spec)),
    close: async () => {},
  };
}

function fakeFolder(signature: Signature) {
  const names = (specs: object) => Object.fromEntries(Object.keys(specs).map((name) => [name, `${name}:0`]));
  const { inputs, outputs } = signature;
  const manifest = { signature, inputNames: names(inputs), outputNames: names(outputs) };
  return {
    path: "/nowhere",
    manifestSha256: "",
    manifest: { ...manifest, weightGroups: [], state: [], decimalInputs: [], json: {} },
    readShard: () => Promise.reject(new InferenceError("data-loss", "a fake has no shards")),
  };
}
