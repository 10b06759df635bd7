"""A killed run goes on where it stopped, and its file is that of a run that was never killed."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import penult
from penult.errors import (
    ImageError,
    OutputError,
    RecipeMismatchError,
    ResumeError,
    SourceError,
    UsageError,
)
from penult.records import Progress

TESTS = Path(__file__).parent


@pytest.fixture(scope="module")
def ask_server():
    """Let tests/killing.py do it, in a process that has no threads."""
    with subprocess.Popen(
        [sys.executable, TESTS / "killing.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    ) as server:

        def ask(function: str, *arguments: object):
            print(json.dumps([function, arguments]), file=server.stdin, flush=True)
            answer = server.stdout.readline()
            assert answer, "the server died; what it said is in the captured output"
            return json.loads(answer)

        yield ask
        server.stdin.close()


def contents(path: Path) -> dict[str, object]:
    """All that a feature file says, but for when it was made."""
    with h5py.File(path) as file:
        told: dict[str, object] = {k: v for k, v in file.attrs.items() if k != "created"}

        def note(name, item):
            if isinstance(item, h5py.Dataset):
                told[name] = (str(item.dtype), item.shape, item[()].tolist(), dict(item.attrs))

        file.visititems(note)
        return told


def images_in(folder: Path, count: int = 10) -> Path:
    """Every fourth is no image; the others are grey, each of its own shade."""
    for k in range(count):
        path = folder / ("even" if k % 2 == 0 else "odd") / f"{k:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        if k % 4 == 3:
            path.write_bytes(b"no image")
        else:
            Image.new("RGB", (9, 7), (20 * k, 255 - 20 * k, 7 * k)).save(path)
    return folder


@pytest.fixture
def images(tmp_path):
    return images_in(tmp_path / "images")


def test_thirty_kills_at_random_moments_change_nothing(ask_server, images, tmp_path):
    call = {"images": str(images), "output": str(tmp_path / "f.h5")}
    told = ask_server("at_random", call, 30, 4)
    expected = contents(tmp_path / "f.h5.clean")
    assert len(told["phases"]) >= 30
    assert {"computing", "putting together"} <= set(told["phases"])
    for output in told["outputs"]:
        assert contents(Path(output)) == expected
    assert {p.name for p in tmp_path.iterdir()} == {
        "images",
        "f.h5.clean",
        *(Path(output).name for output in told["outputs"]),
    }


@pytest.mark.parametrize("options", [{"shuffle": 1}, {"update": True}], ids=str)
def test_a_kill_before_any_sync_rename_write_or_removal_changes_nothing(
    ask_server, tmp_path, toy, options
):
    images = images_in(tmp_path / "images", 7)  # of three parts; each step is a run or two
    penult.extract(images, tmp_path / "before.h5", model=toy, engine="torch")
    Image.new("RGB", (9, 7), (1, 2, 3)).save(images / "even" / "00.png")
    Image.new("RGB", (9, 7), (1, 2, 3)).save(images / "even" / "new.png")
    (images / "odd" / "05.png").unlink()
    fresh = {k: v for k, v in options.items() if k == "shuffle"}
    penult.extract(images, tmp_path / "after.h5", model=toy, engine="torch", **fresh)
    expected = contents(tmp_path / "after.h5")
    calls = []
    for k in range(150):
        folder = tmp_path / f"run {k}"
        folder.mkdir()
        if options.get("overwrite") or options.get("update"):
            (folder / "f.h5").write_bytes((tmp_path / "before.h5").read_bytes())
        calls.append({"images": str(images), "output": str(folder / "f.h5"), "options": options})
    steps = ask_server("at_every_step", calls)
    assert len(steps) > 20
    for k in steps:
        assert [p.name for p in (tmp_path / f"run {k}").iterdir()] == ["f.h5"], f"step {k}"
        assert contents(tmp_path / f"run {k}" / "f.h5") == expected, f"step {k}"


@pytest.fixture
def computed(monkeypatch):
    """How many images went through the engine so far: `computed.images`."""
    from types import SimpleNamespace

    from penult.engines.torch import TorchEngine

    counter, run = SimpleNamespace(images=0), TorchEngine.run

    def count(self, images):
        counter.images += len(images)
        return run(self, images)

    monkeypatch.setattr(TorchEngine, "run", count)
    return counter


def extract(images, output, **options):
    """Parts of two images, so that a small run has several."""
    calm = {"model": "toy:mean-colour", "engine": "torch", "batch_size": 1, "workers": 1}
    return penult.extract(images, output, **{**calm, **options})


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    from penult.features.resume import store

    monkeypatch.setattr(store, "LIMITS", store.Limits(images=2))


class Interrupted(BaseException):
    pass


def stop_at(done: int):
    def stop(now: Progress):
        if now.done >= done:
            raise Interrupted

    return stop


@pytest.fixture
def interrupted(images, tmp_path, toy):
    """Eight images of ten are done, one of them a failure."""
    with pytest.raises(Interrupted):
        extract(images, tmp_path / "f.h5", progress=stop_at(7))
    assert not (tmp_path / "f.h5").exists()
    return tmp_path / "f.h5"


def test_whatever_ends_a_run_the_next_one_computes_only_the_rest(
    interrupted, images, tmp_path, computed
):
    seen: list[Progress] = []
    extract(images, interrupted, progress=seen.append)
    seen = [now for now in seen if now.counted]
    assert seen[0] == Progress(done=8, total=10, failed=1, kept=8, stage="extract")
    assert seen[-1] == Progress(done=10, total=10, failed=2, kept=8, stage="extract")
    assert computed.images == 1
    extract(images, tmp_path / "at once.h5")
    assert contents(interrupted) == contents(tmp_path / "at once.h5")
    assert {p.name for p in tmp_path.iterdir()} == {"images", "f.h5", "at once.h5"}


def test_labels_are_those_of_the_last_run(interrupted, images):
    features = extract(images, interrupted, labels="none")
    assert features.label_names == ()
    assert set(features.labels.tolist()) == {-1}


def test_restart_computes_everything_again(interrupted, images, computed):
    extract(images, interrupted, restart=True)
    assert computed.images == 8


def test_a_failure_of_the_interrupted_run_stops_one_that_is_to_stop_at_failures(
    interrupted, images
):
    with pytest.raises(
        ImageError, match=r"odd/03\.png: .*8 of 10 images are safe.*the same call with update=True"
    ):
        extract(images, interrupted, on_error="fail")


def test_an_engine_that_breaks_down_costs_only_the_images_it_had_in_hand(
    images, tmp_path, toy, computed, monkeypatch
):
    from penult.engines.torch import TorchEngine

    run = TorchEngine.run

    def break_down(self, batch):
        if computed.images == 4:
            raise RuntimeError("out of memory")
        return run(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(TorchEngine, "run", break_down)
        with pytest.raises(RuntimeError, match="out of memory"):
            extract(images, tmp_path / "f.h5")
    extract(images, tmp_path / "f.h5")
    assert computed.images == 8


def test_an_interrupted_run_goes_on_over_more_images_when_told_to_update(
    interrupted, images, tmp_path, computed
):
    Image.new("RGB", (9, 7), (1, 2, 3)).save(images / "even" / "new.png")
    (images / "odd" / "05.png").unlink()
    (images / "odd" / "07.png").rename(images / "odd" / "08.png")
    told = (
        r"\(1 added: even/new\.png; 1 removed: odd/05\.png; 1 renamed: odd/07\.png to odd/08\.png\)"
    )
    with pytest.raises(ResumeError, match=told):
        extract(images, interrupted)
    with pytest.raises(Interrupted):
        extract(images, interrupted, update=True, progress=stop_at(6))
    computed.images = 0
    extract(images, interrupted, update=True)
    assert computed.images < 4
    extract(images, tmp_path / "at once.h5")
    assert contents(interrupted) == contents(tmp_path / "at once.h5")


def test_an_update_computes_what_is_new_or_changed_and_gives_a_new_runs_file(
    images, tmp_path, toy, computed
):
    extract(images, tmp_path / "f.h5")
    Image.new("RGB", (9, 7), (1, 2, 3)).save(images / "even" / "new.png")
    Image.new("RGB", (9, 7), (3, 2, 1)).save(images / "even" / "00.png")
    Image.new("RGB", (9, 7), (9, 9, 9)).save(images / "odd" / "03.png")  # a failure so far
    (images / "odd" / "05.png").unlink()
    (images / "moved").mkdir()
    (images / "odd" / "09.png").rename(images / "moved" / "a.png")
    os.utime(images / "even" / "02.png", ns=(1, 1))
    computed.images = 0
    seen: list[Progress] = []
    updated = extract(images, tmp_path / "f.h5", update=True, progress=seen.append)
    assert computed.images == 3
    assert seen[-1].kept == 6
    assert "moved" in updated.label_names
    extract(images, tmp_path / "new.h5")
    assert contents(tmp_path / "f.h5") == contents(tmp_path / "new.h5")


def test_an_update_of_several_layers_maps_and_half_precision(images, tmp_path, toy, computed):
    how = {"layer": ["pixels", "mean"], "pooling": "none", "dtype": "float16", "shuffle": 3}
    extract(images, tmp_path / "f.h5", **how)
    (images / "even" / "02.png").unlink()
    computed.images = 0
    extract(images, tmp_path / "f.h5", update=True, **how)
    assert computed.images == 0
    extract(images, tmp_path / "new.h5", **how)
    assert contents(tmp_path / "f.h5") == contents(tmp_path / "new.h5")


def test_an_update_of_nothing_is_a_first_run(images, tmp_path, toy):
    assert len(extract(images, tmp_path / "f.h5", update=True)) == 8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": "logits"}, "layer: 'penultimate' then, 'logits' now"),
        ({"layer": ["pixels", "mean"]}, "layers: 'penultimate' then, 'pixels, mean' now"),
        ({"dtype": "float16"}, "dtype: 'float32' then, 'float16' now"),
        ({"allow_truncated": True}, "allow_truncated: False then, True now"),
    ],
)
def test_an_update_with_another_recipe_is_refused_and_so_is_going_on(
    images, tmp_path, toy, options, message
):
    finished = extract(images, tmp_path / "f.h5")
    with pytest.raises(RecipeMismatchError, match=message) as caught:
        extract(images, tmp_path / "f.h5", update=True, **options)
    assert "overwrite=True" in str(caught.value)
    assert len(finished) == len(penult.load(tmp_path / "f.h5"))
    with pytest.raises(Interrupted):
        extract(images, tmp_path / "g.h5", progress=stop_at(5))
    with pytest.raises(RecipeMismatchError, match=message) as caught:
        extract(images, tmp_path / "g.h5", **options)
    assert "restart=True" in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.h5", "g.h5.parts", "images"]


def test_update_needs_an_output(images, toy):
    with pytest.raises(UsageError, match="needs an output"):
        extract(images, None, update=True)


def test_shuffled_rows_are_a_permutation_that_the_seed_decides(images, tmp_path, toy):
    plain = extract(images, tmp_path / "f.h5")
    shuffled = extract(images, tmp_path / "g.h5", shuffle=5)
    listed = sorted([*plain.ids, *(f.id for f in plain.failures)])
    order = [listed[k] for k in np.random.default_rng(5).permutation(10)]
    assert shuffled.ids == [name for name in order if name in plain.ids]
    assert shuffled.origin["shuffle"] == 5
    where = [plain.ids.index(name) for name in shuffled.ids]
    assert np.array_equal(shuffled.features[:], plain.features[:][where])
    assert extract(images, None, shuffle=5).ids == shuffled.ids
    assert extract(images, None, shuffle=6).ids != shuffled.ids
    with pytest.raises(UsageError, match="must be 0 or more"):
        extract(images, None, shuffle=-1)


def test_an_output_among_the_images_is_not_listed_with_them(images, toy):
    with pytest.raises(Interrupted):
        extract(images, images / "f.h5", progress=stop_at(5))
    features = extract(images, images / "f.h5")
    assert features.origin["passed_over"] == {}
    features = extract(images, images / "f.h5", update=True)
    assert features.origin["passed_over"] == {}


@pytest.fixture
def small_files():
    """`small_files(n)`: from then on this process can write n bytes to a file, as on a full disk."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_fills_up_costs_only_the_part_in_hand(
    images, tmp_path, toy, small_files, computed
):
    def fill_up(now: Progress):
        if now.done == 4:
            small_files(100)

    with pytest.raises(OutputError) as caught:
        extract(images, tmp_path / "f.h5", progress=fill_up)
    message = str(caught.value)
    assert "the disk is full" in message
    assert f"4 of 10 images are safe in {tmp_path / 'f.h5.parts'}: the same call" in message
    assert not (tmp_path / "f.h5").exists()
    small_files(1 << 30)
    computed.images = 0
    assert len(extract(images, tmp_path / "f.h5")) == 8
    assert computed.images == 4


