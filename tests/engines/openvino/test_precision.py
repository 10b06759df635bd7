"""bfloat16 on a CPU: where the processor has it, and one line where it does not."""

from __future__ import annotations

import numpy as np
import pytest

import penult
from penult.backbones.recipe_selection import select
from penult.backbones.registry import open_backbone
from penult.engines.agreement import cosines
from penult.engines.base import HALF_TOLERANCES, TOLERANCE
from penult.engines.openvino import engine as openvino_engine
from penult.engines.openvino import precision
from penult.engines.registry import open_engine
from penult.errors import EngineError, UsageError
from penult.machine import cache_folder
from penult.openvino import import_openvino

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 224, 224, 3), dtype=np.uint8)


@pytest.fixture
def has_bfloat16():
    if "BF16" not in precision.capabilities(import_openvino()):
        pytest.skip("this processor does not compute in bfloat16")


@pytest.fixture
def lacks_bfloat16(monkeypatch):
    monkeypatch.setattr(precision, "capabilities", lambda ov: ("FP32", "INT8"))


@pytest.fixture(scope="module")
def lite0():
    return open_backbone("efficientnet_lite0")


def in_bfloat16(backbone, layer="penultimate", pooling=None):
    recipes = select(backbone, [layer], pooling)
    return [recipe.with_options(precision="bfloat16") for recipe in recipes]


@pytest.mark.usefixtures("has_bfloat16")
def test_rows_are_float32_nearly_those_of_float32_and_the_same_every_time(lite0):
    (exact,) = open_engine(lite0, [lite0.recipe()], engine="openvino").run(IMAGES)
    engine = open_engine(lite0, in_bfloat16(lite0), engine="openvino")
    (rows,) = engine.run(IMAGES)
    assert rows.dtype == np.float32
    assert not np.array_equal(rows, exact)
    assert cosines(rows, exact).min() > 0.99
    (again,) = open_engine(lite0, in_bfloat16(lite0), engine="openvino", images=1).run(IMAGES[:1])
    assert np.linalg.norm(again - rows[:1]) <= TOLERANCE * np.linalg.norm(rows[:1])


@pytest.mark.usefixtures("has_bfloat16")
def test_the_engine_auto_takes_openvino_for_it(tiny):
    backbone = open_backbone(tiny)
    engine = open_engine(backbone, in_bfloat16(backbone, "last", "avg"), device="cpu")
    assert engine.name == "openvino"


@pytest.mark.usefixtures("has_bfloat16")
def test_both_precisions_share_one_conversion(tiny):
    backbone = open_backbone(tiny)
    open_engine(backbone, select(backbone, ["last"], "avg"), engine="openvino")
    kept = list((cache_folder() / "openvino").iterdir())
    open_engine(backbone, in_bfloat16(backbone, "last", "avg"), engine="openvino")
    assert list((cache_folder() / "openvino").iterdir()) == kept


@pytest.mark.usefixtures("has_bfloat16")
def test_rows_that_are_not_those_of_float32_are_refused(lite0, monkeypatch):
    monkeypatch.setattr(openvino_engine, "LEAST_COSINE", 0.99999)
    with pytest.raises(
        EngineError, match=r"should: its rows of penultimate in bfloat16 .*\(cosine 0.99"
    ):
        open_engine(lite0, in_bfloat16(lite0), engine="openvino")


@pytest.mark.usefixtures("has_bfloat16")
def test_where_the_rows_to_compare_with_cannot_be_computed_it_is_said_of_them(lite0, monkeypatch):
    def fail(*_):
        raise RuntimeError("no memory is left\nand a trace")

    monkeypatch.setattr(openvino_engine, "run_model", fail)
    with pytest.raises(EngineError) as caught:
        open_engine(lite0, in_bfloat16(lite0), engine="openvino", fresh=True)
    assert str(caught.value) == (
        "bundled:efficientnet_lite0 does not compute what it should: its rows in float32, which those in "
        "bfloat16 are compared with, cannot be computed: no memory is left"
    )


@pytest.mark.usefixtures("has_bfloat16")
def test_a_file_of_such_rows_says_so_and_is_verified_to_what_engines_differ_by(
    tmp_path, photos, toy
):
    path = tmp_path / "rows.h5"
    features = penult.extract(photos, path, model=toy, precision="bfloat16")
    assert features.features.dtype == np.float32
    assert features.recipe.precision == "bfloat16"
    found = penult.verify(path)
    assert found.passed
    assert found.tolerance == HALF_TOLERANCES["bfloat16"]
    assert found.agreements[0].worst_error <= TOLERANCE


@pytest.mark.usefixtures("lacks_bfloat16")
def test_a_processor_without_it_is_one_line_in_whatever_asks(tmp_path, photos, toy):
    line = (
        r"precision bfloat16 takes a CPU that computes in it \(AVX512-BF16, AMX, or bf16 of ARM\), "
        r"which this one, .*, does not; extract with precision='float32'"
    )
    with pytest.raises(UsageError, match=line):
        penult.extract(photos, tmp_path / "rows.h5", model=toy, precision="bfloat16")
    assert not list(tmp_path.glob("rows*"))
    with pytest.raises(UsageError, match=line):
        penult.Extractor(toy, precision="bfloat16")
    recipe = penult.extract(photos, model=toy).recipe.with_options(precision="bfloat16")
    with pytest.raises(UsageError, match=line):
        penult.Extractor(recipe)
    assert penult.extract(photos, model=toy).recipe.precision == "float32"


def test_float16_on_a_cpu_is_refused(toy):
    backbone = open_backbone(toy)
    recipe = backbone.recipe().with_options(precision="float16")
    with pytest.raises(UsageError) as caught:
        open_engine(backbone, [recipe], device="cpu")
    half = "BF16" in precision.capabilities(import_openvino())
    instead = "precision='bfloat16', which this one has, or " if half else ""
    assert str(caught.value) == (
        "precision float16 is for a CUDA GPU (engine torch), and this would run on the CPU (engine "
        f"openvino or torch); extract with {instead}precision='float32'"
    )


def test_torch_on_a_cpu_is_not_what_computes_it(toy):
    backbone = open_backbone(toy)
    with pytest.raises(UsageError) as caught:
        open_engine(backbone, in_bfloat16(backbone), engine="torch", device="cpu")
    assert str(caught.value) == (
        "precision bfloat16 is for the CPU (engine openvino) or a CUDA GPU (engine torch), and "
        "this would run on the CPU (engine torch); extract with precision='float32'"
    )


@pytest.mark.parametrize("half", ["bfloat16", "float16"])
def test_a_network_in_integers_is_refused(toy, half):
    backbone = open_backbone(toy).replace(quantized=True)
    recipe = backbone.recipe().with_options(precision=half)
    refused = f"in 8-bit integers, so it cannot be in {half}; extract with precision='float32', or"
    with pytest.raises(UsageError, match=refused):
        open_engine(backbone, [recipe], device="cpu")
