import { isJsonArray, isJsonObject, type JsonValue } from "./parse-json.ts";

const maxLength = 256;

/** The text of a value for an error message, as TensorFlow Serving writes it there: cut after 256 characters. */
export function describeJson(value: JsonValue): string {
  let text = "";
  const write = (part: string) => {
    if (text.length < maxLength) text += part;
  };
  const visit = (item: JsonValue, indent: string): void => {
    if (text.length >= maxLength) return;
    if (isJsonArray(item)) {
      write("[");
      for (const [index, element] of item.entries()) {
        if (text.length >= maxLength) return; // before walking the rest of a million elements
        if (index > 0) write(", ");
        visit(element, indent);
      }
      write("]");
    } else if (isJsonObject(item)) {
      const inner = `${indent}    `;
      let separator = "\n";
      write("{");
      for (const [name, member] of item) {
        write(`${separator}${inner}${JSON.stringify(name)}: `);
        visit(member, inner);
        separator = ",\n";
      }
      write(item.size > 0 ? `\n${indent}}` : "}");
    } else {
      write(typeof item === "string" ? JSON.stringify(item.slice(0, maxLength)) : String(item));
    }
  };
  visit(value, "");
  return text.slice(0, maxLength);
}

/** The name of a value's type in TensorFlow Serving's messages. */
export function jsonTypeName(value: JsonValue): string {
  if (value === null) return "Null";
  if (isJsonArray(value)) return "Array";
  if (isJsonObject(value)) return "Object";
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "string" ? "String" : "Number";
}
