// Of its generators, the one that TensorFlow.js calls.
export { default as alea } from "seedrandom/lib/alea.js";
