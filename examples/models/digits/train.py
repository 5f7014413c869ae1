"""Trains the digit recogniser and writes saved_model/ and golden.json.

All data is made here: digits rendered from installed fonts (font_digits.py)
and digits drawn with a synthetic pen (pen_digits.py). README.md has the
Python packages. The fonts came from these packages of Debian 12:

fonts-3270 fonts-adf-accanthis fonts-adf-baskervald fonts-adf-berenis fonts-adf-gillius
fonts-adf-ikarius fonts-adf-irianis fonts-adf-libris fonts-adf-mekanus fonts-adf-romande
fonts-adf-solothurn fonts-adf-switzera fonts-adf-tribun fonts-adf-universalis fonts-adf-verana
fonts-agave fonts-allerta fonts-anonymous-pro fonts-apropal fonts-arapey fonts-arkpandora
fonts-averia-gwf fonts-averia-sans-gwf fonts-averia-serif-gwf fonts-b612 fonts-baekmuk
fonts-bebas-neue fonts-beteckna fonts-blankenburg fonts-breip fonts-bwht fonts-cabin
fonts-campania fonts-cantarell fonts-cardo fonts-century-catalogue fonts-clear-sans fonts-cmu
fonts-comfortaa fonts-comic-neue fonts-compagnon fonts-courier-prime fonts-croscore
fonts-crosextra-caladea fonts-crosextra-carlito fonts-dancingscript fonts-dejavu-core
fonts-dejavu-extra fonts-dkg-handwriting fonts-dosis fonts-dustin fonts-ebgaramond
fonts-ecolier-court fonts-elstob fonts-engadget fonts-essays1743 fonts-eurofurence
fonts-evertype-conakry fonts-fantasque-sans fonts-fanwood fonts-femkeklaver fonts-firacode
fonts-freefont-ttf fonts-gemunu-libre fonts-georgewilliams fonts-gfs-artemisia fonts-gfs-didot
fonts-gfs-neohellenic fonts-gnutypewriter fonts-go fonts-goudybookletter fonts-hack fonts-hermit
fonts-hosny-amiri fonts-humor-sans fonts-inconsolata fonts-inter fonts-ipaexfont-gothic
fonts-ipaexfont-mincho fonts-isabella fonts-jetbrains-mono fonts-johnsmith-induni fonts-joscelyn
fonts-junction fonts-junicode fonts-jura fonts-karla fonts-karmilla fonts-kaushanscript
fonts-kiloji fonts-klaudia-berenika fonts-klee fonts-komatuna fonts-konatu fonts-kristi
fonts-lato fonts-league-mono fonts-league-spartan fonts-leckerli-one fonts-lemonada
fonts-levien-typoscript fonts-liberation fonts-lindenhill fonts-linex fonts-linuxlibertine
fonts-lobster fonts-lobstertwo fonts-lxgw-wenkai fonts-manrope fonts-migmix fonts-millimetre
fonts-mona fonts-monofur fonts-mononoki fonts-motoya-l-maruberi fonts-mplus fonts-nanum
fonts-nanum-extra fonts-national-park fonts-noto-core fonts-ocr-a fonts-ocr-b fonts-okolaks
fonts-oldstandard fonts-open-sans fonts-opendin fonts-opendyslexic fonts-osifont fonts-oxygen
fonts-paratype fonts-play fonts-prociono fonts-quattrocento fonts-quicksand fonts-radisnoir
fonts-ricty-diminished fonts-roadgeek fonts-roboto-slab fonts-roboto-unhinted fonts-rocknroll
fonts-routed-gothic fonts-rufscript fonts-seto fonts-sil-andika fonts-sil-charis
fonts-sil-doulos fonts-sil-gentium fonts-sil-gentiumplus fonts-sil-harmattan fonts-sjfonts
fonts-smc-chilanka fonts-smc-gayathri fonts-smc-manjari fonts-sora fonts-spleen fonts-stick
fonts-stix fonts-summersby fonts-takao-gothic fonts-takao-mincho fonts-texgyre fonts-tiresias
fonts-tlwg-garuda-ttf fonts-tlwg-kinnari-ttf fonts-tlwg-laksaman-ttf fonts-tlwg-loma-ttf
fonts-tlwg-mono-ttf fonts-tlwg-norasi-ttf fonts-tlwg-purisa-ttf fonts-tlwg-sawasdee-ttf
fonts-tlwg-typewriter-ttf fonts-tlwg-typist-ttf fonts-tlwg-typo-ttf fonts-tlwg-umpush-ttf
fonts-tlwg-waree-ttf fonts-tomsontalks fonts-tuffy fonts-ubuntu-title fonts-umeplus
fonts-unfonts-core fonts-uralic fonts-urw-base35 fonts-vlgothic fonts-vollkorn
fonts-yanone-kaffeesatz fonts-yozvox-yozfont-antique fonts-yozvox-yozfont-cute
fonts-yozvox-yozfont-edu fonts-yozvox-yozfont-new-kana fonts-yozvox-yozfont-standard-kana
fonts-yrsa-rasa fonts-yusei-magic
"""

import base64
import json
import os
import shutil
from multiprocessing import get_context
from pathlib import Path

