"""From every kind of source the same images give the same rows, and all commands go on from there."""

from __future__ import annotations

import io
import sys
import tarfile

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import penult
from penult.errors import ResumeError
from penult.images.sources.arguments import as_sources, expanded_arguments
from penult.images.sources.base import SourceOptions
from penult.images.sources.open import open_sources
from penult.planning import plan
from penult.reporting.make import report
from penult.testing import check_image_source
from penult.verification import verify


@pytest.fixture(params=["list", "list.parquet", "stdin", "tar", "shards", "parquet", "address"])
def source(request, photos, monkeypatch, tmp_path):
    """The 36 photos as a source of each kind."""
    monkeypatch.chdir(tmp_path)
    names = [path.relative_to(tmp_path).as_posix() for path in sorted(photos.rglob("*.jpg"))]
    labels = [name.split("/")[1] for name in names]
    if request.param == "list":
        rows = (f"{name},{label}" for name, label in zip(names, labels, strict=True))
        (tmp_path / "list.csv").write_text("\n".join(["path,label", *rows]))
        return tmp_path / "list.csv"
    if request.param == "list.parquet":
        pq.write_table(pa.table({"path": names, "label": labels}), tmp_path / "list.parquet")
        return tmp_path / "list.parquet"
    if request.param == "stdin":
        data = "\n".join(names).encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        return "-"
    if request.param == "tar":
        with tarfile.open(tmp_path / "photos.tar", "w") as archive:
            archive.add(photos, "photos")
        return tmp_path / "photos.tar"
    if request.param == "shards":
        (tmp_path / "shards").mkdir()
        for k in range(2):
            with tarfile.open(tmp_path / f"shards/{k}.tar", "w") as archive:
                for name in names[k::2]:
                    archive.add(tmp_path / name, name)
        return f"{tmp_path}/shards/{{0..1}}.tar"
    if request.param == "parquet":
        rows = [{"bytes": (tmp_path / name).read_bytes(), "path": None} for name in names]
        table = pa.table({"image": rows, "label": labels})
        pq.write_table(table, tmp_path / "photos.parquet", row_group_size=10)
        return tmp_path / "photos.parquet"
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    for name in names:
        memory.pipe_file(f"/bucket/{name}", (tmp_path / name).read_bytes())
    return "memory://bucket/photos"


class Enough(Exception):  # noqa: N818
    pass


def test_it_keeps_the_contract_of_a_source(source):
    arguments = expanded_arguments(as_sources(source))[:1]
    check_image_source(lambda: next(open_sources(arguments, SourceOptions())))


def rows_by_content(features):
    return dict(zip(features.content, np.asarray(features.features), strict=True))


def test_rows_labels_and_verification_are_those_of_the_folder(source, photos, toy, tmp_path):
    expected = penult.extract(photos, model=toy, augment_to=13)
    features = penult.extract(source, tmp_path / "f.h5", model=toy, augment_to=13)
    assert features.label_names == ("daisy", "rose", "tulip")
    assert sorted(features.content) == sorted(expected.content)
    of_folder = rows_by_content(expected)
    for content, row in rows_by_content(features).items():
        np.testing.assert_allclose(row, of_folder[content], atol=1e-6)
    assert len(features.augmented) == 3
    assert plan(source, model=toy).images == 36
    checked = verify(tmp_path / "f.h5")
    assert checked.passed
    assert (checked.compared, checked.augmented_compared) == (36, 3)


def test_an_interrupted_run_goes_on_and_an_update_computes_nothing(source, toy, tmp_path):
    def stop(now):
        if now.done >= 8:
            raise Enough

    output = tmp_path / "f.h5"
    with pytest.raises(Enough):
        penult.extract(source, output, model=toy, batch_size=4, shuffle=3, progress=stop)
    kept = []
    features = penult.extract(
        source,
        output,
        model=toy,
        shuffle=3,
        progress=lambda now: now.counted and kept.append(now.kept),
    )
    assert kept[0] >= 8
    whole = penult.extract(source, tmp_path / "whole.h5", model=toy, shuffle=3)
    assert features.ids == whole.ids
    assert list(features.ids) != sorted(features.ids)
    np.testing.assert_array_equal(features.features[:], whole.features[:])
    penult.extract(
        source,
        output,
        model=toy,
        update=True,
        progress=lambda now: now.counted and kept.append(now.kept),
    )
    assert kept[-1] == 36


def test_classifiers_and_reports_take_it(source, toy, tmp_path):
    made = report(
        source,
        tmp_path / "report",
        model=toy,
        map=False,
        clusters=False,
        outliers=False,
        label_errors=False,
        curve=False,
    )
    assert "data:image/webp" in made.page.read_text()
    predictions = list(made.classifier.predict(source))
    assert len(predictions) == 36
    assert all(isinstance(one, penult.records.Prediction) for one in predictions)


def test_an_archive_that_changed_is_told_apart(photos, toy, tmp_path):
    def stop(now):
        if now.done:
            raise Enough

    def pack():
        with tarfile.open(tmp_path / "photos.tar", "w") as archive:
            archive.add(photos, "photos")

    pack()
    with pytest.raises(Enough):
        penult.extract(
            tmp_path / "photos.tar", tmp_path / "f.h5", model=toy, progress=stop, batch_size=4
        )
    (photos / "rose" / "rose_01.jpg").unlink()
    pack()
    with pytest.raises(ResumeError, match=r"removed: photos/rose/rose_01\.jpg; .* changed"):
        penult.extract(tmp_path / "photos.tar", tmp_path / "f.h5", model=toy)
    features = penult.extract(tmp_path / "photos.tar", tmp_path / "f.h5", model=toy, update=True)
    assert len(features) == 35
