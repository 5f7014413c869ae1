import type { Messages } from "@nearside/converter/protobuf";

/**
 * The messages of the server's gRPC services and configuration files, by their full names, with the fields that it
 * reads or writes. Names of fields are in camel case here and in snake case on the wire's text forms.
 */
export const messages = {
  "google.protobuf.Int64Value": { value: [1, "int64"] },
  "google.protobuf.StringValue": { value: [1, "string"] },
  "google.protobuf.BoolValue": { value: [1, "bool"] },
  "google.protobuf.Any": { typeUrl: [1, "string"], value: [2, "bytes"] },

  "tensorflow.TensorShapeProto": { dim: [2, "tensorflow.TensorShapeProto.Dim", "repeated"], unknownRank: [3, "bool"] },
  "tensorflow.TensorShapeProto.Dim": { size: [1, "int53"], name: [2, "string"] },
  "tensorflow.TensorProto": {
    dtype: [1, "int32"],
    tensorShape: [2, "tensorflow.TensorShapeProto"],
    versionNumber: [3, "int32"],
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
  "tensorflow.TensorInfo": {
    name: [1, "string", "optional"],
    dtype: [2, "int32"],
    tensorShape: [3, "tensorflow.TensorShapeProto"],
    cooSparse: [4, "tensorflow.TensorInfo.CooSparse", "optional"],
    compositeTensor: [5, "tensorflow.TensorInfo.CompositeTensor", "optional"],
  },
  "tensorflow.TensorInfo.CooSparse": {
    valuesTensorName: [1, "string"],
    indicesTensorName: [2, "string"],
    denseShapeTensorName: [3, "string"],
  },
  "tensorflow.TensorInfo.CompositeTensor": { components: [2, "tensorflow.TensorInfo", "repeated"] },
  "tensorflow.SignatureDef": {
    inputs: [1, "tensorflow.TensorInfo", "map"],
    outputs: [2, "tensorflow.TensorInfo", "map"],
    methodName: [3, "string"],
  },
  "tensorflow.MetaGraphDef.MetaInfoDef": { tags: [4, "string", "repeated"] },
  "tensorflow.MetaGraphDef": {
    metaInfoDef: [1, "tensorflow.MetaGraphDef.MetaInfoDef"],
    signatureDef: [5, "tensorflow.SignatureDef", "map"],
  },
  "tensorflow.SavedModel": { metaGraphs: [2, "tensorflow.MetaGraphDef", "repeated"] },
  "tensorflow.Example": { features: [1, "tensorflow.Features"] },
  "tensorflow.Features": { feature: [1, "tensorflow.Feature", "map"] },
  "tensorflow.Feature": {
    bytesList: [1, "tensorflow.BytesList", "optional"],
    floatList: [2, "tensorflow.FloatList", "optional"],
    int64List: [3, "tensorflow.Int64List", "optional"],
  },
  "tensorflow.BytesList": { value: [1, "bytes", "repeated"] },
  "tensorflow.FloatList": { value: [1, "float", "repeated"] },
  "tensorflow.Int64List": { value: [1, "int64", "repeated"] },

  "tensorflow.serving.ModelSpec": {
    name: [1, "string"],
    version: [2, "google.protobuf.Int64Value", "optional"],
    signatureName: [3, "string"],
    versionLabel: [4, "string", "optional"],
  },
  "tensorflow.serving.PredictRequest": {
    modelSpec: [1, "tensorflow.serving.ModelSpec"],
    inputs: [2, "tensorflow.TensorProto", "map"],
    outputFilter: [3, "string", "repeated"],
  },
  "tensorflow.serving.PredictResponse": {
    outputs: [1, "tensorflow.TensorProto", "map"],
    modelSpec: [2, "tensorflow.serving.ModelSpec"],
  },
  "tensorflow.serving.Input": {
    exampleList: [1, "tensorflow.serving.ExampleList", "optional"],
    exampleListWithContext: [2, "tensorflow.serving.ExampleListWithContext", "optional"],
  },
  "tensorflow.serving.ExampleList": { examples: [1, "tensorflow.Example", "repeated"] },
  "tensorflow.serving.ExampleListWithContext": {
    examples: [1, "tensorflow.Example", "repeated"],
    context: [2, "tensorflow.Example"],
  },
  "tensorflow.serving.ClassificationRequest": {
    modelSpec: [1, "tensorflow.serving.ModelSpec"],
    input: [2, "tensorflow.serving.Input"],
  },
  "tensorflow.serving.ClassificationResponse": {
    result: [1, "tensorflow.serving.ClassificationResult"],
    modelSpec: [2, "tensorflow.serving.ModelSpec"],
  },
  "tensorflow.serving.ClassificationResult": {
    classifications: [1, "tensorflow.serving.Classifications", "repeated"],
  },
  "tensorflow.serving.Classifications": { classes: [1, "tensorflow.serving.Class", "repeated"] },
  "tensorflow.serving.Class": { label: [1, "string"], score: [2, "float"] },
  "tensorflow.serving.RegressionRequest": {
    modelSpec: [1, "tensorflow.serving.ModelSpec"],
    input: [2, "tensorflow.serving.Input"],
  },
  "tensorflow.serving.RegressionResponse": {
    result: [1, "tensorflow.serving.RegressionResult"],
    modelSpec: [2, "tensorflow.serving.ModelSpec"],
  },
  "tensorflow.serving.RegressionResult": { regressions: [1, "tensorflow.serving.Regression", "repeated"] },
  "tensorflow.serving.Regression": { value: [1, "float"] },
  "tensorflow.serving.MultiInferenceRequest": {
    tasks: [1, "tensorflow.serving.InferenceTask", "repeated"],
    input: [2, "tensorflow.serving.Input"],
  },
  "tensorflow.serving.InferenceTask": { modelSpec: [1, "tensorflow.serving.ModelSpec"], methodName: [2, "string"] },
  "tensorflow.serving.MultiInferenceResponse": { results: [1, "tensorflow.serving.InferenceResult", "repeated"] },
  "tensorflow.serving.InferenceResult": {
    modelSpec: [1, "tensorflow.serving.ModelSpec"],
    classificationResult: [2, "tensorflow.serving.ClassificationResult", "optional"],
    regressionResult: [3, "tensorflow.serving.RegressionResult", "optional"],
  },
  "tensorflow.serving.GetModelMetadataRequest": {
    modelSpec: [1, "tensorflow.serving.ModelSpec"],
    metadataField: [2, "string", "repeated"],
  },
  "tensorflow.serving.GetModelMetadataResponse": {
    modelSpec: [1, "tensorflow.serving.ModelSpec"],
    metadata: [2, "google.protobuf.Any", "map"],
  },
  "tensorflow.serving.SignatureDefMap": { signatureDef: [1, "tensorflow.SignatureDef", "map"] },
  "tensorflow.serving.GetModelStatusRequest": { modelSpec: [1, "tensorflow.serving.ModelSpec"] },
  "tensorflow.serving.GetModelStatusResponse": {
    modelVersionStatus: [1, "tensorflow.serving.ModelVersionStatus", "repeated"],
  },
  "tensorflow.serving.ModelVersionStatus": {
    version: [1, "int64"],
    state: [2, "int32"],
    status: [3, "tensorflow.serving.StatusProto"],
  },
  "tensorflow.serving.StatusProto": { errorCode: [1, "int32"], errorMessage: [2, "string"] },
  "tensorflow.serving.ReloadConfigRequest": {
    config: [1, "tensorflow.serving.ModelServerConfig"],
    metricNames: [2, "string", "repeated"],
  },
  "tensorflow.serving.ReloadConfigResponse": { status: [1, "tensorflow.serving.StatusProto"] },
  "tensorflow.serving.ModelServerConfig": {
    modelConfigList: [1, "tensorflow.serving.ModelConfigList", "optional"],
    customModelConfig: [2, "google.protobuf.Any", "optional"],
  },
  "tensorflow.serving.BatchingParameters": {
    maxBatchSize: [1, "google.protobuf.Int64Value", "optional"],
    batchTimeoutMicros: [2, "google.protobuf.Int64Value", "optional"],
    maxEnqueuedBatches: [3, "google.protobuf.Int64Value", "optional"],
    numBatchThreads: [4, "google.protobuf.Int64Value", "optional"],
    threadPoolName: [5, "google.protobuf.StringValue", "optional"],
    allowedBatchSizes: [6, "int53", "repeated"],
    padVariableLengthInputs: [7, "bool"],
    enableLargeBatchSplitting: [8, "google.protobuf.BoolValue", "optional"],
    maxExecutionBatchSize: [9, "google.protobuf.Int64Value", "optional"],
  },
  "tensorflow.serving.SSLConfig": {
    serverKey: [1, "string"],
    serverCert: [2, "string"],
    customCa: [3, "string"],
    clientVerify: [4, "bool"],
  },
  "tensorflow.serving.MonitoringConfig": { prometheusConfig: [1, "tensorflow.serving.PrometheusConfig", "optional"] },
  "tensorflow.serving.PrometheusConfig": { enable: [1, "bool"], path: [2, "string"] },
  "tensorflow.serving.ModelConfigList": { config: [1, "tensorflow.serving.ModelConfig", "repeated"] },
  "tensorflow.serving.ModelConfig": {
    name: [1, "string"],
    basePath: [2, "string"],
    modelType: [3, "int32"],
    modelPlatform: [4, "string"],
    loggingConfig: [6, "tensorflow.serving.LoggingConfig"],
    modelVersionPolicy: [7, "tensorflow.serving.FileSystemStoragePathSourceConfig.ServableVersionPolicy"],
    versionLabels: [8, "int64", "map"],
  },
  "tensorflow.serving.FileSystemStoragePathSourceConfig.ServableVersionPolicy": {
    latest: [100, "tensorflow.serving.FileSystemStoragePathSourceConfig.ServableVersionPolicy.Latest", "optional"],
    all: [101, "tensorflow.serving.FileSystemStoragePathSourceConfig.ServableVersionPolicy.All", "optional"],
    specific: [102, "tensorflow.serving.FileSystemStoragePathSourceConfig.ServableVersionPolicy.Specific", "optional"],
  },
  "tensorflow.serving.FileSystemStoragePathSourceConfig.ServableVersionPolicy.Latest": { numVersions: [1, "uint32"] },
  "tensorflow.serving.FileSystemStoragePathSourceConfig.ServableVersionPolicy.All": {},
  "tensorflow.serving.FileSystemStoragePathSourceConfig.ServableVersionPolicy.Specific": {
    versions: [1, "int64", "repeated"],
  },
  "tensorflow.serving.LoggingConfig": {
    logCollectorConfig: [1, "tensorflow.serving.LogCollectorConfig"],
    samplingConfig: [2, "tensorflow.serving.SamplingConfig"],
  },
  "tensorflow.serving.LogCollectorConfig": { type: [1, "string"], filenamePrefix: [2, "string"] },
  "tensorflow.serving.SamplingConfig": { samplingRate: [1, "double"] },
  "tensorflow.serving.LogMetadata": {
    modelSpec: [1, "tensorflow.serving.ModelSpec"],
    samplingConfig: [2, "tensorflow.serving.SamplingConfig"],
    savedModelTags: [3, "string", "repeated"],
  },
  "tensorflow.serving.PredictionLog": {
    logMetadata: [1, "tensorflow.serving.LogMetadata"],
    classifyLog: [2, "tensorflow.serving.ClassifyLog", "optional"],
    regressLog: [3, "tensorflow.serving.RegressLog", "optional"],
    multiInferenceLog: [4, "tensorflow.serving.MultiInferenceLog", "optional"],
    predictLog: [6, "tensorflow.serving.PredictLog", "optional"],
  },
  "tensorflow.serving.ClassifyLog": { request: [1, "tensorflow.serving.ClassificationRequest"] },
  "tensorflow.serving.RegressLog": { request: [1, "tensorflow.serving.RegressionRequest"] },
  "tensorflow.serving.MultiInferenceLog": { request: [1, "tensorflow.serving.MultiInferenceRequest"] },
  "tensorflow.serving.PredictLog": {
    request: [1, "tensorflow.serving.PredictRequest"],
    response: [2, "tensorflow.serving.PredictResponse"],
  },

  "inference.ServerLiveRequest": {},
  "inference.ServerLiveResponse": { live: [1, "bool"] },
  "inference.ServerReadyRequest": {},
  "inference.ServerReadyResponse": { ready: [1, "bool"] },
  "inference.ModelReadyRequest": { name: [1, "string"], version: [2, "string"] },
  "inference.ModelReadyResponse": { ready: [1, "bool"] },
  "inference.ServerMetadataRequest": {},
  "inference.ServerMetadataResponse": {
    name: [1, "string"],
    version: [2, "string"],
    extensions: [3, "string", "repeated"],
  },
  "inference.ModelMetadataRequest": { name: [1, "string"], version: [2, "string"] },
  "inference.ModelMetadataResponse": {
    name: [1, "string"],
    versions: [2, "string", "repeated"],
    platform: [3, "string"],
    inputs: [4, "inference.ModelMetadataResponse.TensorMetadata", "repeated"],
    outputs: [5, "inference.ModelMetadataResponse.TensorMetadata", "repeated"],
  },
  "inference.ModelMetadataResponse.TensorMetadata": {
    name: [1, "string"],
    datatype: [2, "string"],
    shape: [3, "int53", "repeated"],
  },
  "inference.InferParameter": {
    boolParam: [1, "bool", "optional"],
    int64Param: [2, "int64", "optional"],
    stringParam: [3, "string", "optional"],
    doubleParam: [4, "double", "optional"],
    uint64Param: [5, "uint64", "optional"],
  },
  "inference.InferTensorContents": {
    boolContents: [1, "bool", "repeated"],
    intContents: [2, "int32", "repeated"],
    int64Contents: [3, "int64", "repeated"],
    uintContents: [4, "uint32", "repeated"],
    uint64Contents: [5, "uint64", "repeated"],
    fp32Contents: [6, "float", "repeated"],
    fp64Contents: [7, "double", "repeated"],
    bytesContents: [8, "bytes", "repeated"],
  },
  "inference.ModelInferRequest": {
    modelName: [1, "string"],
    modelVersion: [2, "string"],
    id: [3, "string"],
    parameters: [4, "inference.InferParameter", "map"],
    inputs: [5, "inference.ModelInferRequest.InferInputTensor", "repeated"],
    outputs: [6, "inference.ModelInferRequest.InferRequestedOutputTensor", "repeated"],
    rawInputContents: [7, "bytes", "repeated"],
  },
  "inference.ModelInferRequest.InferInputTensor": {
    name: [1, "string"],
    datatype: [2, "string"],
    shape: [3, "int53", "repeated"],
    parameters: [4, "inference.InferParameter", "map"],
    contents: [5, "inference.InferTensorContents"],
  },
  "inference.ModelInferRequest.InferRequestedOutputTensor": {
    name: [1, "string"],
    parameters: [2, "inference.InferParameter", "map"],
  },
  "inference.ModelInferResponse": {
    modelName: [1, "string"],
    modelVersion: [2, "string"],
    id: [3, "string"],
    parameters: [4, "inference.InferParameter", "map"],
    outputs: [5, "inference.ModelInferResponse.InferOutputTensor", "repeated"],
    rawOutputContents: [6, "bytes", "repeated"],
  },
  "inference.ModelInferResponse.InferOutputTensor": {
    name: [1, "string"],
    datatype: [2, "string"],
    shape: [3, "int53", "repeated"],
    parameters: [4, "inference.InferParameter", "map"],
    contents: [5, "inference.InferTensorContents"],
  },
  "inference.ModelStreamInferResponse": {
    errorMessage: [1, "string"],
    inferResponse: [2, "inference.ModelInferResponse"],
  },
  "inference.ModelStatisticsRequest": { name: [1, "string"], version: [2, "string"] },
  "inference.ModelStatisticsResponse": { modelStats: [1, "inference.ModelStatistics", "repeated"] },
  "inference.ModelStatistics": {
    name: [1, "string"],
    version: [2, "string"],
    lastInference: [3, "uint64"],
    inferenceCount: [4, "uint64"],
    executionCount: [5, "uint64"],
    inferenceStats: [6, "inference.InferStatistics"],
  },
  "inference.InferStatistics": {
    success: [1, "inference.StatisticDuration"],
    fail: [2, "inference.StatisticDuration"],
    queue: [3, "inference.StatisticDuration"],
    computeInput: [4, "inference.StatisticDuration"],
    computeInfer: [5, "inference.StatisticDuration"],
    computeOutput: [6, "inference.StatisticDuration"],
  },
  "inference.StatisticDuration": { count: [1, "uint64"], ns: [2, "uint64"] },
  "inference.RepositoryIndexRequest": { repositoryName: [1, "string"], ready: [2, "bool"] },
  "inference.RepositoryIndexResponse": { models: [1, "inference.RepositoryIndexResponse.ModelIndex", "repeated"] },
  "inference.RepositoryIndexResponse.ModelIndex": {
    name: [1, "string"],
    version: [2, "string"],
    state: [3, "string"],
    reason: [4, "string"],
  },
  "inference.ModelRepositoryParameter": {
    boolParam: [1, "bool", "optional"],
    int64Param: [2, "int64", "optional"],
    stringParam: [3, "string", "optional"],
    bytesParam: [4, "bytes", "optional"],
  },
  "inference.RepositoryModelLoadRequest": {
    repositoryName: [1, "string"],
    modelName: [2, "string"],
    parameters: [3, "inference.ModelRepositoryParameter", "map"],
  },
  "inference.RepositoryModelLoadResponse": {},
  "inference.RepositoryModelUnloadRequest": {
    repositoryName: [1, "string"],
    modelName: [2, "string"],
    parameters: [3, "inference.ModelRepositoryParameter", "map"],
  },
  "inference.RepositoryModelUnloadResponse": {},

  "grpc.health.v1.HealthCheckRequest": { service: [1, "string"] },
  "grpc.health.v1.HealthCheckResponse": { status: [1, "int32"] },
  "grpc.reflection.v1.ServerReflectionRequest": {
    host: [1, "string"],
    fileByFilename: [3, "string", "optional"],
    fileContainingSymbol: [4, "string", "optional"],
    listServices: [7, "string", "optional"],
  },
  "grpc.reflection.v1.ServerReflectionResponse": {
    validHost: [1, "string"],
    originalRequest: [2, "grpc.reflection.v1.ServerReflectionRequest"],
    fileDescriptorResponse: [4, "grpc.reflection.v1.FileDescriptorResponse", "optional"],
    listServicesResponse: [6, "grpc.reflection.v1.ListServiceResponse", "optional"],
    errorResponse: [7, "grpc.reflection.v1.ErrorResponse", "optional"],
  },
  "grpc.reflection.v1.FileDescriptorResponse": { fileDescriptorProto: [1, "bytes", "repeated"] },
  "grpc.reflection.v1.ListServiceResponse": { service: [1, "grpc.reflection.v1.ServiceResponse", "repeated"] },
  "grpc.reflection.v1.ServiceResponse": { name: [1, "string"] },
  "grpc.reflection.v1.ErrorResponse": { errorCode: [1, "int32"], errorMessage: [2, "string"] },
} as const satisfies Messages;

/** Enumerations by their full names, for reflection: on the wire they are int32. */
export const enums = {
  "tensorflow.DataType": [
    ...["DT_INVALID", "DT_FLOAT", "DT_DOUBLE", "DT_INT32", "DT_UINT8", "DT_INT16", "DT_INT8", "DT_STRING"],
    ...["DT_COMPLEX64", "DT_INT64", "DT_BOOL", "DT_QINT8", "DT_QUINT8", "DT_QINT32", "DT_BFLOAT16", "DT_QINT16"],
    ...["DT_QUINT16", "DT_UINT16", "DT_COMPLEX128", "DT_HALF", "DT_RESOURCE", "DT_VARIANT", "DT_UINT32", "DT_UINT64"],
  ].map((name, number) => [name, number] as const),
  "tensorflow.error.Code": [
    ...["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"],
    ...["PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED"],
    ...["INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"],
  ].map((name, number) => [name, number] as const),
  "tensorflow.serving.ModelVersionStatus.State": [
    ["UNKNOWN", 0],
    ["START", 10],
    ["LOADING", 20],
    ["AVAILABLE", 30],
    ["UNLOADING", 40],
    ["END", 50],
  ],
  "grpc.health.v1.HealthCheckResponse.ServingStatus": [
    ["UNKNOWN", 0],
    ["SERVING", 1],
    ["NOT_SERVING", 2],
    ["SERVICE_UNKNOWN", 3],
  ],
} as const satisfies Readonly<Record<string, readonly (readonly [string, number])[]>>;

/** Which fields are of an enumeration: message and field, and its name. */
export const enumFields: Readonly<Record<string, keyof typeof enums>> = {
  "tensorflow.TensorProto.dtype": "tensorflow.DataType",
  "tensorflow.TensorInfo.dtype": "tensorflow.DataType",
  "tensorflow.serving.StatusProto.errorCode": "tensorflow.error.Code",
  "tensorflow.serving.ModelVersionStatus.state": "tensorflow.serving.ModelVersionStatus.State",
  "grpc.health.v1.HealthCheckResponse.status": "grpc.health.v1.HealthCheckResponse.ServingStatus",
};

/** The method of both versions of reflection, whose messages are the same on the wire. */
const reflectionInfo = [
  "grpc.reflection.v1.ServerReflectionRequest",
  "grpc.reflection.v1.ServerReflectionResponse",
  "stream",
] as const;

/** The gRPC services by their full names: of each method the message it takes and the one it answers with. */
export const services = {
  "tensorflow.serving.PredictionService": {
    Classify: ["tensorflow.serving.ClassificationRequest", "tensorflow.serving.ClassificationResponse"],
    Regress: ["tensorflow.serving.RegressionRequest", "tensorflow.serving.RegressionResponse"],
    Predict: ["tensorflow.serving.PredictRequest", "tensorflow.serving.PredictResponse"],
    MultiInference: ["tensorflow.serving.MultiInferenceRequest", "tensorflow.serving.MultiInferenceResponse"],
    GetModelMetadata: ["tensorflow.serving.GetModelMetadataRequest", "tensorflow.serving.GetModelMetadataResponse"],
  },
  "tensorflow.serving.ModelService": {
    GetModelStatus: ["tensorflow.serving.GetModelStatusRequest", "tensorflow.serving.GetModelStatusResponse"],
    HandleReloadConfigRequest: ["tensorflow.serving.ReloadConfigRequest", "tensorflow.serving.ReloadConfigResponse"],
  },
  "inference.GRPCInferenceService": {
    ServerLive: ["inference.ServerLiveRequest", "inference.ServerLiveResponse"],
    ServerReady: ["inference.ServerReadyRequest", "inference.ServerReadyResponse"],
    ModelReady: ["inference.ModelReadyRequest", "inference.ModelReadyResponse"],
    ServerMetadata: ["inference.ServerMetadataRequest", "inference.ServerMetadataResponse"],
    ModelMetadata: ["inference.ModelMetadataRequest", "inference.ModelMetadataResponse"],
    ModelInfer: ["inference.ModelInferRequest", "inference.ModelInferResponse"],
    ModelStreamInfer: ["inference.ModelInferRequest", "inference.ModelStreamInferResponse", "stream"],
    ModelStatistics: ["inference.ModelStatisticsRequest", "inference.ModelStatisticsResponse"],
    RepositoryIndex: ["inference.RepositoryIndexRequest", "inference.RepositoryIndexResponse"],
    RepositoryModelLoad: ["inference.RepositoryModelLoadRequest", "inference.RepositoryModelLoadResponse"],
    RepositoryModelUnload: ["inference.RepositoryModelUnloadRequest", "inference.RepositoryModelUnloadResponse"],
  },
  "grpc.health.v1.Health": {
    Check: ["grpc.health.v1.HealthCheckRequest", "grpc.health.v1.HealthCheckResponse"],
    Watch: ["grpc.health.v1.HealthCheckRequest", "grpc.health.v1.HealthCheckResponse", "server-stream"],
  },
  "grpc.reflection.v1.ServerReflection": { ServerReflectionInfo: reflectionInfo },
  "grpc.reflection.v1alpha.ServerReflection": { ServerReflectionInfo: reflectionInfo },
} as const satisfies Readonly<
  Record<string, Readonly<Record<string, readonly [keyof typeof messages, keyof typeof messages, Streams?]>>>
>;

/** Which side of a call sends a stream: both with `stream`. */
type Streams = "stream" | "server-stream";
