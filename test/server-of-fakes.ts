import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkInputs, type Session, type Signature, type Tensors } from "@nearside/core";
import { createServer, type InferenceServer, type ServerOptions } from "@nearside/server";
import { writeDoublingModel } from "../packages/server/testing/doubling-model.ts";
import { fakeSession } from "../packages/server/testing/fake-repository.ts";

/** A session that answers with what it is given, its inputs checked as every session does. */
export function echoSession(inputs: Signature["inputs"]): Session {
  const signature = { inputs, outputs: inputs };
  return fakeSession(signature, (given: Tensors) => {
    checkInputs(signature, given);
    return given;
  });
}

/** A listening server with these sessions as models of their names, and its folder removed when it is closed. */
export async function serverOfFakes(
  sessions: Readonly<Record<string, Session>>,
  options: Partial<ServerOptions> = {},
): Promise<InferenceServer & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "nearside-fakes-"));
  for (const name of Object.keys(sessions)) await writeDoublingModel(join(folder, name, "1"));
  const server = createServer({
    models: Object.keys(sessions).map((name) => ({ name, basePath: join(folder, name) })),
    ...{ host: "127.0.0.1", restPort: 0, grpcPort: 0, cacheDir: join(folder, "cache"), maxLoadRetries: 0 },
    openModel: async (model) => ({ ...(sessions[model] as Session) }), // of these names
    ...options,
  });
  await server.listen();
  const close = async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  };
  return {
    folder,
    repository: server.repository,
    url: server.url,
    adminUrl: server.adminUrl,
    grpcAddress: server.grpcAddress,
    listen: () => server.listen(),
    drain: () => server.drain(),
    close,
    [Symbol.asyncDispose]: close,
  };
}
