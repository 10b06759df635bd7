"""An opened network: rows by hand, again and again, here and in another process."""

from __future__ import annotations

import gc
import os
import pickle
import subprocess
import sys
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models import squeezenet1_1
from toys import MeanColour

import penult
from penult import Extractor
from penult.backbones.checkpoint import save_checkpoint
from penult.backbones.registry import open_backbone, register, unregister
from penult.backbones.weights.choice import WeightsChoice
from penult.engines.registry import few_for_a_gpu, open_engine
from penult.errors import ImageError, RecipeMismatchError, UnknownNameError, UsageError
from penult.extractor import (
    EngineOptions,
    ExtractorSpec,
    ModelRows,
    ReadingOptions,
    RecipeRows,
    opened,
)

RED = np.full((6, 4, 3), (255, 51, 0), np.uint8)
GREY = Image.new("L", (5, 5), 51)


@pytest.fixture
def opens(monkeypatch):
    """What is opened while a test runs: backbones and engines, by name."""
    names = []

    def counted(function, kind):
        def call(*args, **options):
            names.append(kind)
            return function(*args, **options)

        return call

    for kind in ("open_backbone", "open_engine"):
        monkeypatch.setattr(opened, kind, counted(getattr(opened, kind), kind))
    return names


def test_rows_are_those_worked_out_by_hand_and_the_network_is_opened_once(toy, opens):
    with Extractor(toy) as extractor:
        for _ in range(2):
            np.testing.assert_allclose(extractor([RED, GREY]), [[1, 0.2, 0], [0.2] * 3], atol=1e-6)
        assert extractor([]).shape == (0, 3)
    assert opens == ["open_backbone", "open_engine"]


def test_rows_are_those_of_extract_and_a_recipe_opens_the_same(toy, photos):
    features = penult.extract(photos, model=toy, layer="pixels", pooling="max", normalize="l2")
    paths = [photos / name for name in features.ids]
    by_name = Extractor(toy, layer="pixels", pooling="max", normalize="l2")
    by_recipe = Extractor(features.recipe)
    assert by_name.recipes == by_recipe.recipes == (features.recipe,)
    for extractor in (by_name, by_recipe):
        np.testing.assert_allclose(extractor(paths), features.features[:], rtol=1e-5)


def test_several_layers_come_by_name(toy):
    extractor = Extractor(toy, layer=["logits", "pixels"], pooling="none")
    rows = extractor.by_layer([RED])
    assert {layer: block.shape for layer, block in rows.items()} == {
        "pixels": (1, 3, 8, 8),
        "logits": (1, 2),
    }
    np.testing.assert_allclose(rows["logits"], [[1.2, 1]], atol=1e-6)
    with pytest.raises(UsageError, match=r"the rows of 2 layers; by_layer\(images\)"):
        extractor([RED])


