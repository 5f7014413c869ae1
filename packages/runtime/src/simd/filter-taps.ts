/** How a filter lies over an image, along one of its axes. */
export interface Axis {
  readonly inSize: number;
  readonly outSize: number;
  readonly filterSize: number;
  readonly stride: number;
  readonly dilation: number;
  /** Zeros before the image. */
  readonly padding: number;
}

/** The taps of the filter that lie within the image for the output at `index`: from `first` to before `end`. */
export function tapsWithin({ inSize, filterSize, stride, dilation, padding }: Axis, index: number) {
  const start = index * stride - padding;
  const first = Math.min(filterSize, Math.max(0, Math.ceil(-start / dilation)));
  const end = Math.max(first, Math.min(filterSize, Math.ceil((inSize - start) / dilation)));
  return { first, end, start: start + first * dilation };
}

/** The outputs all of whose taps lie within the image: from `first` to before `end`. */
export function wholeOutputs({ inSize, outSize, filterSize, stride, dilation, padding }: Axis) {
  const first = Math.min(outSize, Math.ceil(padding / stride));
  const last = Math.floor((inSize + padding - (filterSize - 1) * dilation - 1) / stride);
  return { first, end: Math.max(first, Math.min(outSize, last + 1)) };
}
