"""An update drops what is gone, and not what it was not told of."""

from __future__ import annotations

import shutil

import pytest
from PIL import Image

import penult
from penult.errors import UsageError
from penult.features.left_out import require_all_given
from penult.planning import plan
from penult.records import Changes

pytestmark = pytest.mark.light


@pytest.fixture
def places(tmp_path):
    """Two folders, of two photos each."""
    folders = [tmp_path / name for name in ("north", "south")]
    for number, folder in enumerate(folders):
        folder.mkdir()
        for k in range(2):
            Image.new("RGB", (8, 8), (k * 90, number * 90, 3)).save(folder / f"{number}{k}.png")
    return folders


@pytest.fixture
def merged(places, tmp_path, toy):
    runs = [folder.with_suffix(".h5") for folder in places]
    for folder, file in zip(places, runs, strict=True):
        penult.extract(folder, file, model=toy)
    penult.merge(runs, tmp_path / "all.h5")
    return tmp_path / "all.h5"


def test_a_merged_file_is_not_updated_by_one_of_its_runs(places, merged, toy):
    north, south = places
    before = merged.read_bytes()
    said = (
        rf"all\.h5 has images of {south}, which is not given, and this would remove 2 images; give "
        r"every place .*, or, as it was put together of 2 runs, update their folders of rows and "
        r"merge them anew \(penult\.merge\(\[FOLDER, FOLDER\], '.*all\.h5', overwrite=True\)\); overwrite=True beside update=True removes those images"
    )
    for function in (penult.extract, plan):
        with pytest.raises(UsageError, match=said):
            function(north, merged, model=toy, update=True)
    assert merged.read_bytes() == before


def test_a_merged_file_is_updated_by_all_of_its_runs_and_by_who_says_so(places, merged, toy):
    assert len(penult.extract(places, merged, model=toy, update=True)) == 4
    made = penult.extract(places[0], merged, model=toy, update=True, overwrite=True)
    assert [*made.ids] == ["00.png", "01.png"]


def test_a_run_of_another_machine_is_not_taken_for_one_whose_photos_are_gone(places, merged, toy):
    shutil.rmtree(places[1])
    with pytest.raises(UsageError, match=r"has images of .*south, which is not given"):
        penult.extract(places[0], merged, model=toy, update=True)


def test_a_file_of_several_folders_is_not_updated_by_one_of_them(places, tmp_path, toy):
    file = tmp_path / "f.h5"
    penult.extract(places, file, model=toy)
    with pytest.raises(UsageError, match=r"would remove 4 images; give every place that its imag"):
        penult.extract(places[0], file, model=toy, update=True)
    shutil.rmtree(places[1])  # with a folder that is gone, its images are
    assert len(penult.extract(places[0], file, model=toy, update=True)) == 2


def test_photos_that_were_removed_or_moved_are_no_reason_to_refuse(places, tmp_path, toy):
    north, file = places[0], tmp_path / "f.h5"
    penult.extract(north, file, model=toy)
    (north / "00.png").unlink()
    assert penult.extract(north, file, model=toy, update=True).changes.removed == ("00.png",)
    moved = north.rename(tmp_path / "moved")
    Image.new("RGB", (8, 8)).save(moved / "new.png")
    (moved / "01.png").unlink()
    assert penult.extract(moved, file, model=toy, update=True).changes.removed == ("01.png",)


@pytest.mark.parametrize(
    ("before", "now", "refused"),
    [
        (["s3://b/{0..1}.tar"], ["s3://b/{0..2}.tar"], False),
        (["s3://b/{0..2}.tar"], ["s3://b/{0..1}.tar"], True),
        (["s3://b/photos/a"], ["s3://b/photos/"], False),
        (["s3://b/photos"], ["s3://b/photos/a"], True),
        (["-"], ["-"], False),
        (["a DataFrame of 1 row"], ["a DataFrame of 2 rows"], False),
    ],
)
def test_a_place_is_given_if_one_is_in_which_it_lies(before, now, refused):
    old, changes = _Rows({"sources": before}), Changes(removed=("a",))
    if refused:
        with pytest.raises(UsageError, match=r"has images of s3://b/.*, which is not given"):
            require_all_given("f.h5", old, {"sources": now}, changes)
    else:
        require_all_given("f.h5", old, {"sources": now}, changes)
    require_all_given("f.h5", old, {"sources": now}, Changes())


class _Rows:
    def __init__(self, origin):
        self.origin = origin
