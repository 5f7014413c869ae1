export { createServer, type InferenceServer, type ServerOptions } from "./create-server.ts";
export type { ModelFolder } from "./model-folder.ts";
export { type OpenOptions, openSession } from "./open-session.ts";
export { type ServerBackend, serverBackends } from "./process-backend.ts";
export type { LoadedModel, OpenModel, SessionPlace, WrapSession } from "./repository/load-version.ts";
export type { ModelConfig, VersionPolicy } from "./repository/model-config.ts";
export type { ModelSpec, Repository } from "./repository/repository.ts";
export type { ModelVersion, VersionState } from "./repository/served-model.ts";
export { formatEvent, type ServerEvent } from "./server-event.ts";
