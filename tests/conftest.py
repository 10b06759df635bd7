"""What tests of several parts share."""

from __future__ import annotations

import gc
import hashlib
import importlib.metadata
import io
import json
import logging
import os
import re
import shutil
import sys
from functools import cache
from pathlib import Path

from compiled_once import compiling_once
from drawn_once import confusion_matrix_png
from installed import once_for_each_path

# Tests start hundreds of processes. Where none may write bytecode, as in many containers, each would
# compile all that it imports anew: twice the cost of such tests. So it is kept with what pytest keeps.
if sys.dont_write_bytecode:
    sys.pycache_prefix = str(Path(__file__).parent.parent / ".pytest_cache" / "bytecode")
    sys.dont_write_bytecode = False
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Before penult's modules take these by their names.
if "penult" not in sys.modules:
    for name in ("version", "entry_points"):
        look_up = getattr(importlib.metadata, name)
        setattr(importlib.metadata, name, once_for_each_path(look_up))

# On being imported, skops looks for NumPy's functions in every module that there is by then, and what
# transformers and keras import only when it is asked for is imported by that: seconds in each worker.
if "PYTEST_XDIST_WORKER" in os.environ:
    import skops.io  # noqa: F401

import h5py
import numpy as np
import pytest
from PIL import Image

from penult.extras import has_torch, is_installed
from penult.recipe import Preprocessing, Recipe
from penult.records import Features

pytest_plugins = ["quick_pytest"]

# Before anything imports huggingface_hub, which reads it once: no test asks a model hub.
os.environ["HF_HUB_OFFLINE"] = "1"


if os.environ.get("PENULT_EXTRAS") == "all":
    # Where every extra is to be installed, a missing one is a failure and not a reason to skip.
    pytest.importorskip = lambda name, *_, **__: importlib.import_module(name)


_ONCE = {
    "capacity", "chat", "client", "combine", "comparison", "explore", "features", "images", "neighbors",
    "records", "reporting", "retrieve", "serving", "similarity",
    "classify/prediction/test_predict.py", "classify/test_projection_members.py",
    "tasks/test_bot.py", "tasks/test_evaluate.py", "tasks/test_train.py",
    "test_augmentation.py", "test_export_rows.py", "test_extras.py", "test_passwords.py", "test_recipe_trees.py",
    "test_verification.py",
    *(f"cli/test_{of_rows_and_words}.py" for of_rows_and_words in (
        "augment", "cluster", "combine", "commands", "compare", "completion", "contradictions",
        "duplicates", "endings", "evaluate", "evaluate_search", "help", "index", "inputs", "layout",
        "leaks", "look", "map", "old_names", "outliers", "plan", "predict", "report", "report_without_training",
        "rows_folders", "search", "summarize", "table_addresses", "unlabelled", "usage", "verify",
    )),
}  # fmt: skip
"""Folders and files whose light tests are the same where there is torch.

They are about photos, rows and words; who computes the rows, which is another engine's way there,
matters to none of them.
"""


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Look for garbage neither while tests are collected nor, later, among what was collected.

    Ten thousand tests and the libraries that they import are a million objects, none of which is
    garbage; to go through them takes half a second, and a test that draws a figure sets it off.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_sessionfinish():
    """Let what was collected end as anything else; triton says what of it Python leaves alone.

    A worker ends at once, and takes nothing apart: see quick_pytest.py.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        gc.unfreeze()


_ALL_LIGHT = re.compile(
    r"^pytestmark = (pytest\.mark\.light$|\[[^]]*pytest\.mark\.light\b)", re.MULTILINE
)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out modules of which no test is run: they are imported for nothing.

    Where there is no torch, those none of whose tests does without it; and for `-m "not once"`, those
    all of whose tests are run once.
    """
    if collection_path.suffix != ".py" or collection_path.name == "conftest.py":
        return None
    if not has_torch():
        return "pytest.mark.light" not in collection_path.read_text("utf-8") or None
    if config.option.markexpr == "not once" and _is_of_once(collection_path):
        text = collection_path.read_text("utf-8")
        if _ALL_LIGHT.search(text) and not re.search(r"\bmark\.(gpu|needs|torch|twice)\b", text):
            return True
    return None


