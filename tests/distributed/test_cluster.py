"""On a cluster of two worker processes, the rows are those of one machine."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from feature_files import without_time
from ray_workers import workers

import penult
from penult.distributed import cluster as executor
from penult.errors import ClusterError

TESTS = Path(__file__).parents[1]


def parts_of(folder):
    return {path.name: path for path in folder.glob("rows-*.h5")}


def test_two_workers_give_the_file_of_one_machine_to_the_byte(
    cluster, light, tiles, tmp_path, capfd
):
    penult.extract(tiles, tmp_path / "one.h5", **light)
    told = []
    capfd.readouterr()

    found = penult.extract(
        tiles, tmp_path / "two.h5", **light, ray=True, ray_workers=2, progress=told.append
    )

    assert without_time(tmp_path / "two.h5") == without_time(tmp_path / "one.h5")
    assert [failure.id for failure in found.failures] == ["2/050.png"]
    extracting = [now for now in told if now.stage == "extract"]
    assert (extracting[-1].done, extracting[-1].total, extracting[-1].failed) == (96, 96, 1)
    assert len({now.done for now in extracting}) > 3, "progress comes with the parts"
    assert not (tmp_path / "two.h5.parts").exists()
    assert capfd.readouterr().err == "", "nothing of Ray's is on the screen"


DRIVER = """
import sys
from toys import LightMeanColour, SlowMeans
from penult.backbones.registry import register
from penult.engines.registry import ENGINES, EngineEntry
import penult
register(LightMeanColour())
ENGINES["slow-means"] = EngineEntry(SlowMeans, devices=("cpu",), forms=("openvino",))
penult.extract(sys.argv[1], sys.argv[2], model="light:mean-colour", engine="slow-means",
               part_images=8, ray=sys.argv[3], ray_workers=1)
"""


def test_a_killed_driver_and_killed_workers_cost_what_they_had_in_hand_and_the_rows_are_the_same(
    cluster, light, tiles, tmp_path
):
    rows, one = tmp_path / "photos.rows", tmp_path / "one.h5"
    penult.extract(tiles, one, **light)
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, tiles, rows, cluster.get_runtime_context().gcs_address],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])},
        stderr=subprocess.PIPE,
    )
    try:
        begun = time.monotonic()
        while len(parts_of(rows)) < 3:
            assert driver.poll() is None, driver.stderr.read().decode()
            assert time.monotonic() - begun < 200
            time.sleep(0.01)
    finally:
        driver.kill()
        driver.communicate()
    before = {name: path.stat().st_ino for name, path in parts_of(rows).items()}
    chance, killed, told, over = random.Random(0), [], [], threading.Event()

    def kill():
        while len(parts_of(rows)) == len(before) and not over.wait(0.01):
            pass  # until they are at work
        while len(killed) < 2 and not over.is_set():
            if there := workers():
                os.kill(pid := chance.choice(there).pid, signal.SIGKILL)
                killed.append(pid)
            over.wait(chance.uniform(0.05, 0.3))

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    slow = {**light, "engine": "slow-means", "part_images": 8}
    found = penult.extract(tiles, rows, **slow, ray=True, ray_workers=2, progress=told.append)
    over.set()
    killer.join()

    assert killed
    kept = next(now for now in told if now.stage == "extract").kept
    assert kept >= 8 * (len(before) - 1), "the last may have had no entry yet"
    after = {name: path.stat().st_ino for name, path in parts_of(rows).items()}
    assert sum(after[name] == before[name] for name in before) >= len(before) - 1
    assert len(after) == 12
    assert len(found) == 95
    penult.merge(rows, tmp_path / "merged.h5")
    assert without_time(tmp_path / "merged.h5") == without_time(one)


def test_a_part_that_kills_every_worker_ends_the_run(cluster, light, tiles, tmp_path, monkeypatch):
    monkeypatch.setattr(executor, "_TRIES_AFTER_DEATH", 1)
    deadly = {**light, "engine": "deadly-means"}

    with pytest.raises(ClusterError, match="the same part killed its worker 2 times") as caught:
        penult.extract(tiles, tmp_path / "two.h5", **deadly, ray=True, ray_workers=1)

    assert "\n" not in str(caught.value)