def test_a_disk_without_room_for_the_manifest_is_left_as_it_was(images, tmp_path, toy, small_files):
    small_files(60)
    with pytest.raises(OutputError, match="the disk is full"):
        extract(images, tmp_path / "f.h5")
    small_files(1 << 30)
    assert [p.name for p in tmp_path.iterdir()] == ["images"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused_before_any_work(images, tmp_path, toy):
    (tmp_path / "sealed").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="read-only"):
        extract(images, tmp_path / "sealed" / "f.h5")


@pytest.mark.parametrize("what", ["f.h5.parts", "."])
def test_a_folder_that_vanishes_during_the_run_is_one_clear_line(images, tmp_path, toy, what):
    import shutil

    folder = tmp_path / "out"
    folder.mkdir()

    def vanish(now: Progress):
        if now.done == 5:
            shutil.rmtree(folder / what)

    with pytest.raises(OutputError, match="vanished during the run") as caught:
        extract(images, folder / "f.h5", progress=vanish)
    assert "\n" not in str(caught.value)
    assert "safe" not in str(caught.value)


def test_a_part_that_vanishes_is_computed_again_by_the_next_run(images, tmp_path, toy):
    def vanish(now: Progress):
        if now.done == 10:
            next((tmp_path / "f.h5.parts").glob("*.safetensors")).unlink()

    with pytest.raises(OutputError, match="the same call goes on"):
        extract(images, tmp_path / "f.h5", progress=vanish)
    assert len(extract(images, tmp_path / "f.h5")) == 8


