import { arrangeKernels } from "./arrange.ts";
import { bitKernels } from "./bits.ts";
import { boxKernels } from "./boxes.ts";
import { colourKernels } from "./colours.ts";
import { comparisonKernels } from "./compare-strings.ts";
import { complexKernels } from "./complex.ts";
import { correctionKernels } from "./corrections.ts";
import { exampleKernels } from "./examples.ts";
import type { Kernels } from "./kernel.ts";
import { linearAlgebraKernels } from "./linear-algebra.ts";
import { listKernels } from "./lists.ts";
import { mathKernels } from "./math.ts";
import { matrixKernels } from "./matrices.ts";
import { partitionKernels } from "./partition.ts";
import { stringPlacingKernels } from "./place-strings.ts";
import { raggedKernels } from "./ragged.ts";
import { resampleKernels } from "./resample.ts";
import { segmentKernels } from "./segments.ts";
import { setKernels } from "./sets.ts";
import { sparseKernels } from "./sparse.ts";
import { specialFunctionKernels } from "./special-functions.ts";
import { spectralKernels } from "./spectral.ts";
import { stringKernels } from "./strings.ts";
import { textRecordKernels } from "./text-records.ts";
import { unicodeKernels } from "./unicode.ts";

/**
 * The ops that this package computes, TensorFlow.js having none or not on every backend. Where TensorFlow.js gives
 * wrong results under an op's own name, ours starts with `Nearside`, and the converter writes that: then other loaders
 * refuse the model instead of computing nonsense.
 */
export const kernels: Kernels = {
  ...arrangeKernels,
  ...boxKernels,
  ...comparisonKernels,
  ...complexKernels,
  ...correctionKernels,
  ...exampleKernels,
  ...listKernels,
  ...mathKernels,
  ...matrixKernels,
  ...raggedKernels,
  ...segmentKernels,
  ...setKernels,
  ...spectralKernels,
  ...stringKernels,
  ...stringPlacingKernels,
  ...bitKernels,
  ...colourKernels,
  ...linearAlgebraKernels,
  ...partitionKernels,
  ...resampleKernels,
  ...sparseKernels,
  ...specialFunctionKernels,
  ...textRecordKernels,
  ...unicodeKernels,
};
