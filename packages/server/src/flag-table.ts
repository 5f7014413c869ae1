import { serverBackends } from "./backends/open-backend.ts";

/** How important a line of the log may have to be. */
export const logLevels = ["debug", "info", "warn", "error"] as const;

/** The command line's flags and what they say in `--help`; names and defaults are TensorFlow Serving's where it has them. */
export const flags = {
  model_name: { value: "NAME", help: "name of the model in URLs (default: default)" },
  model_base_path: {
    value: "FOLDER",
    help: "folder with a folder per version, or with a model; or an https:// address of one (no default)",
  },
  model_config_file: {
    value: "FILE",
    help: "file that lists models, in place of these two, models.config (default: none)",
  },
  model_config_file_poll_wait_seconds: { value: "S", help: "read it again so often (default: 0, once)" },
  file_system_poll_wait_seconds: { value: "S", help: "look for new versions so often; 0: once (default: 1)" },
  max_num_load_retries: { value: "N", help: "try a version that fails to load so often again (default: 5)" },
  load_retry_interval_micros: { value: "US", help: "and wait so long before it (default: 60000000)" },
  allow_version_labels_for_unavailable_models: { value: null, help: "give new labels to versions not yet loaded" },
  saved_model_tags: { value: "A,B", help: "tags of the graph to serve (default: serve)" },
  enable_model_warmup: { value: "BOOL", help: "run the requests in assets.extra before serving (default: true)" },
  num_request_iterations_for_warmup: { value: "N", help: "run each of them so often (default: 1)" },
  port: { value: "PORT", help: "port of the gRPC APIs (default: 8500; 0 takes a free one)" },
  grpc_socket_path: { value: "PATH", help: "a Unix socket for them, too (default: none)" },
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
  batching_parameters_file: {
    value: "FILE",
    help: "batching parameters, as for TensorFlow Serving (default: its own)",
  },
  enable_per_model_batching_parameters: { value: null, help: "and batching_params.pbtxt in a version's folder for it" },
  cors_origins: { value: "A,B", help: "origins whose pages may call; * for all (default: none)" },
  rest_api_enable_cors_support: { value: null, help: "the same as --cors_origins=*" },
  cache_dir: { value: "FOLDER", help: "where converted and downloaded models are kept (default: ~/.cache/nearside)" },
  tokens_file: { value: "FILE", help: "bearer tokens that clients must send, as JSON (default: none needed)" },
  max_requests_per_second: { value: "N", help: "of a client, by its token or address (default: any number)" },
  trusted_proxies: { value: "A,B", help: "proxies whose X-Forwarded-For tells a client's address (default: none)" },
  max_body_mb: { value: "MB", help: "largest request, decompressed (default: 67; gRPC: 2147)" },
  tls_cert_file: {
    value: "FILE",
    help: "certificate for HTTPS and gRPC, in PEM; read again when it changes (default: none)",
  },
  tls_key_file: { value: "FILE", help: "and its key (default: none)" },
  tls_client_ca_file: {
    value: "FILE",
    help: "clients must have a certificate that one of these signed (default: none)",
  },
  ssl_config_file: { value: "FILE", help: "certificate for gRPC alone, as for TensorFlow Serving (default: none)" },
  secrets_poll_seconds: { value: "S", help: "look so often whether these files changed (default: 5)" },
  monitoring_config_file: {
    value: "FILE",
    help: "as for TensorFlow Serving, path of metrics (default: /metrics as well)",
  },
  admin_port: { value: "PORT", help: "port of the admin API; needs --admin_token_file (default: none)" },
  admin_host: { value: "ADDRESS", help: "address that it listens on (default: 127.0.0.1, this machine alone)" },
  admin_token_file: { value: "FILE", help: "file with the token that it asks for (default: none)" },
  otlp_endpoint: { value: "URL", help: "OpenTelemetry collector for traces (default: as OTEL_EXPORTER_OTLP_ENDPOINT)" },
  log_format: { value: "text|json", help: "lines for people, or a JSON object each (default: text)" },
  log_level: { value: logLevels.join("|"), help: "leave out what is less important (default: info)" },
  log_requests: { value: "RATE", help: "part of the requests to log; faults always are (default: 0; 1: all)" },
  log_request_headers: { value: "A,B", help: "and these headers of theirs, but for secrets (default: none)" },
  shutdown_drain_seconds: { value: "S", help: "after SIGTERM serve on so long, but not ready (default: 1)" },
  shutdown_timeout_seconds: { value: "S", help: "end after so long, whatever is not finished (default: 30)" },
  use_alts_credentials: {
    value: null,
    help: "refused, as there is no ALTS here; use --tls_cert_file or --ssl_config_file",
  },
  ignore_unknown_flags: { value: null, help: "start in spite of flags that this server doesn't know" },
  help: { value: null, help: "print this and exit" },
  version: { value: null, help: "print the version and exit" },
} as const;

/** The name of a flag. */
export type Flag = keyof typeof flags;

/** The longest time that a timer of Node's waits. */
export const maxTimeoutMs = 2 ** 31 - 1;

/** Flags of TensorFlow Serving that this server knows and does nothing with. */
export const withoutEffect: ReadonlySet<string> = new Set(
  [
    "rest_api_num_threads",
    "num_load_threads num_unload_threads flush_filesystem_caches",
    "tensorflow_session_parallelism tensorflow_intra_op_parallelism tensorflow_inter_op_parallelism",
    "tensorflow_session_config_file platform_config_file",
    "per_process_gpu_memory_fraction grpc_channel_arguments grpc_max_threads",
    "remove_unused_fields_from_bundle_metagraph",
    "prefer_tflite_model num_tflite_pools num_tflite_interpreters_per_pool enable_signature_method_name_check",
    "xla_cpu_compilation_enabled xla_gpu_compilation_enabled enable_profiler thread_pool_factory_config_file",
    "mixed_precision skip_initialize_tpu enable_grpc_healthcheck_service",
  ].flatMap((names) => names.split(" ")),
);
