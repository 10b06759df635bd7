"""Against Keras's own preprocessing and models, on the same random weights."""

import dataclasses
import os
import random
import sys
from contextlib import contextmanager
from functools import cache, lru_cache
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from penult.backbones.catalogue import list_models
from penult.backbones.keras import source
from penult.backbones.keras.applications import KERAS_MODELS, keras_preprocessing
from penult.backbones.keras.source import Keras, _import_keras
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.info import WeightsInfo
from penult.errors import BackboneError, MissingExtraError, UnknownNameError, WeightsError
from penult.testing import check_source

os.environ["KERAS_BACKEND"] = "torch"
keras = pytest.importorskip("keras")

# Keras's own, wherever it turns a variable into an array, under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

RANDOM = WeightsChoice("random")


@pytest.fixture(autouse=True)
def _empty_keras_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


def module_of(name):
    """The module of keras.applications with the model's `preprocess_input`."""
    return sys.modules[getattr(keras.applications, name).__module__]


def normalised(pixels, preprocessing):
    """Written out from the definition in `Preprocessing`."""
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    if preprocessing.channels == "BGR":
        images = images.flip(1)
    mean = torch.tensor(preprocessing.mean).view(1, 3, 1, 1)
    return (images / 255 - mean) / torch.tensor(preprocessing.std).view(1, 3, 1, 1)


def some_pixels(count, size):
    """Noise, each image half as bright as the one before."""
    noise = np.random.default_rng(1).integers(0, 256, (count, size, size, 3), np.uint8)
    return noise >> np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1)


def run(backbone, layers, pixels):
    with torch.inference_mode():
        activations = backbone.cut(layers)(normalised(pixels, backbone.preprocessing))
    return [activation.numpy() for activation in activations]


def relative_error(ours, theirs):
    return np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def enliven(model, gain=1.0):
    """Random weights with which a row depends on the image, and statistics on which it depends.

    Keras's own let the signal fade on its way: those of depthwise convolutions count inputs that
    each of their channels does not have. Livelier ones than the network needs make it chaotic: a
    change of 1e-7 in a pixel becomes one of 1e-1 in the row.
    """
    rng = np.random.default_rng(2)

    def noise(shape, deviation):
        numbers = rng.random(shape, np.float32)  # uniform: VGG16 has 138 million
        numbers -= np.float32(0.5)
        numbers *= np.float32(np.sqrt(12) * deviation)
        return numbers

    for weight in model.weights:
        if len(weight.shape) == 4:
            height, width, inputs, outputs = weight.shape
            depthwise = outputs == 1 or "depthwise" in weight.name
            fan = height * width * (1 if depthwise else inputs)
            weight.assign(noise(weight.shape, gain * np.sqrt(2 / fan)))
        elif len(weight.shape) == 2:
            weight.assign(noise(weight.shape, np.sqrt(2 / sum(weight.shape))))
        elif weight.name in ("moving_variance", "gamma"):
            weight.assign(rng.uniform(0.8, 1.2, weight.shape))
        elif weight.name in ("moving_mean", "beta"):
            weight.assign(rng.normal(0, 0.02, weight.shape))
    return model


def empty(name, size=96):
    """The backbone with zeros, for images of 96 pixels: seconds in place of a minute."""
    with pytest.MonkeyPatch.context() as patch, unset_weights(), smaller_ones():
        patch.setitem(KERAS_MODELS, name, dataclasses.replace(KERAS_MODELS[name], size=size))
        # Nobody asks for the digest of zeros.
        patch.setattr(source, "random_weights", lambda _model: WeightsInfo("random", "0" * 64))
        return Keras().open(name, RANDOM)


@lru_cache(maxsize=4)  # four are run by two tests and more
def lively(name):
    """The same with such weights."""
    backbone = empty(name, size=224 if name == "VGG16" else 96)  # the tutorials' VGG16
    enliven(backbone.network.model, gain=1.1 if name == "EfficientNetB0" else 1.0)
    return backbone


