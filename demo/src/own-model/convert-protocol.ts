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

/** What the worker is called for. An error as it is would lose its code on the way. */
export type ConvertFiles = (
  request: ConvertRequest,
  onProgress: (progress: ConversionProgress) => void,
) => Promise<
  | { readonly model: ConvertedModel }
  | { readonly error: { readonly code: ErrorCode | undefined; readonly message: string } }
>;
