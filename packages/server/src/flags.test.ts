import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { helpText, parseFlags } from "./flags.ts";

describe("parseFlags", () => {
  test("reads TensorFlow Serving's flags, and its defaults", () => {
    expect(parseFlags(["--model_base_path=/models/half"])).toEqual({
      run: "serve",
      notices: [],
      stop: { drainMs: 1000, limitMs: 30_000 },
      traces: undefined,
      log: { format: "text", level: "info", requestRate: 0, requestHeaders: [] },
      options: {
        models: [{ name: "default", basePath: "/models/half" }],
        pollMs: 1000,
        maxLoadRetries: 5,
        loadRetryMs: 60_000,
        allowLabelsForUnavailable: false,
        warmUpRequests: true,
        warmUpIterations: 1,
        backend: "auto",
        grpcPort: 8500,
        restPort: 8501,
        requestTimeoutMs: 30_000,
        tensorContent: false,
        nonFiniteAsNull: false,
        allowModelControl: false,
        corsOrigins: [],
      },
    });
  });

  test("reads every flag of its own", () => {
    const args = ["--model_name=m", "--model_base_path", "m", "--rest_api_port=0", "--host=127.0.0.1", "--port=0"];
    const more = ["--file_system_poll_wait_seconds=0", "--max_num_load_retries=2", "--load_retry_interval_micros=5000"];
    const command = parseFlags([
      ...[...args, ...more, "--backend=cpu", "--cors_origins=https://a,https://b", "--cache_dir=c"],
      ...[
        "--allow_version_labels_for_unavailable_models",
        "--saved_model_tags=serve,gpu",
        "--enable_model_warmup=false",
      ],
      ...["--num_request_iterations_for_warmup=3", "--rest_api_timeout_in_ms=60000", "--allow_model_control=true"],
      "--enable_serialization_as_tensor_content",
    ]);
    expect(command).toMatchObject({
      options: {
        models: [{ name: "m", basePath: "m" }],
        restPort: 0,
        host: "127.0.0.1",
        backend: "cpu",
        corsOrigins: ["https://a", "https://b"],
        cacheDir: "c",
        grpcPort: 0,
        pollMs: 0,
        maxLoadRetries: 2,
        loadRetryMs: 5,
        allowLabelsForUnavailable: true,
        tags: ["serve", "gpu"],
        warmUpRequests: false,
        warmUpIterations: 3,
        requestTimeoutMs: 60_000,
        allowModelControl: true,
        tensorContent: true,
        nonFiniteAsNull: false,
      },
    });
  });

  test("takes a socket for gRPC, and null for NaN", () => {
    const command = parseFlags(["--model_base_path=m", "--grpc_socket_path=/run/n.sock", "--non_finite_as_null"]);
    expect(command).toMatchObject({ options: { grpcSocketPath: "/run/n.sock", nonFiniteAsNull: true } });
  });

  test("takes a file of models in place of one model", () => {
    const args = ["--model_config_file=/models.config", "--model_config_file_poll_wait_seconds=5", "--model_name=m"];
    expect(parseFlags(args)).toMatchObject({ options: { modelConfigFile: { path: "/models.config", pollMs: 5000 } } });
  });

  test.each([
    ["--rest_api_enable_cors_support", ["*"]],
    ["--rest_api_enable_cors_support=true", ["*"]],
    ["--rest_api_enable_cors_support=false", []],
  ])("takes %s as TensorFlow Serving does", (flag, corsOrigins) => {
    expect(parseFlags(["--model_base_path=m", flag])).toMatchObject({ options: { corsOrigins } });
  });

  test("tells of flags without effect", () => {
    const command = parseFlags(["--model_base_path=m", "--grpc_max_threads=4", "--num_load_threads=2"]);
    expect(command).toMatchObject({
      notices: ["--grpc_max_threads: accepted, no effect yet", "--num_load_threads: accepted, no effect yet"],
    });
  });

  test.each([
    [["--token_file=t"], "--token_file: unknown flag; did you mean --tokens_file?"],
    [["--tokens-file=t"], "--tokens-file: unknown flag; did you mean --tokens_file?"],
    [["-tokens_file=t"], "unknown flag"],
    [["tokens_file=t"], "tokens_file=t: no flag; those with a value are --name=value"],
    [["--enable_batching", "true"], "true: no flag"],
    [["--num_load_thread=2"], "--num_load_thread: unknown flag; did you mean --num_load_threads?"],
    [["--colour=red", "--token_file=t"], "--colour: unknown flag; see --help\n--token_file: unknown flag"],
    [["--use_alts_credentials"], "--use_alts_credentials: expected --tls_cert_file or --ssl_config_file"],
  ])("starts no server that %j was to make safe, say", (args, message) => {
    expect(() => parseFlags(["--model_base_path=m", ...args])).toThrow(message);
  });

  test("ignores unknown flags where it is told to, and tells of them", () => {
    const command = parseFlags(["--model_base_path=m", "--colour=red", "--ignore_unknown_flags"]);
    expect(command).toMatchObject({ run: "serve", notices: ["ignored: --colour: unknown flag; see --help"] });
  });

  test.each([
    [[], "--model_base_path: expected the folder of a model, or --model_config_file, got nothing; see --help"],
    [["--model_base_path=m", "--backend=cuda"], "--backend: expected auto, tensorflow, webgpu, wasm, cpu, got cuda"],
    [["--model_base_path=m", "--rest_api_port=-1"], "--rest_api_port: expected a number from 0 to 65535"],
    [["--model_base_path=m", "--max_num_load_retries=many"], "--max_num_load_retries: expected a number from 0 to"],
  ])("refuses %j", (args, message) => {
    expect(() => parseFlags(args)).toThrow(message);
  });

  test("reads how backends run, and TensorFlow Serving's batching parameters", async () => {
    const folder = await mkdtemp(join(tmpdir(), "nearside-flags-"));
    const path = join(folder, "batching.config");
    await writeFile(path, "max_batch_size { value: 4 }");
    const args = ["--instance_count=2", "--backend_memory_limit_mb=512", "--enable_batching=true"];
    const command = parseFlags(["--model_base_path=m", ...args, `--batching_parameters_file=${path}`]);
    await rm(folder, { recursive: true });
    const batching = { maxBatchSize: 4, allowedBatchSizes: [], padVariableLengthInputs: false };
    expect(command).toMatchObject({ options: { instanceCount: 2, memoryLimitBytes: 512e6, batching } });
    expect(parseFlags(["--model_base_path=m", "--enable_batching"])).toMatchObject({ options: { batching: {} } });
    const perModel = ["--model_base_path=m", "--enable_per_model_batching_parameters"];
    expect(parseFlags([...perModel, "--enable_batching"])).toMatchObject({ options: { batchingPerVersion: true } });
    expect(parseFlags(perModel)).not.toMatchObject({ options: { batchingPerVersion: true } });
  });

  test.each([
    [["--batching_parameters_file=b"], "--batching_parameters_file: expected --enable_batching as well"],
    [["--enable_batching", "--batching_parameters_file=/no/such/file"], "expected a file that can be read"],
    [["--instance_count=0"], "--instance_count: expected a whole number from 1, got 0"],
  ])("refuses how backends are to run: %j", (args, message) => {
    expect(() => parseFlags(["--model_base_path=m", ...args])).toThrow(message);
  });

  test("reads who may call, where it is administered, and what the log says", async () => {
    const folder = await mkdtemp(join(tmpdir(), "nearside-flags-"));
    const monitoring = join(folder, "monitoring.config");
    await writeFile(monitoring, 'prometheus_config { enable: true path: "/here" }');
    const command = parseFlags([
      ...[
        "--model_base_path=m",
        "--tokens_file=t",
        "--trusted_proxies=10.0.0.0/8",
        "--max_requests_per_second=9",
        "--max_body_mb=2",
      ],
      ...["--tls_cert_file=c", "--tls_key_file=k", "--tls_client_ca_file=a", "--ssl_config_file=s"],
      ...[
        "--secrets_poll_seconds=1",
        "--admin_port=0",
        "--admin_token_file=f",
        `--monitoring_config_file=${monitoring}`,
      ],
      ...["--log_format=json", "--log_level=warn", "--log_requests=0.25", "--log_request_headers=User-Agent,X-Id"],
      ...["--shutdown_drain_seconds=5", "--shutdown_timeout_seconds=60"],
      "--otlp_endpoint=http://c:4318",
    ]);
    await writeFile(monitoring, "prometheus_config { }");
    const off = parseFlags(["--model_base_path=m", `--monitoring_config_file=${monitoring}`]);
    await rm(folder, { recursive: true });
    expect(command).toMatchObject({
      options: {
        ...{
          tokensFile: "t",
          trustedProxies: ["10.0.0.0/8"],
          requestsPerSecond: 9,
          maxBodyBytes: 2e6,
          sslConfigFile: "s",
          secretsPollMs: 1000,
        },
        tls: { certFile: "c", keyFile: "k", clientCaFile: "a" },
        admin: { port: 0, tokenFile: "f" },
        metricsPaths: ["/here", "/metrics"],
      },
      log: { format: "json", level: "warn", requestRate: 0.25, requestHeaders: ["user-agent", "x-id"] },
      stop: { drainMs: 5000, limitMs: 60_000 },
      traces: { endpoint: "http://c:4318" },
    });
    expect(off).toMatchObject({ options: { metricsPaths: [] } });
  });

  test.each([
    [["--tls_cert_file=c"], "--tls_cert_file: expected it and --tls_key_file"],
    [["--tls_client_ca_file=a"], "--tls_cert_file: expected it and --tls_key_file"],
    [["--admin_port=1"], "--admin_port: expected --admin_token_file as well"],
    [["--log_requests=2"], "--log_requests: expected a number from 0 to 1, got 2"],
    [["--log_format=xml"], "--log_format: expected text, json, got xml"],
  ])("refuses %j", (args, message) => {
    expect(() => parseFlags(["--model_base_path=m", ...args])).toThrow(message);
  });

  test("tells in --help of every flag with its default, and of those without effect", () => {
    const lines = helpText()
      .split("\n")
      .filter((line) => line.startsWith("  --"));
    const withDefault = lines.filter((line) => / .*default/.test(line.trim()));
    const others = lines.filter((line) => !withDefault.includes(line)).map((line) => line.trim().split(" ")[0]);
    expect(withDefault.length).toBeGreaterThan(40);
    expect(others.slice(0, 2)).toEqual(["--help", "--version"]);
    expect(parseFlags(["--model_base_path=m", ...(others.slice(2) as string[])])).toMatchObject({
      notices: others.slice(2).map((flag) => `${flag}: accepted, no effect yet`),
    });
  });

  test("knows --help and --version", () => {
    expect(parseFlags(["--help"])).toEqual({ run: "help" });
    expect(parseFlags(["--version"])).toEqual({ run: "version" });
    expect(helpText()).toContain("--model_base_path=FOLDER");
  });
});