@contextmanager
def smaller_ones():
    """The largest ones made in here are smaller; `test_the_largest_ones_are_as_large_as_listed`.

    A NASNetLarge has 2 cells where it has 6, each like all others, and 672 features where it has
    4,032; a VGG16 has 64 where it has 4,096, of which 120 million of its 138 million weights are.
    """
    whole = sys.modules[keras.applications.NASNetLarge.__module__]
    make, layers = whole.NASNet, keras.layers

    def make_less(*args, **options):
        return make(*args, **options | {"num_blocks": 2, "penultimate_filters": 672})

    def dense(units, **options):
        return layers.Dense(64 if units == 4096 else units, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whole, "NASNet", make_less)
        patch.setattr(
            module_of("VGG16"), "layers", SimpleNamespace(**vars(layers) | {"Dense": dense})
        )
        yield


@contextmanager
def unset_weights():
    """Models made in here are to be given others' weights, and have zeros: random ones take longest."""
    from keras.src.backend.torch.core import get_device

    with pytest.MonkeyPatch.context() as patch:
        zeros = lambda _self, shape, dtype=None: torch.zeros(shape, device=get_device())  # noqa: E731
        patch.setattr(keras.initializers.VarianceScaling, "__call__", zeros)
        yield


def copy_weights(source, target):
    """The first weights of `source` into all of `target` (which may lack the classifier)."""
    for theirs, ours in zip(target.weights, source.weights, strict=False):
        theirs.assign(ours.value)


@pytest.mark.parametrize("name", KERAS_MODELS)
def test_the_network_sees_what_preprocess_input_gives(name):
    pixels = some_pixels(2, 5)
    theirs = module_of(name).preprocess_input(pixels.astype(np.float32))
    ours = normalised(pixels, keras_preprocessing(KERAS_MODELS[name]))
    np.testing.assert_allclose(ours.permute(0, 2, 3, 1).numpy(), theirs, rtol=1e-6, atol=2e-5)


def test_photos_are_squashed_as_load_img_does(tmp_path):
    from penult.images.pixels.transform import Transform

    Image.fromarray(some_pixels(1, 97)[0, :61]).save(tmp_path / "photo.png")
    theirs = keras.utils.load_img(tmp_path / "photo.png", target_size=(224, 224))
    with Image.open(tmp_path / "photo.png") as photo:
        ours = Transform(keras_preprocessing(KERAS_MODELS["VGG16"]))(photo.convert("RGB"))
    np.testing.assert_array_equal(ours, np.asarray(theirs))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("VGG16", 64),
        ("ResNet50", 2048),
        ("InceptionV3", 2048),
        ("EfficientNetB0", 1280),
        ("NASNetLarge", 672),
        ("Xception", 2048),
        ("MobileNet", 1024),
    ],
)
def test_the_classics_give_what_keras_gives_with_the_same_weights(name, length, request):
    backbone = request.getfixturevalue("vgg") if name == "VGG16" else lively(name)
    size, _ = backbone.preprocessing.input_size
    pixels = some_pixels(2, size)
    penultimate, logits = run(backbone, ["penultimate", "logits"], pixels)

    with unset_weights(), smaller_ones():
        model = getattr(keras.applications, name)(
            weights=None, classifier_activation=None, input_shape=(size, size, 3)
        )
    copy_weights(backbone.network.model, model)
    inputs = module_of(name).preprocess_input(pixels[:1].astype(np.float32))
    before_head = model.get_layer("conv_preds" if name == "MobileNet" else "predictions").input
    both = keras.Model(model.input, [before_head, model.output])
    their_penultimate, their_logits = both.predict_on_batch(inputs)

    assert penultimate.shape == (2, length)
    assert relative_error(penultimate[:1], their_penultimate.reshape(1, -1)) < 1e-4
    assert relative_error(logits[:1], their_logits) < 1e-4
    assert relative_error(penultimate[1], penultimate[0]) > 1e-2, "the image hardly matters"
    if name not in {"NASNetLarge", "VGG16"}:
        listed = KERAS_MODELS[name]
        assert (length, model.count_params()) == (listed.features, listed.parameters)


@pytest.mark.parametrize(
    ("name", "length"), [("EfficientNetB7", 2560), ("NASNetLarge", 4032), ("VGG16", 4096)]
)
def test_the_largest_ones_are_as_large_as_listed(name, length):
    """Their rows are those of a B0 of more layers, and of more cells: that says nothing new."""
    listed = KERAS_MODELS[name]
    with keras.device("meta"), unset_weights():  # where nothing is computed
        model = getattr(keras.applications, name)(weights=None)
    assert model.count_params() == listed.parameters
    assert model.get_layer("predictions").input.shape == (None, listed.features) == (None, length)
    assert model.input_shape == (None, listed.size, listed.size, 3)


