"""Makes the SavedModels that `npm run bench -- converter --models DIR` measures: Keras architectures with seeded
random weights, exported for serving.

usage: python make-models.py DIR [NAME ...]
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import keras  # noqa: E402
import numpy as np  # noqa: E402

ARCHITECTURES = {
    "mobilenet_v2": keras.applications.MobileNetV2,
    "resnet50": keras.applications.ResNet50,
    "efficientnet_b0": keras.applications.EfficientNetB0,
    "densenet121": keras.applications.DenseNet121,
    "convnext_tiny": keras.applications.ConvNeXtTiny,
}


def calibrate(model):
    """Gives every batch norm and layer scale values that a trained model could have, so that no fold is a no-op."""
    random = np.random.default_rng(7)
    ranges = {"gamma": (0.8, 1.2), "beta": (-0.2, 0.2), "moving_mean": (-0.2, 0.2), "moving_variance": (0.7, 1.3)}
    for weight in model.weights:
        if weight.name in ranges:
            weight.assign(random.uniform(*ranges[weight.name], weight.shape))


def main(folder, *names):
    for name in names or ARCHITECTURES:
        keras.utils.set_random_seed(7)
        model = ARCHITECTURES[name](weights=None)
        calibrate(model)
        model.export(os.path.join(folder, name, "saved_model"), verbose=False)
        print(f"{name}: {model.count_params()} parameters")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
