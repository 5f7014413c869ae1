import { describe, expect, test } from "vitest";
import { generateLoad } from "./generate-load.ts";

describe("generateLoad", () => {
  test("has each client send once it has its answer, so never more at a time than there are clients", async () => {
    let [inFlight, most] = [0, 0];
    const send = async () => {
      inFlight++;
      most = Math.max(most, inFlight);
      await new Promise((resolve) => setImmediate(resolve));
      inFlight--;
      return undefined;
    };
    const { latenciesMs, errors, seconds } = await generateLoad(send, { clients: 3 }, 50);
    expect(most).toBe(3);
    expect(latenciesMs.length).toBeGreaterThan(3);
    expect(errors.size).toBe(0);
    expect(seconds).toBeGreaterThanOrEqual(0.05);
  });

  test("sends at a rate whether or not there are answers, and counts latencies from when requests were due", async () => {
    const answers: (() => void)[] = [];
    const send = () =>
      new Promise<undefined>((resolve) => {
        answers.push(() => resolve(undefined));
        if (answers.length === 10) for (const answer of answers) answer();
      });
    const { latenciesMs } = await generateLoad(send, { ratePerSecond: 1000 }, 9.5);
    expect(latenciesMs).toHaveLength(10);
    expect(latenciesMs[0]).toBeGreaterThan(latenciesMs[9] as number); // all were answered at once, the first due first
  });

  test("counts what goes wrong, by what it is, apart from the latencies", async () => {
    let sent = 0;
    const send = async () => (sent++ % 2 === 0 ? "HTTP 503" : undefined);
    const { latenciesMs, errors } = await generateLoad(send, { clients: 1 }, 5);
    expect(errors.get("HTTP 503")).toBe(Math.ceil(sent / 2));
    expect(latenciesMs).toHaveLength(Math.floor(sent / 2));
  });
});
