import { commonKernels } from "../kernels/common.ts";
import type { Ops } from "../plan/op.ts";
import { convolutionOps } from "./convolutions.ts";
import { elementwiseOps } from "./elementwise.ts";
import { imageOps } from "./images.ts";
import { listOps } from "./lists.ts";
import { matrixOps } from "./matrices.ts";
import { reductionOps } from "./reductions.ts";
import { shapeOps } from "./shapes.ts";
import { sliceOps } from "./slices.ts";
import { tableOps } from "./tables.ts";

/** The ops that a plan can always run, but for control flow. */
export const ops: Ops = {
  ...commonKernels,
  ...convolutionOps,
  ...elementwiseOps,
  ...imageOps,
  ...listOps,
  ...matrixOps,
  ...reductionOps,
  ...shapeOps,
  ...sliceOps,
  ...tableOps,
};
