import { isAbsolute } from "node:path";
import { InferenceError } from "@nearside/core";
import type { Proto } from "../protobuf/codec.ts";
import { parseTextProto } from "../protobuf/text-proto.ts";

/** A model to serve: its name in URLs, and the folder that holds its versions. */
export interface ModelConfig {
  readonly name: string;
  /**
   * A folder with a folder per version, named by a whole number; or a folder that is itself a model, served as version
   * 1. A model is a SavedModel or a TensorFlow.js graph model. Or the address (`https://…`) of a graph model's folder;
   * see `RemoteModels` for its versions.
   */
  readonly basePath: string;
  /** Which of the versions are served; the latest one by default. */
  readonly versions?: VersionPolicy;
  /** Names for versions, to be used in place of their numbers. */
  readonly labels?: Readonly<Record<string, bigint>>;
  /** Which of its requests are kept; none by default. */
  readonly requestLog?: RequestLogConfig;
}

/** Which part of a model's requests is kept, and where. */
export interface RequestLogConfig {
  /** From 0 for none to 1 for all. */
  readonly samplingRate: number;
  /**
   * Where the names of the files begin that requests and answers are written to, as TensorFlow Serving's
   * `PredictionLog`s; without it the server's log tells of the requests, without their tensors.
   */
  readonly filenamePrefix?: string;
}

/** Which versions of a model are served: the so many latest, all, or those that are listed. */
export type VersionPolicy = { readonly latest: number } | "all" | { readonly specific: readonly bigint[] };

/** Throws `invalid-argument` unless the models can be served together. */
export function checkModelConfigs(models: readonly ModelConfig[]): void {
  const names = new Set<string>();
  for (const { name, basePath } of models) {
    if (name === "") throw invalid("model_config_list: expected a name for each model, got none");
    if (basePath === "") throw invalid(`model "${name}": expected a base path, got none`);
    if (names.has(name)) throw invalid(`Illegal to list model ${name} multiple times in config list`);
    names.add(name);
  }
  const local = models.filter(({ basePath }) => !isAddress(basePath));
  for (const model of models) if (!local.includes(model)) checkAddress(model);
  const relative = local.find(({ basePath }) => !isAbsolute(basePath));
  const absolute = local.find(({ basePath }) => isAbsolute(basePath));
  if (relative && absolute) {
    const paths = `${absolute.basePath} and ${relative.basePath}`;
    throw invalid(`base paths: expected all of them absolute or all relative, got ${paths}`);
  }
}

/** Whether a base path is the address of a model, which is downloaded. */
export function isAddress(basePath: string): boolean {
  return /^https?:\/\//i.test(basePath);
}

function checkAddress({ name, basePath, versions = { latest: 1 } }: ModelConfig): void {
  const url = URL.canParse(basePath) ? new URL(basePath) : undefined;
  if (url?.username !== "" || url.password !== "") {
    throw invalid(`model "${name}": expected the address of a folder, without a user and a password, got ${basePath}`);
  }
  if (versions === "all" || ("latest" in versions && versions.latest !== 1)) {
    const got = versions === "all" ? "all" : `latest ${versions.latest}`;
    throw invalid(`model "${name}": expected specific versions or latest 1, as no address can be listed, got ${got}`);
  }
}

/** Reads TensorFlow Serving's `models.config`, in text format. Throws `invalid-argument`, naming `where`. */
export function parseModelConfigs(text: string, where: string): readonly ModelConfig[] {
  return fromModelServerConfig(parseTextProto("tensorflow.serving.ModelServerConfig", text, where));
}

/** The models of a `ModelServerConfig`. Throws `invalid-argument` for what can't be served. */
export function fromModelServerConfig(config: Proto<"tensorflow.serving.ModelServerConfig">): readonly ModelConfig[] {
  if (config.customModelConfig) throw invalid("custom_model_config: expected model_config_list; no other is supported");
  if (!config.modelConfigList) throw invalid("ModelServerConfig: expected model_config_list, got nothing");
  const models = config.modelConfigList.config.map(fromModelConfig);
  checkModelConfigs(models);
  return models;
}

function fromModelConfig(config: Proto<"tensorflow.serving.ModelConfig">): ModelConfig {
  const { name, basePath, modelType, modelPlatform, versionLabels } = config;
  if (modelType !== 0 && modelPlatform !== "") {
    throw invalid(
      "Illegal setting both ModelServerConfig::model_type (deprecated) and ModelServerConfig::model_platform.",
    );
  }
  if (modelPlatform !== "" && modelPlatform !== "tensorflow") {
    throw invalid(`model "${name}": expected model_platform "tensorflow", got "${modelPlatform}"`);
  }
  return {
    name,
    basePath,
    versions: versionPolicy(config),
    ...(versionLabels.size > 0 && { labels: Object.fromEntries(versionLabels) }),
    ...requestLog(config),
  };
}

function requestLog({ name, loggingConfig }: Proto<"tensorflow.serving.ModelConfig">): Pick<ModelConfig, "requestLog"> {
  const { type = "", filenamePrefix = "" } = loggingConfig?.logCollectorConfig ?? {};
  const { samplingRate = 0 } = loggingConfig?.samplingConfig ?? {};
  const where = `model "${name}": logging_config`;
  if (type !== "" && type !== "file") throw invalid(`${where}: expected the type "file", got "${type}"`);
  if (!(samplingRate >= 0 && samplingRate <= 1)) {
    throw invalid(`${where}: expected a sampling_rate from 0 to 1, got ${samplingRate}`);
  }
  if (samplingRate === 0) return {};
  return { requestLog: { samplingRate, ...(filenamePrefix !== "" && { filenamePrefix }) } };
}

function versionPolicy({ name, modelVersionPolicy }: Proto<"tensorflow.serving.ModelConfig">): VersionPolicy {
  const { latest, all, specific } = modelVersionPolicy ?? {};
  if ([latest, all, specific].filter((choice) => choice !== undefined).length > 1) {
    throw invalid(`model "${name}": model_version_policy: expected one of latest, all and specific, got several`);
  }
  if (all) return "all";
  if (specific) return { specific: specific.versions };
  return { latest: Math.max(1, latest?.numVersions ?? 1) }; // TensorFlow Serving takes 0 for 1
}

function invalid(message: string): InferenceError {
  return new InferenceError("invalid-argument", message);
}
