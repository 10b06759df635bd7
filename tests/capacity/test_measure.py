"""Rates are measured on the photos that are given; toy:mean-colour's are small, but there."""

from __future__ import annotations

import errno
import io
from functools import partial
from itertools import count
from types import SimpleNamespace

import pytest
from PIL import Image

import penult
from penult.capacity import sample
from penult.capacity.measure import Together, measure_rates
from penult.capacity.sample import Photos, open_photos
from penult.capacity.storage import bytes_beside_rows, bytes_of_listing
from penult.errors import SourceError
from penult.extractor import EngineOptions, ExtractorSpec, ModelRows
from penult.records import ImageRecord

pytestmark = pytest.mark.light


def spec(model):
    return ExtractorSpec(rows=ModelRows(models=(model,)), engine=EngineOptions(device="cpu"))


def test_rates_are_of_the_photos_given(photos, toy):
    rates = measure_rates(spec(toy), open_photos(photos), seconds=0.5)
    sizes = [path.stat().st_size for path in photos.rglob("daisy_*.jpg")]
    sample = rates.sample
    assert 2 <= sample.photos <= 36  # as many as there was time for
    assert (sample.failed, sample.synthetic) == (0, False)
    assert min(sizes) / 2 < sample.photo_bytes < 2 * max(sizes)
    assert sample.megapixels == pytest.approx(64 * 48 / 1e6)
    assert rates.row_length == 3
    assert rates.reading_ms.keys() >= {("exact", "exact"), ("exact", "scaled")}
    assert min(rates.reading_ms.values()) > 0
    assert rates.network_ms["float32"] > 0
    assert 0 < rates.efficiency <= 1
    assert not rates.on_gpu


def test_a_photo_that_cannot_be_read_is_counted_and_the_other_is_measured(tmp_path, toy):
    Image.effect_noise((64, 48), 30).save(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_bytes(b"no image")
    sample = measure_rates(spec(toy), open_photos(tmp_path), seconds=0.5).sample
    assert (sample.photos, sample.failed) == (1, 1)  # two are read, however long it takes


def test_larger_photos_take_longer(tmp_path, toy):
    for name, side in (("small", 64), ("large", 1024)):
        for k in range(3):
            (tmp_path / name).mkdir(exist_ok=True)
            Image.effect_noise((side, side), 30).save(tmp_path / name / f"{k}.jpg")
    small, large = (
        measure_rates(spec(toy), open_photos(tmp_path / name), seconds=0.5).reading_ms
        for name in ("small", "large")
    )
    assert large["exact", "exact"] > 5 * small["exact", "exact"]


def test_a_sample_without_one_photo_that_can_be_read_is_refused(tmp_path, toy):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"no image")
    with pytest.raises(SourceError, match=r"no photo of .*photos could be read: a.jpg: "):
        measure_rates(spec(toy), open_photos(tmp_path / "photos"), seconds=0.5)


def slow(good, bad):
    """Photos of a storage so slow that the time is up at once: `bad` that are none, then others."""
    image = io.BytesIO()
    Image.effect_noise((64, 48), 30).save(image, "JPEG")
    files = [b"no image"] * bad + [image.getvalue()] * good
    return Photos(
        "slow", [ImageRecord(f"{k}.jpg", partial(io.BytesIO, one)) for k, one in enumerate(files)]
    )


def test_when_the_time_is_up_photos_are_read_on_until_one_can_be_decoded(toy, monkeypatch):
    monkeypatch.setattr(sample, "time", SimpleNamespace(perf_counter=count().__next__))
    measured = measure_rates(spec(toy), slow(good=9, bad=5), seconds=0.5).sample
    assert (measured.photos, measured.failed) == (2, 5)
    with pytest.raises(SourceError) as refused:
        measure_rates(spec(toy), slow(good=9, bad=60), seconds=0.5)
    assert str(refused.value).startswith(
        "none of 32 photos of slow that were tried could be read: 0.jpg: "
    )


def test_why_the_first_photo_could_not_be_had_is_said(toy):
    def refused():
        raise PermissionError(errno.EACCES, "Permission denied")

    with pytest.raises(SourceError, match=r"no photo of far could be read: a.jpg: .*denied"):
        measure_rates(spec(toy), Photos("far", [ImageRecord("a.jpg", refused)]), seconds=0.5)


def test_photos_are_made_up_where_none_are_given():
    photos = open_photos(None)
    assert photos.synthetic
    assert photos.name == "32 made-up photos of 500 × 375 pixels"
    with photos.records[0].open() as file, Image.open(file) as image:
        assert (image.size, image.format) == ((500, 375), "JPEG")


def test_all_cores_by_the_clock_where_nothing_else_ran():
    """100 images of 10 ms each are one second of CPU; two cores took 0.625 s, or 1.25 s of CPU."""
    idle = Together(images=100, seconds=0.625, cpu=1.0, cores=2, others=0.1)
    assert idle.efficiency(10.0) == pytest.approx(0.8)
    busy = Together(images=100, seconds=5.0, cpu=1.1, cores=2, others=1.5)
    assert busy.efficiency(10.0) == pytest.approx(1 / 1.1)
    assert Together(100, 0.1, 0.1, 2, 0.0).efficiency(10.0) == 1.0


def test_cores_beside_a_gpu_are_as_fast_as_the_gpu_was_fed():
    """Sixteen cores read 600 photos of 2 ms in a second, of the 8,000 that they would read alone."""
    fed = Together(images=600, seconds=1.0, cpu=2.0, cores=16, others=0.0)
    assert fed.efficiency_beside_gpu(reading_ms=2.0, network_ms=0.1) == pytest.approx(0.075)
    # One that is busy for 0.9 of the second holds them up.
    assert fed.efficiency_beside_gpu(reading_ms=2.0, network_ms=1.5) == 1.0


def test_a_file_is_as_large_as_planned(photos, toy, tmp_path):
    features = penult.extract(photos, tmp_path / "f.h5", model=toy)
    records = open_photos(photos).records
    an_image, fixed = bytes_beside_rows(records, [features.recipe], [(3,)], ["penultimate"])
    real = (tmp_path / "f.h5").stat().st_size
    assert len("tulip/tulip_12.jpg") + 16 < an_image < 120
    assert fixed <= real


def test_a_listing_keeps_an_id_and_some_bytes_more():
    short, long = (bytes_of_listing(["x" * n]) for n in (10, 110))
    assert 10 < short < 40
    assert 100 <= long - short < 130
