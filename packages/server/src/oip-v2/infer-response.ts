import { encodeTensorData, headerLengthName, oipName, type Tensors } from "@nearside/core";
import { type ElementOptions, encodeElements } from "../rest-v1/predict-response.ts";
import type { HttpReply } from "../route.ts";

/** An infer response: these fields and the outputs, those in `binary` as bytes after a JSON header, others within it. */
export function encodeInferResponse(
  fields: Readonly<Record<string, unknown>>,
  outputs: Tensors,
  binary: ReadonlySet<string>,
  options: ElementOptions = {},
): HttpReply {
  const parts: Uint8Array[] = [];
  const entries = Object.entries(outputs).map(([name, tensor]) => {
    const head = { name, datatype: oipName(name, tensor.dtype), shape: tensor.shape };
    if (binary.has(name)) {
      const bytes = encodeTensorData(tensor);
      parts.push(bytes);
      return JSON.stringify({ ...head, parameters: { binary_data_size: bytes.byteLength } });
    }
    const elements = encodeElements("", { ...tensor, shape: [tensor.data.length] }, options); // flat; a name's ending means nothing
    return `${JSON.stringify(head).slice(0, -1)},"data":${elements}}`;
  });
  const json = `${JSON.stringify(fields).slice(0, -1)},"outputs":[${entries.join(",")}]}`;
  if (parts.length === 0) return { status: 200, headers: { "content-type": "application/json" }, body: json };
  const header = Buffer.from(json);
  const headers = { "content-type": "application/octet-stream", [headerLengthName]: String(header.byteLength) };
  return { status: 200, headers, body: Buffer.concat([header, ...parts]) };
}
