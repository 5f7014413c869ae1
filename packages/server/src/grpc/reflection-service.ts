import type { Proto } from "../protobuf/codec.ts";
import { services } from "../protobuf/protos.ts";
import { type FileDescriptor, fileDescriptors } from "./file-descriptors.ts";
import type { Handlers } from "./service.ts";

/**
 * gRPC's server reflection, by which grpcurl and other tools learn what there is to call. Both versions of the service
 * have the same messages.
 */
export function reflectionService(): Handlers<"grpc.reflection.v1.ServerReflection"> {
  const files = fileDescriptors();
  return {
    async *ServerReflectionInfo(requests) {
      for await (const request of requests)
        yield { validHost: request.host, originalRequest: request, ...answer(request, files) };
    },
  };
}

const [notFound, unimplemented] = [5, 12] as const;

function answer(request: Proto<"grpc.reflection.v1.ServerReflectionRequest">, files: readonly FileDescriptor[]) {
  const { fileByFilename, fileContainingSymbol, listServices } = request;
  if (listServices !== undefined) {
    return { listServicesResponse: { service: Object.keys(services).map((name) => ({ name })) } };
  }
  if (fileByFilename === undefined && fileContainingSymbol === undefined) {
    return { errorResponse: { errorCode: unimplemented, errorMessage: "there are no extensions here" } };
  }
  const found = files.find(({ name, symbols }) => name === fileByFilename || symbols.has(fileContainingSymbol ?? ""));
  if (!found) {
    const errorMessage = `nothing here is called ${fileByFilename ?? fileContainingSymbol}`;
    return { errorResponse: { errorCode: notFound, errorMessage } };
  }
  return { fileDescriptorResponse: { fileDescriptorProto: withDependencies(found, files).map(({ bytes }) => bytes) } };
}

/** A file, then those that it needs, each once. */
function withDependencies(file: FileDescriptor, files: readonly FileDescriptor[]): readonly FileDescriptor[] {
  const needed = new Set([file]);
  for (const each of needed) {
    for (const name of each.dependencies) {
      const dependency = files.find((candidate) => candidate.name === name);
      if (dependency) needed.add(dependency);
    }
  }
  return [...needed];
}
