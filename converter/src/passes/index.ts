import type { Pass } from "../graph/graph.ts";
import { bindVariables } from "./bind-variables.ts";
import { countSuppressed } from "./count-suppressed.ts";
import { decideSwitches } from "./decide-switches.ts";
import { dropControlEdges } from "./drop-control-edges.ts";
import { flattenTensorLists } from "./flatten-tensor-lists.ts";
import { foldBatchNorms } from "./fold-batch-norms.ts";
import { foldConstants } from "./fold-constants.ts";
import { foldPaddings } from "./fold-paddings.ts";
import { formPrelu } from "./form-prelu.ts";
import { fuseOperations } from "./fuse-operations.ts";
import { inEveryBody } from "./in-every-body.ts";
import { inlineFunctions } from "./inline-functions.ts";
import { lowerListLoops } from "./lower-list-loops.ts";
import { mergeEqualConstants } from "./merge-equal-constants.ts";
import { moveSqueezes } from "./move-squeezes.ts";
import { narrowCasts } from "./narrow-casts.ts";
import { nestCases } from "./nest-cases.ts";
import { prune } from "./prune.ts";
import { replaceErfc } from "./replace-erfc.ts";
import { replaceGlobalNorms } from "./replace-global-norms.ts";
import { replaceOps } from "./replace-ops.ts";
import { resolveIdentities } from "./resolve-identities.ts";
import { restoreDefaultAttrs } from "./restore-default-attrs.ts";
import { separateOutputs } from "./separate-outputs.ts";
import { shapeLookups } from "./shape-lookups.ts";
import { shareEqualNodes } from "./share-equal-nodes.ts";
import { simplify } from "./simplify.ts";
import { specialiseFunctions } from "./specialise-functions.ts";
import { unrollLoops } from "./unroll-loops.ts";
import { widenPorts } from "./widen-ports.ts";

/** What makes a signature's graph one that TensorFlow.js can run, and run fast, in order. */
export const passes: readonly Pass[] = [
  widenPorts,
  prune,
  inlineFunctions,
  prune,
  inEveryBody(decideSwitches),
  nestCases,
  inEveryBody(unrollLoops),
  prune,
  specialiseFunctions,
  inEveryBody(bindVariables),
  replaceErfc,
  replaceGlobalNorms,
  inEveryBody(dropControlEdges),
  inEveryBody(resolveIdentities),
  inEveryBody(flattenTensorLists),
  inEveryBody(resolveIdentities),
  prune,
  inEveryBody(narrowCasts),
  inEveryBody(countSuppressed),
  replaceOps,
  inEveryBody(restoreDefaultAttrs),
  inEveryBody(mergeEqualConstants),
  inEveryBody(shareEqualNodes),
  foldConstants,
  simplify,
  inEveryBody(resolveIdentities),
  prune,
  moveSqueezes,
  foldBatchNorms,
  formPrelu,
  foldPaddings,
  fuseOperations,
  lowerListLoops,
  prune,
  shapeLookups,
  inEveryBody(mergeEqualConstants),
  inEveryBody(separateOutputs),
  inEveryBody(restoreDefaultAttrs),
  prune,
];
