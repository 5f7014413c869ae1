import { logLevels, maxTimeoutMs } from "./flag-table.ts";
import { type FlagValues, invalid, list, parseChoice, parseCount, parseNumber, readText } from "./flag-values.ts";
import type { LogOptions } from "./logging/server-log.ts";
import { parseTextProto } from "./protobuf/text-proto.ts";
import type { ServerOptions } from "./server-options.ts";
import type { StopTimes } from "./stop-on-signals.ts";

/** Who may call, and how much. */
export function securityOptions(values: FlagValues): Partial<ServerOptions> {
  const [tokensFile, sslConfigFile] = [values.get("tokens_file"), values.get("ssl_config_file")];
  const [certFile, keyFile] = [values.get("tls_cert_file"), values.get("tls_key_file")];
  const [clientCaFile, bodyMb] = [values.get("tls_client_ca_file"), values.get("max_body_mb")];
  const [rate, pollSeconds] = [values.get("max_requests_per_second"), values.get("secrets_poll_seconds")];
  const proxies = list(values.get("trusted_proxies"));
  if ((certFile === undefined) !== (keyFile === undefined) || (clientCaFile !== undefined && certFile === undefined)) {
    throw invalid("--tls_cert_file", "it and --tls_key_file", "one without the other");
  }
  return {
    ...(tokensFile !== undefined && { tokensFile }),
    ...(proxies.length > 0 && { trustedProxies: proxies }),
    ...(rate !== undefined && { requestsPerSecond: parseCount("--max_requests_per_second", rate) }),
    ...(bodyMb !== undefined && { maxBodyBytes: parseCount("--max_body_mb", bodyMb) * 1e6 }),
    ...(certFile !== undefined &&
      keyFile !== undefined && { tls: { certFile, keyFile, ...(clientCaFile !== undefined && { clientCaFile }) } }),
    ...(sslConfigFile !== undefined && { sslConfigFile }),
    ...(pollSeconds !== undefined && { secretsPollMs: parseCount("--secrets_poll_seconds", pollSeconds) * 1000 }),
  };
}

/** Where the server is administered. */
export function adminOptions(values: FlagValues): Partial<ServerOptions> {
  const [portText, host] = [values.get("admin_port"), values.get("admin_host")];
  const tokenFile = values.get("admin_token_file");
  if (portText === undefined) return {};
  if (tokenFile === undefined) throw invalid("--admin_port", "--admin_token_file as well", "it alone");
  const port = parseNumber("admin_port", portText, 0, 65_535);
  return { admin: { port, tokenFile, ...(host !== undefined && { host }) } };
}

/** TensorFlow Serving has no metrics without this file; here it may turn them off, or give them another path. */
export function monitoringOptions(values: FlagValues): Partial<ServerOptions> {
  const path = values.get("monitoring_config_file");
  if (path === undefined) return {};
  const text = readText("--monitoring_config_file", path);
  const { prometheusConfig } = parseTextProto("tensorflow.serving.MonitoringConfig", text, path);
  if (!prometheusConfig?.enable) return { metricsPaths: [] };
  if (prometheusConfig.path === "") return {};
  if (prometheusConfig.path.startsWith("/")) return { metricsPaths: [...new Set([prometheusConfig.path, "/metrics"])] };
  throw invalid(`${path}: prometheus_config.path`, "a path that begins with /", prometheusConfig.path);
}

/** What the log says. */
export function logOptions(values: FlagValues): LogOptions {
  const rate = values.get("log_requests") ?? "0";
  if (!/^(?:0|1|0?\.\d+)$/.test(rate)) throw invalid("--log_requests", "a number from 0 to 1", rate);
  return {
    format: parseChoice("log_format", ["text", "json"], values.get("log_format") ?? "text"),
    level: parseChoice("log_level", logLevels, values.get("log_level") ?? "info"),
    requestRate: Number(rate),
    requestHeaders: list(values.get("log_request_headers")).map((name) => name.toLowerCase()),
  };
}

/** How the server ends. */
export function stopTimes(values: FlagValues): StopTimes {
  const seconds = (flag: "shutdown_drain_seconds" | "shutdown_timeout_seconds", byDefault: number) =>
    parseNumber(flag, values.get(flag), byDefault, maxTimeoutMs / 1000) * 1000;
  return { drainMs: seconds("shutdown_drain_seconds", 1), limitMs: seconds("shutdown_timeout_seconds", 30) };
}

/** Where traces go: to the flag's collector, or to that of OpenTelemetry's environment; undefined for nowhere. */
export function tracesOf(values: FlagValues, env = process.env): { readonly endpoint?: string } | undefined {
  const endpoint = values.get("otlp_endpoint");
  if (endpoint !== undefined && !URL.canParse(endpoint)) throw invalid("--otlp_endpoint", "a URL", endpoint);
  if (endpoint !== undefined) return { endpoint };
  return env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ? {} : undefined;
}
