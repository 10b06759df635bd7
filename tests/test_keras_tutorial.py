"""The scripts of docs/keras-tutorial.md run, and give what replaces them."""

from __future__ import annotations

import random
import re
import shlex
from pathlib import Path

import h5py
import numpy as np
import pytest
from markdown_it import MarkdownIt

import penult
from penult.backbones.layer import Layer, find_layer
from penult.errors import UnknownNameError
from penult.interface import serving_command_line

pytestmark = pytest.mark.light

PAGE = (Path(__file__).parent.parent / "docs" / "keras-tutorial.md").read_text("utf-8")
BLOCKS = [(t.info, t.content) for t in MarkdownIt().parse(PAGE) if t.type == "fence"]


def block_with(text, language="text"):
    (found,) = [content for info, content in BLOCKS if info == language and text in content]
    return found


def options_of(command):
    """The words after `penult extract photos`, as arguments of `penult.extract`."""
    words = shlex.split(command.removeprefix("$ "))[3:]
    named = {k.lstrip("-"): v for k, v in zip(words[::2], words[1::2], strict=True) if k != "-o"}
    return named | ({"shuffle": int(named["shuffle"])} if "shuffle" in named else {})


def train_with_the_old_script(capsys, script=None):
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import classification_report
    from sklearn.model_selection import GridSearchCV

    names = {
        "GridSearchCV": GridSearchCV, "LogisticRegression": LogisticRegression, "h5py": h5py,
        "classification_report": classification_report, "np": np,
    }  # fmt: skip
    exec(script or block_with("GridSearchCV("), names)
    return names, capsys.readouterr().out


def test_the_training_script_runs_on_a_feature_file(photos, toy, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    penult.extract(photos, "features.h5", model=toy, shuffle=42)
    names, out = train_with_the_old_script(capsys)
    assert set(re.findall("daisy|rose|tulip", out)) == {"daisy", "rose", "tulip"}
    assert "rank-5: 1.0" in out  # of three classes
    assert len(names["predictions"]) == 9  # a quarter of 36
    as_it_was = block_with("GridSearchCV(").replace(
        'db["label_names"].asstr()[:]', 'db["label_names"]'
    )
    with pytest.raises(TypeError, match="bytes"):
        train_with_the_old_script(capsys, as_it_was)


def test_the_page_shows_what_is_said_of_kerass_name_in_torchvisions_network():
    shown = block_with("did you mean features?", "console").splitlines()[1]
    layers = [Layer("features", "Sequential", (512, 7, 7), "NCHW")]
    about = {"backbone": "torchvision:vgg16.IMAGENET1K_V1", "architecture": "torchvision/vgg16"}
    with serving_command_line(), pytest.raises(UnknownNameError) as caught:
        find_layer(layers, "block5_pool", **about)
    assert f"penult: {caught.value}" == shown


@pytest.mark.slow
# Keras's own, wherever it turns a variable into an array, under NumPy 2.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_the_extracting_script_and_the_command_give_the_same_file(
    photos, tmp_path, monkeypatch, capsys
):
    """With MobileNet and weights of chance on both sides, in place of VGG16's 138 million."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    from keras.applications.mobilenet import MobileNet, preprocess_input
    from keras.utils import img_to_array, load_img
    from sklearn.preprocessing import LabelEncoder

    monkeypatch.chdir(photos.parent)
    for photo in photos.rglob("*.jpg"):
        if not photo.stem.endswith(("1", "2")):
            photo.unlink()
    whole = MobileNet(weights=None)
    enliven(whole)
    whole.save_weights("whole.weights.h5")
    below = keras.Model(whole.input, whole.get_layer("conv_pw_13_relu").output)
    names = {
        "VGG16": lambda weights, include_top: below, "preprocess_input": preprocess_input,
        "LabelEncoder": LabelEncoder, "Path": Path, "h5py": h5py, "img_to_array": img_to_array,
        "load_img": load_img, "np": np, "random": random,
    }  # fmt: skip
    exec(block_with("include_top=False)\nwith").replace("7 * 7 * 512", "7 * 7 * 1024"), names)

    command = block_with("--shuffle 42", "console").splitlines()[0]
    options = options_of(
        command.replace("VGG16", "MobileNet").replace("block5_pool", "conv_pw_13_relu")
    )
    ours = penult.extract(
        "photos", "features.h5", **options, weights="whole.weights.h5", engine="torch"
    )
    with h5py.File("old.h5") as old:
        where = {tuple(path.parts[1:]): k for k, path in enumerate(names["paths"])}
        order = [where[tuple(image.split("/"))] for image in ours.ids]
        theirs = old["features"][:][order]
        assert list(old["labels"][:][order]) == list(ours.labels)
        assert list(old["label_names"].asstr()[:]) == list(ours.label_names)
    assert len(np.unique(theirs)) > 1000  # weights of chance may give next to nothing
    assert distance(ours.features[:], theirs) < 1e-4  # as they are, ...
    transposed = in_kerass_order(ours.features[:], channels=1024)
    assert distance(transposed, theirs) > 0.1  # ... and by no means turned


def enliven(model):
    """Weights of chance with which a row depends on the image; Keras's own let it fade away."""
    rng = np.random.default_rng(2)
    for weight in model.weights:
        if len(weight.shape) == 4:
            fan = np.prod(weight.shape[:2]) * (1 if weight.shape[3] == 1 else weight.shape[2])
            weight.assign(rng.normal(0, np.sqrt(2 / fan), weight.shape))


def distance(ours, theirs):
    return np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)


def in_kerass_order(rows, channels):
    shown = block_with("rows.reshape(-1, 512").replace("512", str(channels))
    return eval(shown, {"rows": rows})


def test_the_snippet_brings_rows_of_torchvisions_networks_into_kerass_order(photos, monkeypatch):
    pytest.importorskip("torchvision")
    paths = sorted(photos.rglob("*_01.jpg"))
    options = {"layer": "features", "weights": "random", "engine": "torch"}
    model = "torchvision:mobilenet_v3_small"
    maps = penult.Extractor(model, pooling="none", **options)(paths)
    flat = penult.Extractor(model, pooling="flatten", **options)(paths)
    assert maps.shape[1:] == (576, 7, 7)
    theirs = maps.transpose(0, 2, 3, 1).reshape(len(maps), -1)
    assert distance(flat, theirs) > 0.1
    np.testing.assert_allclose(in_kerass_order(flat, channels=576), theirs, rtol=1e-5, atol=1e-7)
