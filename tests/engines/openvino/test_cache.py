"""A conversion that is not what was put into the cache is never run, whatever became of it."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import penult
from penult.backbones.recipe_selection import select
from penult.backbones.registry import open_backbone
from penult.engines.openvino import cache as conversion_cache
from penult.engines.openvino import engine as openvino_engine
from penult.engines.registry import open_engine
from penult.output import sync_folder

IMAGES = np.random.default_rng(1).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("PENULT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "openvino"


def rows_of(name, layer="penultimate", **options):
    backbone = open_backbone(name)
    engine = open_engine(backbone, select(backbone, [layer]), engine="openvino", **options)
    return engine.run(IMAGES)[0]


def overwrite(path, start, content):
    with path.open("r+b") as file:
        file.seek(start)
        file.write(content)


def zeros_in_the_weights(folder, _other):
    overwrite(folder / "model.bin", 0, bytes(400))


def one_bit_of_the_weights(folder, _other):
    path = folder / "model.bin"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def half_of_the_weights(folder, _other):
    os.truncate(folder / "model.bin", 1000)


def half_of_the_graph(folder, _other):
    os.truncate(folder / "model.xml", 200)


def no_graph(folder, _other):
    (folder / "model.xml").unlink()


def another_graph(folder, other):
    for name in ("model.xml", "model.bin"):
        shutil.copy(other / name, folder)


def another_folder(folder, other):
    shutil.rmtree(folder)
    shutil.copytree(other, folder)


def no_check(folder, _other):
    (folder / "check.safetensors").unlink()


def half_of_the_check(folder, _other):
    os.truncate(folder / "check.safetensors", 300)


def other_rows_in_the_check(folder, _other):
    path = folder / "check.safetensors"
    with safe_open(path, "numpy") as file:
        note = file.metadata()
    save_file({name: -row for name, row in load_file(path).items()}, path, note)


def a_file_in_its_place(folder, _other):
    shutil.rmtree(folder)
    folder.touch()


DAMAGE = [
    zeros_in_the_weights,
    one_bit_of_the_weights,
    half_of_the_weights,
    half_of_the_graph,
    no_graph,
    another_graph,
    another_folder,
    no_check,
    half_of_the_check,
    other_rows_in_the_check,
]


@pytest.fixture(scope="module")
def kept(tiny, tmp_path_factory):
    """A cache with two layers of `tiny:network`, the first one's rows, and the name of its folder."""
    place = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PENULT_CACHE", str(place))
        rows = rows_of(tiny)
        (folder,) = (place / "openvino").iterdir()
        rows_of(tiny, "last")
    return place, rows, folder.name


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_was_damaged_or_exchanged_is_made_anew_and_one_line_says_so(
    tiny, cache, kept, caplog, damage
):
    place, rows, name = kept
    shutil.copytree(place, cache.parent)
    folder = cache / name
    (other,) = set(cache.iterdir()) - {folder}
    damage(folder, other)
    assert np.array_equal(rows_of(tiny), rows)
    (record,) = caplog.records
    assert f"{tiny} that is kept in {folder}" in record.getMessage()
    assert record.getMessage().endswith("; it is made anew")
    caplog.clear()
    assert np.array_equal(rows_of(tiny), rows)
    assert caplog.records == []
    assert sorted(path.name for path in folder.iterdir()) == [
        "check.safetensors", "model.bin", "model.xml",
    ]  # fmt: skip


def test_the_graph_that_is_quantised_is_looked_at_as_well(tiny, cache, caplog):
    backbone = open_backbone(tiny)
    openvino_engine.converted(backbone, [backbone.recipe()])
    assert caplog.records == []
    (folder,) = cache.iterdir()
    zeros_in_the_weights(folder, None)
    openvino_engine.converted(backbone, [backbone.recipe()])
    assert "model.bin has changed" in caplog.text


def test_verify_uses_nothing_that_is_kept(tiny, cache, tmp_path, photos, monkeypatch):
    penult.extract(photos / "rose", tmp_path / "f.h5", model=tiny, engine="openvino")
    monkeypatch.setattr(conversion_cache.ConversionCache, "load", None)
    monkeypatch.setattr(conversion_cache.ConversionCache, "store", None)
    found = penult.verify(tmp_path / "f.h5", engine="openvino")
    assert found.passed


def test_a_file_made_with_a_damaged_conversion_does_not_pass(tiny, tmp_path, photos, monkeypatch):
    """As one that an earlier penult wrote."""
    take = conversion_cache.ConversionCache.load

    def damaged(self):
        found = take(self)
        return found and replace(found, model=_doubled(found.model))

    penult.extract(photos / "rose", model=tiny, engine="openvino")
    monkeypatch.setattr(conversion_cache.ConversionCache, "load", damaged)
    monkeypatch.setattr(openvino_engine, "relative_error", lambda *_: 0.0)
    penult.extract(photos / "rose", tmp_path / "f.h5", model=tiny, engine="openvino")
    found = penult.verify(tmp_path / "f.h5", engine="openvino")
    assert found.agreements[0].worst_error == pytest.approx(1, rel=1e-5)
    assert not found.passed


def _doubled(model):
    import openvino as ov

    row = model.outputs[0].get_node().input_value(0)
    return ov.Model(
        [ov.opset13.result(ov.opset13.multiply(row, np.float32(2)))], model.get_parameters(), "2"
    )


