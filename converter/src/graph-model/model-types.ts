import { formatSpec, type Signature, type TensorSpec } from "@nearside/core";

/** `model.d.ts`: the signature as TypeScript types, so that a misspelt input or a wrong dtype doesn't compile. */
export function modelTypes({ inputs, outputs }: Signature): string {
  return `import type { Tensor } from "@nearside/core";

/** What this model takes and returns: \`openSession<Model>(url)\`. */
export interface Model {
  readonly inputs: {
${members(inputs)}  };
  readonly outputs: {
${members(outputs)}  };
}
`;
}

function members(specs: Readonly<Record<string, TensorSpec>>): string {
  return Object.entries(specs)
    .map(
      ([key, spec]) => `    /** ${formatSpec(spec)} */\n    readonly ${propertyName(key)}: Tensor<"${spec.dtype}">;\n`,
    )
    .join("");
}

function propertyName(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
}
