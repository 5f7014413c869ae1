import type { Random } from "./random.ts";

/** A number that counts, addresses or measures nothing well. */
export function hostileNumber(random: Random): bigint {
  const power = 2n ** BigInt(random.below(64));
  return random.pick([0n, 1n, -1n, power, power - 1n, -power, BigInt(random.below(100)), 10n ** 9n, 2n ** 40n]);
}

/** A text that means something somewhere: to JavaScript, to a file system, to TensorFlow, to a parser. */
export function hostileText(random: Random): string {
  return random.pick(texts);
}

const texts: readonly string[] = [
  ...["", "__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "then", "__defineGetter__"],
  ...["../../etc/passwd", "/etc/passwd", "..\\..\\x", "a/../../b", "C:\\x", "file:///etc/passwd", "model.json", "a\0b"],
  ...["^x", "x:1", "x:99999999999999999999", ":0", ":", "x:out:1", "x:-1", "x:1e3", "^", "x:NaN"],
  ...["DT_FLOAT", "serving_default", "ключ", "\ud800", "💥", "*/ } evil", "`x`", "</script>", "\u2028"],
  ...["Identity", "Const", "Placeholder", "PartitionedCall", "While", "StatelessIf", "If", "Case", "Merge", "Switch"],
  ...["Enter", "Exit", "NextIteration", "LoopCond", "TensorListReserve", "TensorArrayV3", "HashTableV2", "VarHandleOp"],
  ...[
    "MatMul",
    "Conv2D",
    "Reshape",
    "StridedSlice",
    "Pack",
    "ConcatV2",
    "GatherV2",
    "Transpose",
    "Fill",
    "Tile",
    "Range",
  ],
  ...["FusedBatchNormV3", "BiasAdd", "Mul", "AddV2", "Sub", "Relu6", "LeakyRelu", "Erfc", "Pad", "PadV2", "Squeeze"],
  ...["Shape", "Rank", "Size", "Prod", "Cast", "ExpandDims", "IdentityN", "NoOp", "Assert", "ParseExampleV2", "Split"],
  "x".repeat(1_000_000),
  "a/".repeat(5000),
];
