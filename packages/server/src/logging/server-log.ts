import { toInferenceError } from "@nearside/core";
import { type DestinationStream, type Level, type Logger, pino } from "pino";
import { type FinishedCall, isServerFault } from "../monitoring/finished-call.ts";
import { formatEvent, type ServerEvent } from "../server-event.ts";
import { traceOf } from "../tracing/trace-parent.ts";
import { createSampler } from "./sampler.ts";

/** What a server's log says, and how. */
export interface LogOptions {
  /** `text`: a line for people; `json`: one JSON object a line, by pino. */
  readonly format: "text" | "json";
  /** What is less important is left out. */
  readonly level: Level;
  /** Which part of the requests is told, from 0 for none to 1 for all; those that the server is at fault for always are. */
  readonly requestRate: number;
  /** The headers of requests to tell as well, in lower case. What is secret in them is left out all the same. */
  readonly requestHeaders: readonly string[];
}

/** A server's log. */
export interface ServerLog {
  readonly onEvent: (event: ServerEvent) => void;
  readonly onCall: (call: FinishedCall) => void;
  readonly info: (message: string) => void;
  readonly warn: (message: string) => void;
}

/** Headers whose values no log may have. */
const secretHeaders = ["authorization", "cookie", "proxy-authorization", "x-api-key"] as const;

/** Writes what a server tells, a line each, to `destination`. */
export function createServerLog(
  { format, level, requestRate, requestHeaders }: LogOptions,
  destination: DestinationStream = process.stdout,
): ServerLog {
  const redact = { paths: secretHeaders.map((name) => `headers["${name}"]`), censor: "[redacted]" };
  const formatters = { level: (label: string) => ({ level: label }) };
  const options = { level, redact, formatters, timestamp: pino.stdTimeFunctions.isoTime };
  const logger = pino(options, format === "json" ? destination : asText(destination));
  const isSampled = createSampler(requestRate);
  return {
    onEvent: (event) => logger[levelOf(event)](eventFields(event), formatEvent(event)),
    onCall: (call) => {
      const isProbe = call.api === null && call.status === "UNAVAILABLE"; // not ready yet, or any more
      const isFault = isServerFault(call.status) && !isProbe;
      if (isSampled() || call.isSampled || isFault) logCall(logger, call, isFault ? "error" : "info", requestHeaders);
    },
    info: (message) => logger.info(message),
    warn: (message) => logger.warn(message),
  };
}

function logCall(logger: Logger, call: FinishedCall, level: Level, requestHeaders: readonly string[]): void {
  const { header, startMs, durationMs, isSampled, phases, ...fields } = call;
  const sent = requestHeaders.map((name) => [name, header(name)] as const).filter(([, value]) => value !== undefined);
  const headers = Object.fromEntries(sent);
  const details = { event: "request", ...fields, durationMs: round(durationMs), ...traceOf(header("traceparent")) };
  const message = `${call.path} ${call.code} ${round(durationMs)} ms`;
  logger[level]({ ...details, ...(requestHeaders.length > 0 && { headers }) }, message);
}

const levels: Partial<Record<ServerEvent["type"], Level>> = {
  failed: "error",
  fault: "error",
  lost: "error",
  "bad-config": "error",
  "bad-secret": "error",
  "request-log": "error",
  refused: "warn",
  "no-version": "warn",
  unreachable: "warn",
};

function levelOf({ type }: ServerEvent): Level {
  return levels[type] ?? "info";
}

/** An event as JSON has it. */
function eventFields(event: ServerEvent): object {
  const { type, ...all } = event;
  const { pid: backendPid, ...fields } = all as typeof all & { pid?: number }; // where it has one; `pid` is the server's
  const { version, error } = fields as { version?: bigint; error?: unknown }; // where the event has them
  return {
    event: type,
    ...fields,
    ...(backendPid !== undefined && { backendPid }),
    ...(version !== undefined && { version: String(version) }),
    ...(error !== undefined && { error: toFields(error) }),
  };
}

function toFields(error: unknown): object {
  const { code, message } = toInferenceError(error);
  return { code, message };
}

/** Writes the messages alone. */
function asText(destination: DestinationStream): DestinationStream {
  return { write: (line) => destination.write(`${(JSON.parse(line) as { msg: string }).msg}\n`) }; // as pino writes it
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
