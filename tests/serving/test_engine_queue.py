"""The queue in front of the network: shared batches, refusals at once, an end in good order."""

from __future__ import annotations

import io
import threading
from functools import partial

import numpy as np
import pytest
from serving_client import photo

from penult.engines.composition import Composition
from penult.errors import ImageError
from penult.extractor import Extractor
from penult.records import ImageRecord
from penult.serving.engine_queue import EngineQueue, QueueClosedError, QueueFullError

pytestmark = pytest.mark.light


class Held(Composition):
    """A network that waits until it is let go; remembers the sizes of its batches."""

    def __init__(self, made: Composition, batch_size: int = 4) -> None:
        super().__init__(made.recipes, made.engines)
        self.batch_size, self.concurrency = batch_size, 1
        self.go, self.inside, self.sizes = threading.Event(), threading.Event(), []

    def run(self, images):
        self.sizes.append(len(images))
        self.inside.set()
        assert self.go.wait(20)
        return super().run(images)


@pytest.fixture
def network(toy):
    return Held(Extractor(toy).engine)


def record(data: bytes) -> ImageRecord:
    return ImageRecord("a photo", partial(io.BytesIO, data))


def grey(shade: int) -> ImageRecord:
    return record(photo((shade,) * 3))


@pytest.fixture
def queue():
    made = EngineQueue(limit=6, batch_wait=5.0, workers=2)
    yield made
    made.close()


def test_each_photo_has_its_own_row_whoever_is_in_its_batch(queue, network):
    network.go.set()
    lane = queue.open_lane(network)
    futures = queue.submit([grey(shade) for shade in (0, 51, 102, 255)], lane)
    rows = [one.result(20).row.tolist() for one in futures]
    assert rows == [pytest.approx([shade] * 3) for shade in (0, 0.2, 0.4, 1.0)]


def test_what_waits_while_the_network_runs_shares_the_next_batch(queue, network):
    lane = queue.open_lane(network)
    futures = queue.submit([grey(10)], lane)
    assert network.inside.wait(20)
    for shade in (20, 30, 40):
        futures += queue.submit([grey(shade)], lane)
    network.go.set()
    for one in futures:
        one.result(20)
    assert network.sizes == [1, 3]


def test_no_batch_is_larger_than_suits_the_network(queue, network):
    lane = queue.open_lane(network)
    futures = queue.submit([grey(10)], lane)
    assert network.inside.wait(20)
    futures += queue.submit([grey(20)] * 5, lane)
    network.go.set()
    for one in futures:
        one.result(20)
    assert max(network.sizes) <= 4
    assert sum(network.sizes) == 6


def test_a_full_queue_refuses_at_once_and_all_of_a_request(queue, network):
    lane = queue.open_lane(network)
    futures = queue.submit([grey(10)] * 5, lane)
    with pytest.raises(QueueFullError) as full:
        queue.submit([grey(20)] * 2, lane)
    assert full.value.seconds > 0
    assert len(queue) == 5
    futures += queue.submit([grey(20)], lane)
    network.go.set()
    for one in futures:
        one.result(20)
    assert len(queue) == 0


def test_a_bad_photo_fails_alone(queue, network):
    network.go.set()
    lane = queue.open_lane(network)
    good, bad = queue.submit([grey(51), record(b"no photo")], lane)
    assert good.result(20).row == pytest.approx(np.full(3, 0.2))
    with pytest.raises(ImageError, match="not an image"):
        bad.result(20)


def test_what_goes_wrong_in_the_network_is_told_to_all_who_wait_and_the_queue_goes_on(
    queue, network, monkeypatch
):
    network.go.set()
    lane = queue.open_lane(network)
    with monkeypatch.context() as broken:
        broken.setattr(network, "leaf_rows", lambda images: 1 / 0)
        (future,) = queue.submit([grey(51)], lane)
        with pytest.raises(ZeroDivisionError):
            future.result(20)
    (future,) = queue.submit([grey(51)], lane)
    assert future.result(20).row == pytest.approx(np.full(3, 0.2))
    assert len(queue) == 0


def test_a_photo_that_nobody_waits_for_is_not_run(queue, network):
    lane = queue.open_lane(network)
    first = queue.submit([grey(10)], lane)
    assert network.inside.wait(20)
    (given_up,) = queue.submit([grey(20)], lane)
    assert given_up.cancel()
    network.go.set()
    first[0].result(20)
    queue.close()
    assert network.sizes == [1]
    assert len(queue) == 0


def test_closing_answers_what_was_taken_and_takes_no_more(network):
    queue = EngineQueue(limit=6, workers=2)
    lane = queue.open_lane(network)
    futures = queue.submit([grey(51)] * 3, lane)
    closing = threading.Thread(target=queue.close)
    closing.start()
    network.go.set()
    closing.join(20)
    assert not closing.is_alive()
    assert all(one.result(0).row == pytest.approx(np.full(3, 0.2)) for one in futures)
    with pytest.raises(QueueClosedError):
        queue.submit([grey(10)], lane)


def test_rows_of_two_networks_are_not_mixed(queue, toy):
    lanes = [queue.open_lane(Extractor(toy, layer=layer).engine) for layer in ("mean", "logits")]
    futures = [queue.submit([grey(51)], lane)[0] for lane in [*lanes, *lanes]]
    rows = [one.result(20).row.tolist() for one in futures]
    assert rows == [pytest.approx(one) for one in ([0.2] * 3, [0.6, 0.0]) * 2]


def test_a_photo_is_known_by_its_bytes(queue, toy):
    from penult.images.read import digest_of

    lane = queue.open_lane(Extractor(toy).engine)
    data = photo((1, 2, 3))
    (future,) = queue.submit([record(data)], lane)
    assert future.result(20).content == digest_of(data)


def test_what_counts_batches_may_fail_and_the_queue_goes_on(queue, network, caplog):
    def fail(*_):
        raise ValueError("no counter")

    queue.on_batch = fail
    network.go.set()
    lane = queue.open_lane(network)
    for _ in range(2):
        (future,) = queue.submit([grey(51)], lane)
        assert future.result(20).row.shape == (3,)
    assert "no counter" in caplog.text
