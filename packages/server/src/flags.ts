import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { InferenceError } from "@nearside/core";
import { serverBackends } from "./backends/open-backend.ts";
import { parseBatchingParameters } from "./batching/parse-batching-parameters.ts";
import type { ServerOptions } from "./create-server.ts";
import type { LogOptions } from "./logging/server-log.ts";
import { parseTextProto } from "./protobuf/text-proto.ts";
import type { StopTimes } from "./stop-on-signals.ts";

/** How important a line of the log may have to be. */
const logLevels = ["debug", "info", "warn", "error"] as const;

/** The command line's flags and what they say in `--help`; names and defaults are TensorFlow Serving's where it has them. */
const flags = {
  model_name: { value: "NAME", help: "name of the model in URLs (default: default)" },
  model_base_path: { value: "FOLDER", help: "folder with a folder per version, or with a model" },
  model_config_file: { value: "FILE", help: "file that lists models, in place of these two (models.config)" },
  model_config_file_poll_wait_seconds: { value: "S", help: "read it again so often (default: 0, once)" },
  file_system_poll_wait_seconds: { value: "S", help: "look for new versions so often; 0: once (default: 1)" },
  max_num_load_retries: { value: "N", help: "try a version that fails to load so often again (default: 5)" },
  load_retry_interval_micros: { value: "US", help: "and wait so long before it (default: 60000000)" },
  allow_version_labels_for_unavailable_models: { value: null, help: "give new labels to versions not yet loaded" },
  saved_model_tags: { value: "A,B", help: "tags of the graph to serve (default: serve)" },
  enable_model_warmup: { value: "BOOL", help: "run the requests in assets.extra before serving (default: true)" },
  num_request_iterations_for_warmup: { value: "N", help: "run each of them so often (default: 1)" },
  port: { value: "PORT", help: "port of the gRPC APIs (default: 8500; 0 takes a free one)" },
  grpc_socket_path: { value: "PATH", help: "a Unix socket for them, too" },
  rest_api_port: { value: "PORT", help: "port of the REST APIs (default: 8501; 0 takes a free one)" },
  rest_api_timeout_in_ms: { value: "MS", help: "longest time for a REST request (default: 30000)" },
  enable_serialization_as_tensor_content: { value: null, help: "numbers as raw bytes in gRPC answers" },
  non_finite_as_null: { value: null, help: "null for NaN and infinities in JSON answers, which is valid JSON" },
  allow_model_control: { value: null, help: "let clients of /v2 and of gRPC load and unload models" },
  host: { value: "ADDRESS", help: "address to listen on (default: 0.0.0.0, all of them)" },
  backend: {
    value: ["auto", ...serverBackends].join("|"),
    help: "where models run (default: auto, the best that computes correctly)",
  },
  instance_count: { value: "N", help: "processes that run each model (default: 1)" },
  backend_memory_limit_mb: { value: "MB", help: "what each of them may hold (default: three quarters of the memory)" },
  enable_batching: { value: null, help: "run several requests as one batch" },
  batching_parameters_file: { value: "FILE", help: "batching parameters, as for TensorFlow Serving" },
  enable_per_model_batching_parameters: { value: null, help: "and batching_params.pbtxt in a version's folder for it" },
  cors_origins: { value: "A,B", help: "origins whose pages may call; * for all (default: none)" },
  rest_api_enable_cors_support: { value: null, help: "the same as --cors_origins=*" },
  cache_dir: { value: "FOLDER", help: "where converted models are kept (default: ~/.cache/nearside)" },
  tokens_file: { value: "FILE", help: "bearer tokens that clients must send, as JSON (default: none needed)" },
  max_requests_per_second: { value: "N", help: "of a client, by its token or address (default: any number)" },
  max_body_mb: { value: "MB", help: "largest request, decompressed (default: 67; gRPC: 2147)" },
  tls_cert_file: { value: "FILE", help: "certificate for HTTPS and gRPC, in PEM; read again when it changes" },
  tls_key_file: { value: "FILE", help: "and its key" },
  tls_client_ca_file: { value: "FILE", help: "clients must have a certificate that one of these signed (mTLS)" },
  ssl_config_file: { value: "FILE", help: "certificate for gRPC alone, as for TensorFlow Serving" },
  secrets_poll_seconds: { value: "S", help: "look so often whether these files changed (default: 5)" },
  monitoring_config_file: {
    value: "FILE",
    help: "as for TensorFlow Serving, path of metrics (default: /metrics as well)",
  },
  admin_port: { value: "PORT", help: "port of the admin API; needs --admin_token_file (default: none)" },
  admin_host: { value: "ADDRESS", help: "address that it listens on (default: 127.0.0.1, this machine alone)" },
  admin_token_file: { value: "FILE", help: "file with the token that it asks for (default: none)" },
  log_format: { value: "text|json", help: "lines for people, or a JSON object each (default: text)" },
  log_level: { value: logLevels.join("|"), help: "leave out what is less important (default: info)" },
  log_requests: { value: "RATE", help: "part of the requests to log; faults always are (default: 0; 1: all)" },
  log_request_headers: { value: "A,B", help: "and these headers of theirs, but for secrets (default: none)" },
  shutdown_drain_seconds: { value: "S", help: "after SIGTERM serve on so long, but not ready (default: 1)" },
  shutdown_timeout_seconds: { value: "S", help: "end after so long, whatever is not finished (default: 30)" },
  help: { value: null, help: "print this and exit" },
  version: { value: null, help: "print the version and exit" },
} as const;

