/** The script of the kernels that many models do without: each worker loads it when a model has one. */
export { kernels } from "@nearside/runtime/kernels";
