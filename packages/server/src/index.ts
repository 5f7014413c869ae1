export { type ServerBackend, serverBackends } from "./backends/open-backend.ts";
export { tensorflowDir } from "./backends/tensorflow/tensorflow-package.ts";
export type { BatchingEvent, BatchingOptions } from "./batching/batching-options.ts";
export { withBatching } from "./batching/with-batching.ts";
export { createServer, type InferenceServer, type ServerOptions } from "./create-server.ts";
export type { ModelFolder } from "./model-folder.ts";
export { type OpenOptions, openSession } from "./open-session.ts";
export type { ModelConfig, OpenModel } from "./repository.ts";
export { formatEvent, type ServerEvent } from "./server-event.ts";
