/** How long a response asks to be left alone: its `Retry-After` header, in seconds or as a date; undefined without one. */
export function retryAfterMs({ headers }: Response, nowMs = Date.now()): number | undefined {
  const value = headers.get("retry-after")?.trim();
  if (!value) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}
