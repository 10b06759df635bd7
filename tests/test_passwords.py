"""No password, in whatever way it is written into an address, is left in what is shown."""

from __future__ import annotations

import re
from pathlib import PurePath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penult
from penult import passwords
from penult.errors import UsageError
from penult.passwords import remember, without_password, without_passwords
from penult.representation import short_text

pytestmark = pytest.mark.light

# Letters of no other part of an address, so that a piece of a password is known by any of them.
SECRET = "XYZÄ日"
ODD = st.text(st.sampled_from(SECRET + " /@:?#&'\"\\%;,.[]()\t"), min_size=1, max_size=20)
ADDRESSES = st.builds(
    "{}://{}:{}@{}{}".format,
    st.sampled_from(["postgresql", "http", "qdrant+https", "mine"]),
    st.sampled_from(["me", "m-e", ""]),
    ODD.filter(lambda text: {*text} & {*SECRET}).filter(lambda text: not text[0].isdigit()),
    st.sampled_from(["db", "db:6333", "[::1]:6333", "db.test"]),
    st.sampled_from(["/photos", "/photos?table=rows", "/photos?table=a@b"]),
)


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(passwords, "_remembered", {})


@settings(max_examples=300, deadline=None)
@given(ADDRESSES)
def test_no_piece_of_an_odd_password_is_shown(address):
    passwords._remembered.clear()
    host = address.rpartition("@")[2] if "a@b" not in address else "a@b"
    shown = without_password(address)
    assert not {*shown} & {*SECRET}, shown
    assert shown.endswith(host)
    # In a sentence, as somebody else's message has it, it is known because it was given.
    remember(address)
    for told in (address, repr(address), str(PurePath(address))):
        text = f"cannot open {told}: it is refused; ask him@example.org"
        for said in (without_passwords(text), str(UsageError(text))):
            assert not {*said} & {*SECRET}, said
            assert said.endswith("ask him@example.org")
        assert not {*short_text(text, 40)} & {*SECRET}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("no postgresql://me:se/cret@db/p, sorry", "no postgresql://me@db/p, sorry"),
        ("no postgresql://me:se cret?@db/p; ask me@db", "no postgresql://me@db/p; ask me@db"),
        ("see http://TOKEN@host:6333/flowers", "see http://host:6333/flowers"),
        ("see https://me:TOKEN@host/flowers.", "see https://host/flowers."),
        ("is s3://KEY:SECRET@bucket there?", "is s3://KEY@bucket there?"),
        ("no /p?table=a&password=secret of mine", "no /p?table=a&password=… of mine"),
        ("'https://h/a.jpg?X-Amz-Signature=1f&w=9'", "'https://h/a.jpg?X-Amz-Signature=…&w=9'"),
        # What only looks like one is left as it is.
        ("http://h:6333/flowers is down; ask me@db", None),
        ("http://h:6333: refused by me@db/x", None),
        ("http://[::1]:6333/a@b is down", None),
        ("s3://bucket/a:b@c.jpg and file:///a:b@c.jpg", None),
        ("photos/rose@home.jpg: 12:30", None),
        ("https://h/a.jpg?size=9&design=3", None),
    ],
)
def test_of_a_sentence_only_what_is_secret_is_left_out(said, shown):
    assert without_passwords(said) == (said if shown is None else shown)


@pytest.mark.parametrize(
    "kept",
    [
        "http://h:6333/x@y",
        "postgresql://me@db/p?table=x:y@z",
        "qdrant:tables/a@b",
        "http://[::1]:6333/a@b",
        "C:/photos/a@b.jpg",
        "photos/a:b@c",
    ],
)
def test_an_address_without_a_password_is_left_as_it_is(kept):
    assert without_password(kept) == kept


@pytest.mark.parametrize("password", ["hunter 2", "hun/ter2", "hun'ter2", "hun@ter2/", "hun#ter?2"])
@pytest.mark.parametrize(
    "ask",
    [
        lambda address, tmp_path: penult.load(address),
        lambda address, tmp_path: penult.push(address, to=address),
        lambda address, tmp_path: penult.pull(address, tmp_path / "rows.h5"),
        lambda address, tmp_path: penult.search(address, id="a"),
        lambda address, tmp_path: penult.merge([address, address], tmp_path / "rows.h5"),
        lambda address, tmp_path: penult.extract(address, tmp_path / "rows.h5"),
        lambda address, tmp_path: penult.Client(address),
    ],
)
def test_no_function_tells_the_password_of_an_address_that_it_was_given(ask, password, tmp_path):
    for scheme in ("postgresql", "http", "mysql"):
        with pytest.raises(penult.PenultError) as refused:
            ask(f"{scheme}://me:{password}@127.0.0.1:1/p?table=x&connect_timeout=2", tmp_path)
        assert not re.search("hun|ter2", str(refused.value)), str(refused.value)


def test_a_file_of_rows_that_came_from_an_address_does_not_have_its_password(tmp_path):
    from penult.images.sources.arguments import origin_of

    noted = origin_of(["https://me:hunter2@host/a.tar", "s3://bucket/photos"])
    assert noted["sources"] == ["https://host/a.tar", "s3://bucket/photos"]
