"""Results appear whole, with the right permissions; what a kill left goes away."""

from __future__ import annotations

import os
import time

import pytest
from scratches import scratch_of_a_killed_process

from penult.errors import OutputError, OutputExistsError, UsageError
from penult.output import atomic_output, check_folder, check_output
from penult.scratch import scratch_file, scratch_folder, sweep


def write(path, text, **options):
    with atomic_output(path, **options) as temporary:
        temporary.write_text(text)


@pytest.fixture(autouse=True)
def _mask():
    before = os.umask(0o027)
    yield
    os.umask(before)


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664])
def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path, mode):
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(mode)
    write(path, "new", overwrite=True)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", mode)


def test_a_new_file_has_the_permissions_that_open_gives(tmp_path):
    write(tmp_path / "a", "new")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_what_a_killed_process_left_goes_and_what_a_running_one_writes_stays(tmp_path):
    killed = scratch_of_a_killed_process(tmp_path, "a")
    another = scratch_of_a_killed_process(tmp_path, "b")
    running = scratch_file(tmp_path, "a")
    write(tmp_path / "a", "whole")
    assert set(tmp_path.iterdir()) == {tmp_path / "a", another, running}
    assert not killed.exists()


def test_a_process_that_got_the_number_of_a_killed_one_does_not_keep_its_leftovers(tmp_path):
    left = scratch_file(tmp_path, "a")
    os.utime(left, (time.time() - 10**6,) * 2)  # before this process began
    sweep(tmp_path, "a")
    assert not left.exists()


@pytest.mark.parametrize(("days", "stays"), [(0.5, True), (1.5, False)])
def test_what_another_machine_or_an_older_penult_wrote_goes_after_a_day(tmp_path, days, stays):
    others = [tmp_path / ".a.00000000-1-x.partial", tmp_path / ".a.x1y2.partial"]
    for path in others:
        path.write_text("half")
        os.utime(path, (time.time() - days * 86400,) * 2)
    sweep(tmp_path, "a")
    assert [path.exists() for path in others] == [stays] * 2


def test_a_full_disk_is_one_line_whatever_a_library_makes_of_it(tmp_path):
    said = pytest.raises(OutputError, match="a cannot be written: the disk is full; nothing was")
    with said, atomic_output(tmp_path / "a"):
        raise RuntimeError("Error while serializing: I/O error: No space (os error 28)")
    assert not list(tmp_path.iterdir())
    with pytest.raises(RuntimeError, match="another"), atomic_output(tmp_path / "a"):
        raise RuntimeError("another error")


def test_folders_are_swept_too(tmp_path):
    left = scratch_folder(tmp_path, "[a]*")
    (left / "file").write_text("")
    os.utime(left, (0, 0))
    sweep(tmp_path, "a")
    assert left.exists()
    sweep(tmp_path, "[a]*")
    assert not left.exists()


def test_a_name_that_leaves_no_room_for_what_is_not_finished_is_refused_at_once(tmp_path):
    with pytest.raises(OutputError, match="its name is longer than the 210 bytes"):
        check_output(tmp_path / ("é" * 106), overwrite=False)
    with atomic_output(tmp_path / ("é" * 105)) as temporary:
        temporary.write_text("whole")


@pytest.fixture
def rows(tmp_path):
    folder = tmp_path / "photos.rows"
    (folder / "inner").mkdir(parents=True)
    (folder / "manifest.json").touch()
    (tmp_path / "link").symlink_to(folder / "inner")
    return folder


@pytest.mark.parametrize("place", ["photos.rows/a.csv", "photos.rows/inner/a.csv", "link/a.csv"])
def test_nothing_is_written_among_the_parts_of_a_folder_of_rows(tmp_path, rows, place):
    with pytest.raises(UsageError, match="a folder of rows, which holds its parts and nothing"):
        write(tmp_path / place, "text")


def test_a_folder_of_rows_is_not_filled_with_files_of_another_kind(rows):
    with pytest.raises(UsageError, match=r"photos\.rows is a folder of rows, which holds"):
        check_folder(rows)
    check_folder(rows.with_name("scores"))


def test_a_folder_that_only_has_such_a_name_is_any_folder(tmp_path):
    (tmp_path / "planting.rows").mkdir()
    write(tmp_path / "planting.rows/a.csv", "text")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX only")
def test_what_is_no_regular_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputExistsError, match="pipe is a named pipe, not a file; give the name"):
        write(tmp_path / "pipe", "text", overwrite=True)
