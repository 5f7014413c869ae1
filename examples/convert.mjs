// Converts a SavedModel into files for the browser and any CDN.
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";

const report = await convert(readDirectory("models/digits/saved_model"), writeDirectory("out/models/digits"));

console.log(`${report.shards.length} shards, ${report.weightBytes} bytes of weights`);
