import type { Field } from "@nearside/converter/protobuf";
import { createEncoder, type Draft } from "../protobuf/encode.ts";
import { enumFields, enums, messages, services } from "../protobuf/protos.ts";

/** The messages in which protocol buffers describe themselves, with the fields that are needed for it. */
const descriptors = {
  File: {
    name: [1, "string"],
    package: [2, "string"],
    dependency: [3, "string", "repeated"],
    messageType: [4, "Type", "repeated"],
    enumType: [5, "Enum", "repeated"],
    service: [6, "Service", "repeated"],
    syntax: [12, "string"],
  },
  Type: {
    name: [1, "string"],
    field: [2, "Field", "repeated"],
    nestedType: [3, "Nested", "repeated"],
    enumType: [4, "Enum", "repeated"],
    options: [7, "Options"],
    oneofDecl: [8, "Oneof", "repeated"],
  },
  // A type within a type, which refers to itself on the wire; here types nest no deeper than this.
  Nested: {
    name: [1, "string"],
    field: [2, "Field", "repeated"],
    nestedType: [3, "Innermost", "repeated"],
    options: [7, "Options"],
    oneofDecl: [8, "Oneof", "repeated"],
  },
  Innermost: {
    name: [1, "string"],
    field: [2, "Field", "repeated"],
    options: [7, "Options"],
    oneofDecl: [8, "Oneof", "repeated"],
  },
  Options: { mapEntry: [7, "bool"] },
  Oneof: { name: [1, "string"] },
  Field: {
    name: [1, "string"],
    number: [3, "int32"],
    label: [4, "int32"],
    type: [5, "int32"],
    typeName: [6, "string"],
    oneofIndex: [9, "int32", "optional"],
    proto3Optional: [17, "bool"],
  },
  Enum: { name: [1, "string"], value: [2, "EnumValue", "repeated"] },
  EnumValue: { name: [1, "string"], number: [2, "int32", "optional"] },
  Service: { name: [1, "string"], method: [2, "Method", "repeated"] },
  Method: {
    name: [1, "string"],
    inputType: [2, "string"],
    outputType: [3, "string"],
    clientStreaming: [5, "bool"],
    serverStreaming: [6, "bool"],
  },
} as const;

const encode = createEncoder(descriptors);

/** A `.proto` file, described. */
export interface FileDescriptor {
  readonly name: string;
  readonly dependencies: readonly string[];
  /** The full names of what it declares. */
  readonly symbols: ReadonlySet<string>;
  /** A serialized `FileDescriptorProto`. */
  readonly bytes: Uint8Array;
}

/** The server's messages and services as files, one per package. */
export function fileDescriptors(): readonly FileDescriptor[] {
  const names = [...Object.keys(messages), ...Object.keys(enums), ...Object.keys(services)];
  return [...new Set(names.map(packageOf))].map(describePackage);
}

/** The package of a full name: its parts up to the first that is a type's. */
function packageOf(name: string): string {
  return name
    .split(".")
    .filter((part) => /^[a-z]/.test(part))
    .join(".");
}

function fileOf(packageName: string): string {
  return `nearside/${packageName.replaceAll(".", "/")}.proto`;
}

function describePackage(packageName: string): FileDescriptor {
  const isInside = (name: string) => packageOf(name) === packageName;
  const types = new Set(Object.keys(messages).filter(isInside).flatMap(withOuterTypes));
  const ownServices = Object.entries(services).filter(([name]) => isInside(name));
  const ownEnums = Object.keys(enums).filter(isInside);
  const mentioned = [
    ...[...types].flatMap((name) =>
      Object.entries(fieldsOf(name)).map(([key, [, type]]) => enumFields[`${name}.${key}`] ?? type),
    ),
    ...ownServices.flatMap(([, methods]) => Object.values(methods).flat()),
  ];
  const packages = new Set(mentioned.filter((name) => name.includes(".")).map(packageOf));
  packages.delete(packageName);
  const dependencies = [...packages].map(fileOf);
  const isOutermost = (name: string) => parentOf(name) === packageName;
  const bytes = encode("File", {
    name: fileOf(packageName),
    package: packageName,
    dependency: dependencies,
    messageType: [...types].filter(isOutermost).map((name) => describeType(name, types)),
    enumType: ownEnums.filter(isOutermost).map(describeEnum),
    service: ownServices.map(([name, methods]) => describeService(name, methods)),
    syntax: "proto3",
  });
  const methodNames = ownServices.flatMap(([name, methods]) =>
    Object.keys(methods).map((method) => `${name}.${method}`),
  );
  const symbols = new Set([...types, ...ownEnums, ...ownServices.map(([name]) => name), ...methodNames]);
  return { name: fileOf(packageName), dependencies, symbols, bytes };
}

