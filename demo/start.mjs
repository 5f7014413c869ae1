// npm run demo -- --port N: converts the example models, starts an inference server, builds the page and serves both.
// Plain JavaScript, so that Node 20 runs it as it is.
import { parseArgs } from "node:util";
import { convertModels } from "./start/models.mjs";
import { buildPage, servePage } from "./start/page.mjs";
import { nearPort, takePort } from "./start/ports.mjs";
import { startServer } from "./start/server.mjs";
import { step } from "./start/step.mjs";

const usage = `npm run demo -- [--port 5173] [--server-port 8501]
  --port         where the page is served; 0 takes any free port
  --server-port  where the inference server listens; 8501 or, if that is taken, any free port`;

const opened = []; // what has a close(), in the order it was opened

async function start() {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "5173" },
      "server-port": { type: "string" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return console.log(usage);
  const port = await takePort("--port", values.port);
  const wanted = values["server-port"];
  const serverPort = await (wanted ? takePort("--server-port", wanted) : nearPort(port === 8501 ? 8502 : 8501));

  await step("Converting the models", convertModels);
  const server = await step("Starting the inference server", () => startServer(serverPort, port));
  opened.push(server);
  await step("Building the page", buildPage);
  opened.push(await servePage(port, { server: server.url }));

  console.log(`\nThe server answers TensorFlow Serving's REST API and the Open Inference Protocol:
  curl -d '{"instances": [[1.0]]}' -X POST http://localhost:${serverPort}/v1/models/linear_regression:predict\n`);
  console.log(`Demo: http://localhost:${port}/`);
}

/** Stops when npm's shell has ended: npm passes a SIGTERM on to its shell, and that does not pass it on to us. */
function stopWithParent() {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    void stop();
  }, 500);
  timer.unref();
}

async function stop() {
  for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, stop); // a second one ends it at once
  await Promise.allSettled(opened.reverse().map((each) => each.close()));
  process.exit(process.exitCode ?? 0);
}

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, stop);
if (process.env.npm_lifecycle_event) stopWithParent();
try {
  await start();
} catch (error) {
  console.error(`\nThe demo could not start: ${error.message}`);
  process.exitCode = 1;
  await stop();
}