@pytest.fixture(scope="module")
def vgg():
    return lively("VGG16")


def test_vgg16s_last_maps_flatten_to_the_tutorials_25088_numbers(vgg):
    """Tutorials: `VGG16(include_top=False).predict(x).reshape((n, 7 * 7 * 512))`."""
    from penult.backbones.pooling import pool

    pixels = some_pixels(1, 224)
    with unset_weights():
        tutorial = keras.applications.VGG16(weights=None, include_top=False)
    copy_weights(vgg.network.model, tutorial)
    inputs = keras.applications.vgg16.preprocess_input(pixels.astype(np.float32))
    theirs = tutorial.predict_on_batch(inputs).reshape((1, 7 * 7 * 512))

    layer = vgg.layer("block5_pool")
    with torch.inference_mode():
        (maps,) = vgg.cut(["block5_pool"])(normalised(pixels, vgg.preprocessing))
    ours = pool(maps, "flatten", layer.layout).numpy()
    assert ours.shape == (1, 25_088) == (1, layer.length)
    assert relative_error(ours, theirs) < 1e-4


def test_layers_have_keras_names_in_execution_order_and_true_shapes(vgg):
    names = [layer.name for layer in vgg.layers]
    assert names[:3] == ["block1_conv1", "block1_conv2", "block1_pool"]
    assert names[-5:] == ["fc1", "fc2", "predictions", "penultimate", "logits"]
    assert vgg.layer("block5_conv3").shape == (14, 14, 512)
    assert vgg.layer("block5_conv3").layout == "NHWC"
    assert vgg.layer("fc2") == vgg.layer("fc2")
    with pytest.raises(UnknownNameError, match=r"did you mean .*block5_conv3"):
        vgg.cut(["block5_conv33"])


@pytest.mark.parametrize("name", ["MobileNetV3Small", "ConvNeXtTiny", "DenseNet121"])
def test_every_layer_has_the_shape_that_is_listed(name):
    backbone = empty(name)
    layers = [layer.name for layer in backbone.layers]
    assert len(set(layers)) == len(layers)
    some = [*layers[::10], "penultimate", "logits"]
    activations = run(backbone, some, some_pixels(1, 96))
    assert [a.shape[1:] for a in activations] == [backbone.layer(n).shape for n in some]
    assert backbone.layer("penultimate").shape == (KERAS_MODELS[name].features,)
    assert backbone.recipe().pooling == "none"


def test_nothing_after_the_last_layer_is_in_the_cut(vgg):
    operations = [operation.name for operation in vgg.cut(["block2_pool"]).model.operations]
    assert operations[-1] == "block2_pool"
    assert len(operations) == 7


def test_rows_depend_neither_on_their_neighbours_nor_on_the_run():
    backbone = lively("MobileNetV2")
    pixels = some_pixels(3, 96)
    layers = ["block_2_add", "penultimate"]
    together = run(backbone, layers, pixels)
    for first, again in zip(together, run(backbone, layers, pixels), strict=True):
        np.testing.assert_array_equal(first, again)
    for i in range(3):
        for row, alone in zip(together, run(backbone, layers, pixels[i : i + 1]), strict=True):
            assert relative_error(alone, row[i : i + 1]) < 1e-5


def test_networks_are_in_eval_mode_however_they_are_wrapped():
    """EfficientNet drops whole branches in training, and its batch normalisations learn."""
    backbone = lively("EfficientNetB0")
    images = normalised(some_pixels(2, 96), backbone.preprocessing)
    cut = backbone.cut(["penultimate"])
    (before,) = cut(images)
    (after,) = cut.train()(images)
    assert torch.equal(before, after)
    assert not before.requires_grad


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layer"), [("MobileNet", "penultimate"), ("Xception", "block4_pool")]
)
def test_openvino_gives_the_rows_of_torch(name, layer):
    """Xception's paddings are computed from shapes, and MobileNet's subtractions are `subtract`.

    What follows in Xception are the operations of its first blocks.
    """
    pytest.importorskip("openvino")
    from penult.engines.base import EngineSettings
    from penult.engines.openvino.engine import OpenVinoEngine
    from penult.engines.torch import TorchEngine

    backbone = lively(name)
    recipes = [backbone.recipe(layer)]
    pixels = some_pixels(2, 96)
    ours = OpenVinoEngine(backbone, recipes, EngineSettings()).run(pixels)[0]
    theirs = TorchEngine(backbone, recipes, EngineSettings(device="cpu")).run(pixels)[0]
    assert relative_error(ours[1], theirs[1]) < 1e-4
    assert relative_error(ours[1], ours[0]) > 1e-2


