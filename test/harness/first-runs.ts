import type { Tensors } from "nearside";
import { openTarget, type Target } from "./target.ts";

/** Names of the marks in the page's timeline around {@link firstRunCalls.openAndRunTen}. */
export const firstRunMarks = { begin: "open begins", end: "tenth result" } as const;

export const firstRunCalls = {
  /** Opens the digits model and runs it ten times; tells the milliseconds of the long tasks meanwhile, as the page sees them. */
  openAndRunTen: async (target: Target): Promise<readonly number[]> => {
    const tasks: number[] = [];
    const observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) tasks.push(duration);
    });
    await new Promise((resolve) => setTimeout(resolve)); // the task that this is in began before
    const { startTime } = performance.mark(firstRunMarks.begin);
    observer.observe({ type: "longtask", buffered: false });
    const session = await openTarget(target);
    const data = new Float32Array(28 * 28).fill(0.5);
    const inputs: Tensors = { image: { dtype: "float32", shape: [1, 28, 28, 1], data } };
    for (let run = 0; run < 10; run++) await session.run(inputs);
    performance.mark(firstRunMarks.end);
    await new Promise((resolve) => setTimeout(resolve)); // the task of the last result is over then
    for (const { duration, startTime: at } of observer.takeRecords()) if (at >= startTime) tasks.push(duration);
    observer.disconnect();
    await session.close();
    return tasks;
  },
};
