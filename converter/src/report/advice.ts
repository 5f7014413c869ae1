/** What a person can do about an op that can't be converted because of `problem`. */
export function adviceFor(op: string, problem: string): string {
  const known = advices.find(({ about }) => about.test(op) || about.test(problem));
  return known?.advice ?? other;
}

const other =
  "replace it in the model, convert a signature that doesn't need it, or give --skip_op_check and register a kernel for it";

/** By the op's name or the problem's text; the first that fits. */
const advices: readonly { readonly about: RegExp; readonly advice: string }[] = [
  { about: /^SimpleML/, advice: "give --skip_op_check and load @tensorflow/tfjs-tfdf, which has kernels for it" },
  { about: /^(Eager)?PyFunc/, advice: "it runs Python code: write that with TensorFlow's own ops" },
  { about: /^XlaCallModule$/, advice: "it holds compiled code: save the function as TensorFlow ops instead" },
  {
    about: /^(Decode|Encode|ReadFile|WriteFile)/,
    advice: "do that in the program, and feed the model what comes of it",
  },
  { about: /Iterator|Dataset/, advice: "make what the dataset yields an input of the signature" },
  { about: /^Stateless.*(Random|Multinomial)|^Random/, advice: "make the random numbers an input of the signature" },
  { about: /is_training/, advice: "save the model for inference: call it with training=False" },
  { about: /data_format/, advice: "build the model with channels last (NHWC, NDHWC)" },
  {
    about: /TensorFlow 1's form/,
    advice: "write it as a tf.function, with tf.cond and tf.while_loop, and save it again",
  },
  { about: /Table/, advice: "use a tf.lookup.StaticHashTable that is made outside of loops and filled with constants" },
  {
    about: /state|variable|^Assign/i,
    advice: "take the state as an input and return it as an output, or convert a signature that only reads",
  },
  { about: /^FakeQuant/, advice: "save the model without quantisation-aware training, and use --quantize_uint8" },
];