@pytest.fixture
def disk(monkeypatch):
    """`disk.free` bytes are free on every disk, until a test says otherwise."""
    from types import SimpleNamespace

    disk = SimpleNamespace(total=1 << 40, free=1 << 40)
    monkeypatch.setattr("penult.features.disk_space.shutil.disk_usage", lambda _path: disk)
    return disk


def test_a_disk_that_is_too_small_is_noticed_at_the_start(images, tmp_path, toy, disk, computed):
    """Ten rows of three numbers take 0.3 MB in whole chunks, and a few kB while the run lasts."""
    disk.free = 1_000_000
    with pytest.raises(OutputError) as caught:
        extract(images, tmp_path / "f.h5")
    message = str(caught.value)
    assert "f.h5 cannot be written: it takes 1." in message
    of_file, of_rows, spare = (float(one) for one in re.findall(r"([\d.]+) MB (?:for|to)", message))
    whole = float(re.search(r"it takes ([\d.]+) MB", message)[1])
    assert whole == pytest.approx(of_file + of_rows + spare, abs=0.15)  # each is rounded
    assert spare == 1.0
    assert "the disk has 1.0 MB free" in message
    assert "dtype='float16'" in message
    assert "safe" not in message
    assert computed.images <= 3  # what was in hand when the first row told its length
    assert [p.name for p in tmp_path.iterdir()] == ["images"]
    disk.free = 2_000_000
    assert len(extract(images, tmp_path / "f.h5")) == 8


