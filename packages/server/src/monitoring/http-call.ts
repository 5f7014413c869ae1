/** What the paths of each API ask for. The names are those of the gRPC methods that do the same. */
const calls: readonly { readonly path: RegExp; readonly api: (verb: string) => string }[] = [
  {
    path: /^\/v1\/models\/(?<model>[^/:]+)(?:\/(?:versions|labels)\/[^/:]+)?:(?<verb>predict|classify|regress)$/i,
    api: (verb) => `${verb.charAt(0).toUpperCase()}${verb.slice(1).toLowerCase()}`,
  },
  {
    path: /^\/v1\/models\/(?<model>[^/:]+)(?:\/(?:versions|labels)\/[^/:]+)?(?:\/(?<verb>metadata))?$/i,
    api: (verb) => (verb === "" ? "GetModelStatus" : "GetModelMetadata"),
  },
  {
    path: /^\/v2\/models\/(?<model>[^/]+)(?:\/versions\/[^/]+)?(?:\/(?<verb>infer|ready|stats))?$/i,
    api: (verb) =>
      ({ infer: "ModelInfer", ready: "ModelReady", stats: "ModelStatistics" })[verb.toLowerCase()] ?? "ModelMetadata",
  },
  {
    path: /^\/v2\/repository\/models\/(?<model>[^/]+)\/(?<verb>load|unload)$/i,
    api: (verb) => (verb.toLowerCase() === "load" ? "RepositoryModelLoad" : "RepositoryModelUnload"),
  },
  { path: /^\/models\/(?<model>[^/]+)\/.+$/i, api: () => "ModelFile" },
];

/** The call and the model that a path asks for; null for what it doesn't. This decides nothing: the APIs read it themselves. */
export function httpCall(path: string): { readonly api: string | null; readonly model: string | null } {
  for (const call of calls) {
    const groups = call.path.exec(path)?.groups;
    if (groups) return { api: call.api(groups.verb ?? ""), model: decode(groups.model ?? "") };
  }
  return { api: null, model: null };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // the API answers that it is malformed
  }
}