def test_an_image_without_a_row_is_named(toy, tmp_path):
    (tmp_path / "text.jpg").write_text("hello")
    with pytest.raises(ImageError, match=r"text\.jpg: is not an image"):
        Extractor(toy)([RED, tmp_path / "text.jpg", tmp_path / "gone.jpg"])
    with pytest.raises(ImageError, match=r"gone\.jpg: is not there$"):
        Extractor(toy)([tmp_path / "gone.jpg"])
    (tmp_path / "link.jpg").symlink_to("gone.jpg")
    with pytest.raises(ImageError, match=r"link\.jpg: is a link to nothing$"):
        Extractor(toy)([tmp_path / "link.jpg"])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"layer": "penultimat"}, UnknownNameError, "did you mean penultimate"),
        ({"layer": []}, UsageError, "layer is an empty list; give one or more"),
        ({"layer": None}, UsageError, "layer is None; give a name"),
        ({"pooling": 5}, UsageError, "pooling is 5; give a name, or None"),
        (
            {"layer": ["logits", 5]},
            UsageError,
            "layer is \\['logits', 5\\]; give a name, or a list",
        ),
        ({"normalize": "l1"}, UsageError, "allowed: none, l2"),
        ({"decode": "fast"}, UnknownNameError, "unknown decode"),
        ({"resize": "quick"}, UnknownNameError, "unknown resize 'quick'; allowed: exact, fast"),
        ({"engine": "steam"}, UnknownNameError, "allowed: auto, "),
        ({"batch_size": 0}, UsageError, "batch_size is 0; give 1 or more"),
        ({"streams": 0}, UsageError, "streams is 0"),
        ({"workers": -1}, UsageError, "workers is -1"),
        ({"max_pixels": 0}, UsageError, "max_pixels is 0"),
        ({"batch_size": "8"}, UsageError, "batch_size is '8'; give a whole number"),
        ({"streams": "x"}, UsageError, "streams is 'x'; give a whole number"),
        ({"workers": 1.5}, UsageError, "workers is 1.5; give a whole number"),
        ({"workers": True}, UsageError, "workers is True; give a whole number"),
        ({"max_pixels": "a"}, UsageError, "max_pixels is 'a'; give a whole number"),
        ({"device": 3}, UsageError, "device is 3; give a name"),
        ({"engine": 3}, UsageError, "engine is 3; give a name"),
        ({"weights": 5}, UsageError, "weights is 5; give a name, or a path"),
        ({"precision": "int8"}, UnknownNameError, "unknown precision 'int8'; allowed: float32"),
    ],
)
def test_what_cannot_be_is_refused_when_it_is_opened(toy, options, error, message):
    with pytest.raises(error, match=message):
        Extractor(toy, **options)


def test_what_is_no_model_is_refused_and_not_taken_for_the_default(toy, photos):
    features = penult.extract(photos, model=toy)
    with pytest.raises(UsageError, match=r"type Features; give .* a Recipe, such as its \.recipe"):
        Extractor(features)
    with pytest.raises(UsageError, match="model is 5; give a name"):
        Extractor(5)
    for function in (penult.extract, penult.plan):
        with pytest.raises(UsageError, match="model is 5; give a name"):
            function(photos, model=5)
    with pytest.raises(UsageError, match="model is 5; give a name"):
        open_backbone(5)


def test_how_an_error_is_met_is_checked_with_the_other_reading_options():
    with pytest.raises(UnknownNameError, match="value for on-error"):
        ReadingOptions(on_error="ignore")


def test_a_recipe_says_its_layer_itself_and_has_to_be_of_the_same_network(toy):
    recipe = Extractor(toy).recipes[0]
    with pytest.raises(UsageError, match="says itself which layer"):
        Extractor(recipe, layer="logits")
    with pytest.raises(RecipeMismatchError, match="weights_sha256"):
        Extractor(replace(recipe, weights_sha256="71" * 32))


def test_a_closed_extractor_refuses(toy):
    with Extractor(toy) as extractor:
        pass
    with pytest.raises(UsageError, match="this extractor is closed"):
        extractor([RED])
    with pytest.raises(UsageError, match="this extractor is closed"), extractor:
        pass


def test_an_extractor_says_in_a_line_what_it_is_and_opens_nothing_for_it(toy, opens):
    extractor = Extractor(toy, layer=["logits", "pixels"], engine="torch")
    shown = "Extractor('toy:mean-colour', layer=['logits', 'pixels'], engine='torch')"
    assert repr(extractor) == shown
    of_recipe = pickle.dumps(Extractor(extractor.recipes[0]))
    opens.clear()
    shown = "Extractor('toy:mean-colour', layer=['pixels'], engine='auto')"
    assert repr(pickle.loads(of_recipe)) == shown
    assert opens == []


