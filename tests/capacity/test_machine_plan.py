"""What is recommended, what it needs, and on what that rests."""

from __future__ import annotations

from dataclasses import replace

import pytest
from planned_rates import ON_GPU, RATES

from penult.capacity.machine_plan import plan_of
from penult.capacity.request import Request
from penult.errors import UsageError
from penult.interface import serving_command_line

pytestmark = pytest.mark.light


def plan(rates=RATES, models=("toy:a",), layers=("penultimate",), **asked):
    request = Request(**{"images": 10**9, "cores": 10, **asked})
    return plan_of(request, rates, models=models, layers=layers)


def test_options_are_recommended_that_gain_a_tenth_beside_the_others():
    """10 ms, in bfloat16 8, resized fast as well 5; decoded smaller as well 4.9."""
    made = plan()
    assert [one.way.short for one in made.ways] == [
        "float32",
        "bfloat16",
        "fast resize",
        "scaled decode",
        "bfloat16, fast resize",
    ]
    assert made.recommended is made.ways[-1]
    assert made.recommended.images_per_second == pytest.approx(10 * 0.8 / 0.005)


def test_an_option_that_gains_little_is_left_alone():
    slow_network = replace(RATES, network_ms={"float32": 100.0})
    assert plan(slow_network).recommended.way.described == "the default"
    large_photos = replace(RATES, reading_ms={("exact", "exact"): 60.0, ("exact", "scaled"): 20.0})
    assert plan(large_photos).recommended.way.described == "decode='scaled'"


def test_rows_are_counted_with_what_stands_beside_them():
    """1,000 numbers: 4,000 bytes a row, and 100 beside it."""
    exact, half, short = plan().storage
    assert (exact.row_bytes, exact.bytes) == (4000, 4_100 * 10**9)
    assert (half.row_bytes, half.bytes) == (2000, 2_100 * 10**9)
    assert (short.row_bytes, short.bytes) == (512, 612 * 10**9)
    assert short.rows == "float16, then penult.reduce(ROWS, pca=256), one .h5"
    assert len(plan(images=2 * 10**9).storage) == 2, "1.2 TB are too much for one file"
    assert len(plan(replace(RATES, row_length=256)).storage) == 2


def test_memory_is_that_of_workers_with_their_parts_and_one_listing():
    made = plan(machines=2)
    part = made.recommended.part_images * 4000
    assert made.listing_bytes == 40 * 10**9
    assert made.worker_bytes == 300_000_000 + part
    assert made.machine_bytes == 10 * (300_000_000 + part) + 40 * 10**9
    needed = f"each machine has {made.machine_bytes / 1e9:.0f} GB of memory for it; memory says "
    assert any(line.startswith(needed) for line in made.assumptions), "not compared with this one"
    told = plan(machines=2, memory=16 * 10**9).assumptions
    assert any("and has 16 GB; with that, extract in 4 runs" in line for line in told)
    told = plan(machines=2, memory=64 * 10**9).assumptions
    assert not any("GB of memory" in line for line in told)
    told = plan(cores=4).assumptions  # one like this, which has 16 GB
    assert any("each machine needs 40 GB of memory, and has 16 GB" in line for line in told)
    assert plan(images=10**6).machine_bytes == 300_000_000 + 40 * 10**6  # threads of one process


def test_what_has_to_be_read_is_told():
    made = plan(machines=2)
    assert made.read_bytes == 50_000 * 10**9
    assert made.read_rate == pytest.approx(50_000 * 1600)
    assert "storage gives each machine 80 MB a second, 160 MB in all" in made.assumptions


def test_what_to_type_has_every_option_that_is_recommended():
    with serving_command_line():
        assert plan(machines=2, models=("toy:a", "toy:b"), layers=("pixels",)).command == (
            "penult extract IMAGES --output s3://BUCKET/photos.rows --precision bfloat16 --resize fast "
            "--dtype float16 --ray auto --ray-workers 20 --part-images 16384 "
            "--model toy:a --model toy:b --layer pixels"
        )
        assert plan(images=1000).command == (
            "penult extract IMAGES --output photos.h5 --precision bfloat16 --resize fast --model toy:a"
        )
        assert "--ray-gpus 1 --ray-cpus 5" in plan(ON_GPU, machines=2, gpus=2).command
    assert "all machines have the same penult, with penult[ray] and penult[fast]" in (
        plan(machines=2).assumptions
    )
    assert plan(images=1000).command == (
        "penult.extract(IMAGES, model='toy:a', output='photos.h5', precision='bfloat16', "
        "resize='fast')"
    )


def test_a_deadline_that_cannot_be_met_says_what_could():
    """At 1,600 images a second and machine, 10⁹ images take one 174 hours."""
    assert plan(deadline=24 * 3600.0).machines == 8
    with pytest.raises(UsageError) as refused:
        plan(machines=2, deadline=24 * 3600.0)
    assert str(refused.value) == (
        "2 machines of 10 cores take 3.6 days for 1,000,000,000 images, even with what is fastest "
        "here (precision='bfloat16' resize='fast'), and 24 h was asked for; 8 machines would do, "
        "or a deadline of 87h"
    )
    assert plan(machines=2, deadline=87 * 3600.0).machines == 2
    with pytest.raises(
        UsageError, match=r"machines are not done in 1.0 s: a worker takes 2.0 s to"
    ):
        plan(deadline=1.0)


def test_what_was_not_measured_is_said():
    told = plan(
        replace(
            RATES,
            others=1.5,
            unavailable={"--precision bfloat16": "the processor has none"},
            sample=replace(RATES.sample, synthetic=True, failed=2),
        )
    ).assumptions
    told = "\n".join(told)
    assert "2 more could not be read" in told
    assert "4 cores together were 80% as fast" in told
    assert "that 10 lose no more was not measured" in told
    assert "other processes took 1.5 of 4 cores meanwhile" in told
    assert "--precision bfloat16 is left out: the processor has none" in told
    assert "give sample=FOLDER with photos of yours" in told
    quiet = "\n".join(plan(cores=4).assumptions)
    assert "not measured" not in quiet
    assert "meanwhile" not in quiet
    beside_gpu = "\n".join(plan(ON_GPU, cores=4, gpus=1).assumptions)
    assert "4 cores together read 80% as fast as each alone would" in beside_gpu
    held_up = plan(replace(ON_GPU, efficiency=1.0), cores=4, gpus=1).assumptions
    assert "together" not in "\n".join(held_up)


def test_a_plan_is_a_line_a_table_and_json():
    made = plan(machines=2)
    assert repr(made) == (
        "MachinePlan(1,000,000,000 images, 2 machines, 10 cores, 3.6 days, "
        "precision='bfloat16' resize='fast', 2.1 TB)"
    )
    assert made._repr_html_().count("<tr") > 5
    assert made.to_dict()["measured"]["reading_ms"][0] == {
        "resize": "exact",
        "decode": "exact",
        "ms": 6.0,
    }