type Flag = keyof typeof flags;

/** The longest time that a timer of Node's waits. */
const maxTimeoutMs = 2 ** 31 - 1;

/** Flags of TensorFlow Serving that this server knows and does nothing with. */
const withoutEffect: ReadonlySet<string> = new Set(
  [
    "rest_api_num_threads",
    "num_load_threads num_unload_threads flush_filesystem_caches",
    "tensorflow_session_parallelism tensorflow_intra_op_parallelism tensorflow_inter_op_parallelism",
    "tensorflow_session_config_file use_alts_credentials platform_config_file",
    "per_process_gpu_memory_fraction grpc_channel_arguments grpc_max_threads",
    "remove_unused_fields_from_bundle_metagraph",
    "prefer_tflite_model num_tflite_pools num_tflite_interpreters_per_pool enable_signature_method_name_check",
    "xla_cpu_compilation_enabled xla_gpu_compilation_enabled enable_profiler thread_pool_factory_config_file",
    "mixed_precision skip_initialize_tpu enable_grpc_healthcheck_service",
  ].flatMap((names) => names.split(" ")),
);

/** What a command line asks for; `notices` are things to tell that don't stop the server. */
export type Command =
  | { readonly run: "help" }
  | { readonly run: "version" }
  | {
      readonly run: "serve";
      readonly options: ServerOptions;
      readonly stop: StopTimes;
      readonly log: LogOptions;
      readonly notices: readonly string[];
    };

/** Reads the arguments of the command line. Throws `invalid-argument`, with what to do, where one doesn't fit. */
export function parseFlags(args: readonly string[]): Command {
  const { values, notices } = collect(args);
  if (isOn(values.get("help"))) return { run: "help" };
  if (isOn(values.get("version"))) return { run: "version" };
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
  const stop = {
    drainMs: number("shutdown_drain_seconds", 1, maxTimeoutMs / 1000) * 1000,
    limitMs: number("shutdown_timeout_seconds", 30, maxTimeoutMs / 1000) * 1000,
  };
  return { run: "serve", options, stop, log: logOptions(values), notices };
}

/** The models of the two flags, or the file that lists them. */
function parseModels(
  values: ReadonlyMap<Flag, string>,
  pollMs: number,
): Pick<ServerOptions, "models" | "modelConfigFile"> {
  const [path, basePath] = [values.get("model_config_file"), values.get("model_base_path")];
  if (path !== undefined) return { modelConfigFile: { path, pollMs } }; // TensorFlow Serving ignores the others then
  if (basePath !== undefined) return { models: [{ name: values.get("model_name") ?? "default", basePath }] };
  throw invalid("--model_base_path", "the folder of a model, or --model_config_file", "nothing");
}

/** The text of `--help`. */
export function helpText(): string {
  const lines = Object.entries(flags).map(([name, { value, help }]) => {
    return `  --${name}${value === null ? "" : `=${value}`}`.padEnd(40) + help;
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
    "Other flags of TensorFlow Serving are accepted and have no effect yet.",
  ].join("\n");
}

function collect(args: readonly string[]): { values: ReadonlyMap<Flag, string>; notices: string[] } {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { value }]) => [name, { type: value === null ? "boolean" : "string" } as const]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true, allowPositionals: true });
  const values = new Map<Flag, string>();
  const notices: string[] = [];
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") notices.push(`ignored: ${token.value}`);
    else if (isFlag(token.name)) values.set(token.name, token.value ?? "true");
    else if (withoutEffect.has(token.name)) notices.push(`${token.rawName}: accepted, no effect yet`);
    else notices.push(`${token.rawName}: unknown flag, ignored; see --help`);
  }
  return { values, notices };
}

