"""Infers with Triton's clients, over HTTP (tensors as bytes and as JSON) and gRPC, and prints the answers as JSON."""

import json
import sys

import numpy as np
import tritonclient.grpc
import tritonclient.http

answers = {}
for name, module, address in (("http", tritonclient.http, sys.argv[1]), ("grpc", tritonclient.grpc, sys.argv[2])):
    client = module.InferenceServerClient(address)
    values = np.array([[1], [2]], np.float32)
    given = module.InferInput("x", [2, 1], "FP32")
    given.set_data_from_numpy(values)
    answer = {
        "ready": [client.is_server_live(), client.is_server_ready(), client.is_model_ready("half")],
        "all outputs": client.infer("half", [given]).as_numpy("y").tolist(),
        "one output": client.infer("half", [given], outputs=[module.InferRequestedOutput("y")]).as_numpy("y").tolist(),
    }
    if module is tritonclient.http:
        given.set_data_from_numpy(values, binary_data=False)
        wanted = [module.InferRequestedOutput("y", binary_data=False)]
        answer["json"] = client.infer("half", [given], outputs=wanted).as_numpy("y").tolist()
        compressed = client.infer("half", [given], request_compression_algorithm="gzip")
        answer["gzip"] = compressed.as_numpy("y").tolist()
        answer["metadata"] = client.get_model_metadata("half")
        answer["statistics"] = client.get_inference_statistics("half")["model_stats"][0]["inference_stats"]["success"]["count"]
    else:
        answer["metadata"] = client.get_model_metadata("half", as_json=True)
        index = client.get_model_repository_index(as_json=True)["models"]
        answer["index"] = [(model["name"], model["state"]) for model in index]
    client.unload_model("half")
    try:
        client.infer("half", [given])
        answer["unloaded"] = "still there"
    except Exception as error:  # each client has a class of its own for it
        answer["unloaded"] = str(error)
    client.load_model("half")
    answer["loaded"] = client.is_model_ready("half")
    answers[name] = answer

print(json.dumps(answers))
