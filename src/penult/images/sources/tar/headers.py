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
_PAX = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
_EXTRA = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, *_PAX)
_SPARSE = "GNU.sparse."
# What differs from file to file: the library would give a global one to all, over their own.
_NOT_GLOBAL = re.compile(r"path|linkpath|size|GNU\.sparse\..*")
_GNU = b"ustar  \0"
_NEWLINE = ord("\n")
_RECORD = re.compile(rb"([1-9][0-9]{0,7}) ([^=\n]+)=")

# Where in a header what differs from file to file is: its name; its size, time and checksum.
_NAME, _NUMBERS, _TYPE = slice(0, 100), slice(124, 156), slice(156, 157)
_MAGIC, _PREFIX = slice(257, 265), slice(345, 500)
_DIGITS = re.compile(rb"([0-7]{11})[\0 ][0-7]{11}[\0 ]([0-7]{6})\0 ")
_OF_HEADER = ("bad checksum", "invalid header")  # as the library says it of later ones
_BLANKS = 8 * ord(" ")  # what stands for the checksum where it is computed
_MOST_KNOWN = 1000  # headers that differ in something else: owners, modes


class TarDamage(Exception):  # noqa: N818 - becomes a failure's reason, and is never seen
    """What is wrong with an archive, or with what comes after it.

    Parameters
    ----------
    reason : str
    is_shifted : bool
        Whether what stands where a header should be does not look like one: bytes are missing
        before it, or too many, and the last file may have bytes of others.
    """

    def __init__(self, reason: str, *, is_shifted: bool = False) -> None:
        super().__init__(reason)
        self.is_shifted = is_shifted


class _Header(tarfile.TarInfo):
    """A header that cannot make the library recurse, or read, without bounds."""

    @classmethod
    def frombuf(cls, buf: Any, encoding: str, errors: str) -> _Header:
        header = super().frombuf(buf, encoding, errors)
        if header.type in _EXTRA and not 0 <= header.size <= _LONGEST_EXTRA:
            raise tarfile.ReadError(f"a header claims {header.size:,} bytes")
        if buf[_MAGIC] == _GNU and any(buf[_PREFIX]) and header.type not in _EXTRA:
            # Times are there in increments, which the library takes for a folder.
            name = bytes(buf[_NAME]).partition(b"\0")[0].decode(encoding, errors)
            header.name = name.rstrip("/") if header.isdir() else name
        return header

    @classmethod
    def fromtarfile(cls, archive: Any) -> _Header:
        # After a long name, the library calls this for the next header, within the first call.
        archive.chained += 1
        if archive.chained > _MOST_CHAINED:
            raise tarfile.ReadError(f"more than {_MOST_CHAINED} headers for one file")
        archive.at = archive.fileobj.tell()
        block = archive.fileobj.read(_BLOCK)
        if block[_TYPE] in _PAX:
            header = cls.frombuf(block, archive.encoding, archive.errors)
            _check_records(archive.fileobj.read(header.size), header.type == tarfile.XGLTYPE)
        archive.fileobj.seek(archive.at)
        return super().fromtarfile(archive)


def _check_records(data: bytes, is_global: bool) -> None:
    """Refuse a pax header that the library would read in part, or read as what it does not say."""
    at = 0
    while at < len(data) and data[at]:
        match = _RECORD.match(data, at)
        end = at + int(match[1]) if match else 0
        if match is None or not match.end() < end <= len(data) or data[end - 1] != _NEWLINE:
            raise tarfile.ReadError("a pax header with a record that is none")
        keyword, value = match[2].decode("utf-8", "replace"), data[match.end() : end - 1]
        if keyword == "size" and not value.isdigit():
            raise tarfile.ReadError("a pax header with a size that is none")
        if is_global and _NOT_GLOBAL.fullmatch(keyword):
            raise tarfile.ReadError(f"a global pax header that states one {keyword} for all files")
        at = end
    if any(data[at:]):
        raise tarfile.ReadError("a pax header with a record that is none")


class _Archive(tarfile.TarFile):
    tarinfo = _Header
    chained = 0
    at = 0  # where the header begins that was read last

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
        if header is not None and any(key.startswith(_SPARSE) for key in header.pax_headers):
            header.sparse = header.sparse or b""  # perhaps of a kind that the library does not know
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
            is_header = str(error) in _OF_HEADER
            raise _damage(error, _damaged_header(archive.at) if is_header else truncated) from error
        if header is None:
            break
        if header.isreg() and not header.issparse() and header.offset_data + header.size > size:
            raise TarDamage(truncated.format("unexpected end of data"))
        is_empty = False
        yield start, header
    if start and is_empty:
        raise TarDamage(f"holds {size - start:,} bytes after its end that are no tar archive")
    file.seek(archive.offset)
    block = file.read(_BLOCK)
    if len(block) == _BLOCK and any(block):
        raise TarDamage(
            _damaged_header(archive.offset), is_shifted=not block[_MAGIC].startswith(b"ustar")
        )
    if len(block) < _BLOCK:
        raise TarDamage(truncated.format("no end-of-archive mark"))
    return _first_byte(file)


def _damaged_header(at: int) -> str:
    return f"has a damaged header at byte {at:,}"


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
