import { InferenceError } from "@nearside/core";
import { createServer } from "./create-server.ts";
import { helpText, parseFlags, type ServeCommand } from "./flags.ts";
import { createServerLog, type ServerLog } from "./logging/server-log.ts";
import type { FinishedCall } from "./monitoring/finished-call.ts";
import { stopOnSignals } from "./stop-on-signals.ts";
import { openTracing } from "./tracing/open-tracing.ts";
import { version } from "./version.ts";

/** What the first argument may be instead of a flag. */
const subcommands: Readonly<Record<string, () => Promise<{ run(args: readonly string[]): Promise<void> }>>> = {
  bench: () => import("./load/load-command.ts"),
  "setup-tensorflow": () => import("./backends/tensorflow/setup-command.ts"),
};

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof InferenceError ? `nearside-server: ${error.message}` : error);
  process.exit(1);
}

async function main(args: readonly string[]): Promise<void> {
  const [name = "", ...others] = args;
  if (Object.hasOwn(subcommands, name)) return (await subcommands[name]?.())?.run(others);
  const command = parseFlags(args);
  if (command.run === "help") return console.log(helpText());
  if (command.run === "version") return console.log(`nearside-server ${version}`);
  const log = createServerLog(command.log);
  for (const notice of command.notices) log.warn(notice);
  await serve(command, log);
}

async function serve({ options, stop, traces }: ServeCommand, log: ServerLog): Promise<void> {
  const onError = ({ message }: Error) => log.warn(`traces can't be sent: ${message}`);
  const tracing = traces && (await openTracing({ ...traces, onError }));
  const onCall = (call: FinishedCall) => {
    log.onCall(call);
    tracing?.onCall(call);
  };
  const server = createServer({ ...options, measurePhases: tracing !== undefined, onEvent: log.onEvent, onCall });
  const close = async () => {
    await server.close();
    await tracing?.close();
  };
  stopOnSignals({ drain: () => server.drain(), close }, { ...stop, tell: log.info });
  await server.listen();
  log.info(`gRPC: ${server.grpcAddress}`);
  if (server.adminUrl !== null) log.info(`admin: ${server.adminUrl}/`);
  log.info(`REST: ${server.url}/`);
}
