export { type ConversionProgress, type ConvertOptions, convert } from "./convert.ts";
export type { FileSink, FileSource } from "./files.ts";
export type { QuantizedDType } from "./graph-model/quantization.ts";
export type { QuantizeOptions } from "./graph-model/quantize-options.ts";
export type { ConversionReport } from "./report/conversion-report.ts";
export { formatReport } from "./report/format-report.ts";
export { version } from "./version.ts";
