import cors from "@fastify/cors";
import files from "@fastify/static";
import { headerLengthName, InferenceError } from "@nearside/core";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { compressReply } from "./compress-reply.ts";
import { decompressBody } from "./decompress-body.ts";
import { endUnusedConnections } from "./end-unused-connections.ts";
import { healthRoutes } from "./health-routes.ts";
import { JsonThreads } from "./json-threads/json-threads.ts";
import { sendModelFile } from "./model-origin.ts";
import type { CallPhases } from "./monitoring/call-phases.ts";
import type { OnCall } from "./monitoring/finished-call.ts";
import type { Metrics } from "./monitoring/metrics.ts";
import { observeHttp } from "./monitoring/observe-http.ts";
import { oipV2 } from "./oip-v2/oip-v2.ts";
import { pathOf } from "./path-of.ts";
import type { Repository } from "./repository/repository.ts";
import { restV1 } from "./rest-v1/rest-v1.ts";
import { errorReply, type HttpReply, type HttpRequest, type Route } from "./route.ts";
import type { Guard } from "./security/guard.ts";
import { guardHttp } from "./security/guard-http.ts";
import { clientVerification, secureContext, type TlsIdentity } from "./security/tls.ts";
import type { ServerEvent } from "./server-event.ts";

/** Who may call, how much they may send, and who is told of faults. */
export interface HttpAppOptions {
  readonly corsOrigins: readonly string[];
  readonly maxBodyBytes: number;
  /** How long an answer may take; 0 for any time. */
  readonly requestTimeoutMs: number;
  /** Whether JSON has null for NaN and infinities, in place of their names. */
  readonly nonFiniteAsNull: boolean;
  /** Whether clients may load and unload models. */
  readonly allowModelControl: boolean;
  readonly onEvent: (event: ServerEvent) => void;
  readonly onCall: OnCall;
  /** What measures the phases of requests; nothing by default. */
  readonly phases?: CallPhases | undefined;
  readonly guard: Guard;
  /** The addresses of proxies whose word on a client's address is taken. */
  readonly trustedProxies: readonly string[];
  readonly tls: TlsIdentity | undefined;
  /** What is answered at these paths to who measures the server. */
  readonly metrics: Metrics;
  readonly metricsPaths: readonly string[];
  /** Adds what else is answered to who was let in. */
  readonly addRoutes?: (routes: FastifyInstance) => void;
}

/** How long a browser may remember the answer to a CORS preflight. */
const preflightSeconds = 24 * 60 * 60;

/** How long a client may take to send a request, as Node's servers have it. */
const maxReceiveMs = 300_000;