def test_a_disk_that_fills_up_meanwhile_ends_the_run_in_time_and_keeps_what_is_done(
    images, tmp_path, toy, disk, computed
):
    def fill_up(now: Progress):
        if now.done == 4:
            disk.free = 1_000_000

    with pytest.raises(OutputError, match=r"1\.0 MB free.* of 10 images are safe in ") as caught:
        extract(images, tmp_path / "f.h5", progress=fill_up)
    assert "the same call goes on from there" in str(caught.value)
    with pytest.raises(OutputError, match=r"1\.0 MB free.* of 10 images are safe in "):
        extract(images, tmp_path / "f.h5")
    disk.free = 1 << 40
    computed.images = 0
    assert len(extract(images, tmp_path / "f.h5")) == 8
    assert computed.images < 6


def test_a_disk_that_does_not_know_its_size_is_written_to(images, tmp_path, toy, disk):
    disk.total = disk.free = 0
    assert len(extract(images, tmp_path / "f.h5")) == 8


def test_what_goes_on_counts_only_what_is_left(interrupted, images, monkeypatch):
    """Two images are not safe yet; then none, when the file is about to be put together."""
    from penult.features.disk_space import Room

    asked: list[int] = []
    monkeypatch.setattr(Room, "require", lambda _self, rows: asked.append(rows))
    extract(images, interrupted)
    assert asked[0] == 2
    assert asked[-1] == 0


def test_a_file_that_says_something_else_than_it_was_made_from_leaves_the_parts(
    images, tmp_path, toy, computed, monkeypatch
):
    from penult.features.write import FeatureWriter

    append = FeatureWriter.append

    def spoil(self, records, digests, rows):
        append(self, records, digests, [0 * block for block in rows])

    with monkeypatch.context() as patch:
        patch.setattr(FeatureWriter, "append", spoil)
        with pytest.raises(OutputError, match="cannot be read again") as caught:
            extract(images, tmp_path / "f.h5")
    assert "the row of even/00.png is another one" in str(caught.value)
    assert "10 of 10 images are safe in" in str(caught.value)
    assert not (tmp_path / "f.h5").exists()
    computed.images = 0
    assert len(extract(images, tmp_path / "f.h5")) == 8
    assert computed.images == 0


