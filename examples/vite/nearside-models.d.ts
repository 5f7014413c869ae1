// Written by nearside/vite: what the models take and return that are imported with "?nearside". Keep it with the
// sources, so that they compile before Vite has run; delete it to forget models that are gone.

declare module "*/models/digits/saved_model?nearside" {
  import type { Tensor } from "@nearside/core";

  /** What this model takes and returns: `openSession<Model>(url)`. */
  export interface Model {
    readonly inputs: {
      /** float32 [?,28,28,1] */
      readonly image: Tensor<"float32">;
    };
    readonly outputs: {
      /** float32 [?,10] */
      readonly probabilities: Tensor<"float32">;
    };
  }

  const url: import("nearside").ModelUrl<Model>;
  export default url;
}
