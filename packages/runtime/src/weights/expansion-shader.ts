/** What weights are stored as that the device makes numbers of. */
export type Expansion = keyof typeof expansions;

/**
 * A shader that makes words of a weight's stored bytes, four elements at a time: float32's bits or int32's, or float16's
 * two by two. `stored` begins with {@link expansionHeader}. All is done on bits, or exact in float32, so that float32 and
 * int32 are those that JavaScript makes. (Products of int8 below 2⁻¹²⁶ may become 0, as WebGPU may make of any such.)
 */
export function expansionShader(expansion: Expansion, { toHalves }: { readonly toHalves: boolean }): string {
  const { bits, decode } = expansions[expansion];
  return `
@group(0) @binding(0) var<storage, read> stored: array<u32>;
@group(0) @binding(1) var<storage, read_write> words: array<u32>;

fn byteAt(index: u32) -> u32 {
  return (stored[stored[3] + index / 4u] >> (8u * (index % 4u))) & 0xffu;
}

fn codesAt(four: u32) -> vec4<u32> {${codes[bits]}}

fn decode(code: u32, element: u32) -> u32 {${decode}}
${toHalves ? writeHalves : writeWords}
@compute @workgroup_size(${groupSize})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let count = stored[0];
  for (var first = 4u * id.x; first < count; first += groups.x * ${4 * groupSize}u) {
    let codes = codesAt(first / 4u);
    var elements: vec4<u32>;
    for (var i = 0u; i < min(4u, count - first); i++) { elements[i] = decode(codes[i], first + i); }
    write(first, min(4u, count - first), elements);
  }
}`;
}

const writeWords = `
fn write(first: u32, count: u32, elements: vec4<u32>) {
  for (var i = 0u; i < count; i++) { words[first + i] = elements[i]; }
}
`;

// What is beyond float16's range would be anything there.
const writeHalves = `
fn write(first: u32, count: u32, elements: vec4<u32>) {
  let values = clamp(bitcast<vec4<f32>>(elements), vec4(-65504.0), vec4(65504.0));
  words[first / 2u] = pack2x16float(values.xy);
  if (count > 2u) { words[first / 2u + 1u] = pack2x16float(values.zw); }
}
`;

/** How many invocations make a workgroup, each of four elements at a time. */
export const groupSize = 64;

export interface ExpansionHeader {
  readonly elements: number;
  /** Those of int8: see `weightChannels`. */
  readonly channels: { readonly count: number; readonly stride: number };
  /** What each code stands for, as words, where there are only so many. */
  readonly table: Uint32Array;
}

/** What goes before the stored bytes: four numbers, the last of them the word at which they begin, and the table. */
export function expansionHeader({ elements, channels, table }: ExpansionHeader): Uint32Array<ArrayBuffer> {
  const header = new Uint32Array(4 + table.length);
  header.set([elements, channels.count, channels.stride, header.length]);
  header.set(table, 4);
  return header;
}

const codes = {
  32: `
  let at = stored[3] + 4u * four;
  return vec4(stored[at], stored[at + 1u], stored[at + 2u], stored[at + 3u]);`,
  8: `
  let word = stored[stored[3] + four];
  return vec4(word, word >> 8u, word >> 16u, word >> 24u) & vec4(0xffu);`,
  16: `
  let at = stored[3] + 2u * four;
  let pair = vec2(stored[at], stored[at + 1u]);
  return vec4(pair.x, pair.x >> 16u, pair.y, pair.y >> 16u) & vec4(0xffffu);`,
} as const;

const expansions = {
  float32: { bits: 32, decode: "return code;" },
  // Sign, 5 bits of exponent with a bias of 15, 10 of fraction; those of float32 are 1, 8 with 127, and 23.
  float16: {
    bits: 16,
    decode: `
  let sign = (code & 0x8000u) << 16u;
  let exponent = (code >> 10u) & 31u;
  let fraction = code & 1023u;
  if (exponent == 0u) { return sign | bitcast<u32>(f32(fraction) * 0x1p-24f); }
  return sign | (select(exponent + 112u, 255u, exponent == 31u) << 23u) | (fraction << 13u);`,
  },
  // What a code stands for is computed in float64, which WebGPU has not; the table has all of it.
  uint8: { bits: 8, decode: "return stored[4u + code];" },
  uint16: { bits: 16, decode: "return stored[4u + code];" },
  int8: {
    bits: 8,
    decode: `
  let at = stored[0] + 2u * ((element / stored[2]) % stored[1]); // bytes: the scales lie behind the elements
  let scale = (byteAt(at) << 16u) | (byteAt(at + 1u) << 24u);
  return bitcast<u32>(f32(bitcast<i32>(code << 24u) >> 24u) * bitcast<f32>(scale));`,
  },
} as const;
