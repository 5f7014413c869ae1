import { util } from "@tensorflow/tfjs-core";
import { rolldown } from "rolldown";
import { expect, test } from "vitest";
import { hasSideEffects, leanTfjs } from "./lean-tfjs.mjs";

test("strings have the same hashes in a bundle, whatever their length", async () => {
  const input = new URL(import.meta.resolve("@tensorflow/tfjs-core/dist/hash_util.js")).pathname;
  const bundle = await rolldown({ input, plugins: [leanTfjs], treeshake: { moduleSideEffects: hasSideEffects } });
  const { output } = await bundle.generate({});
  const { fingerPrint64 } = await import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);
  for (let length = 0; length < 200; length++) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 151 + length * 7) & 255);
    const [got, want] = [fingerPrint64, util.fingerPrint64].map((hash) => hash(bytes).modulo(1_000_003));
    expect(got.getLowBitsUnsigned()).toBe(want.getLowBitsUnsigned());
  }
});
