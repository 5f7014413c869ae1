import { arrangeKernels } from "./arrange.ts";
import { boxKernels } from "./boxes.ts";
import { comparisonKernels } from "./compare-strings.ts";
import { complexKernels } from "./complex.ts";
import { exampleKernels } from "./examples.ts";
import type { Kernels } from "./kernel.ts";
import { mathKernels } from "./math.ts";
import { matrixKernels } from "./matrices.ts";
import { stringPlacingKernels } from "./place-strings.ts";
import { raggedKernels } from "./ragged.ts";
import { segmentKernels } from "./segments.ts";
import { setKernels } from "./sets.ts";
import { spectralKernels } from "./spectral.ts";
import { stringKernels } from "./strings.ts";

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
  ...exampleKernels,
  ...mathKernels,
  ...matrixKernels,
  ...raggedKernels,
  ...segmentKernels,
  ...setKernels,
  ...spectralKernels,
  ...stringKernels,
  ...stringPlacingKernels,
};
