"""What is to be compared, and what it is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from penult.comparison.candidates import default_models, given_files, list_candidates
from penult.comparison.folder import file_stem
from penult.errors import PathNotFoundError, UnknownNameError, UsageError
from penult.extraction import Extraction
from penult.extractor import ExtractorSpec, ModelRows

pytestmark = pytest.mark.light


def listed(*models, precisions=("float32",), views=(None,), **rows):
    extraction = Extraction(extractor=ExtractorSpec(rows=ModelRows(**rows)))
    return list_candidates(models, precisions=precisions, views=views, extraction=extraction)


def test_names_say_what_is_not_the_default():
    (plain,) = listed("efficientnet_lite0")
    assert plain.name == plain.model == "efficientnet_lite0"
    (other,) = listed("bundled:efficientnet_lite0", pooling="max", normalize="l2")
    assert other.name == "efficientnet_lite0, max, l2"
    assert other.named("blocks.3", among=["blocks.3"]) == "efficientnet_lite0/blocks.3, max, l2"
    assert other.named("penultimate", among=["penultimate"]) == other.name


def test_each_model_is_compared_in_each_precision_with_each_of_the_views():
    found = listed(
        "efficientnet_lite0",
        "efficientnet_lite1",
        precisions=("float32", "bfloat16"),
        views=(None, "flip"),
    )
    assert len({one.name for one in found}) == 8
    assert found[-1].name == "efficientnet_lite1, bfloat16, flip"
    assert found[-1].extraction.extractor.rows.views == "flip"


def test_a_plus_joins_networks(tmp_path, monkeypatch):
    (joined,) = listed("efficientnet_lite0+bundled:efficientnet_lite1")
    assert joined.name == "efficientnet_lite0+efficientnet_lite1"
    assert joined.extraction.extractor.rows.join is True
    # A file may have one in its name.
    (tmp_path / "a+b.onnx").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    (file,) = listed("onnx:a+b.onnx")
    assert file.extraction.extractor.rows.models == ("onnx:a+b.onnx",)
    (both,) = listed("efficientnet_lite0+onnx:a+b.onnx+efficientnet_lite1")
    assert both.extraction.extractor.rows.models == (
        "efficientnet_lite0",
        "onnx:a+b.onnx",
        "efficientnet_lite1",
    )


def test_a_name_that_is_none_is_refused_before_any_work():
    with pytest.raises(UnknownNameError, match="did you mean efficientnet_lite"):
        listed("efficientnet_lite0", "efficientnet_lite")
    with pytest.raises(UnknownNameError):
        listed("bundled:efficientnet_lite0", "bundled:efficientnet_lite9")
    with pytest.raises(PathNotFoundError, match=r"gone\.onnx"):
        listed("efficientnet_lite0", "onnx:gone.onnx")


def test_the_same_twice_is_refused():
    with pytest.raises(UsageError, match="efficientnet_lite0 was given 2 times"):
        listed("efficientnet_lite0", "bundled:efficientnet_lite0")
    with pytest.raises(UsageError, match="would both be called rows; rename one"):
        given_files([Path("a/rows.h5"), Path("b/rows.h5")])


def test_by_default_the_bundled_ones_are_compared_and_what_is_here_and_small(monkeypatch):
    from penult.backbones.info import ModelInfo
    from penult.comparison import candidates

    def model(name, parameters, *, here=True):
        return ModelInfo(
            name=name, parameters=parameters, input_size=None, features=None, licence=None,
            top1=None, weights="", on_this_machine=here,
        )  # fmt: skip

    there = [
        model("bundled:efficientnet_lite0", 4_000_000),
        model("timm:small", 99_999_999),
        model("timm:large", 100_000_000),
        model("timm:elsewhere", 1, here=False),
        model("timm:unknown", None),
    ]
    monkeypatch.setattr(candidates, "list_models", lambda _pattern: there)
    bundled = [f"bundled:efficientnet_lite{k}" for k in range(3)]
    assert default_models() == [*bundled, "timm:small"]


def test_rows_that_there_are_already_are_named_after_their_files():
    one, two = given_files([Path("a/clip.h5"), Path("dino.h5")])
    assert one.named("penultimate", among=["penultimate"]) == "clip"
    assert two.named("blocks.3", among=["blocks.3", "norm"]) == "dino/blocks.3"


def test_files_of_different_names_are_different():
    names = ["a/b", "a:b", "a-b", "a b", "x" * 300, "x" * 301, "..", "ä"]
    stems = {file_stem(name) for name in names}
    assert len(stems) == len(names)
    assert all(set(stem).isdisjoint('/\\:*?"<>| ') and len(stem) < 120 for stem in stems)
    assert file_stem("efficientnet_lite0") == "efficientnet_lite0"
