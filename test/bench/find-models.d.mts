/** See find-models.mjs. */
export const exampleModels: string;
export function findModels(
  folder: string,
  usage: string,
): Promise<readonly { readonly name: string; readonly savedModel: string }[]>;
