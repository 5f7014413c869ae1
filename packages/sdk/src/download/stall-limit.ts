import { InferenceError } from "@nearside/core";

/** A request that brings nothing for so long counts as cut: not every cut is told. */
const stallMs = 30_000;

/** A signal for one request: the caller's, and one of its own that `extend` puts off. `end` it with the request. */
export function stallLimit(signal: AbortSignal | undefined, limitMs = stallMs) {
  const stall = new AbortController();
  const reason = `nothing came for ${limitMs / 1000} s; check the network`;
  const giveUp = () => stall.abort(new InferenceError("unavailable", reason));
  let timer = setTimeout(giveUp, limitMs);
  const end = () => clearTimeout(timer);
  return {
    signal: signal ? AbortSignal.any([signal, stall.signal]) : stall.signal,
    extend() {
      end();
      timer = setTimeout(giveUp, limitMs);
    },
    end,
  };
}
