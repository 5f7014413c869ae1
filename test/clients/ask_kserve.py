"""Infers with KServe's clients, REST (v1 and v2) and gRPC, and prints the answers as JSON."""

import asyncio
import json
import sys

import numpy as np
from kserve import InferInput, InferRequest
from kserve.inference_client import InferenceGRPCClient, InferenceRESTClient, RESTConfig


def request(binary):
    given = InferInput("x", [2, 1], "FP32")
    given.set_data_from_numpy(np.array([[1], [2]], np.float32), binary_data=binary)
    return InferRequest(model_name="half", infer_inputs=[given])


async def main(url, address):
    v1 = InferenceRESTClient(RESTConfig(protocol="v1"))
    v2 = InferenceRESTClient(RESTConfig(protocol="v2"))
    grpc = InferenceGRPCClient(address)
    answers = {"v1": await v1.infer(url, {"instances": [1.0, 2.0]}, model_name="half")}
    for name, binary in (("v2 binary", True), ("v2 JSON", False)):
        response = await v2.infer(url, request(binary), model_name="half")
        answers[name] = response.outputs[0].as_numpy().tolist()
    answers["grpc"] = (await grpc.infer(request(False))).outputs[0].as_numpy().tolist()
    answers["ready"] = [
        await v2.is_server_live(url),
        await v2.is_server_ready(url),
        await v2.is_model_ready(url, "half"),
        await grpc.is_server_ready(),
        await grpc.is_model_ready("half"),
    ]
    print(json.dumps(answers))


asyncio.run(main(*sys.argv[1:]))
