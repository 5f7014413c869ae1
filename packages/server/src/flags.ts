import { serverBackends } from "./backends/open-backend.ts";
import { parseBatchingParameters } from "./batching/parse-batching-parameters.ts";
import { type Flag, flags, maxTimeoutMs, withoutEffect } from "./flag-table.ts";
import {
  collect,
  type FlagValues,
  invalid,
  isOn,
  list,
  parseChoice,
  parseCount,
  parseNumber,
  readText,
} from "./flag-values.ts";
import type { LogOptions } from "./logging/server-log.ts";
import {
  adminOptions,
  logOptions,
  monitoringOptions,
  securityOptions,
  stopTimes,
  tracesOf,
} from "./operations-flags.ts";
import type { ServerOptions } from "./server-options.ts";
import type { StopTimes } from "./stop-on-signals.ts";

/** What a command line asks for. */
export type Command = { readonly run: "help" } | { readonly run: "version" } | ServeCommand;

/** To serve, and how. */
export interface ServeCommand {
  readonly run: "serve";
  readonly options: ServerOptions;
  readonly stop: StopTimes;
  readonly log: LogOptions;
  /** Where traces go, where there are to be any. */
  readonly traces: { readonly endpoint?: string } | undefined;
  /** Things to tell that don't stop the server. */
  readonly notices: readonly string[];
}

/** Reads the arguments of the command line. Throws `invalid-argument`, with what to do, where one doesn't fit. */
export function parseFlags(args: readonly string[]): Command {
  const { values, notices } = collect(args);
  if (isOn(values.get("help"))) return { run: "help" };
  if (isOn(values.get("version"))) return { run: "version" };
  if (isOn(values.get("use_alts_credentials"))) {
    throw invalid("--use_alts_credentials", "--tls_cert_file or --ssl_config_file, as there is no ALTS here", "it");
  }
  const corsOrigins = isOn(values.get("rest_api_enable_cors_support")) ? ["*"] : list(values.get("cors_origins"));
  const [host, cacheDir, tags] = [values.get("host"), values.get("cache_dir"), values.get("saved_model_tags")];
  const number = (flag: Flag, byDefault: number, largest?: number) =>
    parseNumber(flag, values.get(flag), byDefault, largest);
  const options = {
    ...parseModels(values, number("model_config_file_poll_wait_seconds", 0) * 1000),
    pollMs: number("file_system_poll_wait_seconds", 1) * 1000,
    maxLoadRetries: number("max_num_load_retries", 5),
    loadRetryMs: number("load_retry_interval_micros", 60_000_000) / 1000,
    allowLabelsForUnavailable: isOn(values.get("allow_version_labels_for_unavailable_models")),
    warmUpRequests: isOn(values.get("enable_model_warmup") ?? "true"),
    warmUpIterations: Math.max(1, number("num_request_iterations_for_warmup", 1)),
    backend: parseChoice("backend", ["auto", ...serverBackends] as const, values.get("backend") ?? "auto"),
    grpcPort: number("port", 8500, 65_535),
    restPort: number("rest_api_port", 8501, 65_535),
    requestTimeoutMs: number("rest_api_timeout_in_ms", 30_000, maxTimeoutMs),
    tensorContent: isOn(values.get("enable_serialization_as_tensor_content")),
    nonFiniteAsNull: isOn(values.get("non_finite_as_null")),
    ...(values.has("grpc_socket_path") && { grpcSocketPath: values.get("grpc_socket_path") as string }), // as asked
    allowModelControl: isOn(values.get("allow_model_control")),
    corsOrigins,
    ...backendOptions(values),
    ...securityOptions(values),
    ...monitoringOptions(values),
    ...adminOptions(values),
    ...(tags !== undefined && { tags: list(tags) }),
    ...(host !== undefined && { host }),
    ...(cacheDir !== undefined && { cacheDir }),
  };
  return { run: "serve", options, stop: stopTimes(values), log: logOptions(values), traces: tracesOf(values), notices };
}

/** The models of the two flags, or the file that lists them. */
function parseModels(values: FlagValues, pollMs: number): Pick<ServerOptions, "models" | "modelConfigFile"> {
  const [path, basePath] = [values.get("model_config_file"), values.get("model_base_path")];
  if (path !== undefined) return { modelConfigFile: { path, pollMs } }; // TensorFlow Serving ignores the others then
  if (basePath !== undefined) return { models: [{ name: values.get("model_name") ?? "default", basePath }] };
  throw invalid("--model_base_path", "the folder of a model, or --model_config_file", "nothing");
}

/** The text of `--help`. */
export function helpText(): string {
  const lines = Object.entries(flags).map(([name, { value, help }]) => {
    const isSwitch = value === null && name !== "help" && name !== "version";
    const flag = `--${name}${value === null ? "" : `=${value}`}`.padEnd(47);
    return `  ${flag} ${help}${isSwitch ? " (default: false)" : ""}`;
  });
  return [
    "Serves a TensorFlow SavedModel or a TensorFlow.js graph model over HTTP.",
    "",
    "Usage: nearside-server --model_name=NAME --model_base_path=FOLDER [flags]",
    "       nearside-server setup-tensorflow --help",
    "       nearside-server bench --help",
    "",
    ...lines,
    "",
    "Flags of TensorFlow Serving that are accepted and have no effect:",
    ...[...withoutEffect].map((name) => `  --${name}`),
  ].join("\n");
}

function backendOptions(values: FlagValues): Partial<ServerOptions> {
  const [instances, memoryMb] = [values.get("instance_count"), values.get("backend_memory_limit_mb")];
  const path = values.get("batching_parameters_file");
  const isBatching = isOn(values.get("enable_batching"));
  const isPerModel = isOn(values.get("enable_per_model_batching_parameters"));
  if (path !== undefined && !isBatching)
    throw invalid("--batching_parameters_file", "--enable_batching as well", "it alone");
  return {
    ...(instances !== undefined && { instanceCount: parseCount("--instance_count", instances) }),
    ...(memoryMb !== undefined && { memoryLimitBytes: parseCount("--backend_memory_limit_mb", memoryMb) * 1e6 }),
    ...(isPerModel && isBatching && { batchingPerVersion: true }), // alone it does nothing, as there
    ...(isBatching && {
      batching: path === undefined ? {} : parseBatchingParameters(readText("--batching_parameters_file", path), path),
    }),
  };
}
