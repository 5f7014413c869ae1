import { arrangeKernels } from "./arrange.ts";
import { bitKernels } from "./bits.ts";
import { boxKernels } from "./boxes.ts";
import { collectionKernels } from "./collections.ts";
import { colourKernels } from "./colours.ts";
import { comparisonKernels } from "./compare-strings.ts";
import { complexKernels } from "./complex.ts";
import { correctionKernels } from "./corrections.ts";
import { creationKernels } from "./creation.ts";
import { exampleKernels } from "./examples.ts";
import { imageKernels } from "./images.ts";
import type { Kernels } from "./kernel.ts";
import { linearAlgebraKernels } from "./linear-algebra.ts";
import { listKernels } from "./lists.ts";
import { mathKernels } from "./math.ts";
import { matrixKernels } from "./matrices.ts";
import { partitionKernels } from "./partition.ts";
import { stringPlacingKernels } from "./place-strings.ts";
import { poolingKernels } from "./pooling.ts";
import { raggedKernels } from "./ragged.ts";
import { rearrangeKernels } from "./rearrange.ts";
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
 * The ops that are composed of TensorFlow.js's, or computed here, but for the common ones. Many models have none of them,
 * so that they are loaded when a model has one (see `kernels-for.ts`). Where TensorFlow.js gives wrong results under an
 * op's own name, ours starts with `Nearside`, and the converter writes that: then other loaders refuse the model instead
 * of computing nonsense.
 */
export const kernels: Kernels = {
  ...arrangeKernels,
  ...boxKernels,
  ...comparisonKernels,
  ...collectionKernels,
  ...complexKernels,
  ...correctionKernels,
  ...creationKernels,
  ...exampleKernels,
  ...imageKernels,
  ...listKernels,
  ...mathKernels,
  ...matrixKernels,
  ...poolingKernels,
  ...raggedKernels,
  ...rearrangeKernels,
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
