import { type Tile, threadCount } from "./tile.ts";

/**
 * In what the operands are multiplied, wherever they come from; sums are float32's always. `rounded` is float16
 * computed in float32: the same numbers, on devices that have no float16.
 */
export type Elements = "float32" | "float16" | "rounded";

/** What follows a product's sums, in this order: the bias, what is added to it, and an activation. */
export interface Epilogue {
  readonly hasBias: boolean;
  readonly hasResidual: boolean;
  readonly activation: Activation;
}

/** The activations that can follow a product. Prelu's slopes are per column. */
export type Activation = keyof typeof activations;

/** All that a shader's text depends on. */
export interface ProductVariant {
  /** Of matrices, or of an image's windows and a filter: a convolution, whose columns are the filter's channels. */
  readonly kind: "matrix" | "convolution";
  readonly elements: Elements;
  readonly tile: Tile;
  /** Whether four elements that are read together lie together: in the first operand, in the second and in the result. */
  readonly isVectorA: boolean;
  readonly isVectorB: boolean;
  readonly isVectorResult: boolean;
  /** Whether the second operand is float16 in memory: two to a word. */
  readonly isHalfB: boolean;
  readonly epilogue: Epilogue;
}

/** What a shader is told of the operands, before the numbers of its kind. */
export const commonUniforms = "rows : i32, columns : i32, inner : i32, batches : i32,";

/** Further numbers: how far apart batches, rows and columns lie in memory; or the geometry of a convolution. */
export const uniformsOf = {
  matrix: "batchStrides : vec2<i32>, strides : vec4<i32>,",
  convolution:
    "image : vec2<i32>, channels : i32, outImage : vec2<i32>, window : vec2<i32>, steps : vec2<i32>, pads : vec2<i32>, dilations : vec2<i32>,",
} as const;

/**
 * The text of a tiled product, result = epilogue(A · B), for TensorFlow.js to put its declarations before: `A`, `B`,
 * `bias`, `residual`, `alpha`, `result` and `uniforms`. Invocations are numbered from tile to tile.
 */
export function productShader(variant: ProductVariant): string {
  const { elements, tile, kind, isVectorA, isVectorB } = variant;
  const { columnThreads, rowThreads, rowsPerThread } = tile;
  const [threads, tileRows, tileColumns] = [threadCount(tile), rowThreads * rowsPerThread, columnThreads * 4];
  return `
${elements === "float16" ? "enable f16;" : ""}
alias Four = vec4<${elements === "float16" ? "f16" : "f32"}>;
alias Result = ${variant.isVectorResult ? "vec4<f32>" : "f32"};

${toFour[elements]}
${indexOfA[kind]}
${indexOfB[kind]}
${read("A", isVectorA, floats)}
${read("B", isVectorB, variant.isHalfB ? halves : floats)}
${finish(variant)}

${tile.inner > 0 ? workgroupMemory(tile) : ""}

fn main(index : i32) {
  let local = index % ${threads};
  let tile = index / ${threads};
  let columnTiles = (uniforms.columns - 1) / ${tileColumns} + 1;
  let rowTiles = (uniforms.rows - 1) / ${tileRows} + 1;
  let firstColumn = (tile % columnTiles) * ${tileColumns};
  let firstRow = (tile / columnTiles) % rowTiles * ${tileRows};
  let batch = tile / (columnTiles * rowTiles);
  let columnThread = local % ${columnThreads};
  let rowThread = local / ${columnThreads} % ${rowThreads};
  let column = firstColumn + columnThread * 4;
  let firstRowOfThread = firstRow + rowThread * ${rowsPerThread};
  let slice = local / ${columnThreads * rowThreads};

  var sums : array<vec4<f32>, ${rowsPerThread}>;
${tile.inner > 0 ? sumTogether(tile) : sumApart(tile)}
  for (var r = 0; r < ${rowsPerThread}; r++) {
    let row = firstRowOfThread + r;
    if (batch < uniforms.batches && row < uniforms.rows && column < uniforms.columns) {
      writeFour((batch * uniforms.rows + row) * uniforms.columns + column, column, sums[r]);
    }
  }
}
`;
}

