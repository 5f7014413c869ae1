import {
  abortable,
  areTensors,
  decodeMetadata,
  decodeTensors,
  type ErrorCode,
  encodeTensors,
  errorCodes,
  fromWireError,
  headerLengthName,
  httpStatuses,
  InferenceError,
  type Transport,
} from "@nearside/core";
import { type ImageReader, imageReader } from "./inputs/image-reader.ts";
import { retryAfterMs } from "./retry-after.ts";

/** The transport to a model on a server, by the Open Inference Protocol v2; `send` sends the requests. */
export function httpTransport(
  server: string | URL,
  model: string,
  send: typeof fetch,
  images: ImageReader = imageReader(),
): Transport {
  const url = new URL(`v2/models/${encodeURIComponent(model)}`, withSlash(server));
  const refuse = async (): Promise<never> => {
    throw new InferenceError("unsupported", `memory: ${url.origin} is a server, whose memory is no client's to see`);
  };
  return {
    async open(_request, { signal } = {}) {
      const response = await request(send, url, { signal: signal ?? null });
      const text = new TextDecoder().decode(await readBody(response, url, signal));
      return decodeMetadata(parseJson(text), url.href);
    },
    async run({ inputs, outputs, priority }, { signal } = {}) {
      const wanted = outputs?.map((name) => ({ name }));
      const parameters = { binary_data_output: true, ...(priority && { priority }) };
      const tensors = areTensors(inputs) ? inputs : await abortable(images.read(inputs), signal);
      const { body, headerBytes } = encodeTensors("inputs", tensors, {
        parameters,
        ...(wanted && { outputs: wanted }),
      });
      const infer = new URL(`${url.pathname}/infer`, url);
      const response = await request(send, infer, {
        method: "POST",
        headers: { "content-type": "application/octet-stream", [headerLengthName]: String(headerBytes) },
        body,
        signal: signal ?? null,
      });
      const reply = await readBody(response, infer, signal);
      try {
        return decodeTensors("outputs", reply, Number(response.headers.get(headerLengthName) ?? Number.NaN)).tensors;
      } catch (cause) {
        const { message: reason } = cause as InferenceError; // of a wrong argument, which nobody here gave
        const message = `${infer.href}: expected a reply with tensors, got another: ${reason}; check what answers there`;
        throw new InferenceError("data-loss", message, { cause });
      }
    },
    memory: refuse,
    readState: refuse, // none is put there
    freeState: refuse,
    close: async () => {
      images.close();
      return null;
    },
  };
}

/** Sends a request; resolves with a response that is ok, rejects with the error that the server, or its silence, means. */
async function request(send: typeof fetch, url: URL, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await send(url, init);
  } catch (cause) {
    init.signal?.throwIfAborted();
    const message = `${url.origin} cannot be reached; check that the server runs and allows this origin (CORS)`;
    throw new InferenceError("unavailable", message, { cause });
  }
  if (response.ok) return response;
  throw await toError(response, url);
}

async function readBody(
  response: Response,
  url: URL,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    signal?.throwIfAborted();
    throw new InferenceError("unavailable", `${url.href}: the reply could not be read to its end; try again`, {
      cause,
    });
  }
}

/** Undefined if it is none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function toError(response: Response, url: URL): Promise<InferenceError> {
  const text = await response.text().catch(() => ""); // the status tells enough
  const told = { retryAfterMs: retryAfterMs(response) };
  // Not ours where it isn't so: a proxy's page, say. Its status tells what there is to tell.
  const { error, code } = (parseJson(text) ?? {}) as { error?: unknown; code?: ErrorCode };
  if (typeof error === "string")
    return fromWireError({ code: code ?? codeOf(response.status), message: error, ...told });
  return new InferenceError(
    codeOf(response.status),
    `${url.href}: HTTP ${response.status} ${text.slice(0, 200)}`,
    told,
  );
}

function codeOf(status: number): ErrorCode {
  if (status === 429 || status === 503) return "unavailable"; // several codes have 503, and 429 is what proxies say
  if (status === 500) return "internal"; // and so have several this
  return errorCodes.find((code) => httpStatuses[code] === status) ?? (status >= 500 ? "unavailable" : "internal");
}

function withSlash(server: string | URL): URL {
  const url = new URL(server, globalThis.location?.href);
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}
