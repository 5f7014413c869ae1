import { createDecoder, type Lazy, type Message } from "./protobuf.ts";

/** The messages of a SavedModel and its checkpoint, with the fields that the converter reads (TensorFlow 2.21). */
export const messages = {
  SavedModel: { schemaVersion: [1, "int53"], metaGraphs: [2, "MetaGraphDef", "repeated"] },
  MetaGraphDef: {
    metaInfoDef: [1, "MetaInfoDef"],
    graphDef: [2, "GraphDef"],
    saverDef: [3, "SaverDef"],
    collectionDef: [4, "CollectionDef", "map"],
    signatureDef: [5, "SignatureDef", "map"],
    assetFileDef: [6, "AssetFileDef", "repeated"],
  },
  MetaInfoDef: { tags: [4, "string", "repeated"], tensorflowVersion: [5, "string"] },
  CollectionDef: { nodeList: [1, "NodeList"] },
  NodeList: { value: [1, "string", "repeated"] },
  AssetFileDef: { tensorInfo: [1, "TensorInfo"], filename: [2, "string"] },
  SaverDef: { restoreOpName: [3, "string"] },
  SignatureDef: { inputs: [1, "TensorInfo", "map"], outputs: [2, "TensorInfo", "map"] },
  TensorInfo: {
    name: [1, "string", "optional"],
    dtype: [2, "int32"],
    tensorShape: [3, "TensorShapeProto"],
  },
  GraphDef: { node: [1, "NodeDef", "lazy"], library: [2, "FunctionDefLibrary"], versions: [4, "VersionDef"] },
  VersionDef: { producer: [1, "int32"] },
  NodeName: { name: [1, "string"] },
  NodeDef: {
    name: [1, "string"],
    op: [2, "string"],
    input: [3, "string", "repeated"],
    attr: [5, "AttrEntry", "lazy"],
  },
  AttrKey: { key: [1, "string"] },
  AttrEntry: { key: [1, "string"], value: [2, "AttrValue"] },
  AttrValue: {
    list: [1, "ListValue", "optional"],
    s: [2, "bytes", "optional"],
    i: [3, "int64", "optional"],
    f: [4, "float", "optional"],
    b: [5, "bool", "optional"],
    type: [6, "int32", "optional"],
    shape: [7, "TensorShapeProto", "optional"],
    tensor: [8, "TensorProto", "optional"],
    placeholder: [9, "string", "optional"],
    func: [10, "NameAttrList", "optional"],
  },
  ListValue: {
    s: [2, "bytes", "repeated"],
    i: [3, "int64", "repeated"],
    f: [4, "float", "repeated"],
    b: [5, "bool", "repeated"],
    type: [6, "int32", "repeated"],
    shape: [7, "TensorShapeProto", "repeated"],
    func: [9, "NameAttrList", "repeated"],
  },
  NameAttrList: { name: [1, "string"], attr: [2, "AttrEntry", "lazy"] },
  FunctionDefLibrary: { function: [1, "FunctionDef", "lazy"] },
  FunctionHeader: { signature: [1, "OpDef"] },
  FunctionDef: {
    signature: [1, "OpDef"],
    nodeDef: [3, "NodeDef", "lazy"],
    ret: [4, "string", "map"],
    controlRet: [6, "string", "map"],
  },
  OpDef: { name: [1, "string"], inputArg: [2, "ArgDef", "repeated"], outputArg: [3, "ArgDef", "repeated"] },
  ArgDef: { name: [1, "string"], type: [3, "int32"] },
  TensorShapeProto: { dim: [2, "Dim", "repeated"], unknownRank: [3, "bool"] },
  Dim: { size: [1, "int53"] },
  TensorProto: {
    dtype: [1, "int32"],
    tensorShape: [2, "TensorShapeProto"],
    tensorContent: [4, "bytes"],
    floatVal: [5, "float", "repeated"],
    doubleVal: [6, "double", "repeated"],
    intVal: [7, "int32", "repeated"],
    stringVal: [8, "bytes", "repeated"],
    scomplexVal: [9, "float", "repeated"],
    int64Val: [10, "int64", "repeated"],
    boolVal: [11, "bool", "repeated"],
    dcomplexVal: [12, "double", "repeated"],
    halfVal: [13, "int32", "repeated"],
    uint32Val: [16, "uint32", "repeated"],
    uint64Val: [17, "uint64", "repeated"],
  },
  TrackableObjectGraph: { nodes: [1, "TrackableObject", "repeated"] },
  TrackableObject: { attributes: [2, "SerializedTensor", "repeated"] },
  SerializedTensor: { name: [1, "string"], fullName: [2, "string"], checkpointKey: [3, "string"] },
  BundleHeaderProto: { numShards: [1, "int32"], endianness: [2, "int32"] },
  BundleEntryProto: {
    dtype: [1, "int32"],
    shape: [2, "TensorShapeProto"],
    shardId: [3, "int32"],
    offset: [4, "int53"],
    size: [5, "int53"],
    crc32c: [6, "fixed32"],
    slices: [7, "TensorSliceProto", "repeated"],
  },
  TensorSliceProto: { extent: [1, "Extent", "repeated"] },
  Extent: { start: [1, "int53"], length: [2, "int53", "optional"] },
} as const;

/** The decoded form of one of {@link messages}. */
export type Proto<N extends keyof typeof messages> = Message<typeof messages, N>;

/** One of {@link messages} that is decoded when it is asked for. */
export type LazyProto = Lazy<typeof messages>;

/** Decodes one of {@link messages}. */
export const decode = createDecoder(messages);
