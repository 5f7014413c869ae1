import { withSharedMemory } from "../simd/threads/share-memory.ts";

/** Where TensorFlow.js's WebAssembly is, as URLs: without SIMD and with it. */
export interface WasmUrls {
  readonly scalar: string;
  readonly simd: string;
}

/** TensorFlow.js's WebAssembly, ready to start. */
export interface WasmBinary {
  readonly module: WebAssembly.Module;
  /** Whether its memory is shared between threads. */
  readonly isShared: boolean;
}

/**
 * Fetches and compiles TensorFlow.js's WebAssembly: with SIMD where there is SIMD, and then with shared memory, if it is
 * to have that. It needs nothing of TensorFlow.js's script, so it can begin before that is there. Rejects where it can't
 * be fetched.
 */
export async function compileWasmBinary({ scalar, simd }: WasmUrls, { isShared = false } = {}): Promise<WasmBinary> {
  if (!WebAssembly.validate(simdProbe)) return { module: await compile(await fetchWasm(scalar)), isShared: false };
  const response = await fetchWasm(simd);
  if (!isShared) return { module: await compile(response), isShared };
  const bytes = new Uint8Array(await response.arrayBuffer());
  const shared = withSharedMemory(bytes);
  return { module: await WebAssembly.compile(shared ?? bytes), isShared: shared !== undefined };
}

/** A function that drops a vector: valid where there is SIMD. */
const simdProbe = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // "\0asm", version 1
  ...[1, 4, 1, 0x60, 0, 0], // one type: no operands, no result
  ...[3, 2, 1, 0], // one function, of it
  ...[10, 9, 1, 7, 0, 0x41, 0, 0xfd, 0x0f, 0x1a, 0x0b], // i32.const 0, i8x16.splat, drop, end
);

async function fetchWasm(url: string): Promise<Response> {
  const response = await fetch(url);
  if (response.ok) return response;
  throw new Error(`${url}: HTTP ${response.status}; serve the .wasm files beside the script`);
}

/** While it arrives, if its server says what it is, so that a browser keeps what it compiled. */
async function compile(response: Response): Promise<WebAssembly.Module> {
  const isNamed = response.headers.get("content-type") === "application/wasm";
  return isNamed ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}