def test_an_extractor_shows_the_options_that_change_its_rows(toy):
    options = "normalize='l2', views='flip', decode='scaled', resize='fast'"
    extractor = Extractor(
        toy,
        layer="pixels",
        pooling="avg",
        normalize="l2",
        views="flip",
        decode="scaled",
        resize="fast",
        allow_truncated=True,
        engine="torch",
    )
    shown = f"pooling='avg', {options}, allow_truncated=True, engine='torch')"
    assert repr(extractor) == f"Extractor('toy:mean-colour', layer=['pixels'], {shown}"
    of_recipe = Extractor(extractor.recipes[0])
    shown = f"Extractor('toy:mean-colour', layer=['pixels'], {options}, engine='auto')"
    assert repr(of_recipe) == shown


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (WeightsChoice.of("random"), "'random'"),
        (WeightsChoice(Path("a.pth"), others=(Path("b.pth"),)), "['a.pth', 'b.pth']"),
    ],
)
def test_an_extractor_shows_weights_that_are_not_its_own(given, shown):
    spec = ExtractorSpec(rows=ModelRows(precision="bfloat16"), weights=given)
    told = repr(pickle.loads(pickle.dumps(Extractor._unopened(spec))))
    assert told.endswith(f"precision='bfloat16', weights={shown}, engine='auto')")


def test_a_classifier_asked_for_a_second_photo_opens_nothing_again(toy, photos, opens):
    classifier = penult.train(penult.extract(photos, model=toy), classifier="centroid")
    opens.clear()
    for name in ("rose", "tulip"):
        (told,) = classifier.predict(photos / name / f"{name}_01.jpg")
        assert told.label == name
    assert opens == ["open_backbone", "open_engine"]


def test_the_estimator_and_a_classifier_share_a_network(toy, photos, opens):
    classifier = penult.train(penult.extract(photos, model=toy), classifier="centroid")
    classifier.predict([RED])
    opens.clear()
    penult.FeatureExtractor(toy).fit_transform([RED])
    assert opens == []


def saved(path, seed):
    torch.manual_seed(seed)
    save_checkpoint(
        path,
        squeezenet1_1(num_classes=2),
        architecture="torchvision:squeezenet1_1",
        preprocessing=open_backbone("squeezenet1_1", WeightsChoice("random")).preprocessing,
        overwrite=True,
    )
    return ExtractorSpec(rows=ModelRows(models=(str(path),)))


def test_a_weights_file_that_is_written_anew_is_another_network(tmp_path):
    spec = saved(tmp_path / "net.ckpt", seed=0)
    before = spec.shared()
    assert spec.shared().backbones == before.backbones
    assert saved(tmp_path / "net.ckpt", seed=1).shared().recipes != before.recipes
    with pytest.raises(RecipeMismatchError, match=r"the classifier and .* weights_sha256"):
        ExtractorSpec(rows=RecipeRows(before.recipes, "the classifier")).shared()


def test_a_forked_child_gives_no_rows_of_weights_that_were_exchanged_since(tmp_path):
    extractor = saved(tmp_path / "net.ckpt", seed=0).open()
    saved(tmp_path / "net.ckpt", seed=1)
    extractor._process = -1  # a child opens the network anew
    with pytest.raises(RecipeMismatchError, match=r"the extractor and .* as it is now"):
        _ = extractor.engine


def test_a_network_belongs_to_one_device(toy):
    """An engine moves the network that it runs."""
    backbones = {
        device: ExtractorSpec(
            rows=ModelRows(models=(toy,)), engine=EngineOptions(engine="torch", device=device)
        )
        .shared()
        .backbones[0]
        for device in ("cpu", "auto")
    }
    assert backbones["cpu"] is not backbones["auto"]


def test_what_is_opened_with_other_engine_options_runs_the_same_network(toy, opens):
    for batch_size in (1, 1, 2):
        spec = ExtractorSpec(
            rows=ModelRows(models=(toy,)),
            engine=EngineOptions(engine="torch", device="cpu", batch_size=batch_size),
        )
        assert spec.shared().engine.batch_size == batch_size
    assert opens == ["open_backbone", "open_engine", "open_engine"]


def test_only_the_last_engines_of_a_network_are_kept(toy, monkeypatch):
    monkeypatch.setattr(opened, "ENGINES_KEPT", 2)
    engines = []
    for batch_size in (1, 2, 1, 3):  # 1 was used after 2
        options = EngineOptions(engine="torch", device="cpu", batch_size=batch_size)
        spec = ExtractorSpec(rows=ModelRows(models=(toy,)), engine=options)
        engines.append(weakref.ref(spec.shared().engine.engines[0]))
    gc.collect()
    assert engines[1]() is None
    assert engines[2]() is engines[0]() is not None


