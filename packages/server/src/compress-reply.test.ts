import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { compressReply } from "./compress-reply.ts";

const json = { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify("x".repeat(2000)) };

describe("compressReply", () => {
  test.each(["gzip", "br, gzip;q=0.5", "GZIP"])("compresses JSON for a client that accepts %s", async (accepted) => {
    const { headers, body } = await compressReply({ "accept-encoding": accepted }, json);
    expect(headers).toMatchObject({ "content-encoding": "gzip", vary: "accept-encoding" });
    expect(gunzipSync(body).toString()).toBe(json.body);
  });

  test.each([undefined, "br", "gzip;q=0", "gzip; q=0.0, br", "notgzip2"])(
    "leaves it for one that accepts %s",
    async (accepted) => {
      const { headers, body } = await compressReply({ "accept-encoding": accepted }, json);
      expect([headers, body]).toEqual([{ ...json.headers, vary: "accept-encoding" }, json.body]);
    },
  );

  test("leaves short JSON and tensors as bytes", async () => {
    const bytes = { ...json, headers: { "content-type": "application/octet-stream" } };
    for (const reply of [{ ...json, body: "{}" }, bytes]) {
      expect(await compressReply({ "accept-encoding": "gzip" }, reply)).toBe(reply);
    }
  });
});
