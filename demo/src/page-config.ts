import type { LocalBackend } from "nearside";
import type { PageConfig } from "./digits-model.ts";

const backends: readonly LocalBackend[] = ["webgpu", "wasm", "cpu"];

/**
 * Reads what this page was given: `config.json` tells where the server is (a page on a static host has none), and
 * `?backend=webgpu,wasm,cpu` which backends to try, in order; `?backend=none` goes straight to the server.
 */
export async function readPageConfig({ href }: { readonly href: string } = location): Promise<PageConfig> {
  const response = await fetch(new URL("config.json", href));
  const { server } = response.ok ? ((await response.json()) as { server?: string }) : {}; // our own start.mjs wrote it
  return { server, backend: parseBackends(new URL(href).searchParams.get("backend")) };
}

function parseBackends(text: string | null): readonly LocalBackend[] | undefined {
  if (text === null) return undefined;
  if (text === "none") return [];
  return text.split(",").map((name) => {
    const backend = backends.find((known) => known === name);
    if (backend) return backend;
    throw new Error(`?backend=${text}: expected a list of ${backends.join(", ")}, or none; got "${name}"`);
  });
}
