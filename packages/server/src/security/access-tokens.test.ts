import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { clientOf, parseAccessTokens } from "./access-tokens.ts";

const sha256 = createHash("sha256").update("secret").digest("hex");
const parse = (...tokens: unknown[]) => parseAccessTokens(JSON.stringify({ tokens }), "tokens.json");

describe("parseAccessTokens", () => {
  test("reads names, models and rights", () => {
    const tokens = parse(
      { name: "shop", sha256, models: ["digits"] },
      { name: "ops", sha256: "0".repeat(64), control: true },
    );
    expect([...tokens.values()]).toEqual([
      { name: "shop", models: new Set(["digits"]), mayControl: false },
      { name: "ops", models: null, mayControl: true },
    ]);
  });

  test.each([
    ["no list", "{}", "one at least"],
    ["an empty list", '{"tokens": []}', "one at least"],
    ["no JSON", "tokens", "expected JSON"],
    ["a token instead of its hash", '{"tokens": [{"name": "a", "sha256": "secret"}]}', "sha256sum"],
    ["a field that is misspelled", `{"tokens": [{"name": "a", "sha256": "${sha256}", "model": ["m"]}]}`, "got model"],
    ["models that are no list", `{"tokens": [{"name": "a", "sha256": "${sha256}", "models": "m"}]}`, "a list of names"],
  ])("refuses %s", (_what, text, message) => {
    const refused = expect.objectContaining({ code: "invalid-argument", message: expect.stringContaining(message) });
    expect(() => parseAccessTokens(text, "tokens.json")).toThrow(refused);
  });

  test("refuses a token that is there twice", () => {
    expect(() => parse({ name: "a", sha256 }, { name: "b", sha256: sha256.toUpperCase() })).toThrow("each token once");
  });
});

describe("clientOf", () => {
  const tokens = parse({ name: "shop", sha256 });

  test.each(["Bearer secret", "bearer  secret "])("knows %j", (header) => {
    expect(clientOf(tokens, header).name).toBe("shop");
  });

  test.each([undefined, "", "Bearer", "Bearer Secret", "Basic secret", `Bearer ${sha256}`])("refuses %j", (header) => {
    expect(() => clientOf(tokens, header)).toThrow(expect.objectContaining({ code: "unauthenticated" }));
  });
});