def test_random_weights_are_the_same_each_time_and_leave_the_callers_seed():
    random.seed(5)
    expected = random.random()
    random.seed(5)
    first = Keras().open("MobileNet", RANDOM)
    assert random.random() == expected
    keras.layers.Conv2D(3, 3)  # Names made up elsewhere must not shift those of the network.
    second = Keras().open("mobilenet", RANDOM)
    assert first.weights == second.weights
    assert first.weights.name == "random"
    assert first.layers == second.layers
    assert first.recipe() == second.recipe()


@cache
def small_model():
    with unset_weights():
        model = keras.applications.MobileNet(weights=None)
    return enliven(model)


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5", ".keras"])
def test_a_given_file_is_read_whatever_its_format(suffix, tmp_path):
    path, model = tmp_path / f"mine{suffix}", small_model()
    if suffix == ".weights.h5":
        model.save_weights(path)
    else:
        model.save(path)
    with unset_weights():
        backbone = Keras().open("MobileNet", WeightsChoice(path))
    for ours, theirs in zip(backbone.network.model.weights, model.weights, strict=True):
        assert torch.equal(ours.value, theirs.value)
    assert backbone.weights.path == path


def test_a_keras_archive_that_holds_code_is_read_for_its_numbers_only(tmp_path):
    """The network is followed by a Lambda layer, which Keras itself would run on loading."""
    network = small_model()
    ran = tmp_path / "ran"
    code = f"__import__('pathlib').Path({str(ran)!r}).touch()"
    output = keras.layers.Lambda(lambda x: (exec(code), x)[1], output_shape=(1000,))(network.output)
    keras.Model(network.input, output).save(tmp_path / "lambda.keras")
    ran.unlink(missing_ok=True)
    backbone = Keras().open("MobileNet", WeightsChoice(tmp_path / "lambda.keras"))
    assert torch.equal(backbone.network.model.weights[0].value, network.weights[0].value)
    assert not ran.exists()


def test_efficientnets_pretrained_normalisation_is_that_of_keras(tmp_path, monkeypatch):
    """Keras divides by the standard deviation once more, but only where it fetches the weights."""
    from keras.src.utils import file_utils

    # The normalisation is in front of the blocks, of which the first two do.
    monkeypatch.setattr(
        whole := module_of("EfficientNetB0"), "DEFAULT_BLOCKS_ARGS", whole.DEFAULT_BLOCKS_ARGS[:2]
    )
    with unset_weights():
        maker = enliven(keras.applications.EfficientNetB0(weights=None))
    normalisation = maker.layers[2]
    normalisation.adapt_mean.assign([0.485, 0.456, 0.406])
    normalisation.adapt_variance.assign([0.229, 0.224, 0.225])
    maker.save(tmp_path / "efficientnetb0.h5")
    monkeypatch.setattr(
        file_utils, "get_file", lambda *_, **__: str(tmp_path / "efficientnetb0.h5")
    )
    with unset_weights():
        theirs = keras.applications.EfficientNetB0(weights="imagenet")
        backbone = Keras().open("EfficientNetB0", WeightsChoice(tmp_path / "efficientnetb0.h5"))
    pixels = some_pixels(1, 224)
    (logits,) = run(backbone, ["logits"], pixels)
    classes = theirs.predict_on_batch(pixels.astype(np.float32))
    assert relative_error(softmax(logits), classes) < 1e-4


def test_weights_in_keras_own_cache_are_used(tmp_path):
    cache = tmp_path / "keras" / "models"
    cache.mkdir(parents=True)
    model = small_model()
    model.save(cache / "mobilenet_1_0_224_tf.h5")
    (card,) = [card for card in Keras().models() if card.name == "keras:MobileNet"]
    assert card.on_this_machine
    backbone = Keras().open("MobileNet", WeightsChoice(offline=True))
    assert backbone.weights.name == "mobilenet_1_0_224_tf.h5"
    assert torch.equal(backbone.network.model.weights[0].value, model.weights[0].value)


