import { InferenceError } from "./errors.ts";

/** The value of a JSON text. Throws `data-loss`, naming `where`, for one that is none. */
export function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InferenceError("data-loss", `${where}: expected JSON; convert or upload the model again`, { cause });
  }
}

/** True of what JSON has in braces. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value as an object. Throws `data-loss`, naming `where`, for another one. */
export function object(value: unknown, where: string): Record<string, unknown> {
  if (!isObject(value)) throw broken(where, "an object", JSON.stringify(value));
  return value;
}

/** The value as a list. Throws `data-loss`, naming `where`, for another one. */
export function array(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw broken(where, "a list", JSON.stringify(value));
  return value;
}

/** The value as a string. Throws `data-loss`, naming `where`, for another one. */
export function string(value: unknown, where: string): string {
  if (typeof value !== "string") throw broken(where, "a string", JSON.stringify(value));
  return value;
}

/** An error for a file that holds something else than it should. */
export function broken(where: string, expected: string, got: string, advice = "convert or upload the model again") {
  return new InferenceError("data-loss", `${where}: expected ${expected}, got ${got}; ${advice}`);
}
