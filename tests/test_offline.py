"""Staying off the network means all of it; and who will be asked is said before anyone is."""

from __future__ import annotations

import io
import sys
import zipfile
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from threading import Thread

import pytest
from PIL import Image

import penult
from penult.backbones.weights.choice import WeightsChoice
from penult.classify.prediction.predict import predict_images
from penult.errors import ImageError, SourceError, UsageError
from penult.extraction import Extraction
from penult.extractor import ExtractorSpec, RecipeRows
from penult.images import relocate
from penult.images.listing import list_images
from penult.images.sources.remote import connection, hosts, redirects
from penult.images.sources.remote.hosts import describe_hosts, host_of, is_internal
from penult.reporting.make import report

pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")


@pytest.fixture(autouse=True)
def _nobody_is_asked_for_names(monkeypatch):
    monkeypatch.setattr(hosts, "resolving_inside", lambda _: set())
    monkeypatch.setattr(connection, "FIRST_WAIT", 0.0)


class Web:
    """A web server: path to bytes, or to the address that it redirects to; and what was asked."""

    def __init__(self, port):
        self.url, self.host = f"http://127.0.0.1:{port}", f"127.0.0.1:{port}"
        self.files, self.asked = {}, []


@pytest.fixture
def web():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            served.asked.append(self.path)
            found = served.files.get(self.path, b"")
            moved = isinstance(found, str)
            self.send_response(302 if moved else 200)
            if moved:
                self.send_header("Location", found)
            self.send_header("Content-Length", "0" if moved else str(len(found)))
            self.end_headers()
            self.wfile.write(b"" if moved else found)

        def do_HEAD(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Web(server.server_port)
    for k in range(24):
        buffer = io.BytesIO()
        Image.new("RGB", (16, 16), (k * 10, 90, k % 3 * 100)).save(buffer, "PNG")
        served.files[f"/{k}.png"] = buffer.getvalue()
    Thread(target=server.serve_forever, daemon=True).start()
    yield served
    server.shutdown()
    server.server_close()


@pytest.fixture
def manifest(tmp_path, web):
    """A list of three images at addresses, each with a class of its own."""
    rows = "".join(f"{web.url}/{k}.png,{'ab'[k % 2]}\n" for k in range(3))
    (tmp_path / "a.csv").write_text(f"path,label\n{rows}")
    return tmp_path / "a.csv"


REFUSED = r"a\.csv, line 2: http://127\S*/0\.png is on the network, which penult was told not to"


def test_every_function_that_takes_images_stays_off_the_network(
    manifest, web, toy, photos, tmp_path, monkeypatch
):
    penult.extract(manifest, tmp_path / "f.h5", model=toy)
    classifier = penult.train(penult.extract(photos, model=toy))
    web.asked.clear()
    calls = {
        "extract": lambda **o: penult.extract(manifest, model=toy, **o),
        "plan": lambda **o: penult.plan(manifest, model=toy, **o),
        "verify": lambda **o: penult.verify(tmp_path / "f.h5", **o),
        "verify, moved": lambda **o: penult.verify(tmp_path / "f.h5", images=manifest, **o),
        "evaluate": lambda **o: Extraction(
            extractor=ExtractorSpec(
                rows=RecipeRows((classifier.recipe,), "c"), weights=WeightsChoice(**o)
            )
        ).to_memory(manifest),
        "predict": lambda **o: list(predict_images(classifier, manifest, **o)),
        "search": lambda **o: penult.search(tmp_path / "f.h5", manifest, **o),
        "report": lambda **o: report(manifest, tmp_path / "r", model=toy, **o),
        "quantize": lambda **o: penult.quantize(toy, manifest, tmp_path / "q.ckpt", **o),
    }
    if find_spec("nncf") is None:
        del calls["quantize"]
    for call in calls.values():
        with pytest.raises(UsageError, match=REFUSED):
            call(offline=True)
    monkeypatch.setenv("PENULT_OFFLINE", "1")
    for call in calls.values():
        with pytest.raises(UsageError, match=REFUSED):
            call()
    assert web.asked == []
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    "source",
    [
        "http://127.0.0.1:9/a.jpg",
        "http://127.0.0.1:9/list.csv",
        "https://example.org/shards/{000..127}.tar",
        "https://example.org/train.parquet",
        "s3://bucket/flowers",
        "gs://bucket/a.jpg",
        "zip://a.jpg::https://example.org/a.zip",
        "unheard-of://a.jpg",
    ],
)
def test_every_kind_of_address_is_refused_offline(source):
    with pytest.raises(UsageError, match=r"is on the network.*offline=True, or PENULT_OFFLINE=1"):
        list_images([source], offline=True)


