import { describe, expect, test } from "vitest";
import { type JsonValue, parseJson } from "./parse-json.ts";

describe("parseJson", () => {
  test.each<[string, JsonValue]>([
    ["null", null],
    [" [true, false] ", [true, false]],
    ["1", 1n],
    ["1.0", 1],
    ["-2.5e3", -2500],
    ["9007199254740993", 9007199254740993n],
    ["-9223372036854775808", -(2n ** 63n)],
    ["18446744073709551615", 2n ** 64n - 1n],
    ["18446744073709551616", 2 ** 64],
    ["1e400", Number.POSITIVE_INFINITY],
    ["1e-400", 0],
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["-Inf", Number.NEGATIVE_INFINITY],
    ['"a\\"b\\\\"', 'a"b\\'],
    ['"\\u0000é"', "\0é"],
    ["{}", new Map()],
    ['{"a": [], "a": 1}', new Map([["a", []]])],
    ['{"__proto__": 1}', new Map([["__proto__", 1n]])],
    ["[1] and more", [1n]],
  ])("reads %s", (text, expected) => {
    expect(parseJson(text)).toEqual(expected);
  });

  test.each([
    ["", "JSON Parse error: The document is empty"],
    ["  ", "JSON Parse error: The document is empty. at offset: 2"],
    ["[1, 2", "JSON Parse error: Missing a comma or ] after an array element. at offset: 5"],
    ["[1,]", "JSON Parse error: Invalid value. at offset: 3"],
    ['{"a" 1}', "JSON Parse error: Missing a colon after a name of object member. at offset: 5"],
    ["{a: 1}", "JSON Parse error: Missing a name for object member. at offset: 1"],
    ['{"a": 1', "JSON Parse error: Missing a comma or } after an object member. at offset: 7"],
    ['"é', "JSON Parse error: Missing a closing quotation mark in string. at offset: 0"],
    ['["é", x]', "JSON Parse error: Invalid value. at offset: 7"],
    ['"\\x"', "JSON Parse error: Invalid escape character or encoding in string. at offset: 0"],
    ["-", "JSON Parse error: Invalid value. at offset: 0"],
    ["nul", "JSON Parse error: Invalid value. at offset: 0"],
  ])("refuses %s and tells the byte where", (text, message) => {
    expect(() => parseJson(text)).toThrow(expect.objectContaining({ code: "invalid-argument", message }));
  });

  test("refuses lists nested so deep that the stack would overflow", () => {
    expect(() => parseJson("[".repeat(1_000_000))).toThrow("Nested deeper than 100 levels.");
  });
});