def _is_of_once(path: Path) -> bool:
    place = path.relative_to(Path(__file__).parent)
    return bool({place.parts[0], place.as_posix()} & _ONCE)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what `make test` runs once, where there is no torch: it is the same with it.

    What needs torch, a GPU or an extra would be skipped there, and run nowhere; and that torch is not
    imported is to be seen where it is.
    """
    marks = {mark.name for mark in item.iter_markers()}
    once = "light" in marks and not marks & {"gpu", "needs", "torch", "twice"}
    if once and _is_of_once(item.path):
        item.add_marker("once")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs torch, a GPU or what an extra brings where there is none."""
    for marker in item.iter_markers("needs"):
        if os.environ.get("PENULT_EXTRAS") != "all" and not is_installed(*marker.args):
            pytest.skip(f"needs {', '.join(marker.args)}")
    if item.get_closest_marker("torch") and not has_torch():
        pytest.skip("needs torch")
    if item.get_closest_marker("gpu"):
        if not has_torch():
            pytest.skip("needs torch")
        import torch

        if not torch.cuda.is_available():
            pytest.skip("needs a CUDA GPU")


@pytest.fixture(autouse=True)
def _same_everywhere(request, monkeypatch, tmp_path_factory):
    """What a test finds, whatever ran before it and however pytest runs.

    One fixture, since each costs as much as a small test.
    """
    _surround(monkeypatch, tmp_path_factory.getbasetemp() / "cache")
    _hear()
    # k-means in a report begins once for each number of clusters; in its own tests, as it does.
    if not {"clustering", "test_cluster.py"}.intersection(request.path.parts):
        monkeypatch.setattr("penult.explore.clustering.kmeans._STARTS", 1)
    # The confusion matrix of a report or a training is drawn once in each way.
    if results := sys.modules.get("penult.reporting.results"):
        monkeypatch.setattr(results, "confusion_matrix_png", confusion_matrix_png)
    yield
    if opened := sys.modules.get("penult.extractor.opened"):  # no network of another test
        opened.close_all()


def _surround(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """A cache of its own; and messages that are neither coloured nor folded, however pytest runs."""
    monkeypatch.setenv("PENULT_CACHE", str(cache))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "PY_COLORS", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)


def _hear() -> None:
    """What penult logs is heard, whatever a library or a command did to loggers before."""
    logger = logging.getLogger("penult")
    logger.disabled, logger.propagate = False, True
    # To set a level costs a pass through all loggers, of which torch has hundreds.
    if logging.root.manager.disable != logging.NOTSET:
        logging.disable(logging.NOTSET)
    for one in (logger, logging.root):  # which OpenVINO's converter raises
        if one.level != logging.WARNING:
            one.setLevel(logging.WARNING)


@cache
def _photos() -> dict[str, bytes]:
    """The photos' files, by their paths: made once, and written anew for each test."""
    colours = {"daisy": (235, 235, 220), "rose": (170, 20, 40), "tulip": (240, 180, 30)}
    rng = np.random.default_rng(0)
    made = {}
    for label, colour in colours.items():
        for number in range(1, 13):
            pixels = np.array(colour) + rng.normal(0, 12, size=(48, 64, 3))
            image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
            image.save(file := io.BytesIO(), "JPEG", quality=90)
            made[f"{label}/{label}_{number:02}.jpg"] = file.getvalue()
    return made


@pytest.fixture
def photos(tmp_path) -> Path:
    """`photos/daisy/daisy_01.jpg` … `photos/tulip/tulip_12.jpg`: 64 × 48 pixels, told apart by colour."""
    for name, data in _photos().items():
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "photos"


@pytest.fixture(scope="module")
def tiny():
    """`tiny:network`, with convolutions: see tests/toys.py."""
    from toys import TinyNetwork

    from penult.backbones.registry import register, unregister

    register(TinyNetwork())
    yield "tiny:network"
    unregister("tiny")


@pytest.fixture
def toy():
    """`toy:mean-colour`, whose rows are worked out by hand: see tests/toys.py."""
    from toys import MeanColour

    from penult.backbones.registry import register, unregister

    register(MeanColour())
    yield "toy:mean-colour"
    unregister("toy")


@pytest.fixture
def twin():
    """`twin:network`, another name of the architecture of `tiny:network`: see tests/toys.py."""
    from toys import Twin

    from penult.backbones.registry import register, unregister

    register(Twin())
    yield "twin:network"
    unregister("twin")


