/** The trace that a request belongs to, by W3C's header `traceparent`; nothing where there is none, or a broken one. */
export function traceOf(traceparent: string | undefined): { readonly traceId?: string; readonly parentId?: string } {
  const groups = /^[\da-f]{2}-(?<traceId>[\da-f]{32})-(?<parentId>[\da-f]{16})-[\da-f]{2}/.exec(
    traceparent ?? "",
  )?.groups;
  return groups?.traceId && groups.parentId ? { traceId: groups.traceId, parentId: groups.parentId } : {};
}
