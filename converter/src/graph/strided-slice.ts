import { integerAttr } from "./attr-values.ts";
import type { Node, Shape } from "./graph.ts";
import type { KnownValues } from "./known-values.ts";

/** Every `step`th place from `first` on, `count` of them. */
export interface Places {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** What a StridedSlice takes of one axis: some places of it (`null`: unknown ones), one that goes, or a new axis. */
export type SliceOfAxis =
  | { readonly kind: "range"; readonly places: Places | null }
  | { readonly kind: "dropped"; readonly place: number | null }
  | { readonly kind: "new" };

/** What a StridedSlice takes of each axis of `shape`. `undefined` where that isn't known. */
export function slicePlaces(
  node: Node,
  shape: Shape,
  begin: KnownValues,
  end: KnownValues,
  strides: KnownValues,
): readonly SliceOfAxis[] | undefined {
  const isSet = (mask: string, index: number) => ((integerAttr(node, mask) >> index) & 1) === 1;
  if (shape === null || strides === undefined) return undefined;
  const slices: SliceOfAxis[] = [];
  let axis = 0;
  for (const [index, stride] of strides.entries()) {
    if (isSet("ellipsis_mask", index)) {
      const news = strides.filter((_, later) => later > index && isSet("new_axis_mask", later)).length;
      const last = shape.length - (strides.length - index - 1 - news);
      for (; axis < last; axis++) slices.push({ kind: "range", places: allPlaces(shape[axis] ?? null) });
      continue;
    }
    if (isSet("new_axis_mask", index)) {
      slices.push({ kind: "new" });
      continue;
    }
    if (axis >= shape.length) return undefined;
    const size = shape[axis] ?? null;
    axis += 1;
    const first = isSet("begin_mask", index) ? undefined : (begin?.[index] ?? null);
    const stop = isSet("end_mask", index) ? undefined : (end?.[index] ?? null);
    if (isSet("shrink_axis_mask", index)) {
      slices.push({ kind: "dropped", place: placeOf(size, first) });
      continue;
    }
    slices.push({ kind: "range", places: places(size, first, stop, stride) });
  }
  for (; axis < shape.length; axis++) slices.push({ kind: "range", places: allPlaces(shape[axis] ?? null) });
  return slices;
}

function placeOf(size: number | null, first: number | null | undefined): number | null {
  if (first === undefined) return 0;
  if (first === null || first >= 0) return first;
  return size === null ? null : first + size;
}

function allPlaces(size: number | null): Places | null {
  return size === null ? null : { first: 0, step: 1, count: size };
}

/** `first` and `stop` are undefined where the slice goes to that end of the axis, null where they are unknown. */
function places(
  size: number | null,
  first: number | null | undefined,
  stop: number | null | undefined,
  stride: number | null,
): Places | null {
  if (size === null || first === null || stop === null || stride === null || stride === 0) return null;
  const isForward = stride > 0;
  const [low, high] = isForward ? [0, size] : [-1, size - 1];
  const clamp = (at: number) => Math.min(high, Math.max(low, at < 0 ? at + size : at));
  const start = first === undefined ? (isForward ? 0 : size - 1) : clamp(first);
  const finish = stop === undefined ? (isForward ? size : -1) : clamp(stop);
  return { first: start, step: stride, count: Math.max(0, Math.ceil((finish - start) / stride)) };
}
