"""What is decoded at once is bounded: photos go side by side, huge images in turn."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from PIL import Image

from penult.errors import ImageError
from penult.images.in_memory import as_records
from penult.images.pixels import decode as decoding
from penult.images.pixels.budget import DECODING, Budget, weight
from penult.images.pixels.decode import decode, decoded
from penult.images.read import read_pixels
from penult.machine import cores

MB = 2**20


def file_of(size, format="PNG", mode="RGB"):
    out = BytesIO()
    Image.new(mode, (size, size)).save(out, format)
    return out.getvalue()


@pytest.fixture
def budget(monkeypatch):
    """A budget of 100 MB in place of the real one."""
    budget = Budget(100 * MB)
    monkeypatch.setattr(decoding, "DECODING", budget)
    return budget


def in_thread(function):
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


def wait_until(condition):
    for _ in range(2000):
        if condition():
            return
        threading.Event().wait(0.005)
    raise AssertionError("never happened")


def test_no_more_than_the_budget_is_ever_held():
    budget = Budget(100 * MB)
    seen = []

    def work(size):
        with budget.hold(size * MB):
            seen.append(budget.held)

    rng = random.Random(0)
    sizes = [rng.choice([17, 30, 60, 99, 100, 500]) for _ in range(200)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, sizes))
    assert len(seen) == 200
    assert max(seen) == 100 * MB
    assert budget.held == 0


def test_what_is_larger_than_the_budget_runs_alone_and_is_not_overtaken():
    budget = Budget(100 * MB)
    order = []

    def work(name, size):
        with budget.hold(size * MB):
            order.append((name, budget.held // MB))

    with budget.hold(60 * MB):
        huge = in_thread(lambda: work("huge", 500))
        wait_until(lambda: len(budget._queue) == 1)
        # It would fit beside the first, but the huge one would never have its turn.
        later = in_thread(lambda: work("later", 20))
        wait_until(lambda: len(budget._queue) == 2)
        assert order == []
    huge.join(10)
    later.join(10)
    assert order == [("huge", 100), ("later", 20)]


def test_what_is_too_large_for_the_share_of_a_process_waits_for_its_turn_among_all():
    budget, turn = Budget(100 * MB), threading.Lock()
    budget.divide(50 * MB, turn)
    with budget.hold(49 * MB):
        assert not turn.locked()
    with budget.hold(51 * MB):
        assert turn.locked()
    assert not turn.locked()
    assert budget.held == 0


def test_what_is_small_does_not_queue():
    budget = Budget(100 * MB)
    with budget.hold(500 * MB), budget.hold(16 * MB):
        assert budget.held == 100 * MB


def test_photos_fit_side_by_side_on_every_core():
    photo = Image.open(BytesIO(file_of(64, "JPEG")))
    photo._size = (5184, 3888)  # 20 megapixels
    assert DECODING.size >= cores() * weight(photo)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_an_image_counts_until_it_has_been_reduced(budget, tmp_path, format):
    path = tmp_path / "image"
    path.write_bytes(file_of(1300, format, "P" if format == "GIF" else "RGB"))
    (record,) = as_records([path])
    counted = {"JPEG": 12}.get(format, 16) * 1300 * 1300
    held = read_pixels(record, lambda _: budget.held)[0]
    assert held == counted
    assert budget.held == 0


def test_a_failure_gives_back_what_it_held(budget, tmp_path):
    data = file_of(1300)
    with pytest.raises(ImageError, match="truncated"):
        decode(data[: len(data) // 2])
    with pytest.raises(ZeroDivisionError), decoded(data):
        _ = 1 / 0
    assert budget.held == 0


def test_two_huge_images_are_never_in_memory_together(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "DECODING", Budget(20 * MB))
    paths = [tmp_path / str(k) for k in range(6)]
    for path in paths:
        path.write_bytes(file_of(1200))  # 23 MB by the count above
    active, most, lock = 0, 0, threading.Lock()

    def transform(image):
        nonlocal active, most
        with lock:
            active += 1
            most = max(most, active)
        image.resize((8, 8))
        with lock:
            active -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda record: read_pixels(record, transform), as_records(paths)))
    assert most == 1


def test_a_forked_child_does_not_wait_for_the_threads_of_its_parent():
    budget = Budget(100 * MB)
    with budget.hold(80 * MB):
        budget.reset()
        done = in_thread(lambda: budget.hold(90 * MB).__enter__())
        done.join(10)
        assert not done.is_alive()
