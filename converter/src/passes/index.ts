import type { Pass } from "../graph/graph.ts";
import { bindVariables } from "./bind-variables.ts";
import { decideSwitches } from "./decide-switches.ts";
import { dropControlEdges } from "./drop-control-edges.ts";
import { flattenTensorLists } from "./flatten-tensor-lists.ts";
import { inEveryBody } from "./in-every-body.ts";
import { inlineFunctions } from "./inline-functions.ts";
import { lowerListLoops } from "./lower-list-loops.ts";
import { mergeEqualConstants } from "./merge-equal-constants.ts";
import { nestCases } from "./nest-cases.ts";
import { prune } from "./prune.ts";
import { resolveIdentities } from "./resolve-identities.ts";
import { restoreDefaultAttrs } from "./restore-default-attrs.ts";
import { separateOutputs } from "./separate-outputs.ts";
import { shapeLookups } from "./shape-lookups.ts";
import { specialiseFunctions } from "./specialise-functions.ts";
import { unrollLoops } from "./unroll-loops.ts";
import { widenPorts } from "./widen-ports.ts";

/** What makes a signature's graph one that TensorFlow.js can run, in order. */
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
  inEveryBody(dropControlEdges),
  inEveryBody(resolveIdentities),
  inEveryBody(flattenTensorLists),
  inEveryBody(resolveIdentities),
  lowerListLoops,
  prune,
  shapeLookups,
  inEveryBody(mergeEqualConstants),
  inEveryBody(separateOutputs),
  inEveryBody(restoreDefaultAttrs),
  prune,
];
