"""A record can be handed to another process, which opens the image there."""

from __future__ import annotations

import csv
import inspect
import io
import pickle
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from archives import packed
from PIL import Image

from penult.errors import ImageError
from penult.images.in_memory import MemoryRecord, as_records
from penult.images.listing import as_sources, list_images

NAMES = ("a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg")


def content(record):
    """The bytes of an image, or why it has none."""
    try:
        if isinstance(record, MemoryRecord):
            return record.to_rgb().tobytes()
        with record.open() as file:
            return file.read()
    except ImageError as error:
        return str(error)


READ_ALL = f"""
import pickle, sys
from penult.errors import ImageError
from penult.images.in_memory import MemoryRecord
{inspect.getsource(content)}
records = map(pickle.loads, pickle.load(sys.stdin.buffer))  # one by one
sys.stdout.buffer.write(pickle.dumps([content(record) for record in records]))
"""


@pytest.fixture
def places(tmp_path, monkeypatch):
    """The same four files, of a few bytes, as sources of every kind."""
    files = {name: b"bytes of " + name.encode() for name in NAMES}
    for name, data in files.items():
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "photos.tar").write_bytes(packed(files))
    with (tmp_path / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["path"], *([f"photos/{name}"] for name in NAMES), ["gone.jpg"]]
        )
    rows = pa.table({"image": [{"bytes": data, "path": None} for data in files.values()]})
    pq.write_table(rows, tmp_path / "photos.parquet", row_group_size=2)
    paths = pa.table({"path": [f"photos/{name}" for name in NAMES]})
    pq.write_table(paths, tmp_path / "list.parquet")
    piped = io.BytesIO(b"\n".join(b"photos/" + name.encode() for name in NAMES))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(piped))
    monkeypatch.chdir(tmp_path)
    here = f"file://{tmp_path}"
    return {
        "folder": tmp_path / "photos",
        "files": [tmp_path / "photos" / name for name in NAMES],
        "CSV": tmp_path / "list.csv",
        "list in Parquet": tmp_path / "list.parquet",
        "Parquet": tmp_path / "photos.parquet",
        "tar": tmp_path / "photos.tar",
        "standard input": "-",
        "remote folder": f"{here}/photos",
        "remote tar": f"{here}/photos.tar",
        "remote Parquet": f"{here}/photos.parquet",
        "address": f"{here}/photos/a/1.jpg",
        "remote list": f"{here}/list.csv",
    }


def pictures():
    """Images in memory: arrays, and what Pillow opened, whole or not."""
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    jpeg, png = io.BytesIO(), io.BytesIO()
    turned = Image.Exif()
    turned[0x0112] = 6  # a quarter to the right
    Image.fromarray(pixels[:2]).save(jpeg, "JPEG", exif=turned)
    Image.fromarray(pixels).convert("LA").save(png, "PNG")
    damaged = io.BytesIO(png.getvalue()[:45])
    return [pixels, pixels[..., 0], *map(Image.open, (jpeg, png, damaged))]


def test_records_of_every_kind_give_the_same_bytes_in_another_process(places):
    records = [
        record
        for place in places.values()
        for record in list_images(as_sources(place), labels="none").records
    ]
    records += as_records([*pictures(), places["files"][0]])
    here = [content(record) for record in records]
    assert len(here) == 9 * 4 + 1 + 2 * 5 + 6
    assert sum(isinstance(one, str) for one in here) == 3  # twice gone.jpg, and the damaged one
    pickled = [pickle.dumps(record) for record in records]
    assert max(map(len, pickled)) < 2000
    command = [sys.executable, "-c", READ_ALL]
    done = subprocess.run(command, input=pickle.dumps(pickled), capture_output=True, check=True)
    assert pickle.loads(done.stdout) == here


def test_a_listing_is_pickled_as_buffers_that_processes_may_share(photos):
    records = list_images([photos]).records

    buffers = []
    data = pickle.dumps(records, protocol=5, buffer_callback=buffers.append)
    copy = pickle.loads(data, buffers=buffers)

    assert [(one.id, one.labels) for one in copy] == [(one.id, one.labels) for one in records]
    assert content(copy[3]) == content(records[3])
    names = sum(len(one.id) for one in records)
    assert sum(len(one.raw()) for one in buffers) == names + 8 * 36 + 4 * 36
