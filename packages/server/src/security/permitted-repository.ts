import { InferenceError } from "@nearside/core";
import type { Repository } from "../repository/repository.ts";
import type { Client } from "./access-tokens.ts";

/**
 * The repository as a client may see it: every API works on this, so none can forget to ask. Models that aren't the
 * client's are on no list, and to name one throws `permission-denied`, whether there is one of that name or not.
 */
export function permittedRepository(repository: Repository, client: Client): Repository {
  const { name, models, mayControl } = client;
  const isPermitted = (model: string) => models === null || models.has(model);
  const require = (model: string) => {
    if (!isPermitted(model)) throw denied(name, `may not use model "${model}"`);
  };
  const requireControl = () => {
    if (!mayControl) throw denied(name, "may not load, unload or replace models");
  };
  const notForClients = () => {
    throw denied(name, "may not do what is the server's own");
  };
  return {
    get isReady() {
      return repository.isReady;
    },
    get isDraining() {
      return repository.isDraining;
    },
    get models() {
      return repository.models.filter(isPermitted);
    },
    versions(model) {
      require(model);
      return repository.versions(model);
    },
    find(spec) {
      require(spec.name);
      return repository.find(spec);
    },
    async use(spec, work) {
      require(spec.name);
      return repository.use(spec, work);
    },
    async loadModel(model) {
      requireControl();
      require(model);
      await repository.loadModel(model);
    },
    async unloadModel(model) {
      requireControl();
      require(model);
      await repository.unloadModel(model);
    },
    async reload(configs) {
      requireControl();
      if (models !== null) throw denied(name, "may not replace all models, since not all are its own");
      await repository.reload(configs);
    },
    load: notForClients,
    poll: notForClients,
    close: notForClients,
    drain: notForClients,
  };
}

function denied(name: string | undefined, what: string): InferenceError {
  return new InferenceError("permission-denied", `the token of "${name}" ${what}`);
}
