"""What a way takes, from rates that are easy to compute with."""

from __future__ import annotations

import pytest
from planned_rates import ON_GPU, RATES

from penult.capacity.planned_way import machines_needed, planned
from penult.capacity.request import Request
from penult.capacity.way import DEFAULT_WAY, Way

pytestmark = pytest.mark.light


def test_one_machine_takes_its_rate_and_the_start():
    one = planned(Request(images=1_000_000, cores=10), RATES, DEFAULT_WAY, 1)
    assert one.images_per_second == pytest.approx(10 * 80)
    assert one.seconds == pytest.approx(1_000_000 / 800 + 2)
    assert one.core_hours == pytest.approx(10 * 1252 / 3600)
    assert (one.workers, one.cost) == (10, None)


def test_workers_of_several_machines_take_whole_parts():
    """A worker does 80 images a second: 9,600 in two minutes; four parts each have 5,000."""
    request = Request(images=1_000_000, cores=10, price_per_hour=0.36)
    five = planned(request, RATES, DEFAULT_WAY, 5)
    assert (five.workers, five.part_images, five.parts) == (50, 4096, 245)
    assert five.part_seconds == pytest.approx(51.2)
    assert five.seconds == pytest.approx(5 * 51.2 + 2)  # 245 parts: five rounds of 50 workers
    assert five.cost == pytest.approx(0.36 * 5 * 258 / 3600)


@pytest.mark.parametrize("images", [10**6, 10**7, 10**8, 10**9, 10**12])
def test_a_part_takes_one_to_two_minutes_where_there_are_enough_images(images):
    one = planned(Request(images=images, cores=4), RATES, DEFAULT_WAY, 2)
    assert 60 <= one.part_seconds <= 120
    assert one.part_images * (one.parts - 1) < images <= one.part_images * one.parts


def test_fewer_images_than_workers_are_a_part_each():
    one = planned(Request(images=3, cores=10), RATES, DEFAULT_WAY, 5)
    assert (one.part_images, one.parts, one.part_seconds) == (1, 3, pytest.approx(1 / 80))


def test_with_gpus_the_slower_of_reading_and_network_decides():
    rate = ON_GPU.images_per_second
    assert rate(DEFAULT_WAY, cores=3, gpus=1) == pytest.approx(3 * 0.8 / 0.006)
    assert rate(DEFAULT_WAY, cores=30, gpus=1) == pytest.approx(1000)
    assert rate(Way("bfloat16"), cores=30, gpus=1) == pytest.approx(2000)
    assert rate(Way("bfloat16"), cores=30, gpus=2) == pytest.approx(4000)
    one = planned(Request(images=10**6, cores=30, gpus=2), ON_GPU, DEFAULT_WAY, 4)
    assert one.workers == 8


def test_a_deadline_needs_as_many_machines_as_are_just_enough():
    request = Request(images=1_000_000, cores=10, deadline=1000.0)
    assert machines_needed(request, RATES, DEFAULT_WAY) == 2
    assert planned(request, RATES, DEFAULT_WAY, 2).seconds <= 1000
    assert planned(request, RATES, DEFAULT_WAY, 1).seconds > 1000
    assert machines_needed(request, RATES, Way("bfloat16", "fast")) == 1


def test_parts_may_need_a_machine_more_than_the_rate():
    """By the rate, three machines need 833 s; in whole parts, 6 rounds of 51.2 s … 307 s + 2 s."""
    for deadline in (60.0, 200.0, 418.0, 640.0):
        request = Request(images=1_000_000, cores=10, deadline=deadline)
        needed = machines_needed(request, RATES, DEFAULT_WAY)
        assert planned(request, RATES, DEFAULT_WAY, needed).seconds <= deadline


@pytest.mark.parametrize("deadline", [1.0, 2.0, 2.001])
def test_no_number_of_machines_is_done_before_it_has_begun(deadline):
    request = Request(images=10**9, cores=10, deadline=deadline)
    assert machines_needed(request, RATES, DEFAULT_WAY) is None
