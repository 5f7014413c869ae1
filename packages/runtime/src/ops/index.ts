import { kernels } from "../kernels/index.ts";
import type { Ops } from "../plan/op.ts";
import { collectionOps } from "./collections.ts";
import { convolutionOps } from "./convolutions.ts";
import { creationOps } from "./creation.ts";
import { elementwiseOps } from "./elementwise.ts";
import { imageOps } from "./images.ts";
import { listOps } from "./lists.ts";
import { matrixOps } from "./matrices.ts";
import { reductionOps } from "./reductions.ts";
import { shapeOps } from "./shapes.ts";
import { sliceOps } from "./slices.ts";
import { tableOps } from "./tables.ts";

/** Every op that a plan can run but control flow; ours take the place of TensorFlow.js's that are wrong. */
export const ops: Ops = {
  ...collectionOps,
  ...convolutionOps,
  ...creationOps,
  ...elementwiseOps,
  ...imageOps,
  ...listOps,
  ...matrixOps,
  ...reductionOps,
  ...shapeOps,
  ...sliceOps,
  ...tableOps,
  ...kernels,
};
