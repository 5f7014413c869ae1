import type { Pass } from "../graph/graph.ts";
import { bindVariables } from "./bind-variables.ts";
import { countSuppressed } from "./count-suppressed.ts";
import { dropControlEdges } from "./drop-control-edges.ts";
import { inlineFunctions } from "./inline-functions.ts";
import { mergeEqualConstants } from "./merge-equal-constants.ts";
import { narrowCasts } from "./narrow-casts.ts";
import { prune } from "./prune.ts";
import { replaceOps } from "./replace-ops.ts";
import { resolveIdentities } from "./resolve-identities.ts";
import { restoreDefaultAttrs } from "./restore-default-attrs.ts";
import { separateOutputs } from "./separate-outputs.ts";

/** What makes a signature's graph one that TensorFlow.js can run, in order. */
export const passes: readonly Pass[] = [
  prune,
  inlineFunctions,
  bindVariables,
  dropControlEdges,
  resolveIdentities,
  prune,
  narrowCasts,
  countSuppressed,
  replaceOps,
  mergeEqualConstants,
  separateOutputs,
  restoreDefaultAttrs,
  prune,
];
