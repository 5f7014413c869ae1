import { fileURLToPath } from "node:url";

/** Kernels that only training needs; no graph model that the converter writes has their ops. */
const trainingKernels =
  /^.*\b(?:\w+Grad|\w+BackpropFilter(?:V2)?|(?:dilation2D|depthwiseConv2dNative)BackpropInput|conv3DBackpropInputV2)Config\b.*\n/gm;

const unusedOps =
  /^ {4}(?:flipLeftRight|grayscaleToRGB|gramSchmidt|nonMaxSuppression\w*|qr|resize\w+|rgbToGrayscale|rotateWithOffset|sparseFillEmptyRows|sparseReshape|staticRegexReplace|stringSplit|threshold),?\n/gm;

/** Kernels that ours come before, or that are of no op of a graph, and that none of ours calls. */
const replacedKernels =
  "nonMaxSuppressionV\\d|bitwiseAnd|depthToSpace|diag|draw|flipLeftRight|logicalXor|ragged\\w+|range|rotateWithOffset|sparseFillEmptyRows|sparseReshape|staticRegexReplace|step|stringSplit|unique|unsortedSegmentSum";

/** Methods of a class, by their names. */
const methods = (...names) =>
  new RegExp(`^ {4}(?:async )?(?:${names.join("|")})\\(.*\\) \\{\\n(?: {5,}.*\\n|\\n)* {4}\\}\\n`, "gm");

/** By the end of a file's path, what is taken out of it. */
const cuts = [
  // Streams are their page's; a worker that began one would hear that there is no `streamRuns`.
  [/core\/dist\/stream\.js$/, /^.*import\("\.\/stream-runs\.js"\).*\n/m],
  [/tfjs-core\/dist\/index\.js$/, /registerOptimizers\(\);/],
  // Gradients and variables.
  [/tfjs-core\/dist\/engine\.js$/, methods("gradients", "customGrad", "startTape", "endTape", "addTapeNode", "clone")],
  [/tfjs-core\/dist\/engine\.js$/, methods("saveTensorsForBackwardMode", "getTensorsForGradient", "makeVariable")],
  [/tfjs-core\/dist\/engine\.js$/, methods("disposeVariables", "reset")],
  // Measuring and checking, which flags turn on that nobody sets.
  [/tfjs-core\/dist\/engine\.js$/, methods("profile", "time", "checkKernelForMemLeak")],
  [/tfjs-core\/dist\/engine\.js$/, /^.*new Profiler\(.*\n/m],
  [/tfjs-core\/dist\/environment\.js$/, /^.*(?:this\.getQueryParams = |this\.populateURLFlags\(\)).*\n/gm],
  [/tfjs-core\/dist\/environment\.js$/, methods("populateURLFlags")],
  [/tfjs-backend-web(?:gl|gpu)\/dist\/backend_\w+\.js$/, methods("time", "startTimer", "endTimer", "getQueryTime")],
  [/tfjs-backend-webgl\/dist\/gpgpu_context\.js$/, methods("beginQuery", "endQuery", "waitForQueryAndGetTime")],
  // Tensors as text, and as the page's own buffers and textures.
  [/tfjs-core\/dist\/tensor\.js$/, methods("toString", "print", "dataToGPU", "variable")],
  [/tfjs-core\/dist\/engine\.js$/, methods("readToGPU")],
  [/tfjs-backend-web(?:gl|gpu)\/dist\/backend_\w+\.js$/, methods("readToGPU", "createTensorFromGPUData", "copyBuffer")],
  // What Node needs.
  [/tfjs-core\/dist\/base_side_effects\.js$/, /^import '.\/platforms\/platform_node';\n/m],
  // Ops that ours come before, in the objects that hold others.
  [/tfjs-core\/dist\/ops\/ops\.js$/, unusedOps],
  // Models saved by TensorFlow.js in the browser's storage.
  [/tfjs-core\/dist\/platforms\/platform_browser\.js$/, /ModelStoreManagerRegistry\.registerManager\([^;]*;/g],
  [/tfjs-backend-\w+\/dist\/register_all_kernels\.js$/, trainingKernels],
  [/tfjs-backend-\w+\/dist\/register_all_kernels\.js$/, new RegExp(`^.*\\b(?:${replacedKernels})Config\\b.*\\n`, "gm")],
  [/tfjs-backend-cpu\/dist\/shared\.js$/, new RegExp(`^export \\{ (?:${replacedKernels})Impl \\}.*\\n`, "gm")],
  [
    /tfjs-backend-wasm\/dist\/kernel_utils\/shared\.js$/,
    new RegExp(`^import \\{ (?:${replacedKernels})Impl .*\\n|\\b(?:${replacedKernels})ImplCPU,`, "gm"),
  ],
  // What takes pixels from the elements of a page or puts them there, and ops that ours come before.
  [/tfjs-backend-web(?:gl|gpu)\/dist\/register_all_kernels\.js$/, /^.*\b(?:draw|fromPixels|fft|ifft)Config\b.*\n/gm],
  // The shaders' indentation, comments and empty lines.
  [/tfjs-backend-web(?:gl|gpu)\/dist\/.*\.js$/, /(?<=\n)\s*(?:\/\/.*\n\s*)*/g],
];

/** By the end of a file's path, what is in its place: TensorFlow.js's own threads, which `openWasmBackend` turns off. */
const stubs = [
  [/tfjs-backend-wasm-threaded-simd\.js$/, "export default undefined;"],
  [/tfjs-backend-wasm-threaded-simd\.worker\.js$/, "export const wasmWorkerContents = undefined;"],
];

/** By package, the part of it that TensorFlow.js takes. */
const parts = {
  long: fileURLToPath(new URL("./long.mjs", import.meta.url)),
  seedrandom: fileURLToPath(new URL("./seedrandom.mjs", import.meta.url)),
};

/** Those of its modules that are needed for what they do when they are loaded; undefined where its package tells. */
export const hasSideEffects = (id) => (/tfjs-core\/dist\/io\//.test(id) ? false : undefined);

/** The same where another script has loaded them before. */
export const hasLaterSideEffects = (id) => (/tfjs-core\/dist\/(?!tensor|engine)/.test(id) ? false : undefined);

/** Leaves out of a worker what TensorFlow.js has in it and no session runs. */
export const leanTfjs = {
  name: "lean-tfjs",
  resolveId: (id) => parts[id],
  load: (id) => stubs.find(([file]) => file.test(id))?.[1],
  transform(code, id) {
    const pieces = cuts.filter(([file]) => file.test(id)).map(([, piece]) => piece);
    return pieces.reduce((text, piece) => text.replace(piece, ""), code);
  },
};
