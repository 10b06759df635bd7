"""A process that serves many at once, while it is stopped, its files are replaced, or some are slow."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path

import pytest
from serving_client import photo
from toys import MeanColour

import penult
from penult.backbones.registry import register, unregister

pytestmark = [
    pytest.mark.light,
    pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there are no such signals"),
]

PROGRAM = Path(__file__).parent.parent / "serve_slowly.py"
PHOTO = photo((100, 100, 100))


@pytest.fixture(scope="module")
def galleries(tmp_path_factory):
    """`old.h5` and `new.h5`: of 4 images with the label old, and of 6 with the label new."""
    folder = tmp_path_factory.mktemp("galleries")
    register(MeanColour())
    for label, images in (("old", 4), ("new", 6)):
        (folder / label / label).mkdir(parents=True)
        for k in range(images):
            (folder / label / label / f"{k}.png").write_bytes(photo((100, 100, 90 + k)))
        penult.extract(
            folder / label, folder / f"{label}.h5", model="toy:mean-colour", progress=False
        )
    unregister("toy")
    (folder / "broken.h5").write_bytes(b"broken")
    return folder


@contextmanager
def serving(folder, gallery, *options, seconds=0.01):
    """The process that serves a gallery, and its address; what it says goes to `said.txt`."""
    with (folder / "said.txt").open("w+") as said:
        process = subprocess.Popen(
            # As many start it, so that SIGHUP is ignored at first.
            ["nohup", sys.executable, PROGRAM, str(seconds), "--gallery", gallery, *options],
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
        try:
            line = process.stdout.readline()
            assert line, (folder / "said.txt").read_text()
            yield process, json.loads(line)["url"]
        finally:
            process.kill()
            process.communicate()


class Load:
    """Threads that ask again and again, each with a client of its own that tries everything once."""

    def __init__(self, url, threads=8):
        self.answers, self.failures = [], []
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=[url]) for _ in range(threads)]
        for one in self._threads:
            one.start()

    def _ask(self, url):
        with penult.Client(url, retries=0) as client:
            while not self._stopped.is_set():
                try:
                    self.answers.append(client.search(PHOTO, k=10))
                except penult.ServiceError as error:
                    self.failures.append(error)
                    if error.status is None:
                        return

    def wait_for_more(self, answers=10):
        seen = len(self.answers)
        while len(self.answers) < seen + answers and any(one.is_alive() for one in self._threads):
            time.sleep(0.005)

    def stop(self):
        self._stopped.set()
        for one in self._threads:
            one.join(30)
            assert not one.is_alive()


def test_a_service_that_is_stopped_under_load_answers_every_photo_that_it_took(galleries, tmp_path):
    # Longer than an end in disorder takes, so that photos would be lost.
    with serving(tmp_path, galleries / "old.h5", seconds=0.4) as (process, url):
        load = Load(url)
        load.wait_for_more()
        process.terminate()
        assert process.wait(30) == 0
        load.stop()
    took = (tmp_path / "said.txt").read_text().count("took one")
    assert len(load.answers) == took > 10
    assert {error.status for error in load.failures} <= {503, None}
    assert load.failures


def test_a_gallery_that_is_replaced_under_load_is_switched_at_once_and_no_request_fails(
    galleries, tmp_path
):
    served = tmp_path / "served.h5"

    def replace_by(name):
        shutil.copy(galleries / name, tmp_path / "next.h5")
        (tmp_path / "next.h5").replace(served)

    replace_by("old.h5")
    with serving(tmp_path, served) as (process, url), penult.Client(url) as client:
        load = Load(url)
        for round_ in range(2):
            for label, images in (("new", 6), ("old", 4)):
                load.wait_for_more()
                before = client.gallery()
                replace_by(f"{label}.h5")
                if round_ % 2:
                    assert client.reload() != before.version
                else:
                    process.send_signal(signal.SIGHUP)
                    for _ in range(3000):
                        if client.gallery().version != before.version:
                            break
                        time.sleep(0.01)
                now = client.gallery()
                assert (now.images, [one.label for one in now.labels]) == (images, [label])
        replace_by("broken.h5")
        with pytest.raises(penult.ServiceError, match="not reloaded"):
            client.reload()
        load.wait_for_more()
        load.stop()
    assert load.failures == []
    seen = defaultdict(set)
    for found in load.answers:
        labels = {hit.label for hit in found.hits} | {found.vote.label}
        assert len(labels) == 1
        seen[found.model.version] |= {(*labels, len(found.hits))}
    assert sorted(map(list, seen.values())) == [[("new", 6)], [("old", 4)]]


def test_those_who_stand_still_hold_up_nobody_and_are_told_in_the_end(galleries, tmp_path):
    head = b"POST /v1/search HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n"
    with serving(tmp_path, galleries / "old.h5", "--timeout", "1") as (_, url):
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        slow = [socket.create_connection(address, timeout=30) for _ in range(60)]
        for one in slow:
            one.sendall(head + PHOTO[:50])
        with penult.Client(url, retries=0) as client:
            assert len(client.search(PHOTO).hits) == 4
            for one in slow:
                assert one.recv(1000).startswith(b"HTTP/1.1 408 ")
                one.close()
            assert len(client.search(PHOTO).hits) == 4
