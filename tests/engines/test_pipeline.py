"""The pipeline: one image, one outcome, in order, whatever fails beside it."""

from __future__ import annotations

import io
import threading
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from penult.backbones.registry import open_backbone
from penult.engines.pipeline import run
from penult.engines.registry import open_engine
from penult.errors import ImageError, UsageError
from penult.records import ImageRecord


def png(colour: tuple[int, int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (9, 7), colour).save(buffer, "PNG")
    return buffer.getvalue()


def records(*contents: bytes) -> list[ImageRecord]:
    return [
        ImageRecord(f"{k:03}.png", lambda data=data: io.BytesIO(data))
        for k, data in enumerate(contents)
    ]


@pytest.fixture
def engine(toy):
    backbone = open_backbone(toy)
    return open_engine(backbone, [backbone.recipe()], engine="torch", device="cpu")


def flat(blocks):
    """(id, row or reason) in the order of the outcomes."""
    told = []
    for block in blocks:
        rows = iter(block.rows[0] if block.rows else ())
        for outcome in block.outcomes:
            told.append(
                (outcome.record.id, outcome.failure.reason)
                if outcome.failure
                else (outcome.record.id, [round(v, 3) for v in next(rows).tolist()])
            )
        assert next(rows, None) is None
    return told


def test_a_row_is_the_mean_colour_of_its_own_image(engine):
    told = flat(run(records(png((255, 0, 0)), png((0, 51, 102))), engine))
    assert told == [("000.png", [1.0, 0.0, 0.0]), ("001.png", [0.0, 0.2, 0.4])]


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"workers": 0}, {"workers": -1}])
def test_none_at_all_is_not_taken_for_the_default(engine, options):
    with pytest.raises(UsageError, match=r"is (0|-1); give 1 or more"):
        next(run(records(png((0, 0, 0))), engine, **options))


@pytest.mark.parametrize("batch_size", [1, 2, 3, 50])
@pytest.mark.parametrize("workers", [1, 4])
def test_bad_images_shift_no_row_whatever_the_batch_and_the_threads(engine, batch_size, workers):
    shades = [25 * k for k in range(11)]
    contents = [b"not an image" if k % 3 == 0 else png((s, s, s)) for k, s in enumerate(shades)]
    told = flat(run(records(*contents), engine, batch_size=batch_size, workers=workers))
    assert [name for name, _ in told] == [f"{k:03}.png" for k in range(11)]
    for k, (_, value) in enumerate(told):
        if k % 3 == 0:
            assert "not an image" in value
        else:
            assert value == pytest.approx([shades[k] / 255] * 3, abs=1e-3)


def test_nothing_but_bad_images_gives_an_outcome_each_and_no_row(engine):
    blocks = list(run(records(*[b""] * 20), engine, batch_size=1))
    assert sum(len(block.failures) for block in blocks) == 20
    assert all(block.rows == () for block in blocks)


def test_no_images_give_no_blocks(engine):
    assert list(run([], engine)) == []


def test_stopping_on_an_error_names_the_first_in_order(engine):
    contents = [png((1, 1, 1)), b"bad", png((1, 1, 1)), b"worse"]
    with pytest.raises(ImageError, match=r"^001\.png: "):
        list(run(records(*contents), engine, stop_on_error=True, workers=4))


def test_memory_is_bounded_images_are_read_only_a_little_ahead(engine):
    opened = []
    data = png((9, 9, 9))

    def open_counting(k):
        opened.append(k)
        return io.BytesIO(data)

    many = (ImageRecord(f"{k:05}", lambda k=k: open_counting(k)) for k in range(100_000))
    blocks = run(many, engine, batch_size=8, workers=2)
    next(blocks)
    blocks.close()
    # Batches in hand, one waiting, and the window of decoded images: nowhere near 100,000.
    assert len(opened) < 100


def test_an_engine_that_fails_ends_the_run_and_leaves_no_thread(engine, monkeypatch):
    def fail(_images):
        raise MemoryError("no room")

    monkeypatch.setattr(engine, "run", fail)
    before = threading.active_count()
    with pytest.raises(MemoryError, match="no room"):
        list(run(records(png((0, 0, 0))), engine))
    assert threading.active_count() == before


def test_the_digest_is_of_the_files_bytes(engine):
    import hashlib

    data = png((4, 5, 6))
    (block,) = run(records(data), engine)
    assert block.outcomes[0].digest == hashlib.blake2b(data, digest_size=16).hexdigest()


