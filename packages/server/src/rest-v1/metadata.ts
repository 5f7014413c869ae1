import type { Proto } from "../protobuf/codec.ts";
import { dataTypeName } from "../protobuf/tensor-proto.ts";
import type { LoadedModel } from "../repository/load-version.ts";

/** TensorFlow Serving's `GetModelMetadataResponse` as JSON: the signatures, in protocol buffers' JSON form. */
export function encodeMetadata(model: string, { version, definitions }: LoadedModel) {
  const signatures = [...definitions].map(([name, { inputs, outputs, methodName }]) => {
    const signature = {
      inputs: infosToJson(inputs),
      outputs: infosToJson(outputs),
      method_name: methodName,
      defaults: {},
    };
    return [name, signature] as const;
  });
  return {
    model_spec: { name: model, signature_name: "", version: String(version) },
    metadata: { signature_def: { signature_def: Object.fromEntries(signatures) } },
  };
}

type TensorInfo = Proto<"tensorflow.TensorInfo">;

function infosToJson(infos: ReadonlyMap<string, TensorInfo>) {
  return Object.fromEntries([...infos].map(([key, info]) => [key, infoToJson(info)] as const));
}

function infoToJson({ dtype, tensorShape, name, cooSparse, compositeTensor }: TensorInfo): object {
  const dim = (tensorShape?.dim ?? []).map(({ size, name }) => ({ size: String(size), name }));
  return {
    dtype: dataTypeName(dtype),
    ...(tensorShape && { tensor_shape: { dim, unknown_rank: tensorShape.unknownRank } }),
    ...(name !== undefined && { name }),
    ...(cooSparse && {
      coo_sparse: {
        values_tensor_name: cooSparse.valuesTensorName,
        indices_tensor_name: cooSparse.indicesTensorName,
        dense_shape_tensor_name: cooSparse.denseShapeTensorName,
      },
    }),
    ...(compositeTensor && { composite_tensor: { components: compositeTensor.components.map(infoToJson) } }),
  };
}