def test_a_file_that_cannot_be_opened_leaves_the_parts(
    images, tmp_path, toy, computed, monkeypatch
):
    """As it was with names of layers that HDF5 took for groups."""
    from penult.features.write import FeatureWriter

    finish = FeatureWriter.finish

    def forget(self, failures):
        finish(self, failures)
        del self._file["ids"]

    with monkeypatch.context() as patch:
        patch.setattr(FeatureWriter, "finish", forget)
        with pytest.raises(OutputError, match=r"it has no ids.*images are safe in"):
            extract(images, tmp_path / "f.h5")
    computed.images = 0
    assert len(extract(images, tmp_path / "f.h5")) == 8
    assert computed.images == 0


def test_rows_that_are_not_finite_are_not_taken_over_from_an_older_penult(images, tmp_path, toy):
    extract(images, tmp_path / "f.h5")
    with h5py.File(tmp_path / "f.h5", "a") as file:
        file["features"][2, 1] = np.nan
    updated = extract(images, tmp_path / "f.h5", update=True)
    assert updated.ids == [name for name in updated.ids if name != "even/04.png"]
    assert len(updated) == 7
    reasons = {failure.id: failure.reason for failure in updated.failures}
    assert "the network gives NaN" in reasons["even/04.png"]


def test_a_part_that_is_none_is_removed_and_its_images_done_again(interrupted, images, tmp_path):
    """Written by whom knows how parts are named: whole, and of no use."""
    import hashlib

    from safetensors.numpy import save

    from penult.features.resume.chunk import write_safely

    folder = tmp_path / "f.h5.parts"
    extracted = {"positions": np.array([8, 10**6])}
    for number, (tensors, texts) in enumerate(
        [
            (extracted, "[" * 100_000),
            (extracted, "{}"),
            ({}, json.dumps({"ids": [], "content": [], "reasons": []})),
            (extracted, json.dumps({"ids": ["a", 1], "content": ["", ""], "reasons": ["", ""]})),
            (
                extracted,
                json.dumps({"ids": ["a", "b"], "content": ["", ""], "reasons": ["x", "y"]}),
            ),
        ]
    ):
        data = save(tensors, {"outcomes": texts})
        digest = hashlib.blake2b(data, digest_size=16).hexdigest()
        write_safely(folder / f"{900_000 + number}-{digest}.safetensors", data)
    assert len(extract(images, interrupted)) == 8


KINDS = {
    "grey": lambda shade: png((shade, shade, shade)),
    "jpeg": lambda shade: png((shade, 0, 255 - shade), "JPEG"),
    "cut short": lambda shade: png((shade, 1, 2), "JPEG")[: 20 + shade],
    "flipped": lambda shade: flipped(png((shade, 7, 7)), shade),
    "text": lambda shade: b"no image" * shade,
}


def png(colour, kind="PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (12, 10), colour).save(buffer, kind)
    return buffer.getvalue()


def flipped(data: bytes, where: int) -> bytes:
    at = where % len(data)
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    files=st.lists(
        st.tuples(st.sampled_from(sorted(KINDS)), st.integers(0, 255)), min_size=1, max_size=9
    ),
    batch_size=st.integers(1, 4),
)
def test_rows_and_failures_are_the_files_and_each_row_is_that_of_its_file_alone(
    tmp_path_factory, toy, files, batch_size
):
    folder = tmp_path_factory.mktemp("mix")
    for k, (kind, shade) in enumerate(files):
        (folder / f"{k}.jpg").write_bytes(KINDS[kind](shade))
    (folder / "good.jpg").write_bytes(png((1, 2, 3)))
    mixed = extract(folder, folder / "f.h5", batch_size=batch_size, workers=2)
    assert sorted([*mixed.ids, *(f.id for f in mixed.failures)]) == sorted(
        path.name for path in folder.glob("*.jpg")
    )
    for name, row in zip(mixed.ids, mixed.features[:], strict=True):
        alone = extract(folder / name, None).features[0]
        np.testing.assert_allclose(row, alone, rtol=0, atol=1e-6)
    for failure in mixed.failures:
        with pytest.raises(SourceError) as caught:
            extract(folder / failure.id, None)
        assert failure.id in str(caught.value)
        assert failure.reason in str(caught.value)