const toFour: Readonly<Record<Elements, string>> = {
  float32: "fn toFour(values : vec4<f32>) -> Four { return values; }",
  // What is beyond float16's range would be anything there, infinity included.
  float16: "fn toFour(values : vec4<f32>) -> Four { return Four(clamp(values, vec4(-65504.0), vec4(65504.0))); }",
  // quantizeToF16 may round either way, and does.
  rounded: `
fn toFour(values : vec4<f32>) -> Four {
  let within = clamp(values, vec4(-65504.0), vec4(65504.0));
  return Four(unpack2x16float(pack2x16float(within.xy)), unpack2x16float(pack2x16float(within.zw)));
}`,
};

/** Where an element of the first operand is, or −1 beyond its edges, where it is 0. */
const indexOfA = {
  matrix: `
fn indexOfA(batch : i32, row : i32, k : i32) -> i32 {
  if (row >= uniforms.rows || k >= uniforms.inner) { return -1; }
  return batch * uniforms.batchStrides.x + row * uniforms.strides.x + k * uniforms.strides.y;
}`,
  // A row is a pixel of the result, in batches of images; k is a channel of a pixel of its window.
  convolution: `
fn indexOfA(batch : i32, row : i32, k : i32) -> i32 {
  if (row >= uniforms.rows || k >= uniforms.inner) { return -1; }
  let pixels = row / uniforms.outImage.y;
  let place = vec2(pixels % uniforms.outImage.x, row % uniforms.outImage.y);
  let tap = k / uniforms.channels;
  let offset = vec2(tap / uniforms.window.y, tap % uniforms.window.y);
  let at = place * uniforms.steps - uniforms.pads + offset * uniforms.dilations;
  if (any(at < vec2(0)) || any(at >= uniforms.image)) { return -1; }
  let image = pixels / uniforms.outImage.x;
  return ((image * uniforms.image.x + at.x) * uniforms.image.y + at.y) * uniforms.channels + k % uniforms.channels;
}`,
} as const;

/** The same for the second. */
const indexOfB = {
  matrix: `
fn indexOfB(batch : i32, k : i32, column : i32) -> i32 {
  if (k >= uniforms.inner || column >= uniforms.columns) { return -1; }
  return batch * uniforms.batchStrides.y + k * uniforms.strides.z + column * uniforms.strides.w;
}`,
  convolution: `
fn indexOfB(batch : i32, k : i32, column : i32) -> i32 {
  if (k >= uniforms.inner || column >= uniforms.columns) { return -1; }
  return k * uniforms.columns + column;
}`,
} as const;

/** How elements are read: four that lie together from place `at`, or one. */
interface Reading {
  readonly four: string;
  readonly one: string;
}

const floats: Reading = { four: "toFour(vec4<f32>(M[at / 4]))", one: "f32(M[at])" };

// Not bitcast to float16, which not every browser can.
const halves: Reading = {
  four: "Four(vec4(unpack2x16float(bitcast<u32>(M[at / 4].x)), unpack2x16float(bitcast<u32>(M[at / 4].y))))",
  one: "unpack2x16float(bitcast<u32>(M[at / 2]))[at % 2]",
};

