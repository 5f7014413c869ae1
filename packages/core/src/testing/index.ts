export * from "./session-suite.ts";
export * from "./state-suite.ts";
