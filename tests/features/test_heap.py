"""Heaps of texts: all at once, beside one entry after the other."""

from __future__ import annotations

import random
import struct

import pytest

from penult.features import heap
from penult.features.heap import has_endless_heap

LENGTHS = (0, 1, 8, 13, 40)
TOO_LONG = (2**64 - 1, 2**64 - 16, 2**63, 10_000)


def entry(number: int, length: int, content: bytes = b"") -> bytes:
    return struct.pack("<H6xQ", number, length) + content


def random_heap(chance: random.Random) -> bytes:
    """A heap as HDF5 writes them, or in one of eight cases one that is not quite so."""
    damage = chance.choice(["", "", "", "", "length", "free", "size", "none"])
    count, same = chance.randrange(1, 60), chance.choice([True, False])
    lengths = [13 if same else chance.choice(LENGTHS) for _ in range(count)]
    body, odd = b"", chance.randrange(count) if damage == "length" else -1
    for number, length in enumerate(lengths, 1):
        content = chance.randbytes(-(-length // 8) * 8)
        body += entry(number, chance.choice(TOO_LONG) if number - 1 == odd else length, content)
    free = chance.choice([0, 8, 16, 64])
    if free >= 16:
        left = chance.choice([0, 2**64 - 1, 8]) if damage == "free" else free
        body += entry(0, left, bytes(free - 16))
    else:
        body += bytes(free)
    size = 16 + len(body) + (chance.choice([1, 8, 2**40]) if damage == "size" else 0)
    return b"GCOL\x01\0\0\0" + struct.pack("<Q", size) + body


def is_endless(data: bytes, at: int) -> bool:
    """By going from entry to entry."""
    end = at + int.from_bytes(data[at + 8 : at + 16], "little")
    at += 16
    while at + 16 <= min(end, len(data)):
        number, length = struct.unpack_from("<H6xQ", data, at)
        if number == 0:
            return length != end - at
        at += 16 + -(-length // 8) * 8
    return end < at and end <= len(data)


@pytest.mark.parametrize("shift", [0, 3])
@pytest.mark.parametrize(("few", "large"), [(1, 4), (1, 2048), (1000, 4)])
def test_all_heaps_at_once_are_judged_as_one_after_the_other(
    tmp_path, monkeypatch, shift, few, large
):
    monkeypatch.setattr(heap, "_FEW", few)
    monkeypatch.setattr(heap, "_LARGE", large)
    monkeypatch.setattr(heap, "_STEPS", 7)
    chance, path = random.Random(few + large + shift), tmp_path / "heaps"
    judged = []
    for _ in range(40):
        data, places = bytes(shift), []
        for _ in range(chance.choice([1, 2, 3, 30])):
            places.append(len(data))
            data += random_heap(chance) + bytes(chance.choice([0, 0, 4]))
        path.write_bytes(data)
        judged.append(any(is_endless(data, place) for place in places))
        assert has_endless_heap(path, [*places, len(data), 2**63]) == judged[-1]
        assert has_endless_heap(path) == judged[-1]
    assert 5 < sum(judged) < 35


def test_what_is_no_heap_is_passed_over(tmp_path):
    path = tmp_path / "none"
    for data in (b"", b"GCOL", b"GCOL\x02\0\0\0" + bytes(64), bytes(100)):
        path.write_bytes(data)
        assert not has_endless_heap(path, [0, 8])
        assert not has_endless_heap(path)


@pytest.mark.parametrize("mapped", [64, 256])
def test_heaps_are_judged_alike_however_little_of_the_file_is_mapped_at_a_time(
    tmp_path, monkeypatch, mapped
):
    monkeypatch.setattr(heap, "_MAPPED", mapped)
    chance, path = random.Random(mapped), tmp_path / "heaps"
    judged = []
    for _ in range(40):
        data, places = bytes(chance.choice([0, 3])), []
        for _ in range(chance.choice([1, 2, 3, 30])):
            places.append(len(data))
            data += random_heap(chance) + bytes(chance.choice([0, 0, 4, 200]))
        path.write_bytes(data)
        judged.append(any(is_endless(data, place) for place in places))
        assert has_endless_heap(path, chance.sample(places, len(places))) == judged[-1]
        assert has_endless_heap(path) == judged[-1]
    assert 5 < sum(judged) < 35


@pytest.mark.parametrize("before", range(56, 65))
def test_a_heap_that_begins_where_a_mapped_part_ends_is_found(tmp_path, monkeypatch, before):
    monkeypatch.setattr(heap, "_MAPPED", 64)
    endless = b"GCOL\x01\0\0\0" + struct.pack("<Q", 40) + entry(0, 8, bytes(8))
    assert is_endless(endless, 0)
    path = tmp_path / "heap"
    path.write_bytes(bytes(before) + endless + bytes(64))
    assert has_endless_heap(path)


def test_of_a_large_file_no_more_is_mapped_than_its_heaps_and_where_they_are_looked_for(
    tmp_path, monkeypatch
):
    path, mapped = tmp_path / "heaps", []
    one = b"GCOL\x01\0\0\0" + struct.pack("<Q", 64) + entry(1, 8, bytes(8)) + entry(0, 24, bytes(8))
    with path.open("wb") as file:
        file.write(one)
        file.seek(2**30)
        file.write(one)
        file.truncate(2**31)  # which takes no room
    real = heap._mapped
    monkeypatch.setattr(
        heap, "_mapped", lambda p, first, end: mapped.append(end - first) or real(p, first, end)
    )
    assert not has_endless_heap(path)
    assert not has_endless_heap(path, [0, 2**30])
    assert max(mapped) == 16 << 20
