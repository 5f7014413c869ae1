import type { ConversionProgress, ConversionReport } from "@nearside/converter";
import type { ErrorCode } from "nearside";
import type { PickedFiles } from "./picked-files.ts";

/** What the worker is asked to convert. */
export interface ConvertRequest {
  readonly files: PickedFiles;
  /** The signature; where none is given, `serving_default`, or the first that there is. */
  readonly signature?: string | undefined;
}

/** A model that was converted, ready for `openSession`. */
export interface ConvertedModel {
  readonly files: ReadonlyMap<string, Blob>;
  readonly report: ConversionReport;
  /** All signatures that the model has. */
  readonly signatures: readonly string[];
  readonly convertMs: number;
}

/** What the worker says: progress first, then the model or why there is none. */
export type ConvertMessage =
  | { readonly progress: ConversionProgress }
  | { readonly model: ConvertedModel }
  | { readonly error: { readonly code: ErrorCode | undefined; readonly message: string } };
