import type { Product } from "./run-product.ts";
import { type TileName, tileFor } from "./tile.ts";

/** Products that a device takes alike: of one kind, and for which by their size the same tile is made. */
export type ProductClass = `${Product["layout"]["kind"]} ${ReturnType<typeof tileFor>}`;

/** What was measured on a device: our fastest tile for a class, and its time beside that of TensorFlow.js's kernel. */
export interface TileChoice {
  readonly tile: TileName;
  readonly ratio: number;
}

export type TileChoices = Readonly<Partial<Record<ProductClass, TileChoice>>>;

// The ratio is the greatest that was measured on SwiftShader, which also compiles its shader in a tenth of the time.
const plain: TileChoice = { tile: "plain", ratio: 0.75 };

/** For devices of software, where all takes long, measuring too. */
export const softwareChoices: Required<TileChoices> = {
  "matrix square": plain,
  "matrix band": plain,
  "matrix vector": plain,
  "convolution square": plain,
  "convolution band": plain,
  "convolution vector": plain,
};

export function classOf(product: Product): ProductClass {
  return `${product.layout.kind} ${tileFor(product)}`;
}

/** Whether our shader is to compute a product in TensorFlow.js's place: where it was measured to be faster. */
export function isFaster(choice: TileChoice | undefined): boolean {
  return choice !== undefined && choice.ratio < 0.9; // less than that is within what measurements differ by
}

/** Whether it is to compute a sum with a product, for which TensorFlow.js needs a second kernel. */
export function isFasterForSum({ layout }: Product, choice: TileChoice | undefined): boolean {
  // Unmeasured, of matrices only: of windows TensorFlow.js's may be the faster one.
  return choice === undefined ? layout.kind === "matrix" : choice.ratio < 1.1;
}
