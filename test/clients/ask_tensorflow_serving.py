"""Asks a server everything that tensorflow-serving-api can ask, and prints the answers as JSON."""

import json
import sys

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf.json_format import MessageToDict as to_dict
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

address, base_path = sys.argv[1:]
channel = grpc.insecure_channel(address)
prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)
models = model_service_pb2_grpc.ModelServiceStub(channel)
answers = {}


def as_dict(message):
    return to_dict(message, preserving_proto_field_name=True)


def example(value):
    result = tf.train.Example()
    result.features.feature["x"].float_list.value.append(value)
    return result


def spec(message, signature="", name="half"):
    message.model_spec.name = name
    message.model_spec.signature_name = signature
    return message


predict = spec(predict_pb2.PredictRequest())
predict.inputs["x"].CopyFrom(tf.make_tensor_proto(np.array([[1], [2]], np.float32)))
answer = prediction.Predict(predict, timeout=20)
answers["predict"] = tf.make_ndarray(answer.outputs["y"]).tolist()
answers["version"] = answer.model_spec.version.value

predict.inputs["x"].CopyFrom(tf.make_tensor_proto([1.0, 2.0, 5.0]))
answers["flat"] = tf.make_ndarray(prediction.Predict(predict, timeout=20).outputs["y"]).tolist()

classify = spec(classification_pb2.ClassificationRequest(), "classify_x_to_y")
classify.input.example_list.examples.extend([example(1), example(2)])
answers["classify"] = as_dict(prediction.Classify(classify, timeout=20).result)

regress = spec(regression_pb2.RegressionRequest(), "regress_x_to_y2")
regress.input.example_list_with_context.context.CopyFrom(example(4))
regress.input.example_list_with_context.examples.extend([example(1), tf.train.Example()])
answers["regress"] = as_dict(prediction.Regress(regress, timeout=20).result)

multi = inference_pb2.MultiInferenceRequest()
multi.input.example_list.examples.append(example(2))
for signature, method in (("regress_x_to_y", "regress"), ("classify_x_to_y", "classify")):
    task = spec(multi.tasks.add(), signature)
    task.method_name = f"tensorflow/serving/{method}"
answers["multi_inference"] = as_dict(prediction.MultiInference(multi, timeout=20))

metadata = spec(get_model_metadata_pb2.GetModelMetadataRequest())
metadata.metadata_field.append("signature_def")
signatures = get_model_metadata_pb2.SignatureDefMap()
prediction.GetModelMetadata(metadata, timeout=20).metadata["signature_def"].Unpack(signatures)
answers["metadata"] = as_dict(signatures)

status = spec(get_model_status_pb2.GetModelStatusRequest())
answers["status"] = as_dict(models.GetModelStatus(status, timeout=20))

reload = model_management_pb2.ReloadConfigRequest()
for name in ("half", "other"):
    config = reload.config.model_config_list.config.add()
    config.name = name
    config.base_path = base_path
    config.model_platform = "tensorflow"
answers["reload"] = as_dict(models.HandleReloadConfigRequest(reload, timeout=60))
other = spec(get_model_status_pb2.GetModelStatusRequest(), name="other")
answers["reloaded"] = as_dict(models.GetModelStatus(other, timeout=20))

errors = {}
for signature, name in (("none", "half"), ("", "none")):
    try:
        prediction.Predict(spec(predict, signature, name), timeout=20)
    except grpc.RpcError as error:
        errors[error.code().name] = error.details()
answers["errors"] = errors

print(json.dumps(answers))
