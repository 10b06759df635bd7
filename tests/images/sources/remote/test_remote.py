"""Images at addresses: in S3, on web servers, and in memory; and what happens when these stumble."""

from __future__ import annotations

import builtins
import io
import logging
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

import fsspec
import pytest
from archives import packed

from penult.errors import ImageError, MissingExtraError, PathNotFoundError, SourceError, UsageError
from penult.images.listing import list_images, origin_of
from penult.images.relocate import relocate_images
from penult.images.sources.remote import connection


class Faults:
    """Makes requests fail: `plan` is a part of the address to a list of status codes to come."""

    def __init__(self):
        self.plan: dict[str, list[int]] = {}
        self.requests: Counter[str] = Counter()
        self.gives_parts = True
        self._lock = Lock()

    def next(self, path):
        with self._lock:
            self.requests[path] += 1
            for part, statuses in self.plan.items():
                if part in path and statuses:
                    return statuses.pop(0)
        return 0


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(connection, "FIRST_WAIT", 0.0)


@pytest.fixture
def web():
    """A web server: a dict of path to bytes, faults, and its address."""
    faults, files = Faults(), {}

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            status = faults.next(self.path)
            data = files.get(self.path)
            if self.path.endswith("/"):
                links = (f'<a href="{p}">x</a>' for p in files if p.startswith(self.path))
                data = "".join(links).encode()
            if status or data is None:
                self.send_error(status or 404)
                return
            first, last = 0, len(data) - 1
            asked = self.headers.get("Range") if faults.gives_parts else None
            if asked:
                low, _, high = asked.removeprefix("bytes=").partition("-")
                first, last = int(low), min(int(high or last), last)
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(last - first + 1))
            if asked:
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data[first : last + 1])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", files, faults
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def s3_server():
    """moto's server behind something that makes requests fail."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    faults = Faults()
    app = DomainDispatcherApplication(create_backend_app)
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)

    def failing(environ, start_response):
        status = faults.next(environ["PATH_INFO"])
        if status:
            start_response(f"{status} Fault", [("Content-Length", "0")])
            return [b""]
        return app(environ, start_response)

    server = make_server("127.0.0.1", 0, failing, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", faults
    server.shutdown()
    server.server_close()


@pytest.fixture
def s3(s3_server, monkeypatch, tmp_path):
    """A bucket called photos; faults."""
    endpoint, faults = s3_server
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_MAX_ATTEMPTS": "1",  # of botocore's own, which would hide those under test
    }.items():
        monkeypatch.setenv(name, value)
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    monkeypatch.setattr(fsspec.get_filesystem_class("s3"), "retries", 1)
    system = fsspec.filesystem("s3")
    system.mkdir("photos")
    yield system, faults
    faults.plan.clear()
    system.rm("photos", recursive=True)
    fsspec.get_filesystem_class("s3").clear_instance_cache()


@pytest.fixture
def memory():
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


def read(record):
    with record.open() as file:
        return file.read()


def known(listing):
    return [(r.id, r.labels, r.split) for r in listing.records]


def test_a_prefix_in_s3_is_like_a_folder(s3):
    system, _ = s3
    names = ["test/rose/b.jpg", "daisy/a b.JPG", "z.png", "notes.txt", "daisy/.hidden.jpg"]
    for name in names:
        system.pipe_file(f"photos/flowers/{name}", name.encode())
    listing = list_images(["s3://photos/flowers"])
    assert known(listing) == [
        ("daisy/a b.JPG", ("daisy",), None),
        ("test/rose/b.jpg", ("rose",), "test"),
        ("z.png", (), None),
    ]
    assert [read(r) for r in listing.records] == [r.id.encode() for r in listing.records]
    assert listing.passed_over == {".txt": 1}
    assert listing.readers == 16
    assert len(list_images(["s3://photos/"]).records) == 3
    (single,) = list_images(["s3://photos/flowers/z.png"]).records
    assert (single.id, single.labels, read(single)) == ("z.png", (), b"z.png")


def test_a_changed_object_has_another_stamp(s3):
    system, _ = s3
    system.pipe_file("photos/a.jpg", b"1")
    (before,) = list_images(["s3://photos"]).records
    (same,) = list_images(["s3://photos"]).records
    system.pipe_file("photos/a.jpg", b"2")
    (after,) = list_images(["s3://photos"]).records
    assert before.stamp == same.stamp != after.stamp


def test_a_server_that_fails_twice_is_asked_again(s3):
    system, faults = s3
    system.pipe_file("photos/d/a.jpg", b"A")
    (record,) = list_images(["s3://photos/d"]).records
    faults.plan = {"a.jpg": [503, 500]}
    faults.requests.clear()
    assert read(record) == b"A"
    assert faults.requests["/photos/d/a.jpg"] >= 3
    assert faults.plan == {"a.jpg": []}


def test_a_listing_that_fails_twice_is_asked_again(s3):
    system, faults = s3
    system.pipe_file("photos/d/a.jpg", b"A")
    faults.plan = {"/photos": [503, 503]}
    assert len(list_images(["s3://photos/d"]).records) == 1
    assert faults.plan == {"/photos": []}


def test_what_lasts_is_a_failure_of_that_image(s3):
    system, faults = s3
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        system.pipe_file(f"photos/{name}", name.encode())
    a, b, c = list_images(["s3://photos"]).records
    system.rm("photos/b.jpg")
    faults.plan = {"a.jpg": [503] * 100, "c.jpg": [403] * 100}
    faults.requests.clear()
    for record in (a, b, c):
        with pytest.raises(ImageError, match=r"^cannot be fetched \(.+\)$"):
            record.open()
    assert faults.requests["/photos/a.jpg"] >= connection.ATTEMPTS
    assert faults.requests["/photos/c.jpg"] < connection.ATTEMPTS


@pytest.mark.parametrize(
    "url", ["s3://photos/nothing", "s3://no-such-bucket/x", "s3://photos/x.tar"]
)
def test_what_is_not_in_s3_is_named(s3, url):
    with pytest.raises(PathNotFoundError, match=f"there is nothing at {url}"):
        list_images([url])


def test_archives_and_lists_may_lie_at_an_address(s3):
    system, faults = s3
    shard = packed({"daisy/a.jpg": b"A", "b.jpg": b"B" * 6_000_000, "b.cls": b"rose"})
    system.pipe_file("photos/shards/000.tar", shard)
    system.pipe_file("photos/shards/001.tar", packed({"c.jpg": b"C"}))
    system.pipe_file("photos/list.csv", b"path,label\nshards/x.jpg,x\n")
    system.pipe_file("photos/shards/x.jpg", b"X")
    faults.plan = {"000.tar": [503, 503]}
    listing = list_images(["s3://photos/shards/{000..001}.tar"])
    assert [(r.id, r.labels, len(read(r))) for r in listing.records] == [
        ("000.tar/b.jpg", ("rose",), 6_000_000),
        ("000.tar/daisy/a.jpg", ("daisy",), 1),
        ("001.tar/c.jpg", (), 1),
    ]
    (record,) = list_images(["s3://photos/list.csv"]).records
    assert (record.id, record.labels, read(record)) == ("shards/x.jpg", ("x",), b"X")
    system.rm("photos/shards/x.jpg")
    assert len(list_images(["s3://photos/shards"]).records) == 3


def test_parquet_may_lie_at_an_address(memory):
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    rows = [{"bytes": b"%d" % k, "path": None} for k in range(300)]
    pq.write_table(pa.table({"image": rows}), buffer, row_group_size=100)
    memory.pipe_file("/data/train-0.parquet", buffer.getvalue())
    for url in ("memory://data/train-0.parquet", "memory://data"):
        listing = list_images([url])
        assert [read(r) for r in listing.records] == [b"%d" % k for k in range(300)]
        assert {r.split for r in listing.records} == {"train"}


def test_a_folder_at_an_address_that_is_named_as_a_split_may_be_a_class(memory):
    for name in ("bus", "car", "train"):
        memory.pipe_file(f"/v/{name}/a.jpg", b"1")
    assert known(list_images(["memory://v"]))[-1] == ("train/a.jpg", ("train",), None)
    memory.pipe_file("/v/train/tram/a.jpg", b"1")
    assert known(list_images(["memory://v"]))[-1] == ("train/tram/a.jpg", ("tram",), "train")


def test_several_addresses_and_folders_may_be_given(memory, tmp_path):
    memory.pipe_file("/one/daisy/a.jpg", b"1")
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "b.jpg").write_bytes(b"2")
    sources = ["memory://one", tmp_path / "two"]
    listing = list_images(sources)
    assert known(listing) == [("one/daisy/a.jpg", ("daisy",), None), ("two/b.jpg", ("two",), None)]
    find = relocate_images(origin_of(sources), [])
    assert [read(find(r.id)) for r in listing.records] == [b"1", b"2"]
    with pytest.raises(UsageError, match="memory://one was given twice"):
        list_images(["memory://one", "memory://one"])


def test_images_on_a_web_server(web):
    base, files, faults = web
    files |= {"/p/a.jpg": b"A", "/p/d/b.png": b"B", "/p/list.csv": b"path\nd/b.png\n/p/a.jpg\n"}
    files["/p/s.tar"] = packed({"x.jpg": b"X"})
    faults.plan = {"a.jpg": [500, 503]}
    (record,) = list_images([f"{base}/p/a.jpg"]).records
    assert (record.id, read(record)) == ("a.jpg", b"A")
    assert [read(r) for r in list_images([f"{base}/p/list.csv"]).records] == [b"A", b"B"]
    assert [read(r) for r in list_images([f"{base}/p/s.tar"]).records] == [b"X"]
    listed = list_images([f"{base}/p/"])
    assert "a.jpg" in [r.id for r in listed.records]
    (gone,) = list_images([f"{base}/p/gone.jpg"]).records
    with pytest.raises(ImageError, match=r"cannot be fetched \(there is no such file\)"):
        gone.open()
    faults.plan = {"a.jpg": [401]}
    with pytest.raises(ImageError, match=r"cannot be fetched \(HTTP status 401\)"):
        record.open()


@pytest.mark.parametrize("name", ["shard.tar", "train.parquet"])
def test_a_web_server_that_gives_no_parts_of_a_file_is_refused(web, name):
    url, files, faults = web
    faults.gives_parts = False
    files[f"/{name}"] = packed({"1.jpg": b"1", "2.jpg": b"2"})
    with pytest.raises(SourceError, match="download it, and give the file"):
        list_images([f"{url}/{name}"])


def test_a_list_and_single_images_are_had_from_such_a_server(web):
    url, files, faults = web
    faults.gives_parts = False
    files |= {"/list.csv": b"path,label\na.jpg,daisy\n", "/a.jpg": b"A"}
    (record,) = list_images([f"{url}/list.csv"]).records
    assert (record.labels, read(record)) == (("daisy",), b"A")


def test_waits_grow_and_end(monkeypatch):
    waits = []
    monkeypatch.setattr(connection, "FIRST_WAIT", 0.5)
    monkeypatch.setattr(connection.time, "sleep", waits.append)
    monkeypatch.setattr(connection.random, "uniform", lambda low, high: 1.0)

    def fail():
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        connection.with_retries(fail)
    assert waits == [0.5, 1.0, 2.0, 4.0]


def test_the_extra_is_named_where_it_is_missing(monkeypatch):
    def without(*names):
        real = builtins.__import__

        def importing(name, *args, **kwargs):
            if name.partition(".")[0] in names:
                raise ImportError(name)
            return real(name, *args, **kwargs)

        monkeypatch.setattr(builtins, "__import__", importing)

    with pytest.raises(UsageError, match="gs://b/x needs gcsfs; type: pip install gcsfs"):
        list_images(["gs://b/x"])
    with pytest.raises(UsageError, match="ftpx://b/x is not an address that can be read"):
        list_images(["ftpx://b/x"])
    without("fsspec")
    with pytest.raises(MissingExtraError, match=r"s3://b/x needs .*pip install 'penult\[remote\]'"):
        list_images(["s3://b/x"])


def test_a_server_that_is_not_there_is_one_line(monkeypatch):
    with pytest.raises(SourceError, match=r"http://127\.0\.0\.1:9/x\.tar cannot be reached \("):
        list_images(["http://127.0.0.1:9/x.tar"])
