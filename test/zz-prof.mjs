import { build, runnerImport } from "vite";
import { fileURLToPath } from "node:url";
const [name, seed, only] = process.argv.slice(2);
const { module } = await runnerImport(fileURLToPath(new URL("fuzz/subjects.ts", import.meta.url)), { configFile: false });
const [subject] = await module.readSubjects([name]);
import { writeFileSync } from "node:fs"; import v8 from "node:v8";
writeFileSync("/tmp/x/subject.bin", v8.serialize(subject));
writeFileSync("/tmp/x/entry.ts", `import { tryMutation } from "/work/main/test/fuzz/try-mutation.ts"; import v8 from "node:v8"; import { readFileSync } from "node:fs"; const s = v8.deserialize(readFileSync("/tmp/x/subject.bin")); for (let i=0;i<Number(process.env.N??1);i++) console.log(await tryMutation(s, ${seed}, ${only}));`);
await build({ configFile: false, logLevel: "warn", ssr: { target: "node" }, build: { ssr: true, target: "es2022", minify: false, outDir: "/work/main/test/results/zz", emptyOutDir: true, rollupOptions: { input: "/tmp/x/entry.ts", output: { entryFileNames: "child.mjs" } } } });
