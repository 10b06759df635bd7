"""What needs an extra says so in one line that ends with what to type; nothing else needs one."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest
from light_environment import IN_EXTRAS

import penult
from penult.backbones.registry import open_backbone, open_without_download
from penult.backbones.weights.choice import WeightsChoice
from penult.cli.console import warn_of_random
from penult.engines import registry
from penult.errors import MissingExtraError, PathNotFoundError, UnknownNameError
from penult.extras import has_torch, require_torch, unloadable

pytestmark = pytest.mark.light

NEEDS_TORCH = "needs the extra 'torch', which is not installed; type: pip install 'penult[torch]'"


@pytest.mark.skipif(os.environ.get("PENULT_EXTRAS") != "none", reason="make test-light asks for it")
def test_what_extras_bring_is_not_here():
    assert [name for name in IN_EXTRAS if find_spec(name)] == []


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("resnet50", "torchvision:resnet50"),
        ("VGG16", "torchvision:vgg16"),
        ("torchvision:resnet50.IMAGENET1K_V1", "torchvision:resnet50.IMAGENET1K_V1"),
        ("EfficientNetB0", "timm:tf_efficientnet_b0.aa_in1k"),
        ("mobilenetv3_small_100", "timm:mobilenetv3_small_100"),
        ("mobilenetv3_small_100.lamb_in1k", "timm:mobilenetv3_small_100.lamb_in1k"),
        ("timm:owner/name", "timm:owner/name"),
    ],
)
@pytest.mark.parametrize("open_it", [open_backbone, open_without_download])
def test_a_network_of_torch_is_one_line(typed, named, open_it, without_torch):
    with pytest.raises(MissingExtraError) as refused:
        open_it(typed)
    assert str(refused.value) == f"{named} {NEEDS_TORCH}"


@pytest.mark.parametrize(("typed", "extra"), [("keras:VGG16", "keras"), ("hf:owner/name", "hf")])
def test_an_extra_that_brings_torch_is_named_itself(typed, extra, without_torch):
    with pytest.raises(MissingExtraError, match=rf"^{typed} .*'penult\[{extra}\]'$"):
        open_backbone(typed)


def test_other_weights_of_a_bundled_network_need_torch(without_torch):
    with pytest.raises(MissingExtraError) as refused:
        open_backbone("efficientnet_lite0", WeightsChoice("random"))
    assert str(refused.value) == f"bundled:efficientnet_lite0 with weights='random' {NEEDS_TORCH}"


def test_a_file_of_weights_needs_torch(without_torch, tmp_path):
    path = tmp_path / "tuned.pth"
    path.write_bytes(b"weights")
    with pytest.raises(MissingExtraError) as refused:
        open_backbone(str(path), WeightsChoice(architecture="resnet50"))
    assert str(refused.value) == f"{path} {NEEDS_TORCH}"
    with pytest.raises(MissingExtraError, match=NEEDS_TORCH.partition(";")[0]):
        open_backbone(str(path))
    with pytest.raises(MissingExtraError, match=re.escape(f"with weights={str(path)!r} needs")):
        open_backbone("efficientnet_lite0", WeightsChoice(path))
    for model in ("efficientnet_lite0", "resnet50"):
        with pytest.raises(PathNotFoundError, match=r"^no such file: "):
            open_backbone(model, WeightsChoice(tmp_path / "nothere.pth"))


def test_what_is_refused_is_not_warned_of(without_torch, capsys):
    warn_of_random("random", "resnet50")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"engine": "torch"}, "the engine torch"),
        ({"engine": "torch", "device": "cuda:1"}, "the engine torch"),
        ({"device": "cuda"}, "the device cuda"),
        ({"device": "mps"}, "the device mps"),
    ],
)
def test_an_engine_and_a_device_of_torch_are_one_line(options, named, without_torch, photos):
    with pytest.raises(MissingExtraError) as refused:
        penult.extract(photos, **options)
    assert str(refused.value) == f"{named} {NEEDS_TORCH}"


def test_a_network_of_another_package_that_only_torch_runs_is_one_line(without_torch):
    from toys import TinyNetwork

    backbone = TinyNetwork().open("network", WeightsChoice())
    recipe = open_backbone("efficientnet_lite0").recipe()
    with pytest.raises(MissingExtraError, match=r"^tiny:network needs the extra 'torch'"):
        registry.open_engine(backbone, [recipe])


def test_a_gpu_that_lies_idle_for_want_of_torch_is_told_once(without_torch, monkeypatch, caplog):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(registry.shutil, "which", lambda name: f"/usr/bin/{name}")
    registry._say_that_a_gpu_is_idle.cache_clear()
    with penult.Extractor() as first, penult.Extractor(layer="logits") as second:
        for extractor in (first, second):
            extractor([np.zeros((8, 8, 3), np.uint8)])
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert told == [
        "penult: running on the CPU; the GPU needs the extra 'torch': pip install 'penult[torch]'; "
        "device='cpu' is silent about it"
    ]


def test_names_that_are_none_get_suggestions(without_torch):
    with pytest.raises(UnknownNameError, match=r"did you mean resnet50\?"):
        open_backbone("resnet5O")
    with pytest.raises(UnknownNameError, match="did you mean timm:vit_small_patch14_dinov2"):
        open_backbone("dinov2")


def test_a_hint_says_what_to_install_where_a_list_would_be_refused(without_torch):
    for typed, extra in (("resnt50", "torch"), ("keras:VGG61", "keras")):
        with pytest.raises(UnknownNameError, match=rf"type: pip install 'penult\[{extra}\]'\)$"):
            open_backbone(typed)
    with pytest.raises(UnknownNameError, match=r"those that run here, and what to install for"):
        open_backbone("zebra")


def test_what_runs_here_is_listed(without_torch):
    assert {model.name.partition(":")[0] for model in penult.models()} == {"bundled"}
    assert penult.models("efficientnet")[0].name == "bundled:efficientnet_lite0"


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("resnet50", "torchvision:resnet50"),
        ("mobilenetv3", "each model that matches 'mobilenetv3'"),
        ("vgg*", "each model that matches 'vgg*'"),
        ("timm:*vit*", "timm:*vit*"),
    ],
)
def test_a_pattern_that_only_models_of_an_extra_match_names_that(pattern, named, without_torch):
    with pytest.raises(MissingExtraError) as refused:
        penult.models(pattern)
    assert str(refused.value) == f"{named} {NEEDS_TORCH}"


def test_a_pattern_that_nothing_matches_is_an_unknown_name_all_the_same(without_torch):
    with pytest.raises(UnknownNameError, match="unknown model 'zebra'"):
        penult.models("zebra")


@pytest.fixture
def old_torch(tmp_path):
    """A folder that holds a torch 1.13.1, which must not even be imported."""
    folder = tmp_path / "old"
    (folder / "torch").mkdir(parents=True)
    (folder / "torch" / "__init__.py").write_text("raise OSError('imported')")
    (folder / "torch-1.13.1.dist-info").mkdir()
    (folder / "torch-1.13.1.dist-info" / "METADATA").write_text("Name: torch\nVersion: 1.13.1\n")
    return folder


def test_a_torch_too_old_is_one_line_and_bundled_networks_do_without_it(old_torch, photos):
    path = os.pathsep.join([str(old_torch), *filter(None, [os.environ.get("PYTHONPATH")])])

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "penult", *arguments],
            env=os.environ | {"PYTHONPATH": path},
            cwd=photos.parent,
            capture_output=True,
            text=True,
            check=False,
        )

    done = run("extract", "photos", "-o", "f.h5", "--model", "resnet50")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "penult: torchvision:resnet50 needs the extra 'torch', and torch 1.13.1 is too old for it; "
        "type: pip install -U 'penult[torch]'\n"
    )
    done = run("extract", "photos", "-o", "f.h5", "-q")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("version", "is_old"),
    [("1.13.1", True), ("2.5.1+cpu", True), ("2.6.0", False), ("2.15", False)],
)
def test_the_oldest_torch_is_that_of_pyproject(version, is_old, monkeypatch):
    monkeypatch.setattr(penult.extras, "find_spec", lambda name: name)
    monkeypatch.setattr(penult.extras, "_torch_version", lambda: version)
    assert has_torch() is not is_old
    if is_old:
        with pytest.raises(MissingExtraError, match=rf"torch {version[:6]}.* is too old"):
            require_torch("this")
    else:
        require_torch("this", "timm")


@pytest.fixture
def broken_library(tmp_path, monkeypatch):
    """A library that is installed, and needs what is not there; gives its name."""
    (tmp_path / "brokenlib").mkdir()
    (tmp_path / "brokenlib" / "__init__.py").write_text("import brokenlib.part")
    (tmp_path / "brokenlib" / "part.py").write_text(
        "raise OSError('libcudart.so.12: cannot open shared object file')"
    )
    about = tmp_path / "broken_lib-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-lib\nVersion: 1.0\n")
    (about / "top_level.txt").write_text("brokenlib\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "brokenlib"
    for name in [one for one in sys.modules if one.startswith("brokenlib")]:
        del sys.modules[name]


def test_a_library_that_is_installed_and_broken_is_named_with_what_to_type(broken_library):
    with pytest.raises(OSError, match="libcudart") as raised:
        import_module(broken_library)
    assert unloadable(raised.value) == (
        "brokenlib is installed, and cannot be loaded (libcudart.so.12: cannot open shared object "
        "file); type: pip install --force-reinstall broken-lib"
    )


def test_an_error_that_no_import_raised_is_no_broken_library(tmp_path):
    with pytest.raises(FileNotFoundError) as raised:
        (tmp_path / "none").read_bytes()
    assert unloadable(raised.value) is None
    with pytest.raises(ModuleNotFoundError) as raised:
        import_module("penult.there_is_no_such_module")
    assert unloadable(raised.value) is None
