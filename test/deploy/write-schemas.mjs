// Writes the JSON schemas that kubeconform checks manifests by, where it can't fetch them: of Kubernetes' own kinds from
// its OpenAPI files (api/openapi-spec/v3/*.json of k8s.io/kubernetes), of others from their CustomResourceDefinitions.
// node test/deploy/write-schemas.mjs FOLDER FILE…
// kubeconform -strict -schema-location 'FOLDER/{{.ResourceKind}}{{.KindSuffix}}.json' MANIFEST…
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

const [folder, ...files] = process.argv.slice(2);
if (folder === undefined || files.length === 0) throw new Error("usage: write-schemas.mjs FOLDER FILE…");
await mkdir(folder, { recursive: true });
for (const file of files) {
  const text = await readFile(file, "utf8");
  for (const { group, version, kind, schema } of file.endsWith(".json") ? kindsOf(JSON.parse(text)) : crdsOf(text)) {
    const name = [kind.toLowerCase(), group.split(".")[0], version].filter((part) => part !== "").join("-");
    await writeFile(join(folder, `${name}.json`), JSON.stringify(schema));
  }
}

/** The kinds of an OpenAPI document. */
function kindsOf({ components }) {
  const definitions = Object.fromEntries(
    Object.entries(components.schemas).map(([name, schema]) => [name, closed(schema)]),
  );
  return Object.entries(components.schemas).flatMap(([name, schema]) => {
    const kinds = schema["x-kubernetes-group-version-kind"] ?? [];
    return kinds.map((kind) => ({ ...kind, schema: { $ref: `#/definitions/${name}`, definitions } }));
  });
}

/** The kinds of the CustomResourceDefinitions in a YAML file. */
function crdsOf(text) {
  return parseAllDocuments(text)
    .map((document) => document.toJS())
    .filter((crd) => crd?.kind === "CustomResourceDefinition")
    .flatMap(({ spec }) =>
      spec.versions.map(({ name: version, schema }) => {
        return { group: spec.group, version, kind: spec.names.kind, schema: closed(schema.openAPIV3Schema) };
      }),
    );
}

/** OpenAPI's schema as a JSON schema that refuses fields it doesn't know, as the API server's strict validation does. */
function closed(schema) {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  if (schema["x-kubernetes-int-or-string"] || schema.format === "int-or-string") return { type: ["integer", "string"] };
  const { nullable, format: _, properties, ...rest } = schema; // formats such as int32 are no JSON schema's
  const result = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, closed(value)]));
  if (typeof result.$ref === "string") result.$ref = result.$ref.replace("#/components/schemas/", "#/definitions/");
  if (nullable && typeof result.type === "string") result.type = [result.type, "null"];
  if (!properties) return result;
  const isOpen = "additionalProperties" in result || schema["x-kubernetes-preserve-unknown-fields"];
  const fields = Object.entries(properties).map(([name, field]) => [name, closed(field)]);
  return { ...result, properties: Object.fromEntries(fields), ...(!isOpen && { additionalProperties: false }) };
}
