import { setTimeout } from "node:timers/promises";
import { InferenceError } from "@nearside/core";
import { services } from "../protobuf/protos.ts";
import type { Repository } from "../repository/repository.ts";
import type { Handlers } from "./service.ts";

const [unknown, serving, notServing] = [3, 1, 2] as const;

/** How often a watched state is looked at. */
const watchMs = 1000;

/**
 * gRPC's health checks: all services serve once every model does. They go by their full names and by the short ones that
 * TensorFlow Serving gives them.
 */
export function healthService(repository: Repository, closing: AbortSignal): Handlers<"grpc.health.v1.Health"> {
  const fullNames = Object.keys(services);
  const names = new Set(["", ...fullNames, ...fullNames.map((name) => name.split(".").at(-1) ?? name)]);
  const statusOf = (service: string) => {
    if (!names.has(service)) return unknown;
    return repository.isReady && !closing.aborted ? serving : notServing;
  };
  return {
    async Check({ service }) {
      const status = statusOf(service);
      if (status === unknown) throw new InferenceError("not-found", `unknown service ${service}`);
      return { status };
    },
    async *Watch({ service }, signal) {
      let told: number | undefined;
      const over = AbortSignal.any([signal, closing]);
      while (!over.aborted) {
        const status = statusOf(service);
        if (status !== told) yield { status };
        told = status;
        await setTimeout(watchMs, undefined, { signal: over, ref: false }).catch(() => {}); // over ends the loop
      }
      if (closing.aborted) yield { status: statusOf(service) };
    },
  };
}