def test_a_damaged_file_in_keras_cache_is_refused(tmp_path):
    file = tmp_path / "keras" / "models" / KERAS_MODELS["VGG16"].file
    file.parent.mkdir(parents=True)
    file.write_bytes(b"half a download")
    with pytest.raises(WeightsError, match="its md5 is"):
        Keras().open("VGG16", WeightsChoice(offline=True))


def test_without_a_network_the_error_says_which_file_is_missing_and_where_it_is():
    with pytest.raises(
        WeightsError,
        match=r"vgg16_weights_tf_dim_ordering_tf_kernels\.h5.*keras-applications/vgg16",
    ):
        Keras().open("VGG16", WeightsChoice(offline=True))


@pytest.mark.parametrize("name", ["DenseNet121", "ConvNeXtTiny", "MobileNet", "ResNet50V2"])
def test_weights_come_from_where_keras_gets_them(name, monkeypatch):
    from keras.src.utils import file_utils

    class Asked(Exception):  # noqa: N818
        pass

    def get_file(fname, origin, cache_subdir, file_hash=None):
        raise Asked(fname, origin, cache_subdir, file_hash)

    monkeypatch.setattr(file_utils, "get_file", get_file)
    # Which file it is depends on the numbers of blocks that are asked for, whatever they do.
    none = lambda maps, *_, **__: maps  # noqa: E731
    monkeypatch.setattr(module_of("DenseNet121"), "dense_block", none)
    monkeypatch.setattr(module_of("ResNet50"), "stack_residual_blocks_v2", none)
    with pytest.raises(Asked) as asked, keras.device("meta"), unset_weights():
        getattr(keras.applications, name)(weights="imagenet")
    model = KERAS_MODELS[name]
    assert asked.value.args == (model.file, model.url, "models", model.digest)


def test_a_file_that_does_not_fit_is_refused_in_one_line(tmp_path):
    path = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save_weights(path)
    with pytest.raises(WeightsError, match="does not fit keras:MobileNet") as refused:
        Keras().open("MobileNet", WeightsChoice(path)).layer("conv1")
    assert "\n" not in str(refused.value)
    (tmp_path / "weights.bin").write_bytes(b"")
    with pytest.raises(WeightsError, match=r"reads \.weights\.h5, \.h5 and \.keras"):
        Keras().open("MobileNet", WeightsChoice(tmp_path / "weights.bin"))


def test_names_are_found_in_any_case_and_others_get_suggestions():
    assert Keras().knows("nasnetlarge")
    assert not Keras().knows("resnet_50")
    with pytest.raises(UnknownNameError, match=r"did you mean .*ResNet50"):
        Keras().open("ResNet5", RANDOM)
    with pytest.raises(BackboneError, match="Keras itself refuses it"):
        Keras().open("NASNetMobile", RANDOM)
    assert [card.features for card in list_models("keras:inception*3")] == [2048]


def test_without_keras_the_error_names_the_extra(monkeypatch):
    monkeypatch.setattr("penult.extras.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'penult\[keras\]'"):
        Keras().open("VGG16", RANDOM)


def test_keras_on_another_backend_is_refused_with_what_to_set(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(BackboneError, match=r"with the backend 'jax', .*; set KERAS_BACKEND=torch"):
        _import_keras()


def test_the_users_keras_settings_change_nothing_and_stay_as_they_were():
    expected = Keras().open("MobileNet", RANDOM)
    keras.config.set_image_data_format("channels_first")
    keras.config.set_floatx("float64")
    try:
        backbone = Keras().open("MobileNet", RANDOM)
        assert (keras.config.image_data_format(), keras.config.floatx()) == (
            "channels_first",
            "float64",
        )
        assert backbone.weights == expected.weights
        (row,) = run(backbone, ["penultimate"], some_pixels(1, 224))
        assert row.dtype == np.float32
    finally:
        keras.config.set_image_data_format("channels_last")
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")  # which a thread keeps from its first layer


def test_the_source_keeps_its_promises():
    check_source(Keras(), "MobileNet", RANDOM)
