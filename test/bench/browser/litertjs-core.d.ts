/** What the benchmark uses of LiteRT.js (`paths` in tsconfig.json): its own types change everyone's typed arrays. */
export class Tensor {
  constructor(data: Float32Array, shape: number[]);
  data(): Promise<Float32Array>;
  delete(): void;
}

export interface CompiledModel {
  run(inputs: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>;
}

export function loadLiteRt(folder: string): Promise<unknown>;
export function loadAndCompile(
  url: string,
  options: { readonly accelerator: "wasm" | "webgpu" },
): Promise<CompiledModel>;
