import { type GraphModel, loadGraphModel } from "@tensorflow/tfjs-converter";
import { dispose, ready, setBackend, type Tensor, tensor } from "@tensorflow/tfjs-core";
import { offer } from "./contender.ts";

let model: GraphModel;
let outputNames: Readonly<Record<string, string>>;

/** TensorFlow.js as it comes, with what its own converter wrote, or with ours (`?model=nearside`). */
offer({
  async load(name) {
    if (name === "wasm") (await import("@tensorflow/tfjs-backend-wasm")).setWasmPaths("/tfjs/");
    else await import("@tensorflow/tfjs-backend-webgpu");
    if (!(await setBackend(name))) throw new Error(`TensorFlow.js has no ${name}`);
    await ready();
  },
  async open(urls) {
    const usesOurs = new URLSearchParams(location.search).get("model") === "nearside";
    model = await loadGraphModel(usesOurs ? urls.nearside : urls.reference);
    outputNames = outputsOf(model);
  },
  async run(inputs) {
    const fed = Object.entries(inputs).map(([name, { shape, data }]) => [
      inputName(model, name),
      tensor(data as Float32Array, [...shape]),
    ]);
    const names = Object.keys(outputNames);
    const results = [model.execute(Object.fromEntries(fed), Object.values(outputNames))].flat() as Tensor[];
    const values = await Promise.all(results.map((result) => result.data()));
    dispose([results, ...fed.map(([, input]) => input as Tensor)]);
    return Object.fromEntries(names.map((name, index) => [name, values[index] as Float32Array]));
  },
});

type SignatureTensors = Readonly<Record<string, { readonly name: string }>>;

function signatureOf({ modelSignature }: GraphModel) {
  return modelSignature as { readonly inputs: SignatureTensors; readonly outputs: SignatureTensors };
}

function outputsOf(graph: GraphModel): Readonly<Record<string, string>> {
  const { outputs } = signatureOf(graph);
  return Object.fromEntries(Object.entries(outputs).map(([key, { name }]) => [key, name]));
}

function inputName(graph: GraphModel, key: string): string {
  return signatureOf(graph).inputs[key]?.name ?? key;
}
