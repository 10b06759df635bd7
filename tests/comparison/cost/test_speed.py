import time
from types import SimpleNamespace

import numpy as np
import pytest

from penult.comparison.cost import speed
from penult.comparison.cost.measure import measure
from penult.comparison.cost.speed import end_to_end_rate, network_rate, one_image_seconds
from penult.extractor import EngineOptions, ExtractorSpec, ModelRows
from penult.images.in_memory import as_records

pytestmark = pytest.mark.light


class Networks:
    """Three threads, four images a call."""

    concurrency, batch_size = 3, 4

    def __init__(self):
        self.calls = []

    def preprocessor(self, image):
        return image.size

    def run(self, images):
        self.calls.append(len(images))


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch):
    for name in ("ROUND_SECONDS", "BULK_SECONDS", "ALONE_SECONDS", "PROCESSOR_SECONDS"):
        monkeypatch.setattr(speed, name, 0.002)


@pytest.fixture
def extractor(toy):
    return ExtractorSpec(rows=ModelRows(models=(toy,))).open()


def test_in_bulk_every_thread_runs_full_batches():
    networks = Networks()
    assert network_rate(networks) > 0
    assert set(networks.calls) == {4}
    assert len(networks.calls) >= 3 + 3  # to warm up, and once more at least


def test_one_image_is_run_alone_after_the_engine_has_prepared_for_it():
    networks = Networks()
    assert one_image_seconds(networks) > 0
    assert set(networks.calls) == {1}
    assert len(networks.calls) >= speed.WARM_UP_ALONE + speed.LEAST_ALONE


@pytest.mark.parametrize(("least", "most", "given"), [(5, 5, 5), (2, 7, 7), (3, 3, 3)])
def test_images_are_given_again_until_there_were_enough(least, most, given):
    late = time.perf_counter() + 600
    found = list(speed._again_and_again("abc", least, most, late))
    assert "".join(found) == "abcabcabc"[:given]


def test_once_the_time_is_over_no_more_than_the_least_is_given():
    assert "".join(speed._again_and_again("abc", 5, 100, time.perf_counter() - 1)) == "abcab"


class HalfOfThem:
    """An extractor: every second image has no row."""

    def __init__(self):
        self.engine, self.given = Networks(), []

    def blocks(self, images, **_options):
        self.given.append(len(list(images)))
        yield SimpleNamespace(good=range(self.given[-1] // 2), outcomes=range(self.given[-1]))


def test_only_images_with_a_row_count(monkeypatch):
    clock = iter([100.0, 102.0, 102.0])  # two seconds
    monkeypatch.setattr(speed, "time", SimpleNamespace(perf_counter=clock.__next__))
    extractor = HalfOfThem()
    assert end_to_end_rate(extractor, "ab", 1.0) == speed.Rate(6 / 2)  # of one turn, no quartiles
    assert extractor.given == [2, 12]  # once to warm up; then three threads have four each


def test_quartiles_are_of_turns_in_each_of_which_every_thread_gave_two_blocks():
    # Turns of two blocks of 4 images take 1, 2, 4, 8 and 16 s.
    ends = [0, 0.1, 1, 1.1, 3, 3.1, 7, 7.1, 15, 15.1, 31]
    assert speed._quartiles(range(0, 44, 4), ends, 2) == (1, 4)
    assert speed._quartiles(range(0, 24, 4), ends[:6], 2) == ()


def test_without_rows_there_is_no_rate(extractor):
    assert end_to_end_rate(extractor, as_records([b"no image"]), 10.0) is None
    assert end_to_end_rate(extractor, [], 10.0) is None


def test_in_this_process_memory_is_not_known(extractor):
    found = measure(extractor, as_records([np.zeros((8, 8, 3), np.uint8)]), alone=False)
    assert found.peak_memory is None
    assert found.images_per_second > 0
    assert found.processor_rate > 0
    assert (found.parameters, found.flops, found.licence) == (6, 0, ("CC0-1.0",))
    assert (found.input_size, found.device) == (((8, 8),), "cpu")


@pytest.mark.gpu
def test_on_a_gpu_memory_is_that_of_the_gpu(toy):
    spec = ExtractorSpec(rows=ModelRows(models=(toy,)), engine=EngineOptions(device="cuda"))
    found = measure(spec.open(), as_records([np.zeros((8, 8, 3), np.uint8)]))
    assert 0 < found.peak_memory < 100e6  # the process itself has taken more
    assert found.device == "cuda"
    assert found.processor
