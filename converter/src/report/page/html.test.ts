import { expect, test } from "vitest";
import { html } from "./html.ts";

test("html escapes text, keeps markup, and joins lists", () => {
  const rows = ["<b>", `"'&`].map((text) => html`<li title="${text}">${text}</li>`);
  expect(html`<ul>${rows}</ul>${7}`.html).toBe(
    '<ul><li title="&#60;b&#62;">&#60;b&#62;</li><li title="&#34;&#39;&#38;">&#34;&#39;&#38;</li></ul>7',
  );
});

test("html replaces characters that no page may have or that turn text around", () => {
  expect(html`${"a\u0000b\u202ec\ud800d"}`.html).toBe("a\ufffdb\ufffdc\ufffdd");
});
