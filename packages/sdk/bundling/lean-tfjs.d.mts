import type { Plugin } from "rolldown";

export declare const leanTfjs: Plugin;
export declare function hasSideEffects(id: string): false | undefined;