/** A type's name after those of the types that it is declared in. */
function withOuterTypes(name: string): string[] {
  const parent = parentOf(name);
  return parent === packageOf(name) ? [name] : [...withOuterTypes(parent), name];
}

function parentOf(name: string): string {
  return name.slice(0, name.lastIndexOf("."));
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

function fieldsOf(name: string): Readonly<Record<string, Field>> {
  const tables: Readonly<Record<string, Readonly<Record<string, Field>>>> = messages;
  return tables[name] ?? {};
}

type TypeDraft = Draft<import("@nearside/converter/protobuf").Message<typeof descriptors, "Type">>;

function describeType(name: string, types: ReadonlySet<string>): TypeDraft {
  const fields = Object.entries(fieldsOf(name));
  const nested = [...types].filter((type) => parentOf(type) === name).map((type) => describeType(type, types));
  const entries = fields
    .filter(([, [, , occurs]]) => occurs === "map")
    .map(([key, field]) => describeEntry(key, field));
  const choices = fields.filter(([, [, type, occurs]]) => occurs === "optional" && type in scalarTypes);
  return {
    name: lastPart(name),
    field: fields.map(([key, field]) =>
      describeField(
        name,
        key,
        field,
        choices.findIndex(([choice]) => choice === key),
      ),
    ),
    nestedType: [...nested, ...entries] as TypeDraft["nestedType"], // as deep as the table allows
    enumType: Object.keys(enums)
      .filter((each) => parentOf(each) === name)
      .map(describeEnum),
    oneofDecl: choices.map(([key]) => ({ name: `_${snakeCase(key)}` })),
  };
}

const [optional, repeated] = [1, 3] as const;

/** A field; a scalar that may be absent is alone in the choice of number `choice`, as protocol buffers write it. */
function describeField(message: string, key: string, [number, type, occurs]: Field, choice: number) {
  const isMap = occurs === "map";
  const enumName = enumFields[`${message}.${key}`];
  const typeName = isMap ? `${message}.${entryName(key)}` : (enumName ?? type);
  return {
    name: snakeCase(key),
    number,
    label: occurs === "repeated" || isMap ? repeated : optional,
    ...(isMap ? { type: messageType, typeName: `.${typeName}` } : describeFieldType(type, enumName)),
    ...(choice >= 0 && { oneofIndex: choice, proto3Optional: true }),
  };
}

function describeFieldType(type: string, enumName?: string) {
  if (enumName !== undefined) return { type: enumType, typeName: `.${enumName}` };
  const scalar = scalarTypes[type];
  return scalar === undefined ? { type: messageType, typeName: `.${type}` } : { type: scalar };
}

/** The message that a map's entries are. */
function describeEntry(key: string, [, type]: Field) {
  const field = (name: string, number: number, of: string) => ({
    name,
    number,
    label: optional,
    ...describeFieldType(of),
  });
  return {
    name: entryName(key),
    field: [field("key", 1, "string"), field("value", 2, type)],
    options: { mapEntry: true },
  };
}

function entryName(key: string): string {
  return `${key.charAt(0).toUpperCase()}${key.slice(1)}Entry`;
}

function describeEnum(name: string) {
  const values: readonly (readonly [string, number])[] = enums[name as keyof typeof enums]; // a key of it
  return { name: lastPart(name), value: values.map(([value, number]) => ({ name: value, number })) };
}

function describeService(name: string, methods: Readonly<Record<string, readonly [string, string, string?]>>) {
  const method = Object.entries(methods).map(([key, [input, output, streams]]) => ({
    name: key,
    inputType: `.${input}`,
    outputType: `.${output}`,
    clientStreaming: streams === "stream",
    serverStreaming: streams !== undefined,
  }));
  return { name: lastPart(name), method };
}

const [messageType, enumType] = [11, 14] as const;

/** The numbers of scalar types in descriptors. */
const scalarTypes: Readonly<Record<string, number | undefined>> = {
  double: 1,
  float: 2,
  int53: 3,
  int64: 3,
  uint64: 4,
  int32: 5,
  bool: 8,
  string: 9,
  bytes: 12,
  uint32: 13,
};

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
