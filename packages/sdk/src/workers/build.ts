/** Which version of this software a worker is: `bundle.mjs` puts a hash of its script and of the kernels in its place. */
export const build = "HASH-OF-THE-WORKER";
