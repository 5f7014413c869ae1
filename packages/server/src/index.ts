export { createServer, type InferenceServer, type ServerOptions } from "./create-server.ts";
export type { ModelFolder } from "./model-folder.ts";
export { type OpenOptions, openSession } from "./open-session.ts";
export { type ServerBackend, serverBackends } from "./process-backend.ts";
export type { ModelConfig, OpenModel } from "./repository.ts";
export { formatEvent, type ServerEvent } from "./server-event.ts";
