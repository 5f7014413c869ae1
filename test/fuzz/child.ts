import type { Subject } from "./subjects.ts";
import { tryMutation } from "./try-mutation.ts";

// A process of its own for mutations of a model: whatever one of them does to it, the parent knows which one it was.
let subject: Subject | undefined;
process.on("message", async (message: Subject | { readonly run: number; readonly index: number }) => {
  if ("kind" in message) {
    subject = message;
    return;
  }
  if (subject === undefined) throw new Error("expected the model first");
  const outcome = await tryMutation(subject, message.run, message.index);
  if (process.memoryUsage.rss() > 200e6) globalThis.gc?.(); // so that memory is what one mutation takes
  process.send?.({ ...outcome, peakBytes: process.resourceUsage().maxRSS * 1024 });
});