/** The HTTP side of a server: its APIs over a repository, not yet listening. */
export function createHttpApp(
  repository: Repository,
  { corsOrigins, maxBodyBytes, requestTimeoutMs, nonFiniteAsNull, allowModelControl, ...options }: HttpAppOptions,
): FastifyInstance {
  const { onEvent, onCall, metrics, metricsPaths, guard, tls } = options;
  const app = fastify({
    bodyLimit: maxBodyBytes,
    ...(tls && { https: { ...secureContext(tls), ...clientVerification(tls) } }),
    requestTimeout: maxReceiveMs,
    trustProxy: options.trustedProxies.length > 0 ? [...options.trustedProxies] : false,
    return503OnClosing: false, // what comes on a connection that is still open is answered, and the connection closed
    routerOptions: { caseSensitive: false },
    frameworkErrors: (error, request, reply) => sendError(error, request, reply),
  });
  // Bodies are read whatever their content type, even one that is none: curl -d sends a form's.
  app.addHook("onRequest", ({ headers }, _reply, done) => {
    headers["content-type"] = "application/octet-stream";
    done();
  });
  app.addContentTypeParser("application/octet-stream", { parseAs: "buffer" }, (_request, body, done) =>
    done(null, body),
  );
  app.addHook("preParsing", ({ headers }, _reply, body, done) => {
    if (headers["content-encoding"] === undefined) done(null, body);
    else decompressBody(headers, body).then((decompressed) => done(null, decompressed), done);
  });
  const { protect, clientOf } = guardHttp(guard);
  observeHttp(app, { onCall, clientOf, phases: options.phases });
  endUnusedConnections(app);
  let isClosing = false;
  app.addHook("preClose", async () => {
    isClosing = true;
  });
  app.addHook("onSend", (_request, reply, _payload, done) => {
    // Else closing waits until the idle connection times out, or cuts off a request that is on its way.
    if (isClosing || repository.isDraining) reply.header("connection", "close");
    done();
  });
  app.setErrorHandler((error, request, reply) => {
    const status = sendError(error, request, reply).statusCode;
    if (status === 500) onEvent({ type: "fault", path: pathOf(request), error });
  });
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request);
    sendError(new InferenceError("not-found", `${request.method} ${path}: no such path`), request, reply);
  });
  if (corsOrigins.length > 0) {
    app.register(cors, {
      origin: [...corsOrigins],
      methods: ["GET", "HEAD", "POST"],
      allowedHeaders: ["Authorization", "Content-Type", "Content-Encoding", headerLengthName, "Range", "If-None-Match"],
      exposedHeaders: [headerLengthName, "Content-Length", "Content-Range", "ETag", "Last-Modified", "Retry-After"],
      maxAge: preflightSeconds,
    });
  }
  app.register(files, { serve: false, root: process.cwd(), preCompressed: true }); // sendFile is given the folder
  const json = new JsonThreads();
  app.addHook("onClose", () => json.close());
  app.register(async (routes) => {
    protect(routes); // after CORS: its preflights have no token, and refusals need its headers, too
    const v1 = restV1({ json, nonFiniteAsNull });
    routes.all("/v1/*", (request, reply) => answer(v1, request, reply));
    const v2 = oipV2({ json, nonFiniteAsNull, allowModelControl });
    for (const path of ["/v2", "/v2/*"]) routes.all(path, (request, reply) => answer(v2, request, reply));
    options.addRoutes?.(routes);
    healthRoutes(routes, repository);
    for (const path of metricsPaths) {
      routes.get(path, async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render()));
    }
    routes.get("/models/*", async (request, reply) => {
      if (corsOrigins.length > 0) reply.header("cross-origin-resource-policy", "cross-origin");
      addVary(reply, "accept-encoding");
      return sendModelFile(request, repositoryFor(request), reply);
    });
  });

  const repositoryFor = (request: FastifyRequest) => guard.repositoryFor(clientOf(request));
  async function answer(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const answered = await route(toHttpRequest(request, reply, requestTimeoutMs), repositoryFor(request));
    if (answered.status === 500) onEvent({ type: "fault", path: pathOf(request), error: answered.error });
    return sendReply(await compressReply(request.headers, answered), reply);
  }
  return app;
}

function toHttpRequest(request: FastifyRequest, reply: FastifyReply, timeoutMs: number): HttpRequest {
  const gone = new AbortController();
  const endLate = () => {
    const message = `the server allows a request ${timeoutMs} ms, which are over`;
    gone.abort(new InferenceError("deadline-exceeded", message));
  };
  const timer = timeoutMs > 0 ? setTimeout(endLate, timeoutMs) : undefined;
  reply.raw.once("close", () => {
    clearTimeout(timer);
    if (!reply.raw.writableFinished) gone.abort(new InferenceError("cancelled", "the client closed the connection"));
  });
  return {
    method: request.method,
    path: pathOf(request),
    headers: request.headers,
    body: (request.body as Uint8Array | undefined) ?? new Uint8Array(), // as the parser above makes it
    signal: gone.signal,
  };
}

/** Answers what went wrong before an API saw the request, in that API's form. */
function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendReply(errorReply(fromFastify(error), { isV1: /^\/v1\//i.test(pathOf(request)) }), reply, error);
}

/** Sends a reply, with the status that Fastify gave an error of its own: 413 for a body that is too large. */
function sendReply({ status, headers, body }: HttpReply, reply: FastifyReply, error?: unknown): FastifyReply {
  const bytes = typeof body === "string" ? Buffer.from(body) : body; // Fastify would add a charset to a string's type
  const { vary, ...others } = headers;
  if (vary !== undefined) addVary(reply, vary);
  return reply
    .code(clientStatus(error) ?? status)
    .headers(others)
    .send(bytes);
}

/** Adds to what CORS says that the answer depends on. */
function addVary(reply: FastifyReply, name: string): void {
  reply.header("vary", [reply.getHeader("vary") ?? [], name].flat().join(", "));
}

/** Fastify's errors tell by their status that the client is at fault. */
function fromFastify(error: unknown): unknown {
  if (clientStatus(error) === undefined || !(error instanceof Error)) return error;
  return new InferenceError("invalid-argument", error.message, { cause: error });
}

function clientStatus(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown } | undefined)?.statusCode;
  return typeof status === "number" && status >= 400 && status < 500 ? status : undefined;
}
