import { existsSync, readFileSync } from "node:fs";

/** Collects the copyright notices of what is bundled, which the bundles themselves have no room for. */
export function collectNotices() {
  const notices = new Map(); // by package, with its licence
  return {
    plugin: {
      name: "collect-notices",
      transform: {
        order: "pre",
        handler(code, id) {
          const folder = /^\/.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0];
          if (!folder) return;
          const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
          const title = `${name} ${version}, ${license}`;
          const file = ["LICENSE", "LICENCE"].map((file) => `${folder}/${file}`).find(existsSync);
          if (!notices.has(title)) notices.set(title, new Set(file ? [readFileSync(file, "utf8")] : []));
          for (const notice of noticesIn(code)) notices.get(title).add(notice);
        },
      },
    },
    /** All of them, as one text. */
    text() {
      const titles = [...notices.keys()].sort();
      const parts = titles.map((title) => [title, ...notices.get(title)].map((part) => part.trim()).join("\n\n"));
      return `The files of this folder contain parts of:\n\n${parts.join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
    },
  };
}

/** The comments with a copyright, each once, without what makes them comments. */
function noticesIn(code) {
  const comments = code.match(/\/\*\*?[\s\S]*?\*\/|(?:^[ \t]*\/\/.*\n)+/gm) ?? [];
  return comments.filter((comment) => comment.includes("Copyright")).map(strip);
}

function strip(comment) {
  const lines = comment
    .split("\n")
    .map((line) => line.replace(/^\s*(?:\/\*\*?|\*\/|\*|\/\/) ?/, "").replace(/\s*\*\/$/, ""));
  return lines.filter((line) => !/^@license|^=+$/.test(line)).join("\n");
}
