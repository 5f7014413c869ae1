import { InferenceError } from "@nearside/core";
import type { KernelAttrs } from "./kernel-attrs.ts";

type Padding = "same" | "valid";

/** The window of a pooling over images [b, h, w, c]: height and width. Throws `unsupported` for [b, c, h, w]. */
export function window2d(attrs: KernelAttrs) {
  checkChannelsLast(attrs);
  type Pair = [number, number];
  const pair = (name: string) => [1, 2].map((axis) => attrs.numbers(name)[axis] ?? 1) as Pair;
  return { size: pair("ksize"), strides: pair("strides"), pad: paddingOf(attrs) };
}

/** The window of a pooling over volumes [b, d, h, w, c]: depth, height and width. Throws `unsupported` for [b, c, d, h, w]. */
export function window3d(attrs: KernelAttrs) {
  checkChannelsLast(attrs);
  type Triple = [number, number, number];
  const triple = (name: string) => [1, 2, 3].map((axis) => attrs.numbers(name)[axis] ?? 1) as Triple;
  return { size: triple("ksize"), strides: triple("strides"), pad: paddingOf(attrs) };
}

/** Throws `unsupported` for images or volumes with channels first, which kernels would take for height. */
export function checkChannelsLast(attrs: KernelAttrs): void {
  const format = attrs.text("data_format", "");
  if (!format.startsWith("NC")) return;
  const message = `expected channels last, got ${format}; export the model with channels last`;
  throw new InferenceError("unsupported", `op ${attrs.op}: ${message}`);
}

function paddingOf(attrs: KernelAttrs): Padding {
  return attrs.text("padding", "VALID").toLowerCase() as Padding; // TensorFlow knows these two here
}