def test_addresses_of_this_machine_are_read_offline(tmp_path):
    import fsspec

    fsspec.filesystem("memory").pipe_file("/offline/a.jpg", b"A")
    (tmp_path / "b.jpg").write_bytes(b"B")
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("c.jpg", b"C")
    rows = (
        f"memory://offline/a.jpg\nfile://{tmp_path}/b.jpg\nzip://c.jpg::file://{tmp_path}/c.zip\n"
    )
    (tmp_path / "a.csv").write_text(f"path\n{rows}")
    found = []
    for record in list_images([tmp_path / "a.csv"], offline=True).records:
        with record.open() as file:
            found.append(file.read())
    assert sorted(found) == [b"A", b"B", b"C"]
    assert len(list_images(["memory://offline"], offline=True).records) == 1


def test_standard_input_and_parquet_lists_are_refused_with_their_line(tmp_path, monkeypatch):
    text = b"a.jpg\nhttps://example.org/b.jpg\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    with pytest.raises(UsageError, match=r"standard input, line 2: https\S*/b\.jpg is on"):
        list_images(["-"], offline=True)
    relocate_images = partial(
        relocate.relocate_images, {"sources": ["-"]}, ["https://example.org/b.jpg"]
    )
    with pytest.raises(UsageError, match="is on the network"):
        relocate_images(offline=True)
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({"path": ["s3://bucket/b.jpg"]}), tmp_path / "b.parquet")
    with pytest.raises(
        UsageError, match=r"b\.parquet, row 1: s3://bucket/b\.jpg is on the network"
    ):
        list_images([tmp_path / "b.parquet"], offline=True)


def test_who_will_be_asked_is_said_once_and_before_anyone_is(manifest, web, toy, caplog):
    with manifest.open("a") as file:
        file.write("s3://bucket/x.jpg,a\nhttps://user:secret@images.example.org/y.jpg,a\n")
    listing = list_images([manifest])
    assert web.asked == []
    assert caplog.messages == [
        f"penult: {manifest}: 5 images will be fetched from {web.host} (internal), "
        f"images.example.org, s3://bucket"
    ]
    assert listing.readers == 16


def test_a_host_is_shown_and_never_obeyed(tmp_path, caplog):
    (tmp_path / "a.csv").write_text("path\nhttp://a\x1b[2J.example.org/a.jpg\n")
    list_images([tmp_path / "a.csv"])
    assert caplog.messages[0].endswith(r"from a\x1b[2j.example.org")


def test_a_report_says_it_once(manifest, web, toy, tmp_path, caplog):
    rows = "".join(f"{web.url}/{k}.png,{'abc'[k % 3]}\n" for k in range(24))
    manifest.write_text(f"path,label\n{rows}")
    made = report(manifest, tmp_path / "r", model=toy, label_errors=False, curve=False)
    said = [message for message in caplog.messages if "will be fetched from" in message]
    assert len(said) == 1
    caplog.clear()
    report(
        tmp_path / "r" / "features.h5",
        tmp_path / "s",
        label_errors=False,
        curve=False,
        offline=True,
    )
    assert [m for m in caplog.messages if "no pictures" in m and "is on the network" in m]
    assert made.page.is_file()


