import { InferenceError } from "@nearside/core";
import type { Attributes } from "@opentelemetry/api";
import type { SpanExporter } from "@opentelemetry/sdk-trace-node";
import { type FinishedCall, isServerFault, type OnCall } from "../monitoring/finished-call.ts";
import { version } from "../version.ts";

/** What makes a span of each call, and sends it to a collector. */
export interface Tracing {
  readonly onCall: OnCall;
  /** Sends what is left. */
  close(): Promise<void>;
}

/** Where spans go. */
export interface TracingOptions {
  /** The collector's address, such as `http://localhost:4318`; by default what OpenTelemetry's environment says. */
  readonly endpoint?: string | undefined;
  /** Told when spans can't be sent, once until they can again. */
  readonly onError: (error: Error) => void;
}

/**
 * Starts to send a span of each call to a collector, by OTLP over HTTP: as a child of the client's, where the request has
 * W3C's `traceparent`. Sampler, headers and the service's name are read from OpenTelemetry's environment variables.
 * OpenTelemetry is loaded only here. Rejects with `unsupported` where it is not installed.
 */
export async function openTracing({ endpoint, onError }: TracingOptions): Promise<Tracing> {
  const { api, core, otlp, resources, sdk } = await loadOpenTelemetry();
  const named = resources.resourceFromAttributes({ "service.name": "nearside-server", "service.version": version });
  const detected = resources.detectResources({ detectors: [resources.envDetector] });
  const exporter = telling(
    new otlp.OTLPTraceExporter(endpoint === undefined ? {} : { url: tracesUrl(endpoint) }),
    onError,
  );
  const provider = new sdk.NodeTracerProvider({
    resource: named.merge(detected),
    spanProcessors: [new sdk.BatchSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer("nearside-server", version);
  const propagator = new core.W3CTraceContextPropagator();
  const getter = { get: ({ header }: FinishedCall, name: string) => header(name), keys: () => [] };
  return {
    onCall: (call) => {
      if (call.api === null) return; // probes and scrapes
      const { startMs, durationMs } = call;
      const parent = propagator.extract(api.ROOT_CONTEXT, call, getter);
      const options = { kind: api.SpanKind.SERVER, startTime: startMs, attributes: attributesOf(call) };
      const span = tracer.startSpan(`${call.entrypoint} ${call.api}`, options, parent);
      if (isServerFault(call.status)) span.setStatus({ code: api.SpanStatusCode.ERROR, message: call.status });
      const within = api.trace.setSpan(parent, span);
      for (const { name, startMs, endMs, attributes } of partsOf(call)) {
        tracer.startSpan(name, { startTime: startMs, attributes }, within).end(endMs);
      }
      span.end(startMs + durationMs);
    },
    close: () => provider.shutdown().catch(() => {}), // onError was told why the last ones can't be sent
  };
}

/** A part of a call, in milliseconds since 1970. */
interface CallPart {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
}

/** What was done for a call, one after the other, where that was measured: `decode`, `queue`, `run`, `encode`. */
function partsOf({ phases = [], startMs, durationMs }: FinishedCall): readonly CallPart[] {
  const [first] = phases;
  if (!first) return [];
  const endMs = startMs + durationMs;
  const epochMs = Date.now() - performance.now(); // as near as both clocks tell it
  const within = (ms: number) => Math.min(Math.max(startMs, ms + epochMs), endMs);
  const parts = phases.map(({ name, sinceMs, untilMs, place, backend }) => ({
    ...{ name, startMs: within(sinceMs), endMs: within(untilMs) },
    attributes: {
      "nearside.version": String(place.version),
      "nearside.signature": place.signature,
      "nearside.backend": backend,
    },
  }));
  const lastMs = Math.max(...parts.map((part) => part.endMs));
  const decode = { name: "decode", startMs, endMs: within(first.sinceMs), attributes: {} };
  return [decode, ...parts, { name: "encode", startMs: lastMs, endMs, attributes: {} }];
}

/** OpenTelemetry's names for what a call was. */
function attributesOf({ entrypoint, api, model, path, code, status, address, client }: FinishedCall): Attributes {
  const common = {
    ...(isServerFault(status) && { "error.type": status }),
    "client.address": address,
    ...(model !== null && { "nearside.model": model }),
    ...(client !== undefined && { "enduser.id": client }),
  };
  if (entrypoint === "REST") {
    const [method, url] = path.split(" ");
    return { ...common, "http.request.method": method, "url.path": url, "http.response.status_code": code };
  }
  const service = path.split("/")[1];
  const rpc = { "rpc.system": "grpc", "rpc.service": service, "rpc.method": api ?? "", "rpc.grpc.status_code": code };
  return { ...common, ...rpc };
}

/** Where a collector takes traces, below its address. */
function tracesUrl(endpoint: string): string {
  const base = endpoint.endsWith("/") ? endpoint : `${endpoint}/`;
  return endpoint.endsWith("/v1/traces") ? endpoint : new URL("v1/traces", base).href;
}

/** An exporter that also tells when it fails. */
function telling(exporter: SpanExporter, onError: (error: Error) => void): SpanExporter {
  let isFailing = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error && !isFailing) onError(result.error);
        isFailing = result.error !== undefined;
        done(result);
      }),
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}

async function loadOpenTelemetry() {
  try {
    const [api, core, otlp, resources, sdk] = await Promise.all([
      import("@opentelemetry/api"),
      import("@opentelemetry/core"),
      import("@opentelemetry/exporter-trace-otlp-http"),
      import("@opentelemetry/resources"),
      import("@opentelemetry/sdk-trace-node"),
    ]);
    return { api, core, otlp, resources, sdk };
  } catch (cause) {
    const message = "traces: OpenTelemetry is not installed; install the server with its optional dependencies";
    throw new InferenceError("unsupported", message, { cause });
  }
}
