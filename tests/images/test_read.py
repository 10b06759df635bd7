from __future__ import annotations

import hashlib
import os
import socket
import sys
from functools import partial
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from penult.errors import ImageError
from penult.images import files
from penult.images.files import open_regular
from penult.images.in_memory import as_records
from penult.images.listing import list_images
from penult.images.pixels.transform import Transform
from penult.images.read import read_pixels
from penult.recipe import Preprocessing
from penult.records import ImageRecord

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="POSIX file systems only")

transform = Transform(
    Preprocessing(resize=8, crop=(8, 8), interpolation="bicubic", mean=(0,) * 3, std=(1,) * 3)
)


def record(path):
    return ImageRecord(path.name, partial(open_regular, path), path=path)


@pytest.fixture
def red(tmp_path):
    path = tmp_path / "red.png"
    Image.new("RGB", (16, 12), "red").save(path)
    return path


def reason(path, **options):
    with pytest.raises(ImageError) as caught:
        read_pixels(record(path), transform, **options)
    return str(caught.value)


def test_pixels_come_with_the_digest_of_the_bytes(red):
    pixels, content = read_pixels(record(red), transform)
    assert pixels.tolist() == [[[255, 0, 0]] * 8] * 8
    assert content == hashlib.blake2b(red.read_bytes(), digest_size=16).hexdigest()
    assert len(content) == 32


def test_a_record_is_opened_once_and_closed():
    opened = []
    buffer = BytesIO()
    Image.new("RGB", (9, 9)).save(buffer, "PNG")

    def open_it():
        opened.append(BytesIO(buffer.getvalue()))
        return opened[-1]

    read_pixels(ImageRecord("a", open_it), transform)
    assert [file.closed for file in opened] == [True]


def test_a_file_deleted_after_the_listing_is_a_named_failure(red):
    (listed,) = list_images([red.parent]).records
    red.unlink()
    with pytest.raises(ImageError, match=r"is gone \(deleted since it was listed\)"):
        read_pixels(listed, transform)


@posix_only
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read all")
def test_a_file_without_permission_is_a_named_failure(red):
    red.chmod(0)
    assert reason(red) == "cannot be read (permission denied)"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (PermissionError(13, "Permission denied"), "cannot be read (permission denied)"),
        (OSError(5, "Input/output error"), "cannot be read (input/output error)"),
        (OSError("a message\nof two lines"), "cannot be read (a message of two lines)"),
        (FileNotFoundError(2, "No such file"), "is gone (deleted since it was listed)"),
        (MemoryError(), "needs more memory to read than there is"),
        (ImageError("is what the source says"), "is what the source says"),
        (KeyError("a.png"), "cannot be read (KeyError: 'a.png')"),
        (ValueError("two\nlines"), "cannot be read (ValueError: two)"),
    ],
)
def test_whatever_opening_raises_becomes_one_line(error, expected):
    def fail():
        raise error

    with pytest.raises(ImageError) as caught:
        read_pixels(ImageRecord("a", fail), transform)
    assert str(caught.value) == expected or str(caught.value).startswith(expected)


@posix_only
def test_a_link_to_nothing_is_told_from_a_file_that_is_gone(tmp_path):
    link, gone = tmp_path / "link.png", tmp_path / "gone.png"
    link.symlink_to("nowhere.png")
    assert reason(link) == "is a link to nothing"
    assert reason(gone) == "is gone (deleted since it was listed)"


def test_text_in_place_of_bytes_is_a_named_failure():
    with pytest.raises(ImageError, match=r"cannot be read \(its file gives str, not bytes\)"):
        read_pixels(ImageRecord("a", lambda: StringIO("text")), transform)


def test_what_stops_a_program_stops_it():
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_pixels(ImageRecord("a", stop), transform)


@posix_only
def test_a_named_pipe_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (listed,) = list_images([tmp_path]).records
    with pytest.raises(ImageError, match=r"^is a named pipe, not a file$"):
        read_pixels(listed, transform)


@posix_only
def test_a_device_and_a_socket_are_refused(tmp_path, monkeypatch):
    (tmp_path / "zeros.jpg").symlink_to("/dev/zero")
    assert reason(tmp_path / "zeros.jpg") == "is a device, not a file"
    monkeypatch.chdir(tmp_path)  # a socket's path may not be long
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.jpg")
        assert reason(tmp_path / "socket.jpg") == "is a socket, not a file"


def test_a_folder_is_refused(tmp_path):
    assert reason(tmp_path) == "is a folder, not a file"


@posix_only
def test_a_link_to_itself_is_a_named_failure(tmp_path):
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    assert reason(tmp_path / "loop.jpg").startswith("cannot be read (too many levels")


def test_a_file_larger_than_any_image_is_refused_without_reading_it_whole(tmp_path):
    huge = tmp_path / "huge.tif"
    with huge.open("wb") as file:
        file.truncate(2**40)  # sparse
    assert "too large for an image" in reason(huge, max_pixels=1000)


def test_the_limits_reach_the_decoder(red):
    assert "more than the limit of 100" in reason(red, max_pixels=100)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(red)
    red.write_bytes(red.read_bytes()[:6000])
    assert reason(red).startswith("is truncated")
    pixels, _ = read_pixels(record(red), transform, allow_truncated=True)
    assert pixels[:2].any()
    assert not pixels[-2:].any()


def test_a_path_that_cannot_be_is_a_failure():
    (record,) = as_records(["a\0.jpg"])
    with pytest.raises(ImageError, match="has a NUL character in its path"):
        record.open()


def test_a_pipe_that_takes_the_place_of_a_file_meanwhile_is_refused_and_closed(
    tmp_path, monkeypatch
):
    pipe, regular = tmp_path / "a.jpg", Path(__file__).stat()
    os.mkfifo(pipe)
    opened, open_at_once = [], files._open_nonblocking

    def noted(path, flags):
        opened.append(open_at_once(path, flags))
        return opened[-1]

    monkeypatch.setattr(files, "_open_nonblocking", noted)
    with monkeypatch.context() as earlier:
        earlier.setattr(files.os, "stat", lambda _: regular)
        with pytest.raises(ImageError, match="is a named pipe"):
            open_regular(pipe)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0])