/** Four elements along the last dimension of an operand. */
function read(operand: "A" | "B", isVector: boolean, { four, one }: Reading): string {
  const text = isVector
    ? `
fn readM(batch : i32, x : i32, y : i32) -> Four {
  let at = indexOfM(batch, x, y);
  if (at < 0) { return Four(); }
  return ${four};
}`
    : `
fn readM(batch : i32, x : i32, y : i32) -> Four {
  var values : vec4<f32>;
  for (var i = 0; i < 4; i++) {
    let at = indexOfM(batch, x, y + i);
    if (at >= 0) { values[i] = ${one}; }
  }
  return toFour(values);
}`;
  return text.replaceAll(/M(?=[[(])/g, operand);
}

function workgroupMemory(tile: Tile): string {
  const { columnThreads, rowThreads, rowsPerThread, inner, slices } = tile;
  return `
var<workgroup> tileA : array<array<Four, ${inner / 4}>, ${rowThreads * rowsPerThread}>;
var<workgroup> tileB : array<array<Four, ${columnThreads}>, ${inner}>;
${slices > 1 ? `var<workgroup> partSums : array<array<vec4<f32>, ${rowsPerThread}>, ${threadCount(tile)}>;` : ""}`;
}

/** Sums up from workgroup memory, which the threads fill together with one part of the inner dimension after the other. */
function sumTogether(tile: Tile): string {
  const { columnThreads, rowThreads, rowsPerThread, inner, slices } = tile;
  const [threads, tileRows] = [threadCount(tile), rowThreads * rowsPerThread];
  const quads = inner / 4; // fours along the inner dimension
  return `
  for (var start = 0; start < uniforms.inner; start += ${inner}) {
    for (var i = local; i < ${tileRows * quads}; i += ${threads}) {
      tileA[i / ${quads}][i % ${quads}] = readA(batch, firstRow + i / ${quads}, start + i % ${quads} * 4);
    }
    for (var i = local; i < ${inner * columnThreads}; i += ${threads}) {
      tileB[i / ${columnThreads}][i % ${columnThreads}] =
        readB(batch, start + i / ${columnThreads}, firstColumn + i % ${columnThreads} * 4);
    }
    workgroupBarrier();
    for (var quad = slice; quad < ${quads}; quad += ${slices}) {
      let b0 = vec4<f32>(tileB[quad * 4][columnThread]);
      let b1 = vec4<f32>(tileB[quad * 4 + 1][columnThread]);
      let b2 = vec4<f32>(tileB[quad * 4 + 2][columnThread]);
      let b3 = vec4<f32>(tileB[quad * 4 + 3][columnThread]);
      for (var r = 0; r < ${rowsPerThread}; r++) {
        let a = vec4<f32>(tileA[rowThread * ${rowsPerThread} + r][quad]);
        sums[r] = fma(vec4(a.x), b0, fma(vec4(a.y), b1, fma(vec4(a.z), b2, fma(vec4(a.w), b3, sums[r]))));
      }
    }
    workgroupBarrier();
  }
${slices > 1 ? addSlices(tile) : ""}`;
}

/** Sums up what each thread reads on its own. */
function sumApart({ rowsPerThread }: Tile): string {
  return `
  if (batch >= uniforms.batches || firstRowOfThread >= uniforms.rows || column >= uniforms.columns) { return; }
  for (var k = 0; k < uniforms.inner; k += 4) {
    let b0 = vec4<f32>(readB(batch, k, column));
    let b1 = vec4<f32>(readB(batch, k + 1, column));
    let b2 = vec4<f32>(readB(batch, k + 2, column));
    let b3 = vec4<f32>(readB(batch, k + 3, column));
    for (var r = 0; r < ${rowsPerThread}; r++) {
      let a = vec4<f32>(readA(batch, firstRowOfThread + r, k));
      sums[r] = fma(vec4(a.x), b0, fma(vec4(a.y), b1, fma(vec4(a.z), b2, fma(vec4(a.w), b3, sums[r]))));
    }
  }`;
}

/** Adds up, in the first slice, what the slices have summed. */
function addSlices({ columnThreads, rowThreads, rowsPerThread, slices }: Tile): string {
  const threads = columnThreads * rowThreads;
  return `
  partSums[local] = sums;
  workgroupBarrier();
  if (slice > 0) { return; }
  for (var other = 1; other < ${slices}; other++) {
    for (var r = 0; r < ${rowsPerThread}; r++) { sums[r] += partSums[local + other * ${threads}][r]; }
  }`;
}

const activations = {
  linear: "v",
  relu: "select(v, Result(0), v < Result(0))",
  relu6: "clamp(v, Result(0), Result(6))",
  elu: "select(exp(v) - 1.0, v, v >= Result(0))",
  sigmoid: "1.0 / (1.0 + exp(-v))",
  leakyrelu: "select(v, v * uniforms.slope, v < Result(0))",
  prelu: "select(v, v * Result(alpha[place]), v < Result(0))",
} as const;

/** True of the name of an activation that can follow a product. */
export function isActivation(name: string): name is Activation {
  return Object.hasOwn(activations, name);
}

/** What is done with the sums of a row's four columns from place `at` of the result on. */
function finish({ isVectorResult, epilogue: { hasBias, hasResidual, activation } }: ProductVariant): string {
  const place = (index: string) => (isVectorResult ? `${index} / 4` : index);
  return `
fn finish(sum : Result, at : i32, column : i32) -> Result {
  let place = ${place("column")};
  var v = sum;
  ${hasBias ? "v += Result(bias[place]);" : ""}
  ${hasResidual ? `v += Result(residual[${place("at")}]);` : ""}
  return ${activations[activation]};
}

fn writeFour(at : i32, column : i32, sums : vec4<f32>) {
  ${
    isVectorResult
      ? "result[at / 4] = finish(sums, at, column);"
      : "for (var i = 0; i < min(4, uniforms.columns - column); i++) { result[at + i] = finish(sums[i], at + i, column + i); }"
  }
}`;
}
