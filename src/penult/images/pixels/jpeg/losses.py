"""Whether a JPEG that libjpeg complains of has lost anything.

The first complaint hides those behind it. So the parts of a file are decoded one by one, without
what surrounds them, and each has a first complaint of its own.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import simplejpeg

from penult.errors import ImageError
from penult.images.pixels.jpeg.scans import END, START, Scan, restart_interval, scans

__all__ = ["complaint_of", "damaged", "ensure_nothing_is_lost"]

# libjpeg's own words. It has them in English only.
_SURPLUS = re.compile(r"(\d+) extraneous bytes before marker 0x(d[0-7])?")
_HARMLESS = re.compile(
    "extraneous bytes before marker|unknown JFIF revision|Unknown Adobe color transform"
    "|bad ICC marker|Invalid SOS parameters for sequential JPEG"
)
_LOSS = re.compile("Corrupt JPEG data: |Premature end of|Inconsistent progression")
_ENDS_THERE = "instead of RST"

_MOST_UNITS = 2**16 - 1  # in a restart interval
_WIDE = 256  # units in a row of the pictures made here, whatever the width of the real one

# More of them are not worth the time of looking at each.
_MOST_INTERVALS, _MOST_SCANS = 10_000, 64

# Coded data of so many bytes are hardly ever ASCII.
_TEXT = 8

# Where the decoder cannot judge: fewer bytes are a slip of the encoder, more are the rest of a
# picture that a fault in the middle has shortened.
_FEW = 16


def ensure_nothing_is_lost(data: bytes, complaint: str) -> None:
    """Raise an `ImageError` if data of the picture are lost.

    Parameters
    ----------
    data : bytes
        A file that has its end mark.
    complaint : str
        The first one. That it costs no pixel says nothing of those behind it; and bytes too many
        may be anything, or the rest of a picture that has lost its middle.
    """
    if _is_loss(complaint):
        raise damaged(complaint)
    parts = list(scans(data))
    if not parts:
        return
    # Without what stands between its segments, most files are sound.
    coded = [scan.tables + scan.plain_header + scan.coded(data) for scan in parts]
    complaint = complaint_of(START + parts[0].frame + b"".join(coded) + END, len(parts[0].sampling))
    if _is_loss(complaint) or (complaint and len(parts) > _MOST_SCANS):
        raise damaged(complaint)
    if complaint and parts[0].is_only:
        _check_intervals(parts[0], data, complaint)
    elif complaint:
        _check_scans(parts, data)


def complaint_of(data: bytes, components: int) -> str:
    """The first warning or error in decoding; empty if there is none."""
    space = "CMYK" if components == 4 else "GRAY"
    try:
        # All is read, but no more than the mean of each block is turned into pixels.
        simplejpeg.decode_jpeg(data, space, min_height=1, min_width=1)
    except ValueError as error:
        return str(error)
    return ""


def damaged(complaint: str) -> ImageError:
    """The failure, in words that go on after the file's name."""
    detail = " ".join(complaint.removeprefix("Corrupt JPEG data: ").split())
    return ImageError(f"is damaged ({detail})")


def _is_loss(complaint: str) -> bool:
    return bool(_LOSS.search(complaint)) and not _HARMLESS.search(complaint)


