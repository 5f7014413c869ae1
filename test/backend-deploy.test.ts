import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parseFlags } from "../packages/server/src/flags.ts";

const read = (name: string) =>
  readFile(fileURLToPath(new URL(`../packages/server/deploy/${name}`, import.meta.url)), "utf8");

describe("the arguments of", () => {
  test.each(["kserve-runtime.yaml", "entrypoint.sh"])(
    "%s are flags that the server takes, without a notice",
    async (name) => {
      const args = [...(await read(name)).matchAll(/(?<=\s)--[a-z_]+=\S+/g)].map(([argument]) => argument);
      expect(args).toEqual(expect.arrayContaining([expect.stringMatching(/^--model_name=/)]));
      expect(parseFlags(args)).toMatchObject({ run: "serve", notices: [] });
    },
  );

  test("a container go after the image's own, and count in their place", async () => {
    expect((await read("entrypoint.sh")).trimEnd()).toMatch(/"\$@"$/);
    const command = parseFlags(["--model_name=model", "--model_base_path=/models/model", "--model_name=half"]);
    expect(command).toMatchObject({ options: { models: [{ name: "half" }] } });
  });
});

test("the image's KServe runtime has the arguments of KServe's runtime for TensorFlow Serving", async () => {
  const yaml = await read("kserve-runtime.yaml");
  for (const argument of [
    "--model_name={{.Name}}",
    "--port=9000",
    "--rest_api_port=8080",
    "--model_base_path=/mnt/models",
    "--rest_api_timeout_in_ms=60000",
  ]) {
    expect(yaml).toContain(`- ${argument}\n`);
  }
});
