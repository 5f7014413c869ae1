import type { Signature, Tensor, TensorSpec, Tensors } from "nearside";
import { type Filling, formatNested, parseTensor, sampleTensor } from "./sample-tensors.ts";

/** The largest input that is shown as numbers to be edited. */
const editableElements = 64;

/** The fields in which a person gives a model's inputs. */
export interface InputFields {
  /** Shows a field for each input. */
  show(signature: Signature): void;
  fill(filling: Filling): void;
  /** The inputs as they stand there. Throws where what was written is no tensor. */
  read(): Tensors;
}

/** Returns the fields, made below `container`. */
export function createInputFields(container: HTMLElement): InputFields {
  let inputs: readonly { name: string; spec: TensorSpec; field: HTMLInputElement; tensor: Tensor }[] = [];

  function fill(filling: Filling): void {
    inputs = inputs.map((input) => {
      const tensor = sampleTensor(input.spec, filling);
      const isEditable = tensor.data.length <= editableElements && tensor.dtype !== "complex64";
      input.field.readOnly = !isEditable;
      input.field.value = isEditable
        ? formatNested(tensor)
        : `${tensor.data.length} ${tensor.dtype === "string" ? "empty strings" : fillingNames[filling]}`;
      return { ...input, tensor };
    });
  }

  return {
    fill,
    show(signature) {
      inputs = Object.entries(signature.inputs).map(([name, spec], index) => {
        const id = `own-input-${index}`;
        const field = Object.assign(document.createElement("input"), { id, className: "own-field", spellcheck: false });
        field.dataset.input = name;
        return { name, spec, field, tensor: sampleTensor(spec, "zeros") };
      });
      const rows = inputs.map(({ name, field }) => {
        const label = Object.assign(document.createElement("label"), { htmlFor: field.id, textContent: name });
        const row = Object.assign(document.createElement("p"), { className: "own-input" });
        row.append(label, field);
        return row;
      });
      container.replaceChildren(...rows);
      fill("zeros");
    },
    read: () =>
      Object.fromEntries(
        inputs.map(({ name, spec, field, tensor }) => [name, field.readOnly ? tensor : parseField(name, spec, field)]),
      ),
  };
}

const fillingNames = { zeros: "zeros", random: "random numbers" } as const;

function parseField(name: string, spec: TensorSpec, field: HTMLInputElement): Tensor {
  try {
    return parseTensor(field.value, spec);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`input "${name}": expected JSON such as [[1, 2]]; ${reason}`, { cause });
  }
}
