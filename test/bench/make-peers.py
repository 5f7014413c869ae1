"""Makes of SavedModels what `npm run bench -- browser --models DIR` measures: DIR/NAME with `saved_model`, `model.tflite`
for LiteRT.js, `model.onnx` for ONNX Runtime Web and, as `reference`, what the Python converter wrote: copied from beside
the SavedModel, else made where `tensorflowjs_converter` is installed. Free dimensions of inputs become 1 in the
`.tflite`, since LiteRT.js takes inputs of no other shape than the model's. Signature `serving_default`.

Ran with TensorFlow 2.21, tf2onnx 1.17 and onnx 1.23 (`pip install tensorflow-cpu==2.21.* tf2onnx onnx`).

usage: python make-peers.py DIR FOLDER ...      (each FOLDER has a `saved_model`)
"""

import os
import shutil
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import tensorflow as tf  # noqa: E402

REFERENCES = ("reference", "reference/serving_default")


def copy_folder(source, target):
    if not os.path.exists(target):
        shutil.copytree(source, target, copy_function=shutil.copyfile)


def write_tflite(saved_model, path):
    loaded = tf.saved_model.load(saved_model)
    serve = loaded.signatures["serving_default"]
    specs = {
        name: tf.TensorSpec([size or 1 for size in spec.shape], spec.dtype, name)
        for name, spec in serve.structured_input_signature[1].items()
    }
    fixed = tf.function(lambda **inputs: serve(**inputs)).get_concrete_function(**specs)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(loaded, folder, signatures={"serving_default": fixed})
        with open(path, "wb") as file:
            file.write(tf.lite.TFLiteConverter.from_saved_model(folder).convert())


def write_onnx(saved_model, path):
    command = [sys.executable, "-m", "tf2onnx.convert", "--opset", "17", "--saved-model", saved_model, "--output", path]
    subprocess.run(command, check=True, capture_output=True)


def write_reference(folder, saved_model, path):
    made = [place for place in REFERENCES if os.path.exists(os.path.join(folder, place, "model.json"))]
    if made:
        copy_folder(os.path.join(folder, made[0]), path)
    elif shutil.which("tensorflowjs_converter"):
        subprocess.run(["tensorflowjs_converter", "--input_format=tf_saved_model", saved_model, path], check=True)
    else:
        print(f"{folder}: no reference, since there is no tensorflowjs_converter")


def main(target, *folders):
    for folder in folders:
        name = os.path.basename(os.path.normpath(folder))
        saved_model = os.path.join(target, name, "saved_model")
        copy_folder(os.path.join(folder, "saved_model"), saved_model)
        write_tflite(saved_model, os.path.join(target, name, "model.tflite"))
        write_onnx(saved_model, os.path.join(target, name, "model.onnx"))
        write_reference(folder, saved_model, os.path.join(target, name, "reference"))
        print(f"{name}: {', '.join(sorted(os.listdir(os.path.join(target, name))))}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
