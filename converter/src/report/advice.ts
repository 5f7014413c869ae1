/** What a person can do about an op that can't be converted because of `problem`. */
export function adviceFor(op: string, problem: string): string {
  const known = advices.find((advice) => ("op" in advice ? advice.op.test(op) : advice.problem.test(problem)));
  return known?.advice ?? other;
}

const other =
  "replace it in the model, convert a signature that doesn't need it, or give --skip_op_check and register a kernel for it";

/** By the op's name or the problem's text; the first that fits. */
const advices: readonly (({ readonly op: RegExp } | { readonly problem: RegExp }) & {
  readonly advice: string;
})[] = [
  { op: /^SimpleML/, advice: "give --skip_op_check and load @tensorflow/tfjs-tfdf, which has kernels for it" },
  { op: /^(Eager)?PyFunc/, advice: "it runs Python code: write that with TensorFlow's own ops" },
  { op: /^XlaCallModule$/, advice: "it holds compiled code: save the function as TensorFlow ops instead" },
  {
    op: /^(Decode|Encode|ReadFile|WriteFile)/,
    advice: "do that in the program, and feed the model what comes of it",
  },
  { op: /Iterator|Dataset/, advice: "make what the dataset yields an input of the signature" },
  { op: /^Stateless.*(Random|Multinomial)|^Random/, advice: "make the random numbers an input of the signature" },
  { problem: /is_training/, advice: "save the model for inference: call it with training=False" },
  { problem: /data_format/, advice: "build the model with channels last (NHWC, NDHWC)" },
  {
    problem: /TensorFlow 1's form/,
    advice: "write it as a tf.function, with tf.cond and tf.while_loop, and save it again",
  },
  { op: /Table/, advice: "use a tf.lookup.StaticHashTable that is made outside of loops and filled with constants" },
  {
    problem: /state|variable/,
    advice: "take the state as an input and return it as an output, or convert a signature that only reads",
  },
  { op: /^FakeQuant/, advice: "save the model without quantisation-aware training, and use --quantize_uint8" },
];