@pytest.mark.parametrize("damage", [None, zeros_in_the_weights, a_file_in_its_place])
def test_a_cache_that_is_read_only_is_read(tiny, cache, caplog, monkeypatch, damage):
    rows = rows_of(tiny)
    (folder,) = cache.iterdir()
    if damage:
        damage(folder, None)

    def refuse(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(conversion_cache, "scratch_folder", refuse)
    assert np.array_equal(rows_of(tiny), rows)
    assert ("Permission denied" in caplog.text) == (damage is not None)


def test_a_kill_between_any_two_steps_leaves_nothing_that_counts(tiny, cache, monkeypatch, caplog):
    """At each step the process ends; what it would do next, or tidy up, is not done."""
    backbone = open_backbone(tiny)
    recipes = [backbone.recipe()]
    right = rows_of(tiny)
    shutil.rmtree(cache)
    made = openvino_engine.convert(backbone, recipes)

    class Killed(BaseException):
        pass

    def until(count):
        left = [count]

        def step(function):
            def wrapped(*args, **options):
                if not left[0]:
                    raise Killed
                left[0] -= 1
                return function(*args, **options)

            return wrapped

        with monkeypatch.context() as patch:
            patch.setattr(conversion_cache.os, "fsync", step(lambda _file: None))
            patch.setattr(conversion_cache, "sync_folder", step(sync_folder))
            patch.setattr(Path, "rename", step(Path.rename))
            patch.setattr(Path, "write_bytes", step(Path.write_bytes))
            patch.setattr(shutil, "rmtree", lambda *_args, **_options: None)
            conversion_cache.ConversionCache(recipes).store(made)

    for steps in range(20):
        try:
            until(steps)
        except Killed:
            # There whole, or not at all; and the next process runs, whatever is there.
            found = conversion_cache.ConversionCache(recipes).load()
            assert found is None or np.array_equal(found.rows[0], made.rows[0])
        else:
            break
    assert 5 < steps < 20
    assert np.array_equal(rows_of(tiny), right)
    assert caplog.records == []


def test_a_conversion_that_cannot_be_put_into_place_leaves_nothing_behind(tiny, cache, monkeypatch):
    backbone = open_backbone(tiny)
    found = openvino_engine.converted(backbone, [backbone.recipe()])
    (folder,) = cache.iterdir()
    kept = conversion_cache.ConversionCache([backbone.recipe()])
    assert kept.folder == folder
    shutil.rmtree(folder)

    def full(*_, **__):
        raise RuntimeError("Can't write: no space left\non device")

    with monkeypatch.context() as patch:
        patch.setattr(conversion_cache, "import_openvino", lambda: SimpleNamespace(save_model=full))
        with pytest.raises(OSError, match=r"^Can't write: no space left$"):
            kept.store(found)

    rename = Path.rename

    def refuse(self, target):
        if self.name == "whole":
            raise PermissionError(13, "Permission denied")
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refuse)
        with pytest.raises(PermissionError):
            kept.store(found)
    assert list(cache.iterdir()) == []
    kept.store(found)
    assert [one.name for one in cache.iterdir()] == [folder.name]
    assert conversion_cache.kept_conversions() == {folder.name}
    shutil.rmtree(cache)
    assert conversion_cache.kept_conversions() == frozenset()


def test_a_graph_that_cannot_be_opened_is_told_from_one_that_is_being_exchanged(
    tiny, cache, monkeypatch
):
    rows_of(tiny)
    backbone = open_backbone(tiny)
    kept = conversion_cache.ConversionCache([backbone.recipe()])

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    def vanish(*_):
        shutil.rmtree(kept.folder)
        raise FileNotFoundError(2, "No such file", "check.safetensors")

    monkeypatch.setattr(conversion_cache, "sha256_of", refuse)
    with pytest.raises(conversion_cache.DamagedError, match=r"cannot be read: .*Permission denied"):
        kept.load()
    monkeypatch.setattr(conversion_cache, "sha256_of", vanish)
    assert kept.load() is None


def test_what_a_killed_process_left_is_swept_when_it_is_old(tiny, cache):
    rows_of(tiny)
    (folder,) = cache.iterdir()
    shutil.rmtree(folder)
    old, new = (cache / f".{folder.name}.{age}.partial" for age in ("old", "new"))
    for path in (old, new):
        (path / "whole").mkdir(parents=True)
    os.utime(old, (0, 0))
    rows_of(tiny)
    assert sorted(cache.iterdir()) == sorted([folder, new])


def test_who_puts_and_takes_the_same_at_once_gets_all_of_it_or_nothing(tiny, cache):
    backbone = open_backbone(tiny)
    recipes = [backbone.recipe()]
    made = openvino_engine.convert(backbone, recipes)

    def work(_thread):
        taken = []
        for _ in range(15):
            conversion_cache.ConversionCache(recipes).store(made)
            with suppress(conversion_cache.DamagedError):  # replaced while it was read
                taken.append(conversion_cache.ConversionCache(recipes).load())
        return taken

    with ThreadPoolExecutor(3) as pool:
        taken = [one for several in pool.map(work, range(3)) for one in several if one]
    assert taken
    assert all(np.array_equal(one.rows[0], made.rows[0]) for one in taken)
    assert [path.name[0] for path in cache.iterdir()] != ["."]
    assert np.array_equal(conversion_cache.ConversionCache(recipes).load().rows[0], made.rows[0])
