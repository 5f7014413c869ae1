import type { Pass } from "../graph/graph.ts";
import { bindVariables } from "./bind-variables.ts";
import { dropControlEdges } from "./drop-control-edges.ts";
import { foldBatchNorms } from "./fold-batch-norms.ts";
import { foldConstants } from "./fold-constants.ts";
import { foldPaddings } from "./fold-paddings.ts";
import { formPrelu } from "./form-prelu.ts";
import { fuseOperations } from "./fuse-operations.ts";
import { inlineFunctions } from "./inline-functions.ts";
import { mergeEqualConstants } from "./merge-equal-constants.ts";
import { moveSqueezes } from "./move-squeezes.ts";
import { prune } from "./prune.ts";
import { replaceErfc } from "./replace-erfc.ts";
import { resolveIdentities } from "./resolve-identities.ts";
import { restoreDefaultAttrs } from "./restore-default-attrs.ts";
import { separateOutputs } from "./separate-outputs.ts";
import { shareEqualNodes } from "./share-equal-nodes.ts";
import { simplify } from "./simplify.ts";

/** What makes a signature's graph one that TensorFlow.js can run, and run fast, in order. */
export const passes: readonly Pass[] = [
  prune,
  inlineFunctions,
  bindVariables,
  replaceErfc,
  dropControlEdges,
  resolveIdentities,
  prune,
  restoreDefaultAttrs,
  mergeEqualConstants,
  shareEqualNodes,
  foldConstants,
  simplify,
  resolveIdentities,
  prune,
  moveSqueezes,
  foldBatchNorms,
  formPrelu,
  foldPaddings,
  fuseOperations,
  mergeEqualConstants,
  separateOutputs,
  prune,
];