@pytest.fixture
def margins():
    """`margins:mean-colour`, whose images have something to crop: see tests/toys.py."""
    from toys import Margins

    from penult.backbones.registry import register, unregister

    register(Margins())
    yield "margins:mean-colour"
    unregister("margins")


@pytest.fixture(autouse=True, scope="session")
def _compiled_once(tmp_path_factory):
    """A graph of OpenVINO's is compiled once for all tests: see compiled_once.py."""
    from penult import openvino

    folder = tmp_path_factory.mktemp("compiled")
    make = openvino._core
    openvino._core = cache(lambda ov: compiling_once(make(ov), folder))


@pytest.fixture(autouse=True, scope="session")
def _not_waiting_for_disks():
    """That bytes outlive a power cut no test can see; a worker would wait for it thousands of times."""
    sync = os.fsync
    os.fsync = lambda _file: None
    yield
    os.fsync = sync


@pytest.fixture(autouse=True, scope="session")
def _resized_by_pillow():
    """Where not said otherwise: else it depends on how many images the tests before had."""
    from penult.images.pixels.compiled_resize import resizer

    resizer._LOADING.load = lambda: None


@pytest.fixture
def without_torch(monkeypatch):
    """As in an environment of `pip install penult` alone; where there is torch, it is not found."""
    from light_environment import IN_EXTRAS

    from penult import extras

    def find(name, find=extras.find_spec):
        return None if name in IN_EXTRAS else find(name)

    monkeypatch.setattr(extras, "find_spec", find)


@pytest.fixture
def recipe():
    return Recipe(
        architecture="toy/mean-colour",
        weights_sha256="00",
        layer="penultimate",
        pooling="avg",
        preprocessing=Preprocessing(
            resize=8, crop=(8, 8), interpolation="bilinear", mean=(0.5,) * 3, std=(0.5,) * 3
        ),
    )


@pytest.fixture(scope="session")
def extracted(tmp_path_factory):
    """Extract photos once, and give each test a copy, in which they lie where its own do."""
    folder = tmp_path_factory.mktemp("extracted")

    def extract(images, path, model):
        import penult

        digest = hashlib.sha256(model.encode())
        for photo in sorted(images.rglob("*.*")):
            digest.update(photo.relative_to(images).as_posix().encode() + photo.read_bytes())
        made = folder / f"{digest.hexdigest()}.h5"
        if not made.exists():
            penult.extract(images, made, model=model, progress=False)
        shutil.copyfile(made, path)
        with h5py.File(path, "r+") as file:
            origin = json.loads(file.attrs["origin"]) | {"sources": [str(images)]}
            file.attrs["origin"] = json.dumps(origin, sort_keys=True)

    return extract


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Train on labelled rows of `extracted` once with the same options, and give each test a copy."""
    folder = tmp_path_factory.mktemp("trained")

    def train(rows, path, **options):
        import penult

        digest = hashlib.sha256(repr(options).encode())
        with h5py.File(rows) as file:
            for column in ("features", "labels"):
                digest.update(file[column][()].tobytes())
        made = folder / f"{digest.hexdigest()}.skops"
        if not made.exists():
            penult.train(rows, made, progress=False, **options)
        shutil.copyfile(made, path)

    return train


@pytest.fixture
def make_features(recipe):
    """Features with `counts` rows a class: each around a corner of its own, told apart with ease."""

    def make(counts, *, width=6, noise=0.3, seed=0, **fields):
        rng = np.random.default_rng(seed)
        names = tuple(sorted(counts))
        labels = np.repeat(np.arange(len(names)), [counts[name] for name in names])
        rows = 3 * np.eye(len(names), width)[labels] + noise * rng.normal(size=(len(labels), width))
        given = {
            "features": rows.astype(np.float32),
            "ids": [f"{names[k]}/{i:03}.jpg" for i, k in enumerate(labels)],
            "labels": labels.astype(np.int64),
            "label_names": names,
            "recipe": recipe,
        }
        return Features(**(given | fields))

    return make


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL with pgvector: see tests/postgres.py."""
    from postgres import running_postgres

    with running_postgres() as server:
        yield server


@pytest.fixture
def memory_tables(monkeypatch):
    """Tables in memory, `memory:NAME`; see tests/memory_tables.py."""
    from memory_tables import MemoryTables

    from penult.databases import registry

    made = MemoryTables()
    monkeypatch.setattr(registry, "ADAPTERS", [*registry.ADAPTERS, made.adapter])
    return made