@pytest.fixture
def devices(monkeypatch):
    """Where engines are opened, on a machine that has a GPU if they are asked; all run on the CPU."""
    asked = []

    def open_here(*what, device, **how):
        asked.append(device)
        return open_engine(*what, device="cpu", **how)

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("penult.engines.registry.shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(opened, "open_engine", open_here)
    return asked


def test_few_images_are_left_to_the_cpu_where_a_gpu_would_take_seconds_to_start(devices):
    few = ExtractorSpec(rows=ModelRows(layers=("blocks.0",))).open(images=256)
    assert few.engine_for(None).engines == few.engine_for(1).engines
    assert devices == ["cpu"]
    on_gpu = few.engine_for(257).engines
    assert devices == ["cpu", "auto"]
    assert few.engine_for(1).engines == on_gpu  # which is there now


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("toy:mean-colour", {}),  # needs torch anyway
        ("efficientnet_lite0", {"engine": "openvino"}),
        ("efficientnet_lite0", {"device": "cuda"}),
    ],
)
def test_one_image_is_run_where_it_is_asked_for(toy, devices, model, options):
    rows, engine = ModelRows(models=(model,)), EngineOptions(**options)
    ExtractorSpec(rows=rows, engine=engine).open(images=1).engine_for(None)
    assert devices == [options.get("device", "auto")]


def test_an_extractor_that_is_kept_open_is_for_any_number_of_images(devices):
    with Extractor(layer="blocks.0") as extractor:
        extractor.engine_for(1)
    assert devices == ["auto"]


def test_half_precision_is_a_gpus_for_few_images_too(monkeypatch):
    backbone = open_backbone("efficientnet_lite0")
    half = backbone.recipe().with_options(precision="bfloat16")
    assert half.precision == "bfloat16"
    monkeypatch.setattr("penult.engines.registry._may_have_cuda", lambda: True)
    assert few_for_a_gpu(backbone, [backbone.recipe()], 1)
    assert not few_for_a_gpu(backbone, [half], 1)
    monkeypatch.undo()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not few_for_a_gpu(backbone, [backbone.recipe()], 1)


IN_ANOTHER_PROCESS = """
import pickle, sys
from toys import MeanColour
from penult.backbones.registry import register
register(MeanColour())
extractor, images = pickle.load(sys.stdin.buffer)
sys.stdout.buffer.write(pickle.dumps(extractor(images)))
"""


def test_a_pickled_extractor_is_small_and_gives_equal_rows_in_a_process_of_its_own(toy):
    extractor = Extractor(toy, layer="pixels", pooling="flatten", batch_size=3, workers=1)
    spec = pickle.dumps(extractor.spec)
    assert len(spec) < 2_000
    assert pickle.loads(spec) == extractor.spec
    done = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS],
        input=pickle.dumps((extractor, [RED, GREY])),
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path]),
        },
        capture_output=True,
        check=True,
    )
    assert np.array_equal(pickle.loads(done.stdout), extractor([RED, GREY]))


def test_what_is_unpickled_twice_is_opened_once(toy, opens):
    pickled = pickle.dumps(Extractor(toy))
    opens.clear()
    for _ in range(2):
        assert pickle.loads(pickled)([RED]).shape == (1, 3)
    assert opens == ["open_backbone", "open_engine"]


def test_unpickling_opens_nothing_and_what_is_wrong_reaches_the_caller(opens):
    register(MeanColour())
    pickled = pickle.dumps(Extractor("toy:mean-colour"))
    unregister("toy")
    opens.clear()
    extractor = pickle.loads(pickled)
    assert opens == []
    with pytest.raises(UnknownNameError, match="unknown backbone source 'toy'") as caught:
        extractor([RED])
    sent_back = pickle.loads(pickle.dumps(caught.value))
    assert type(sent_back) is UnknownNameError
    assert str(sent_back) == str(caught.value)


def test_importing_it_needs_no_torch():
    code = "import sys; from penult import Extractor; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
