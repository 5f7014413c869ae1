import { mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { watchSecretFiles } from "./secret-files.ts";

test("watchSecretFiles sees that a link leads to another file, as Kubernetes replaces secrets", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nearside-watch-"));
  const path = (name: string) => join(folder, name);
  for (const name of ["one", "other"]) await writeFile(path(name), name);
  await symlink("one", path("secret"));
  let changes = 0;
  const end = watchSecretFiles([path("secret")], () => changes++, 10);
  for (let turn = 0; changes === 0; turn++) {
    await symlink(turn % 2 === 0 ? "other" : "one", path("next"));
    await rename(path("next"), path("secret"));
  }
  end();
  await rm(folder, { recursive: true });
  expect(changes).toBeGreaterThan(0);
});
