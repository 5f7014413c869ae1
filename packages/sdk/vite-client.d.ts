/** Types of the imports that the plugin answers; name `nearside/vite/client` in `compilerOptions.types`. */
declare module "*?nearside" {
  /** The URL of the converted model's `model.json`. */
  const url: string;
  export default url;
}
