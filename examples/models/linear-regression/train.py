"""The classic first tutorial: one Dense unit learns y = -2 x from three points.

Writes saved_model/ and golden.json (what TensorFlow itself predicts with it).
"""

import base64
import json
import shutil
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

HERE = Path(__file__).parent


def tensor(array):
    array = np.ascontiguousarray(array, "<f4")
    return {"dtype": "float32", "shape": list(array.shape), "b64": base64.b64encode(array.tobytes()).decode()}


def main():
    keras.utils.set_random_seed(1)
    tf.config.experimental.enable_op_determinism()

    x = np.array([[-1.0], [0.0], [1.0]], np.float32)
    y = np.array([[2.0], [0.0], [-2.0]], np.float32)
    model = keras.Sequential([keras.layers.Dense(1, input_shape=[1])])
    model.compile(optimizer=keras.optimizers.RMSprop(0.001), loss="mse")
    history = model.fit(x, y, epochs=500, verbose=0)
    kernel, bias = model.get_weights()
    print("loss at the start and after 500 epochs:", history.history["loss"][0], model.evaluate(x, y, verbose=0))
    print("kernel:", kernel.item(), "bias:", bias.item())

    target = HERE / "saved_model"
    shutil.rmtree(target, ignore_errors=True)
    # The signature is spelled out to give the input a plain name: the default
    # one is a counter that depends on what else Keras has made before.
    model.export(target, format="tf_saved_model", verbose=False, input_signature=[tf.TensorSpec([None, 1], tf.float32, name="x")])

    signature = tf.saved_model.load(target).signatures["serving_default"]
    print("inputs:", signature.structured_input_signature[1])
    print("outputs:", signature.structured_outputs)
    (input_name,) = signature.structured_input_signature[1]
    (output_name,) = signature.structured_outputs
    cases = []
    for rows in ([[1.0]], [[0.0]], [[-1.0]], [[10.0]], [[-1.0], [0.0], [1.0], [2.5]], [[1e6], [-1e-6]]):
        rows = np.array(rows, np.float32)
        answer = signature(**{input_name: tf.constant(rows)})[output_name].numpy()
        print(rows.ravel(), "->", answer.ravel())
        cases.append({"signature": "serving_default", "inputs": {input_name: tensor(rows)}, "outputs": {output_name: tensor(answer)}})
    golden = {"tensorflow": tf.__version__, "cases": cases}
    (HERE / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