def test_a_row_does_not_depend_on_its_neighbours(engine):
    rng = np.random.default_rng(0)
    contents = [png(tuple(rng.integers(0, 256, 3).tolist())) for _ in range(7)]
    together = flat(run(records(*contents), engine, batch_size=7))
    for k, content in enumerate(contents):
        assert flat(run(records(content), engine))[0][1] == together[k][1]


@pytest.fixture
def broken(engine, monkeypatch):
    """Red 51 gives a NaN, red 102 an infinity, red 153 a number that float16 cannot hold."""
    run_whole = engine.run

    def run_broken(images):
        (rows,) = run_whole(images)
        shades = rows[:, 0].round(1)
        for shade, value in ((0.2, np.nan), (0.4, -np.inf), (0.6, 70_000)):
            rows[np.isclose(shades, shade), 1] = value
        return [rows]

    monkeypatch.setattr(engine, "run", run_broken)
    return engine


SHADES = [0, 51, 102, 153, 204]


@pytest.mark.parametrize("batch_size", [1, 2, 50])
def test_an_image_whose_row_is_not_finite_fails_with_the_reason_and_shifts_no_row(
    broken, batch_size
):
    contents = [b"bad", *(png((shade, 0, 0)) for shade in SHADES)]
    told = flat(run(records(*contents), broken, batch_size=batch_size))
    assert told[1:] == [
        ("001.png", [0.0, 0.0, 0.0]),
        ("002.png", "the network gives NaN for it (layer penultimate)"),
        ("003.png", "the network gives infinite numbers for it (layer penultimate)"),
        ("004.png", [0.6, 70_000, 0.0]),
        ("005.png", [0.8, 0.0, 0.0]),
    ]


def test_a_row_that_float16_cannot_hold_says_what_can(broken):
    told = flat(run(records(*(png((shade, 0, 0)) for shade in SHADES)), broken, dtype="float16"))
    assert told[3][1] == (
        "its row does not fit into float16: it has 7e+04 (layer penultimate); give dtype='float32'"
    )
    assert "NaN" in told[1][1]
    assert told[4][1] == [pytest.approx(0.8, abs=1e-3), 0, 0]
    blocks = list(run(records(png((0, 0, 0))), broken, dtype="float16"))
    assert blocks[0].rows[0].dtype == np.float16


def test_nothing_but_rows_that_are_not_finite_gives_no_rows(broken):
    (block,) = run(records(png((51, 0, 0)), png((102, 0, 0))), broken)
    assert (len(block.failures), block.good, block.rows) == (2, [], ())


@pytest.mark.parametrize("batch_size", [1, 2, 50])
def test_stopping_at_the_first_failure_counts_those_of_the_network(broken, batch_size):
    contents = [png((0, 0, 0)), png((51, 0, 0)), b"unreadable"]
    with pytest.raises(ImageError, match=r"^001\.png: the network gives NaN"):
        list(run(records(*contents), broken, batch_size=batch_size, stop_on_error=True))


def test_rows_computed_in_half_precision_are_told_that_there_is_another(toy):
    from penult.engines.finite import reasons

    recipe = replace(open_backbone(toy).recipe(), layer="maps", precision="float16")
    rows = np.zeros((2, 3, 4, 4), np.float32)
    rows[1, 2, 3, 3] = np.inf
    assert reasons([rows], [recipe]) == {
        1: "the network gives infinite numbers for it (layer maps); give precision='float32'"
    }


def test_icons_are_handed_over_some_at_a_time_and_come_out_in_order(engine, monkeypatch):
    from penult.engines import photo_readers

    handed = []

    class Counting(photo_readers.DecodingThreads):
        def submit(self, call, *arguments):
            handed.append(len(arguments[1]))
            return super().submit(call, *arguments)

    monkeypatch.setattr(photo_readers, "DecodingThreads", Counting)
    shades = [k % 256 for k in range(300)]
    for worth_it, most in ((1000.0, photo_readers._AT_ONCE), (0.0, 1)):
        handed.clear()
        monkeypatch.setattr(photo_readers, "_WORTH_IT", worth_it)
        told = flat(run(records(*(png((s, s, s)) for s in shades)), engine, workers=2))
        assert [row[0] for _, row in told] == [round(s / 255, 3) for s in shades]
        assert (sum(handed), max(handed)) == (300, most)
