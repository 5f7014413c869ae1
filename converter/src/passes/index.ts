import type { Pass } from "../graph/graph.ts";
import { bindVariables } from "./bind-variables.ts";
import { countSuppressed } from "./count-suppressed.ts";
import { decideSwitches } from "./decide-switches.ts";
import { denseLists } from "./dense-lists.ts";
import { dropControlEdges } from "./drop-control-edges.ts";
import { flattenTensorLists } from "./flatten-tensor-lists.ts";
import { foldBatchNorms } from "./fold-batch-norms.ts";
import { foldConstants } from "./fold-constants.ts";
import { foldInputScales } from "./fold-input-scales.ts";
import { foldPaddings } from "./fold-paddings.ts";
import { formDepthwise } from "./form-depthwise.ts";
import { formNormalisation } from "./form-normalisation.ts";
import { formPrelu } from "./form-prelu.ts";
import { fuseOperations } from "./fuse-operations.ts";
import { inEveryBody } from "./in-every-body.ts";
import { inlineFunctions } from "./inline-functions.ts";
import { listsForArrays } from "./lists-for-arrays.ts";
import { lowerListLoops } from "./lower-list-loops.ts";
import { mergeEqualConstants } from "./merge-equal-constants.ts";
import { mergeScales } from "./merge-scales.ts";
import { moveReshapes } from "./move-reshapes.ts";
import { narrowCasts } from "./narrow-casts.ts";
import { nestCases } from "./nest-cases.ts";
import { prune } from "./prune.ts";
import { raiseControlFlow } from "./raise-control-flow.ts";
import { replaceBroadcasts } from "./replace-broadcasts.ts";
import { replaceComplexExp } from "./replace-complex-exp.ts";
import { replaceErfc } from "./replace-erfc.ts";
import { replaceOps } from "./replace-ops.ts";
import { resolveIdentities } from "./resolve-identities.ts";
import { restoreDefaultAttrs } from "./restore-default-attrs.ts";
import { separateOutputs } from "./separate-outputs.ts";
import { shapeLookups } from "./shape-lookups.ts";
import { shareEqualNodes } from "./share-equal-nodes.ts";
import { simplify } from "./simplify.ts";
import { sinkReshapes } from "./sink-reshapes.ts";
import { sinkScales } from "./sink-scales.ts";
import { specialiseFunctions } from "./specialise-functions.ts";
import { splitGroups } from "./split-groups.ts";
import { straightenProducts } from "./straighten-products.ts";
import { threadState } from "./thread-state.ts";
import { unifyBatchNorms } from "./unify-batch-norms.ts";
import { unrollLoops } from "./unroll-loops.ts";
import { widenPorts } from "./widen-ports.ts";

/** What makes a signature's graph one of ops that TensorFlow.js can run. */
const lowering: readonly Pass[] = [
  widenPorts,
  prune,
  inlineFunctions,
  prune,
  inEveryBody(decideSwitches),
  prune,
  inEveryBody(listsForArrays),
  raiseControlFlow,
  nestCases,
  inEveryBody(unrollLoops),
  prune,
  threadState,
  specialiseFunctions,
  inEveryBody(bindVariables),
  replaceErfc,
  replaceComplexExp,
  unifyBatchNorms,
  inEveryBody(dropControlEdges),
  inEveryBody(resolveIdentities),
  inEveryBody(flattenTensorLists),
  inEveryBody(resolveIdentities),
  prune,
  inEveryBody(narrowCasts),
  inEveryBody(countSuppressed),
  inEveryBody(replaceOps),
  inEveryBody(restoreDefaultAttrs),
];

/** What only makes it smaller and faster. */
const optimising: readonly Pass[] = [
  inEveryBody(mergeEqualConstants),
  inEveryBody(shareEqualNodes),
  foldConstants,
  formDepthwise,
  straightenProducts,
  simplify,
  inEveryBody(resolveIdentities),
  prune,
  formNormalisation,
  sinkScales,
  moveReshapes,
  sinkReshapes,
  simplify, // the reshapes that now follow one another
  inEveryBody(resolveIdentities),
  prune,
  foldBatchNorms,
  foldPaddings,
  foldInputScales,
  foldBatchNorms, // the biases that come of the pass before
  mergeScales,
  formPrelu,
  fuseOperations,
];

/** What puts it into the form that is written. */
const finishing: readonly Pass[] = [
  splitGroups,
  replaceBroadcasts,
  denseLists,
  lowerListLoops,
  prune,
  shapeLookups,
  inEveryBody(mergeEqualConstants),
  inEveryBody(separateOutputs),
  inEveryBody(restoreDefaultAttrs),
  prune,
];

/** What makes a signature's graph one that TensorFlow.js can run, and run fast, in order. */
export const passes: readonly Pass[] = [...lowering, ...optimising, ...finishing];

/** The same without what only makes it faster: the graph as near to the source as it runs. */
export const sourceLikePasses: readonly Pass[] = [...lowering, ...finishing];

/** What a report calls a pass. */
export function passName(pass: Pass): string {
  const [name] = Object.entries(rules).find(([, each]) => each === pass) ?? [pass.name];
  return name;
}

/** The passes that `rule` makes, which have no names of their own. */
const rules = {
  foldBatchNorms,
  foldConstants,
  foldInputScales,
  foldPaddings,
  formDepthwise,
  formNormalisation,
  formPrelu,
  fuseOperations,
  mergeScales,
  moveReshapes,
  replaceBroadcasts,
  replaceComplexExp,
  replaceErfc,
  simplify,
  sinkReshapes,
  sinkScales,
  splitGroups,
  straightenProducts,
  unifyBatchNorms,
};