function isFlag(name: string): name is Flag {
  return Object.hasOwn(flags, name);
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== "false" && value !== "0";
}

function list(value: string | undefined): readonly string[] {
  return (value ?? "").split(",").filter((item) => item !== "");
}

function parseChoice<T extends string>(flag: Flag, choices: readonly T[], text: string): T {
  const choice = choices.find((each) => each === text);
  if (choice !== undefined) return choice;
  throw invalid(`--${flag}`, choices.join(", "), text);
}

function backendOptions(values: ReadonlyMap<Flag, string>): Partial<ServerOptions> {
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

function securityOptions(values: ReadonlyMap<Flag, string>): Partial<ServerOptions> {
  const [tokensFile, sslConfigFile] = [values.get("tokens_file"), values.get("ssl_config_file")];
  const [certFile, keyFile] = [values.get("tls_cert_file"), values.get("tls_key_file")];
  const [clientCaFile, bodyMb] = [values.get("tls_client_ca_file"), values.get("max_body_mb")];
  const [rate, pollSeconds] = [values.get("max_requests_per_second"), values.get("secrets_poll_seconds")];
  if ((certFile === undefined) !== (keyFile === undefined) || (clientCaFile !== undefined && certFile === undefined)) {
    throw invalid("--tls_cert_file", "it and --tls_key_file", "one without the other");
  }
  return {
    ...(tokensFile !== undefined && { tokensFile }),
    ...(rate !== undefined && { requestsPerSecond: parseCount("--max_requests_per_second", rate) }),
    ...(bodyMb !== undefined && { maxBodyBytes: parseCount("--max_body_mb", bodyMb) * 1e6 }),
    ...(certFile !== undefined &&
      keyFile !== undefined && { tls: { certFile, keyFile, ...(clientCaFile !== undefined && { clientCaFile }) } }),
    ...(sslConfigFile !== undefined && { sslConfigFile }),
    ...(pollSeconds !== undefined && { secretsPollMs: parseCount("--secrets_poll_seconds", pollSeconds) * 1000 }),
  };
}

function adminOptions(values: ReadonlyMap<Flag, string>): Partial<ServerOptions> {
  const [portText, host] = [values.get("admin_port"), values.get("admin_host")];
  const tokenFile = values.get("admin_token_file");
  if (portText === undefined) return {};
  if (tokenFile === undefined) throw invalid("--admin_port", "--admin_token_file as well", "it alone");
  const port = parseNumber("admin_port", portText, 0, 65_535);
  return { admin: { port, tokenFile, ...(host !== undefined && { host }) } };
}

/** TensorFlow Serving has no metrics without this file; here it may turn them off, or give them another path. */
function monitoringOptions(values: ReadonlyMap<Flag, string>): Partial<ServerOptions> {
  const path = values.get("monitoring_config_file");
  if (path === undefined) return {};
  const text = readText("--monitoring_config_file", path);
  const { prometheusConfig } = parseTextProto("tensorflow.serving.MonitoringConfig", text, path);
  if (!prometheusConfig?.enable) return { metricsPaths: [] };
  if (prometheusConfig.path === "") return {};
  if (prometheusConfig.path.startsWith("/")) return { metricsPaths: [...new Set([prometheusConfig.path, "/metrics"])] };
  throw invalid(`${path}: prometheus_config.path`, "a path that begins with /", prometheusConfig.path);
}

function logOptions(values: ReadonlyMap<Flag, string>): LogOptions {
  const rate = values.get("log_requests") ?? "0";
  if (!/^(?:0|1|0?\.\d+)$/.test(rate)) throw invalid("--log_requests", "a number from 0 to 1", rate);
  return {
    format: parseChoice("log_format", ["text", "json"], values.get("log_format") ?? "text"),
    level: parseChoice("log_level", logLevels, values.get("log_level") ?? "info"),
    requestRate: Number(rate),
    requestHeaders: list(values.get("log_request_headers")).map((name) => name.toLowerCase()),
  };
}

function readText(flag: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw invalid(flag, "a file that can be read", path);
  }
}

function parseCount(where: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw invalid(where, "a whole number from 1", text);
}

function parseNumber(
  flag: Flag,
  text: string | undefined,
  byDefault: number,
  largest = Number.MAX_SAFE_INTEGER,
): number {
  if (text === undefined) return byDefault;
  if (/^\d{1,16}$/.test(text) && Number(text) <= largest) return Number(text);
  throw invalid(`--${flag}`, `a number from 0 to ${Math.floor(largest)}`, text);
}

function invalid(where: string, expected: string, got: string): InferenceError {
  return new InferenceError("invalid-argument", `${where}: expected ${expected}, got ${got}; see --help`);
}
