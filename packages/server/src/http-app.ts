import cors from "@fastify/cors";
import files from "@fastify/static";
import { headerLengthName, InferenceError } from "@nearside/core";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { compressReply } from "./compress-reply.ts";
import { decompressBody } from "./decompress-body.ts";
import { sendModelFile } from "./model-origin.ts";
import { oipV2 } from "./oip-v2/oip-v2.ts";
import type { Repository } from "./repository/repository.ts";
import { restV1 } from "./rest-v1/rest-v1.ts";
import { errorReply, type HttpReply, type HttpRequest, type Route } from "./route.ts";
import type { ServerEvent } from "./server-event.ts";

/** Who may call, how much they may send, and who is told of faults. */
export interface HttpAppOptions {
  readonly corsOrigins: readonly string[];
  readonly maxBodyBytes: number;
  /** How long an answer may take; 0 for any time. */
  readonly requestTimeoutMs: number;
  /** Whether clients may load and unload models. */
  readonly allowModelControl: boolean;
  readonly onEvent: (event: ServerEvent) => void;
}

/** How long a browser may remember the answer to a CORS preflight. */
const preflightSeconds = 24 * 60 * 60;

/** The HTTP side of a server: its APIs over a repository, not yet listening. */
export function createHttpApp(
  repository: Repository,
  { corsOrigins, maxBodyBytes, requestTimeoutMs, allowModelControl, onEvent }: HttpAppOptions,
): FastifyInstance {
  const app = fastify({
    bodyLimit: maxBodyBytes,
    routerOptions: { caseSensitive: false },
    frameworkErrors: (error, request, reply) => sendError(error, request, reply),
  });
  // Bodies are read whatever their content type, even one that is none: curl -d sends a form's.
  app.addHook("onRequest", async ({ headers }) => {
    headers["content-type"] = "application/octet-stream";
  });
  app.addContentTypeParser("application/octet-stream", { parseAs: "buffer" }, (_request, body, done) =>
    done(null, body),
  );
  app.addHook("preParsing", async (request, _reply, payload) => decompressBody(request.headers, payload));
  let isClosing = false;
  app.addHook("preClose", async () => {
    isClosing = true;
  });
  app.addHook("onSend", async (_request, reply) => {
    if (isClosing) reply.header("connection", "close"); // else closing waits until the idle connection times out
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
      allowedHeaders: ["Content-Type", "Content-Encoding", headerLengthName, "Range", "If-None-Match"],
      exposedHeaders: [headerLengthName, "Content-Length", "Content-Range", "ETag", "Last-Modified", "Retry-After"],
      maxAge: preflightSeconds,
    });
  }
  app.register(files, { serve: false, root: process.cwd() }); // for reply.sendFile, which is given the folder
  app.register(async (routes) => {
    routes.all("/v1/*", (request, reply) => answer(restV1, request, reply));
    const v2 = oipV2({ allowModelControl });
    for (const path of ["/v2", "/v2/*"]) routes.all(path, (request, reply) => answer(v2, request, reply));
    routes.get("/models/*", async (request, reply) => sendModelFile(pathOf(request), repository, reply));
  });

  async function answer(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const answered = await route(toHttpRequest(request, reply, requestTimeoutMs), repository);
    if (answered.status === 500) onEvent({ type: "fault", path: pathOf(request), error: answered.error });
    return sendReply(await compressReply(request.headers, answered), reply);
  }
  return app;
}

function toHttpRequest(request: FastifyRequest, reply: FastifyReply, timeoutMs: number): HttpRequest {
  const gone = new AbortController();
  const late = new InferenceError("deadline-exceeded", `the server allows a request ${timeoutMs} ms, which are over`);
  const timer = timeoutMs > 0 ? setTimeout(() => gone.abort(late), timeoutMs) : undefined;
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

/** The path as it was sent: the APIs decode its parts themselves. */
function pathOf(request: FastifyRequest): string {
  return (request.raw.url ?? "").replace(/\?.*$/s, "");
}

/** Answers what went wrong before an API saw the request, in that API's form. */
function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendReply(errorReply(fromFastify(error), { isV1: /^\/v1\//i.test(pathOf(request)) }), reply, error);
}

/** Sends a reply, with the status that Fastify gave an error of its own: 413 for a body that is too large. */
function sendReply({ status, headers, body }: HttpReply, reply: FastifyReply, error?: unknown): FastifyReply {
  const bytes = typeof body === "string" ? Buffer.from(body) : body; // Fastify would add a charset to a string's type
  const vary = [reply.getHeader("vary"), headers.vary].filter((names) => names !== undefined).join(", "); // of CORS, too
  return reply
    .code(clientStatus(error) ?? status)
    .headers({ ...headers, ...(vary !== "" && { vary }) })
    .send(bytes);
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
