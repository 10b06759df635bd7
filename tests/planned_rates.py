"""Rates that are easy to compute with."""

from __future__ import annotations

from dataclasses import replace

from penult.capacity.rates import Measured, SampleFacts

RATES = Measured(
    sample=SampleFacts(name="photos", photos=100, photo_bytes=50_000, megapixels=0.25, id_bytes=20),
    reading_ms={
        ("exact", "exact"): 6.0,
        ("fast", "exact"): 3.0,
        ("exact", "scaled"): 5.0,
        ("fast", "scaled"): 2.9,
    },
    network_ms={"float32": 4.0, "bfloat16": 2.0},
    cores=4,
    efficiency=0.8,
    start_seconds=2.0,
    worker_bytes=300_000_000,
    machine_memory=16_000_000_000,
    row_length=1000,
    beside_bytes=100.0,
    listing_bytes=40.0,
)
"""Of 10 ms an image and a core: 100 a second alone, and 80 a second beside others."""

ON_GPU = replace(RATES, network_ms={"float32": 1.0, "bfloat16": 0.5}, on_gpu=True)
