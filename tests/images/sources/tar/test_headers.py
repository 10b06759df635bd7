"""Headers of an archive, beside what Python's own library says of them."""

from __future__ import annotations

import io
import random
import tarfile

import pytest

from penult.images.sources.tar.headers import TarDamage, read_headers


def pack(seed: int, kind: int) -> bytes:
    """An archive of some 60 files and folders, of a few owners and modes."""
    chance, packed = random.Random(seed), io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=kind) as archive:
        for k in range(60):
            long = "long/" * 30 if chance.random() < 0.1 else ""
            name = f"{long}{chance.choice(['', 'rosé/', 'b/'])}{k}.jpg"
            member = tarfile.TarInfo(name)
            member.size = chance.choice([0, 1, 512, 513, 2000])
            member.mode, member.uid = chance.choice([0o644, 0o600]), chance.choice([0, 1000])
            member.mtime = chance.choice([0, 1_700_000_000, 1.5])
            member.type = chance.choice([tarfile.REGTYPE] * 8 + [tarfile.DIRTYPE])
            if member.type == tarfile.DIRTYPE:
                member.size = 0
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    return packed.getvalue()


def told(data: bytes):
    headers = read_headers(io.BytesIO(data), len(data))
    return [(h.name, h.size, h.offset_data, h.isfile(), h.isdir()) for _, h in headers]


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_headers_are_those_that_the_library_reads(kind):
    for seed in range(10):
        data = pack(seed, kind)
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            expected = [
                (m.name, m.size, m.offset_data, m.isfile(), m.isdir()) for m in archive.getmembers()
            ]
        assert told(data) == expected


@pytest.mark.parametrize("at", [0, 50, 105, 120, 130, 140, 150, 156, 200, 300])
def test_a_byte_that_is_another_one_is_damage_in_the_last_of_many_like_headers(at):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for k in range(5):
            archive.addfile(tarfile.TarInfo(f"{k}.jpg"))
    data = bytearray(packed.getvalue())
    data[4 * 512 + at] ^= 1
    headers = read_headers(io.BytesIO(data), len(data))
    assert [next(headers)[1].name for _ in range(4)] == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    with pytest.raises(TarDamage):
        next(headers)


def test_only_what_was_read_before_is_read_without_the_library(monkeypatch):
    packed, calls = io.BytesIO(), []
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for k in range(50):
            member = tarfile.TarInfo(f"{k}.jpg")
            member.uid = k // 25
            archive.addfile(member)
    whole = tarfile.TarInfo.frombuf.__func__

    def counted(cls, *arguments):
        calls.append(1)
        return whole(cls, *arguments)

    monkeypatch.setattr(tarfile.TarInfo, "frombuf", classmethod(counted))
    assert len(told(packed.getvalue())) == 50
    assert len(calls) == 2 + 1  # one of each owner, and the end
