import type { Tensor } from "@nearside/core";
import type { Kernels, PlainKernel } from "./kernel.ts";
import { float32Tensor, int32Tensor, invalid, numberOf, numbersOf } from "./plain-tensors.ts";

/** The third has a threshold for scores, too. */
const suppression: PlainKernel = { compute: (inputs) => placesOf(suppressBoxes(inputs)) };

/**
 * Ops on boxes, [y1, x1, y2, x2] by any two opposite corners. TensorFlow.js drops boxes, too, that overlap a better one by
 * exactly the threshold; where that is 0 it keeps one box.
 */
export const boxKernels: Kernels = {
  /** The places of the best boxes [n, 4] by their scores [n], without those that overlap a better one by too much. */
  NonMaxSuppressionV2: suppression,
  NonMaxSuppressionV3: suppression,
  /** And how many they are: with `pad_to_max_output_size`, zeros follow. */
  NonMaxSuppressionV4: {
    compute(inputs, attrs) {
      const kept = suppressBoxes(inputs);
      const size = attrs.bool("pad_to_max_output_size", false) ? numberOf(inputs[2]) : kept.length;
      return [placesOf(kept, size), int32Tensor([], [kept.length])];
    },
  },
  /** And their scores, which Soft-NMS lowers if it has a sigma. */
  NonMaxSuppressionV5: {
    compute(inputs, attrs) {
      const kept = suppressBoxes(inputs);
      const size = attrs.bool("pad_to_max_output_size", false) ? numberOf(inputs[2]) : kept.length;
      const scores = padded(
        kept.map(({ score }) => score),
        size,
      );
      return [placesOf(kept, size), float32Tensor([size], scores), int32Tensor([], [kept.length])];
    },
  },
  /**
   * For each image the best boxes of all classes, without those that overlap a better one of their class by more than
   * the IoU threshold. Takes boxes [b, n, q, 4] (q: 1, or one for each class), scores [b, n, c], the most per class and
   * in all, thresholds; gives boxes [b, m, 4], scores [b, m], classes [b, m], padded with zeros, and how many [b].
   */
  CombinedNonMaxSuppression: {
    compute([boxes, scores, perClass, total, iouThreshold, scoreThreshold], attrs) {
      const [batch = 0, count = 0, groups = 1] = boxes?.shape ?? [];
      const classes = scores?.shape[2] ?? 0;
      const [mostPerClass, most] = [numberOf(perClass), numberOf(total)];
      const [iou, least] = [numberOf(iouThreshold), numberOf(scoreThreshold)];
      const limits = { most: mostPerClass, iouThreshold: iou, scoreThreshold: least, sigma: 0 };
      const size = attrs.bool("pad_per_class", false) ? Math.min(most, mostPerClass * classes) : most;
      const [allBoxes, allScores] = [numbersOf(boxes), numbersOf(scores)];
      const clip = (value: number) => (attrs.bool("clip_boxes", true) ? Math.min(1, Math.max(0, value)) : value);
      const results = Array.from({ length: batch }, (_, image) => {
        const found: Detection[] = [];
        for (let classId = 0; classId < classes; classId++) {
          const candidates = Array.from({ length: count }, (_, index): Detection => {
            const at = ((image * count + index) * groups + (groups === 1 ? 0 : classId)) * 4;
            const score = allScores[(image * count + index) * classes + classId] ?? 0;
            const box = allBoxes.slice(at, at + 4);
            return { box, edges: edgesOf(box), score, index, classId };
          });
          found.push(...suppress(candidates, limits));
        }
        return found.sort((a, b) => b.score - a.score).slice(0, size); // it is stable: equal scores stay in order
      });
      return [
        float32Tensor(
          [batch, size, 4],
          results.flatMap((found) =>
            padded(
              found.flatMap(({ box }) => box.map(clip)),
              size * 4,
            ),
          ),
        ),
        float32Tensor(
          [batch, size],
          results.flatMap((found) =>
            padded(
              found.map(({ score }) => score),
              size,
            ),
          ),
        ),
        float32Tensor(
          [batch, size],
          results.flatMap((found) =>
            padded(
              found.map(({ classId }) => classId),
              size,
            ),
          ),
        ),
        int32Tensor(
          [batch],
          results.map((found) => found.length),
        ),
      ];
    },
  },
};

