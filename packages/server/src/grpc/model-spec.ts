import { InferenceError } from "@nearside/core";
import type { Proto } from "../protobuf/codec.ts";
import type { Draft } from "../protobuf/encode.ts";
import type { LoadedModel } from "../repository/load-version.ts";
import type { ModelSpec } from "../repository/repository.ts";

type SpecProto = Proto<"tensorflow.serving.ModelSpec">;

/** The version of a model that a request names. Throws `invalid-argument` with TensorFlow Serving's messages. */
export function fromModelSpec(spec: SpecProto | undefined): ModelSpec {
  if (spec === undefined) throw new InferenceError("invalid-argument", "Missing ModelSpec");
  const { name, version, versionLabel } = spec;
  if (name === "") throw new InferenceError("invalid-argument", "ModelSpec has no name specified.");
  return { name, version: version?.value, label: versionLabel };
}

/** What answered a request. */
export function toModelSpec(spec: SpecProto | undefined, loaded: LoadedModel, signatureName: string): Draft<SpecProto> {
  return { name: spec?.name, version: { value: loaded.version }, signatureName };
}