import numpy as np

import font_digits
import pen_digits

HERE = Path(__file__).parent
SEED = 20
EPOCHS = 6
BATCH = 128
CHUNK = 2000
PEN_TRAIN, FONT_TRAIN = 190_000, 120_000
PEN_HELD_OUT, FONT_HELD_OUT = 10_000, 10_000

fonts = {}  # "train" and "held-out"; filled before the workers are forked


def make_chunk(job):
    """CHUNK images of one source; the same job always gives the same images."""
    source, part, index = job
    number = ("pen", "font").index(source) * 2 + ("train", "held-out").index(part)
    rng = np.random.default_rng([SEED, number, index])
    labels = np.arange(CHUNK) % 10
    if source == "pen":
        images = [pen_digits.pen_digit(d, rng) for d in labels]
    else:
        images = [font_digits.font_digit(fonts[part], d, rng) for d in labels]
    return np.stack(images), labels


def make_images(pool, source, part, count):
    jobs = [(source, part, i) for i in range(count // CHUNK)]
    chunks = pool.map(make_chunk, jobs, chunksize=1)
    return np.concatenate([c[0] for c in chunks]), np.concatenate([c[1] for c in chunks])


def build_model(keras):
    layers = keras.layers
    image = keras.Input((28, 28, 1), name="image")
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(image)
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(48, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(0.3)(x)
    x = layers.Dense(64, activation="relu")(x)
    x = layers.Dropout(0.2)(x)
    probabilities = layers.Dense(10, activation="softmax", name="probabilities")(x)
    return keras.Model(image, {"probabilities": probabilities})


def as_input(images):
    return images[..., None].astype(np.float32) / 255


def tensor(array):
    array = np.ascontiguousarray(array, "<f4")
    return {"dtype": "float32", "shape": list(array.shape), "b64": base64.b64encode(array.tobytes()).decode()}


def write_golden(tf, predict, held_out):
    """Inputs with what TensorFlow itself answers from the re-loaded model."""
    rng = np.random.default_rng(SEED)
    inputs = [as_input(images[i : i + 1]) for images, labels in held_out for i in rng.integers(0, len(images), 3)]
    inputs += [as_input(images[:10]) for images, labels in held_out[:2]]
    inputs.append(rng.random((4, 28, 28, 1), np.float32))
    cases = [
        {
            "signature": "serving_default",
            "inputs": {"image": tensor(x)},
            "outputs": {"probabilities": tensor(predict(x))},
        }
        for x in inputs
    ]
    golden = {"tensorflow": tf.__version__, "cases": cases}
    (HERE / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")


def main():
    fonts["train"], fonts["held-out"] = font_digits.load_fonts()
    with get_context("fork").Pool(os.cpu_count()) as pool:
        train = [make_images(pool, "pen", "train", PEN_TRAIN), make_images(pool, "font", "train", FONT_TRAIN)]
        held_out = {
            "pen strokes": make_images(pool, "pen", "held-out", PEN_HELD_OUT),
            "fonts, augmented": make_images(pool, "font", "held-out", FONT_HELD_OUT),
            "fonts, plain": font_digits.plain_renders(fonts["held-out"]),
        }
    images = np.concatenate([part[0] for part in train])
    labels = np.concatenate([part[1] for part in train])
    print(f"training images: {len(images)}", flush=True)

    # Imported late: TensorFlow's threads do not survive the fork above.
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    model = build_model(keras)
    steps = EPOCHS * (len(images) // BATCH)
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-4, steps, warmup_target=2e-3, warmup_steps=300)),
        loss={"probabilities": "sparse_categorical_crossentropy"},
    )
    batches = (
        tf.data.Dataset.from_tensor_slices((images, labels))
        .shuffle(len(images), seed=SEED)
        .batch(BATCH, drop_remainder=True)
        .map(lambda x, y: (tf.cast(x[..., None], tf.float32) / 255, {"probabilities": y}))
        .prefetch(4)
    )
    model.fit(batches, epochs=EPOCHS, shuffle=False, verbose=2)

    target = HERE / "saved_model"
    shutil.rmtree(target, ignore_errors=True)
    model.export(target, format="tf_saved_model", verbose=False)

    # From here on only what was saved counts.
    signature = tf.saved_model.load(target).signatures["serving_default"]
    print("inputs:", signature.structured_input_signature[1])
    print("outputs:", signature.structured_outputs)

    def predict(x):
        return signature(image=tf.constant(x))["probabilities"].numpy()

    for name, (x, y) in held_out.items():
        answers = np.concatenate([predict(as_input(x[i : i + 500])) for i in range(0, len(x), 500)])
        right = answers.argmax(axis=1) == y
        sure = answers.max(axis=1) > 0.9
        print(f"held-out {name}: {right.sum()}/{len(y)} = {right.mean():.2%} right, {(right & sure).mean():.2%} right and above 0.9")
    write_golden(tf, predict, list(held_out.values()))
    size = sum(f.stat().st_size for f in target.rglob("*") if f.is_file())
    print(f"parameters: {model.count_params()}, saved_model: {size} bytes")


if __name__ == "__main__":
    main()
