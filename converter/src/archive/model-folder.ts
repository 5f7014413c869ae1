/** The files whose folder is a model's: a SavedModel's graph, or a converted model's. */
const modelFile = /(^|\/)(saved_model\.pb(txt)?|model\.json)$/;

/** The folder nearest to the top that holds a model, as a prefix of paths; undefined where none does. */
export function modelFolder(paths: Iterable<string>): string | undefined {
  const depth = (path: string) => path.split("/").length;
  const [model] = [...paths].filter((path) => modelFile.test(path)).sort((a, b) => depth(a) - depth(b));
  return model?.slice(0, model.lastIndexOf("/") + 1);
}
