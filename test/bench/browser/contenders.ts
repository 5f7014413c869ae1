/** Who is measured on a backend, by the name in the results: the page, and which files of a model it needs. */
export interface ContenderPage {
  readonly page: string;
  readonly file: "nearside" | "reference" | "tflite" | "onnx";
}

/** All share the page's thread but the SDK, whose own worker it is that a user's page gets. */
export const contenders: Readonly<Record<string, ContenderPage>> = {
  nearside: { page: "nearside-in-page.html", file: "nearside" },
  "nearside, in its worker": { page: "nearside-worker.html", file: "nearside" },
  "tfjs, Python converter": { page: "tfjs.html", file: "reference" },
  "tfjs, our converter": { page: "tfjs.html?model=nearside", file: "nearside" },
  litert: { page: "litert.html", file: "tflite" },
  onnxruntime: { page: "onnxruntime.html", file: "onnx" },
};
