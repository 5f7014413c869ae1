import type { Kernels } from "./kernel.ts";
import { float32Tensor, int32Tensor, numberOf, numbersOf } from "./plain-tensors.ts";

/** Ops on boxes, [y1, x1, y2, x2] by any two opposite corners. */
export const boxKernels: Kernels = {
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
      const size = attrs.bool("pad_per_class", false) ? Math.min(most, mostPerClass * classes) : most;
      const [allBoxes, allScores] = [numbersOf(boxes), numbersOf(scores)];
      const clip = (value: number) => (attrs.bool("clip_boxes", true) ? Math.min(1, Math.max(0, value)) : value);
      const results = Array.from({ length: batch }, (_, image) => {
        const found: Detection[] = [];
        for (let classId = 0; classId < classes; classId++) {
          const candidates = Array.from({ length: count }, (_, index): Detection => {
            const at = ((image * count + index) * groups + (groups === 1 ? 0 : classId)) * 4;
            const score = allScores[(image * count + index) * classes + classId] ?? 0;
            return { box: allBoxes.slice(at, at + 4), score, classId };
          }).filter(({ score }) => score > numberOf(scoreThreshold));
          found.push(...suppress(candidates, mostPerClass, numberOf(iouThreshold)));
        }
        return found.sort(byScore).slice(0, size);
      });
      const padded = (values: readonly number[], length: number) => [
        ...values,
        ...new Array<number>(length - values.length).fill(0),
      ];
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

interface Detection {
  readonly box: readonly number[];
  readonly score: number;
  readonly classId: number;
}

const byScore = (a: Detection, b: Detection) => b.score - a.score; // sort is stable: equal scores stay in order

/** The best candidates, of which none overlaps a better one by more than the threshold. */
function suppress(candidates: readonly Detection[], most: number, iouThreshold: number): readonly Detection[] {
  const kept: Detection[] = [];
  for (const candidate of [...candidates].sort(byScore)) {
    if (kept.length >= most) break;
    if (kept.every(({ box }) => intersectionOverUnion(box, candidate.box) <= iouThreshold)) kept.push(candidate);
  }
  return kept;
}

function intersectionOverUnion(a: readonly number[], b: readonly number[]): number {
  const [first, second] = [edges(a), edges(b)];
  const height = Math.min(first.bottom, second.bottom) - Math.max(first.top, second.top);
  const width = Math.min(first.right, second.right) - Math.max(first.left, second.left);
  const [areaA, areaB] = [first, second].map(({ top, bottom, left, right }) => (bottom - top) * (right - left));
  if (!areaA || !areaB || height <= 0 || width <= 0) return 0;
  const common = height * width;
  return common / (areaA + areaB - common);
}

function edges([y1 = 0, x1 = 0, y2 = 0, x2 = 0]: readonly number[]) {
  return { top: Math.min(y1, y2), bottom: Math.max(y1, y2), left: Math.min(x1, x2), right: Math.max(x1, x2) };
}
