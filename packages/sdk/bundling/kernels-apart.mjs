import { fileURLToPath } from "node:url";

const workerFiles = fileURLToPath(new URL("../src/worker-files.ts", import.meta.url));

/**
 * Leaves the kernels that many models do without to a file of their own (`workers/kernels.ts`), which each worker finds
 * by its URL. Both have a copy of TensorFlow.js's core; its engine, kernels and flags are this thread's, whoever made
 * them.
 */
export const kernelsApart = {
  name: "kernels-apart",
  load: (id) => (/runtime\/dist\/load-kernels\.js$/.test(id) ? text : undefined),
};

// Vite's development server loads its client into a worker for an import of anything but a plain name in a template.
const text = `
  import { fileOf } from ${JSON.stringify(workerFiles)};
  const load = (url) => import(\`\${url}\`);
  export const loadKernels = async () => (await load(fileOf(import.meta.url, "kernels"))).kernels;
`;