def test_addresses_that_were_given_need_no_word(web, caplog):
    web.files["/list.csv"] = b"path\n1.png\n/2.png\n"
    list_images([f"{web.url}/0.png"])
    list_images([f"{web.url}/list.csv"])
    assert caplog.messages == []


def test_hosts_are_named_without_passwords_and_internal_ones_first():
    counts = {f"{k}.example.org": 9 - k for k in range(6)} | {"10.0.0.1:80": 1}
    assert describe_hosts(counts) == (
        "10.0.0.1:80 (internal), 0.example.org, 1.example.org, 2.example.org, 3.example.org and 2 "
        "more hosts"
    )
    many = {f"10.0.0.{k}": 1 for k in range(7)}
    assert describe_hosts(many).endswith("10.0.0.4 (internal) and 2 more hosts, 2 of them internal")
    for url, host in {
        "http://u:p@Example.org:8080/a?b=c": "example.org:8080",
        "s3://bucket/a/b.jpg": "s3://bucket",
        "zip://a.jpg::https://example.org/x.zip": "example.org",
        "https://[::1]:9/a": "[::1]:9",
        "http://[bad/a": "[bad",
    }.items():
        assert host_of(url) == host


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8765",
        "localhost",
        "LOCALHOST.",
        "printer.local",
        "db.internal:5432",
        "wiki",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "[::1]:80",
        "[fe80::1%25eth0]",
        "[fd00::1]",
        "[::ffff:127.0.0.1]",
        "127.1",
        "2130706433",
        "0x7f000001",
        "①②⑦.0.0.1",
        "127。0。0。1",
    ],
)
def test_internal_hosts_are_known_however_they_are_written(host):
    assert is_internal(host)


@pytest.mark.parametrize(
    "host", ["example.org", "93.184.215.14:80", "[2606:2800::1]", "s3://local"]
)
def test_other_hosts_are_not_internal(host):
    assert not is_internal(host)


def test_a_public_name_with_an_internal_address_is_internal(monkeypatch):
    monkeypatch.undo()
    addresses = {"evil.example.org": "169.254.169.254", "good.example.org": "93.184.215.14"}

    def getaddrinfo(name, _port):
        if name not in addresses:
            raise OSError("no such host")
        return [(2, 1, 6, "", (addresses[name], 0))]

    monkeypatch.setattr(hosts.socket, "getaddrinfo", getaddrinfo)
    counts = {"evil.example.org:80": 1, "good.example.org": 2, "none.example.org": 1}
    assert (
        describe_hosts(counts)
        == "evil.example.org:80 (internal), good.example.org, none.example.org"
    )


def fetched(address):
    (record,) = list_images([address]).records
    with record.open() as file:
        return file.read()


def test_a_server_on_the_internet_cannot_lead_inside(web, monkeypatch):
    # 127.0.0.1 plays the internet, and localhost what is inside.
    monkeypatch.setattr(redirects, "is_internal", lambda host: host == "localhost")
    inside = web.url.replace("127.0.0.1", "localhost")
    web.files |= {"/a.png": f"{inside}/0.png", "/b.png": "/0.png", "/c.png": "http://["}
    with pytest.raises(ImageError, match=r"127\.0\.0\.1 redirects to localhost, an internal addr"):
        fetched(f"{web.url}/a.png")
    assert web.asked == ["/a.png"]
    assert fetched(f"{web.url}/b.png") == web.files["/0.png"]
    assert fetched(f"{inside}/a.png") == web.files["/0.png"]
    with pytest.raises(ImageError, match="cannot be fetched"):
        fetched(f"{web.url}/c.png")
    web.files["/a.tar"] = f"{inside}/b.tar"
    with pytest.raises(SourceError, match="redirects to localhost, an internal address"):
        list_images([f"{web.url}/a.tar"])
