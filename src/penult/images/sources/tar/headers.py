"""What lies where in a tar archive, or in several that were joined end to end."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Generator, Iterator
from typing import Any, BinaryIO

__all__ = ["TarDamage", "read_headers"]

_BLOCK = tarfile.BLOCKSIZE
_AT_ONCE = 1 << 16
_MOST_CHAINED = 16  # two long names and a pax header or two come before a file's own
_LONGEST_EXTRA = 1 << 20
_EXTRA = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)


# Where in a header what differs from file to file is: its name; its size, time and checksum.
_NAME, _NUMBERS, _PREFIX = slice(0, 100), slice(124, 156), slice(345, 500)
_DIGITS = re.compile(rb"([0-7]{11})[\0 ][0-7]{11}[\0 ]([0-7]{6})\0 ")
_BLANKS = 8 * ord(" ")  # what stands for the checksum where it is computed
_MOST_KNOWN = 1000  # headers that differ in something else: owners, modes


class TarDamage(Exception):  # noqa: N818 - becomes a failure's reason, and is never seen
    """What is wrong with an archive, or with what comes after it."""


class _Header(tarfile.TarInfo):
    """A header that cannot make the library recurse, or read, without bounds."""

    @classmethod
    def frombuf(cls, buf: Any, encoding: str, errors: str) -> _Header:
        header = super().frombuf(buf, encoding, errors)
        if header.type in _EXTRA and not 0 <= header.size <= _LONGEST_EXTRA:
            raise tarfile.ReadError(f"a header claims {header.size:,} bytes")
        return header

    @classmethod
    def fromtarfile(cls, archive: Any) -> _Header:
        # After a long name, the library calls this for the next header, within the first call.
        archive.chained += 1
        if archive.chained > _MOST_CHAINED:
            raise tarfile.ReadError(f"more than {_MOST_CHAINED} headers for one file")
        return super().fromtarfile(archive)


class _Archive(tarfile.TarFile):
    tarinfo = _Header
    chained = 0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        # What is the same in all headers of files that lie together: its bytes, and their sum.
        self._known: dict[bytes, int] = {}
        super().__init__(*arguments, **options)

    def next(self) -> tarfile.TarInfo | None:
        waits = getattr(self, "firstmember", None) is not None  # for it was read on opening
        block = b"" if self.pax_headers or waits else self._block_here()
        if (header := self._alike(block)) is not None:
            return header
        self.chained, before = 0, self.offset
        if not before:
            self.fileobj.seek(0)  # where the library expects it
        header = super().next()
        if header is not None and (header.size < 0 or self.offset < before):
            raise tarfile.ReadError("a file of negative size")  # as its pax header states
        self.members.clear()  # type: ignore[attr-defined]  # each is kept, at a kilobyte
        if header is not None and block and header.offset == before:
            self._learn(block, header)
        return header

    def _block_here(self) -> bytes:
        self.fileobj.seek(self.offset)
        return bytes(self.fileobj.read(_BLOCK))

    def _alike(self, block: bytes) -> tarfile.TarInfo | None:
        """Read the header of a file that is in all else as one that the library has read.

        The library takes ten times as long. Whatever is unusual is left to it.
        """
        rest = self._known.get(_rest(block))
        if rest is None:
            return None
        name, numbers = block[_NAME].rstrip(b"\0"), block[_NUMBERS]
        digits = _DIGITS.fullmatch(numbers)
        if digits is None or not name or b"\0" in name or name.endswith(b"/"):
            return None
        if int(digits[2], 8) != sum(name) + sum(numbers[:-8]) + rest + _BLANKS:
            return None
        header = tarfile.TarInfo(name.decode("utf-8", "surrogateescape"))
        header.size = int(digits[1], 8)
        header.offset, header.offset_data = self.offset, self.offset + _BLOCK
        self.offset = header.offset_data + -(-header.size // _BLOCK) * _BLOCK
        return header

    def _learn(self, block: bytes, header: tarfile.TarInfo) -> None:
        """Note what the header of an ordinary file had beside what is its own."""
        is_ordinary = (
            header.type == tarfile.REGTYPE
            and header.offset_data == header.offset + _BLOCK
            and not header.pax_headers
            and not any(block[_PREFIX])
        )
        if is_ordinary:
            if len(self._known) == _MOST_KNOWN:
                self._known.clear()
            rest = _rest(block)
            self._known[rest] = sum(rest)


def _rest(block: bytes) -> bytes:
    return block[_NAME.stop : _NUMBERS.start] + block[_NUMBERS.stop :]


def read_headers(file: BinaryIO, size: int) -> Iterator[tuple[int, tarfile.TarInfo]]:
    """Yield each header, with the place where its archive begins.

    ``cat a.tar b.tar`` makes one file of two archives, each with zeros for an end mark.

    Parameters
    ----------
    size : int
        Size of the file, in bytes.

    Raises
    ------
    TarDamage
        After all headers that can be read.
    OSError
    """
    start: int | None = 0
    while start is not None:
        start = yield from _one_archive(file, start, size)


def _one_archive(
    file: BinaryIO, start: int, size: int
) -> Generator[tuple[int, tarfile.TarInfo], None, int | None]:
    """Yield an archive's headers; return where the next archive begins, or None."""
    file.seek(start)
    try:
        archive = _Archive.open(fileobj=file, mode="r:", encoding="utf-8")
    except Exception as error:
        raise _damage(error, "is not a tar archive ({})") from error
    truncated = f"is truncated or damaged ({{}}; it has {size:,} bytes)"
    is_empty = True
    while True:
        try:
            header = archive.next()
        except Exception as error:
            raise _damage(error, truncated) from error
        if header is None:
            break
        if header.isreg() and not header.issparse() and header.offset_data + header.size > size:
            raise TarDamage(truncated.format("unexpected end of data"))
        is_empty = False
        yield start, header
    if start and is_empty:
        raise TarDamage(f"holds {size - start:,} bytes after its end that are no tar archive")
    file.seek(archive.offset)
    if file.read(_BLOCK) != bytes(_BLOCK):
        raise TarDamage(truncated.format("no end-of-archive mark"))
    return _first_byte(file)


def _damage(error: Exception, reason: str) -> Exception:
    """Damaged or hostile bytes make the library raise nearly anything; a disk is no damage."""
    if isinstance(error, OSError) and not isinstance(error, tarfile.TarError):
        return error
    lines = str(error).splitlines() or [type(error).__name__]
    return TarDamage(reason.format(lines[0]))


def _first_byte(file: BinaryIO) -> int | None:
    """Where the first byte that is not zero is, from here on."""
    while data := file.read(_AT_ONCE):
        if behind := len(data.lstrip(b"\0")):
            return file.tell() - behind
    return None