interface Candidate {
  readonly edges: Edges;
  readonly score: number;
  /** Of equal scores, the one of the lesser index is the better. */
  readonly index: number;
}

interface Detection extends Candidate {
  readonly box: readonly number[];
  readonly classId: number;
}

interface Limits {
  /** How many boxes at most. */
  readonly most: number;
  /** By how much of their union two boxes may overlap. */
  readonly iouThreshold: number;
  /** What a score must exceed. */
  readonly scoreThreshold: number;
  /** Of Soft-NMS; 0 for none. */
  readonly sigma: number;
}

/** Of the inputs of NonMaxSuppression: boxes, scores, the most, and what there is of both thresholds and sigma. */
function suppressBoxes([boxes, scores, most, iou, least, sigma]: readonly Tensor[]): readonly Candidate[] {
  if (boxes?.shape[1] !== 4 || String(scores?.shape) !== String(boxes.shape.slice(0, 1)) || !(numberOf(most) >= 0)) {
    const got = `[${boxes?.shape}], [${scores?.shape}] and ${numberOf(most)}`;
    throw invalid("NonMaxSuppression", `expected boxes [n,4], a score for each and a number from 0, got ${got}`);
  }
  const corners = numbersOf(boxes);
  const candidates = numbersOf(scores).map((score, index) => ({
    edges: edgesOf(corners.slice(4 * index, 4 * index + 4)),
    score,
    index,
  }));
  return suppress(candidates, {
    most: numberOf(most),
    iouThreshold: numberOf(iou),
    scoreThreshold: least === undefined ? Number.NEGATIVE_INFINITY : numberOf(least),
    sigma: sigma === undefined ? 0 : numberOf(sigma),
  });
}

function placesOf(kept: readonly Candidate[], size = kept.length): Tensor {
  const places = kept.map(({ index }) => index);
  return int32Tensor([size], padded(places, size));
}

function padded(values: readonly number[], length: number): readonly number[] {
  return [...values, ...new Array<number>(length - values.length).fill(0)];
}

/**
 * The best candidates, of which none overlaps a better one by more than the threshold. With a sigma, a better one lowers
 * the score instead, by exp(−iou²/2σ) (Soft-NMS, Bodla et al. 2017).
 */
function suppress<T extends Candidate>(candidates: readonly T[], limits: Limits): readonly T[] {
  const { most, iouThreshold, scoreThreshold, sigma } = limits;
  const waiting = candidates
    .filter(({ score }) => score > scoreThreshold)
    .map((candidate) => ({ candidate, compared: 0 }))
    .sort((a, b) => order(b.candidate, a.candidate));
  const kept: T[] = [];
  while (kept.length < most) {
    const next = waiting.pop();
    if (next === undefined) break;
    const { candidate, compared } = next;
    const overlap = ({ edges }: Candidate) => intersectionOverUnion(edges, candidate.edges);
    if (sigma === 0) {
      if (kept.every((better) => overlap(better) <= iouThreshold)) kept.push(candidate);
      continue;
    }
    const weights = kept.slice(compared).map((better) => Math.exp(-(overlap(better) ** 2) / (2 * sigma)));
    const score = Math.fround(weights.reduce((product, weight) => product * weight, candidate.score));
    if (score === candidate.score) kept.push(candidate);
    else if (score > scoreThreshold) {
      const lowered = { candidate: { ...candidate, score }, compared: kept.length };
      const behind = waiting.findLastIndex((other) => order(lowered.candidate, other.candidate) < 0);
      waiting.splice(behind + 1, 0, lowered);
    }
  }
  return kept;
}

/** Negative if `a` is the better. */
function order(a: Candidate, b: Candidate): number {
  return b.score - a.score || a.index - b.index;
}

/** In float32, as the threshold is. */
function intersectionOverUnion(a: Edges, b: Edges): number {
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  if (a.area === 0 || b.area === 0 || height <= 0 || width <= 0) return 0;
  const common = height * width;
  return Math.fround(common / (a.area + b.area - common));
}

type Edges = ReturnType<typeof edgesOf>;

function edgesOf([y1 = 0, x1 = 0, y2 = 0, x2 = 0]: readonly number[]) {
  const [top, left, bottom, right] = [Math.min(y1, y2), Math.min(x1, x2), Math.max(y1, y2), Math.max(x1, x2)];
  return { top, left, bottom, right, area: (bottom - top) * (right - left) };
}
