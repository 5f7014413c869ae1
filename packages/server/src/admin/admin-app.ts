import { createHash } from "node:crypto";
import { InferenceError } from "@nearside/core";
import type { FastifyInstance } from "fastify";
import { createHttpApp, type HttpAppOptions } from "../http-app.ts";
import { parseModelConfigs } from "../repository/model-config.ts";
import type { Repository } from "../repository/repository.ts";
import type { AccessTokens } from "../security/access-tokens.ts";
import { createGuard } from "../security/guard.ts";
import { readSecretFile } from "../security/secret-files.ts";

/** Where a server is administered. */
export interface AdminOptions {
  /** Its own port; 0 takes a free one. */
  readonly port: number;
  /** The address to listen on (default `127.0.0.1`, this machine alone). */
  readonly host?: string;
  /** The file with the token that is asked for, at least 16 characters. */
  readonly tokenFile: string;
}

/** The API of who runs the server: all that clients have, to load, unload and replace models, and to drain the server. */
export function createAdminApp(
  repository: Repository,
  tokenFile: string,
  options: Omit<HttpAppOptions, "guard" | "allowModelControl" | "corsOrigins" | "addRoutes">,
): FastifyInstance {
  const tokens = readToken(tokenFile);
  const guard = createGuard(repository, { tokens: () => tokens, requestsPerSecond: undefined });
  return createHttpApp(repository, {
    ...options,
    guard,
    allowModelControl: true,
    corsOrigins: [], // no page's business
    addRoutes: (routes) => {
      routes.post("/admin/drain", async () => {
        repository.drain();
        return { draining: true };
      });
      routes.post("/admin/reload", async ({ body }) => {
        const text = new TextDecoder().decode((body as Uint8Array | undefined) ?? new Uint8Array()); // as it is parsed
        await repository.reload(parseModelConfigs(text, "body"));
        return { models: repository.models };
      });
    },
  });
}

/** What a token has at least: shorter ones can be guessed. */
const minTokenLength = 16;

function readToken(path: string): AccessTokens {
  const token = readSecretFile(path).toString().trim();
  if (!/^\S+$/.test(token) || token.length < minTokenLength) {
    const expected = `expected a token of ${minTokenLength} characters or more, without spaces`;
    throw new InferenceError("invalid-argument", `${path}: ${expected}, got another text (openssl rand -hex 32)`);
  }
  const sha256 = createHash("sha256").update(token).digest("hex");
  return new Map([[sha256, { name: "admin", models: null, mayControl: true }]]);
}
