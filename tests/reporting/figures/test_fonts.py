"""Whatever fonts are installed here, none has the signs of these names but those made for it."""

from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager, ft2font

from penult.reporting.figures import fonts
from penult.reporting.figures.fonts import drawable

HIEROGLYPH, CUNEIFORM = "\U000130bb", "\U00012000"


@pytest.fixture
def make_font(tmp_path):
    """`make_font("Tiny", "ab")` writes a font whose every glyph is a triangle."""

    def make(family, characters):
        pen = TTGlyphPen(None)
        pen.moveTo((0, 0))
        pen.lineTo((400, 700))
        pen.lineTo((500, 0))
        pen.closePath()
        names = [".notdef", *(f"g{k}" for k in range(len(characters)))]
        builder = FontBuilder(1000, isTTF=True)
        builder.setupGlyphOrder(names)
        builder.setupCharacterMap({ord(c): f"g{k}" for k, c in enumerate(characters)})
        builder.setupGlyf(dict.fromkeys(names, pen.glyph()))
        builder.setupHorizontalMetrics(dict.fromkeys(names, (600, 0)))
        builder.setupHorizontalHeader(ascent=800, descent=-200)
        builder.setupNameTable({"familyName": family, "styleName": "Regular"})
        builder.setupOS2()
        builder.setupPost()
        path = tmp_path / f"{family}.ttf"
        builder.save(path)
        return str(path)

    return make


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    """The list of matplotlib's fonts, for one test, and of files that it does not know yet."""
    manager = font_manager.fontManager
    own = [font for font in manager.ttflist if font.name == "DejaVu Sans"]
    monkeypatch.setattr(manager, "ttflist", own)
    files = []
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: list(files))
    return files


def test_names_that_matplotlibs_own_font_has_need_no_other():
    found = drawable(["rose", "тюльпан", "$x^2", "two\nlines", ""])
    assert found.names == ("rose", "тюльпан", "$x^2", r"two\nlines", "(no name)")
    assert found.families == ("DejaVu Sans",)
    assert found.message("a.png") == ""


def test_any_installed_font_that_has_the_signs_is_taken(make_font, installed):
    installed += [make_font("Egyptian", HIEROGLYPH), make_font("Sumerian", CUNEIFORM)]
    found = drawable([HIEROGLYPH, f"{CUNEIFORM} lily"])
    assert found.names == (HIEROGLYPH, f"{CUNEIFORM} lily")
    assert found.families == ("DejaVu Sans", "Egyptian", "Sumerian")
    assert found.undrawn == ()


def test_of_several_fonts_a_preferred_one_is_taken(make_font, installed, monkeypatch):
    monkeypatch.setattr(fonts, "PREFERRED", ("Zeta",))
    for family in ("Alpha", "Zeta"):
        font_manager.fontManager.addfont(make_font(family, HIEROGLYPH))
    assert drawable([HIEROGLYPH]).families == ("DejaVu Sans", "Zeta")


def test_a_font_of_boxes_and_a_file_that_is_none_help_nobody(make_font, installed, tmp_path):
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    installed += [str(tmp_path / "broken.ttf"), make_font("Last Resort", HIEROGLYPH)]
    assert drawable([HIEROGLYPH]).undrawn == (HIEROGLYPH,)


@pytest.mark.parametrize(
    ("name", "stand_in", "font"),
    [
        pytest.param("花", "#2", "Noto Sans CJK", id="Chinese"),
        pytest.param("ひまわり", "#2", "Noto Sans CJK", id="Japanese"),
        pytest.param("장미", "#2", "Noto Sans CJK", id="Korean"),
        pytest.param("गुलाब", "#2", "Noto Sans Devanagari", id="Devanagari"),
        pytest.param("กุหลาบ", "#2", "Noto Sans Thai", id="Thai"),
        pytest.param("🌹", "#2", "Noto Emoji", id="emoji"),
        pytest.param("🌹\ufe0f red rose", "#2 red rose", "Noto Emoji", id="emoji and words"),
    ],
)
def test_what_no_font_has_is_a_number_never_a_box(name, stand_in, font, monkeypatch):
    monkeypatch.setattr(ft2font, "__libraqm_version__", "0.10", raising=False)
    found = drawable(["rose", name])
    assert found.names == ("rose", stand_in)
    assert found.undrawn == (name,)
    assert found.message("a.png") == (
        f"a.png has numbers in place of 1 name ({name}) that no installed font can draw; "
        f"install the font {font}"
    )


@pytest.mark.parametrize("name", ["שושנה", "وردة"])
def test_letters_that_matplotlib_cannot_order_are_not_drawn_in_disorder(name, monkeypatch):
    monkeypatch.setattr(ft2font, "__libraqm_version__", "0.10", raising=False)
    assert drawable([name]).names == (name,)
    monkeypatch.delattr(ft2font, "__libraqm_version__")
    found = drawable([name])
    assert found.names == ("#1",)
    assert "pip install 'matplotlib>=3.11'" in found.message("a.png")


def test_a_font_that_was_removed_since_matplotlib_saw_it_is_passed_over(make_font, installed):
    gone = make_font("Nile", HIEROGLYPH)
    font_manager.fontManager.addfont(gone)
    Path(gone).unlink()
    installed.append(make_font("Egyptian", HIEROGLYPH))
    found = drawable([HIEROGLYPH])
    assert found.names == (HIEROGLYPH,)
    assert found.families == ("DejaVu Sans", "Egyptian")
