"""Memory does not grow with the number of images, but for some bytes each."""

from __future__ import annotations

import gc
import io
import os
import sys
import tarfile
import tracemalloc

import numpy as np
import pytest
from PIL import Image

import penult
from penult.features import estimate
from penult.features.resume import ledger, store
from penult.features.write import FeatureWriter
from penult.images import read
from penult.images.listing import list_images


@pytest.fixture(scope="module")
def small():
    buffer = io.BytesIO()
    Image.fromarray(np.full((4, 4, 3), 90, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path, small):
    """Make a folder of so many images, in ten classes: links to one file."""

    def make(count):
        root = tmp_path / f"photos-{count}"
        for k in range(10):
            (root / f"class_{k}").mkdir(parents=True)
        (tmp_path / "one.png").write_bytes(small)
        for k in range(count):
            os.link(tmp_path / "one.png", root / f"class_{k % 10}" / f"image_{k:06}.png")
        return root

    return make


def traced(act):
    """What is allocated after a call, and the most during it, in bytes; and what it gave."""
    gc.collect()
    tracemalloc.start()
    try:
        result = act()
        gc.collect()
        now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return now, peak, result


COUNT = 5000


def listed(source, first):
    """A listing, as `traced`, of what `first` is a little of: what is imported for it stays anyway."""
    list_images([first])
    return traced(lambda: list_images([source]))


def test_a_listing_of_a_folder_keeps_a_few_bytes_an_image(folder):
    now, peak, listing = listed(folder(COUNT), first=folder(1))
    assert len(listing.records) == COUNT
    assert now / COUNT < 60  # 26 of them are the path
    assert peak / COUNT < 110


def test_a_listing_of_an_archive_keeps_a_few_bytes_an_image(tmp_path, small):
    def write(path, images):
        with tarfile.open(path, "w") as archive:
            for k in reversed(range(images)):
                info = tarfile.TarInfo(f"image_{k:06}.png")
                info.size = len(small)
                archive.addfile(info, io.BytesIO(small))
                label = tarfile.TarInfo(f"image_{k:06}.cls")
                label.size = 1
                archive.addfile(label, io.BytesIO(b"%d" % (k % 10)))
        return path

    now, peak, listing = listed(write(tmp_path / "a.tar", COUNT), write(tmp_path / "one.tar", 1))
    assert len(listing.records) == COUNT
    assert now / COUNT < 80
    assert peak / COUNT < 150  # sorting as well, as its images are in the wrong order


def test_a_listing_of_a_manifest_keeps_a_few_bytes_an_image(tmp_path):
    lines = [f"folder/image_{k:06}.png,class {k % 10}" for k in range(COUNT)]
    for name, some in (("list.csv", lines), ("one.csv", lines[:1])):
        (tmp_path / name).write_text("\n".join(["path,label", *some]))
    now, peak, listing = listed(tmp_path / "list.csv", first=tmp_path / "one.csv")
    assert len(listing.records) == COUNT
    assert now / COUNT < 90
    assert peak / COUNT < 110


@pytest.fixture
def room_for_interned():
    """Have the interpreter's table of interned strings, to which pathlib adds, grow now, not later.

    It takes some MB in one go, whenever it happens to be full, and has room for as many strings again
    as it held, also for those that are gone: some 100,000 in the runs below.
    """
    strings = [sys.intern(f"filler {k}") for k in range(200_000)]
    tracemalloc.start()
    try:
        grown = 0
        while grown < 1 << 20:
            before = tracemalloc.get_traced_memory()[0]
            more = [sys.intern(f"more {len(strings) + k}") for k in range(1000)]  # 0.1 MB
            grown = tracemalloc.get_traced_memory()[0] - before
            strings += more
    finally:
        tracemalloc.stop()
    yield
    del strings


def most_held(monkeypatch, extract):
    """The most that is in use at any time of a run; garbage, which comes and goes, left out."""
    most = 0

    def look(*_):
        nonlocal most
        gc.collect()
        most = max(most, tracemalloc.get_traced_memory()[0])

    append = FeatureWriter.append

    def append_and_look(*args):
        append(*args)
        look()

    gc.collect()
    gc.freeze()
    tracemalloc.start()
    try:
        with monkeypatch.context() as patch:
            patch.setattr(FeatureWriter, "append", append_and_look)
            features = extract(look)
            look()
        assert len(features) > 0
    finally:
        tracemalloc.stop()
        gc.unfreeze()
    return most


@pytest.mark.usefixtures("room_for_interned")
def test_a_run_and_its_update_cost_a_few_bytes_an_image(folder, toy, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "LIMITS", store.Limits(images=128))
    monkeypatch.setattr(ledger, "_BLOCK_IMAGES", 128)  # of both, more than are in hand at a time
    monkeypatch.setattr(read, "_PIECE", 1 << 12)  # a buffer more or less is not what is measured
    few, many = 300, 1500
    monkeypatch.setattr(estimate, "_MEASURED", few)  # so many, and no more, are written to measure
    roots = {count: folder(count) for count in (few, many)}

    def run(count, **options):
        path = tmp_path / f"{count}.h5"
        return penult.extract(roots[count], path, model=toy, engine="torch", **options)

    def held(count, **options):
        return most_held(monkeypatch, lambda look: run(count, progress=look, **options))

    for options, most in (({"overwrite": True}, 150), ({"update": True}, 500)):
        run(few, **options)  # what is loaded once is loaded now
        small = held(few, **options)
        assert (held(many, **options) - small) / (many - few) < most, options
