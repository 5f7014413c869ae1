import { expect, test } from "vitest";
import { fakeSession } from "../../testing/fake-repository.ts";
import { withRun } from "./with-run.ts";

test("withRun does what is to be done at the end when the session is closed, its runs being over", async () => {
  const ends: string[] = [];
  const inner = fakeSession({ inputs: {}, outputs: {} }, (inputs) => inputs);
  const slow = {
    ...inner,
    close: async () => {
      await new Promise(setImmediate); // the runs in flight
      ends.push("session");
    },
  };
  const session = withRun(
    slow,
    async (inputs) => inputs,
    () => void ends.push("what it held"),
  );
  await session.close();
  expect(ends).toEqual(["session", "what it held"]);
});
