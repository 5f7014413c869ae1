import { type BackendGaps, browserBackends } from "../backend-gaps.ts";

/** Which backends run everything, and what the others lack: a line for each of those. */
export function formatGaps(gaps: BackendGaps): readonly string[] {
  const lacking = browserBackends.filter((backend) => gaps[backend].length > 0);
  const complete = browserBackends.filter((backend) => gaps[backend].length === 0);
  return [
    `backends   ${complete.join(", ") || "none"}`,
    ...lacking.map((backend) => `gaps       ${backend} lacks ${gaps[backend].join(", ")}`),
  ];
}
