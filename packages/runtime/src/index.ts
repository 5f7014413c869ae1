export type { LoadedBackend } from "./backends/loaded-backend.ts";
export type { ModelFiles } from "./load-graph-model.ts";
export { type LocalOptions, openLocalSession } from "./local-session.ts";
export { kernelsFor } from "./plan/kernels-for.ts";
