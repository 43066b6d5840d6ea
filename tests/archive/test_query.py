"""Any search that can be written down is read back as it was; any text is a search or a sentence."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from morphoscope.archive.query import LIKE, OPERATORS, Condition, Query, Word, parse
from morphoscope.errors import QueryError

TEXT = st.text(min_size=1, max_size=12).filter(lambda text: bool(text.strip()))
BARE = st.text("abcXYZäµ012_./", min_size=1, max_size=8).filter(lambda text: not text.lower().startswith(LIKE))
WORDS = st.builds(Word, BARE, st.just(False), st.booleans()) | st.builds(Word, TEXT, st.just(True), st.booleans())
CONDITIONS = st.builds(
    Condition, TEXT, st.sampled_from(OPERATORS), st.lists(TEXT, min_size=1, max_size=3).map(tuple), st.booleans()
)
QUERIES = st.builds(
    Query,
    st.lists(WORDS, max_size=4).map(tuple),
    st.lists(CONDITIONS, max_size=4).map(tuple),
    st.just("") | TEXT,
)


@given(QUERIES)
def test_what_is_written_is_read_back(query: Query) -> None:
    assert parse(str(query)) == query


@example("--")
@given(st.text(st.sampled_from('ab -"=<>!|.:like\t'), max_size=24) | st.text(max_size=24))
def test_any_text_is_a_search_or_a_sentence(text: str) -> None:
    try:
        query = parse(text)
    except QueryError as error:
        assert "character" in str(error) and "expected" in str(error)
    else:
        assert parse(str(query)) == query


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Query()),
        ("gold rods", Query((Word("gold"), Word("rods")))),
        ('"gold rods" -old', Query((Word("gold rods", True), Word("old", False, True)))),
        ("a > 1", Query(conditions=(Condition("a", ">", ("1",)),))),
        ("a>=1..2", Query(conditions=(Condition("a", ">=", ("1..2",)),))),
        ('-"Crystal system"=Cubic|"No idea"', Query(conditions=(Condition("Crystal system", "=", ("Cubic", "No idea"), True),))),
        ('like:"my ""best"" picture.tif"', Query(like='my "best" picture.tif')),
        ("LIKE:C:\\data\\x.tif rod", Query((Word("rod"),), (), "C:\\data\\x.tif")),
        ("--a", Query((Word("-a", False, True),))),
        ("12:30 - dash", Query((Word("12:30"), Word("dash")))),
    ],
)
def test_the_syntax(text: str, expected: Query) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize("text", ["like:a like:b", "-like:a", "like:", 'a="b"c', '""', "a=|b", "a==b"])
def test_what_cannot_be_meant(text: str) -> None:
    with pytest.raises(QueryError):
        parse(text)
