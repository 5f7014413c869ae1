import type { AnyModel, ModelTypes } from "@nearside/core";

/** The URL of a `model.json`, as a string; it may know the model's types, as what `nearside/vite` imports does. */
export type ModelUrl<M extends ModelTypes = AnyModel> = string & { readonly [modelTypes]?: M };

declare const modelTypes: unique symbol; // no string has it: only the compiler sees it
