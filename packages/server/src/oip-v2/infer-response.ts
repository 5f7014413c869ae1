import { dtypes, encodeTensors, headerLengthName, type Tensors } from "@nearside/core";
import { encodeElements } from "../rest-v1/predict-response.ts";
import type { HttpReply } from "../route.ts";

/** An infer response: these fields and the outputs, as bytes after a JSON header or as plain JSON. */
export function encodeInferResponse(
  fields: Readonly<Record<string, unknown>>,
  outputs: Tensors,
  { isBinary }: { readonly isBinary: boolean },
): HttpReply {
  if (isBinary) {
    const { body, headerBytes } = encodeTensors("outputs", outputs, fields);
    const headers = { "content-type": "application/octet-stream", [headerLengthName]: String(headerBytes) };
    return { status: 200, headers, body };
  }
  const entries = Object.entries(outputs).map(([name, tensor]) => {
    const { dtype, shape, data } = tensor;
    const head = JSON.stringify({ name, datatype: dtypes[dtype].oip, shape });
    const elements = encodeElements("", { ...tensor, shape: [data.length] }); // flat; the name's ending means nothing here
    return `${head.slice(0, -1)},"data":${elements}}`;
  });
  const body = `${JSON.stringify(fields).slice(0, -1)},"outputs":[${entries.join(",")}]}`;
  return { status: 200, headers: { "content-type": "application/json" }, body };
}
