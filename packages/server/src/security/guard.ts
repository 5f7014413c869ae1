import { InferenceError } from "@nearside/core";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import type { Repository } from "../repository/repository.ts";
import { type AccessTokens, type Client, clientOf } from "./access-tokens.ts";
import { permittedRepository } from "./permitted-repository.ts";

/** Who may call, and how often. */
export interface GuardOptions {
  /** The tokens that are accepted now; undefined where none is asked for. */
  readonly tokens: () => AccessTokens | undefined;
  /** The requests of a client in a second at most; undefined for any number. */
  readonly requestsPerSecond: number | undefined;
}

/** Lets clients in. */
export interface Guard {
  /**
   * The client that a request is from, by its `Authorization` and its address. Rejects with `unauthenticated`, or with
   * `unavailable` and a time to wait after too many requests.
   */
  admit(authorization: string | undefined, address: string): Promise<Client>;
  /** The repository as this client may see it. */
  repositoryFor(client: Client): Repository;
}

/** Whoever calls where no tokens are asked for. */
export const anyone: Client = { name: undefined, models: null, mayControl: true };

/** Who calls without having been let in: probes. */
export const nobody: Client = { name: undefined, models: new Set(), mayControl: false };

/** A guard of a repository. All that it keeps of clients is how many requests each has sent in this second. */
export function createGuard(repository: Repository, { tokens, requestsPerSecond }: GuardOptions): Guard {
  const limiter =
    requestsPerSecond === undefined ? undefined : new RateLimiterMemory({ points: requestsPerSecond, duration: 1 });
  const permitted = new WeakMap<Client, Repository>([[anyone, repository]]);
  return {
    async admit(authorization, address) {
      const known = tokens();
      const client = known ? clientOf(known, authorization) : anyone;
      await limiter?.consume(client.name ?? address).catch((refusal: unknown) => {
        throw refusal instanceof RateLimiterRes ? tooMany(requestsPerSecond, refusal) : refusal;
      });
      return client;
    },
    repositoryFor(client) {
      const view = permitted.get(client) ?? permittedRepository(repository, client);
      permitted.set(client, view);
      return view;
    },
  };
}

function tooMany(requestsPerSecond: number | undefined, { msBeforeNext }: RateLimiterRes): InferenceError {
  const message = `too many requests: ${requestsPerSecond} per second are allowed; try again later`;
  return new InferenceError("unavailable", message, { retryAfterMs: msBeforeNext });
}

/** Whether an error of `admit` is about too many requests, which HTTP and gRPC have codes for. */
export function isTooMany(error: unknown): error is InferenceError & { readonly retryAfterMs: number } {
  return error instanceof InferenceError && error.code === "unavailable" && error.retryAfterMs !== undefined;
}