def _check_intervals(scan: Scan, data: bytes, complaint: str) -> None:
    """Check the scan of a whole picture, between each two restart markers."""
    units = scan.units
    interval = restart_interval(scan.tables) or units
    pieces = re.split(rb"\xff+([\xd0-\xd7])", scan.coded(data))
    coded, markers = pieces[::2], [marker[0] for marker in pieces[1::2]]
    needed = -(-units // interval)
    if needed > _MOST_INTERVALS:
        raise damaged(complaint)
    if len(coded) < needed:
        raise damaged("premature end of data segment")
    if any((b - a) % 8 != 1 for a, b in pairwise([0xD7, *markers[: needed - 1]])):
        raise damaged("restart markers out of order")
    scan, each = scan.as_one_component()
    for k in range(needed):
        _check_units(scan, coded[k], each * min(interval, units - k * interval))


def _check_units(scan: Scan, coded: bytes, count: int) -> None:
    """Check that coded data hold as many units as they should, and no more.

    More than that are what a fault in the middle leaves over, once the decoder has made too many
    units of the bytes there. What somebody wrote behind the picture does not end where a unit ends,
    but for one time in twenty.
    """
    if count > _MOST_UNITS:
        before = START + scan.tables + scan.frame + scan.plain_header
        _check_surplus(partial(_behind, before, len(scan.sampling)), coded, _is_long)
        return
    _check_surplus(
        lambda some: _with_units(scan, some, count),
        coded,
        lambda _: _holds_more(scan, coded, count),
    )


def _check_surplus(
    decode: Callable[[bytes], str], coded: bytes, is_picture: Callable[[bytes], bool]
) -> bytes:
    """Check what the decoder leaves over of coded data, and return them without it.

    Parameters
    ----------
    decode : callable
        Decodes coded data, and returns the complaint about them.
    coded : bytes
        The coded data.
    is_picture : callable
        Whether a surplus may be of the picture, if it is neither filler nor text.

    Returns
    -------
    bytes
        What of the coded data is decoded.
    """
    complaint = decode(coded)
    if _is_loss(complaint) and _ENDS_THERE not in complaint:
        raise damaged(complaint)
    found = _SURPLUS.search(complaint)
    if found is None:
        return coded
    if found[2]:
        raise damaged(complaint)  # before a restart marker: too deep inside to look at
    sound, surplus = coded[: -int(found[1])], coded[-int(found[1]) :]
    if len(set(surplus)) == 1:
        # Filler; but also the end of a file that was never written. A decoder makes some picture
        # of that too, and then has needed it.
        sound = coded[: len(coded.rstrip(surplus[:1])) + _FEW]  # which may be its own last bytes
        complaint = decode(sound)
        if _is_loss(complaint) and _ENDS_THERE not in complaint:
            raise damaged(complaint)
    elif not (surplus.isascii() and len(surplus) >= _TEXT) and is_picture(surplus):
        raise damaged(f"{len(surplus):,} bytes of the picture are left over")
    return sound


def _holds_more(scan: Scan, coded: bytes, count: int) -> bool:
    """Whether the data end exactly behind some later unit."""
    low, step, high = count, 1, 0
    while not high or high - low > 1:
        middle = (low + high) // 2 if high else low + step
        if middle > _MOST_UNITS:
            return False
        complaint = _with_units(scan, coded, middle)
        if _ENDS_THERE in complaint:
            return True
        if _SURPLUS.search(complaint):
            low, step = middle, 2 * step
        else:
            high = middle
    return False


def _with_units(scan: Scan, coded: bytes, count: int) -> str:
    """What the decoder says of these data if they should hold `count` units.

    The picture that is made up for it is larger than that, but a restart marker is due behind the
    last unit: at that point the decoder looks whether the data have ended.
    """
    across, down = scan.unit
    size = struct.pack(">HH", down * (count // _WIDE + 1), across * _WIDE)
    frame = scan.frame[:5] + size + scan.frame[9:]
    due = b"\xff\xdd\x00\x04" + struct.pack(">H", count)
    made_up = START + scan.tables + frame + due + scan.plain_header + coded + END
    return complaint_of(made_up, len(scan.sampling))


def _check_scans(parts: list[Scan], data: bytes) -> None:
    """Check the scans of a picture that comes in several, each behind all that are before it."""
    before = START + parts[0].frame
    for scan in parts:
        before += scan.tables + scan.plain_header
        decode = partial(_behind, before, len(scan.sampling))
        before += _check_surplus(decode, scan.coded(data), _is_long)


def _behind(before: bytes, components: int, coded: bytes) -> str:
    return complaint_of(before + coded + END, components)


def _is_long(surplus: bytes) -> bool:
    return len(surplus) >= _FEW
