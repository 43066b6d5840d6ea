"""What a search asks, as text and as parts. The syntax, blank-separated, all of it must hold:

    gold rods                words that begin so, in file name, folder, sample or notes
    "gold rods"              these words in this order
    Morphology=Rod|Cube      a class of a task, or a field; `|` between alternatives
    confidence>0.9           also < <= >= != ; `!=` and a minus in front turn a condition round
    diameter_nm=20..50       from to; an end may be left out. `>20..50` means the same
    hv_kv=unknown            nothing is known of it; `known` is the opposite
    "Crystal system"=Cubic   names and values with blanks in quotes; a quote in quotes is doubled
    like:picture.tif         the most similar first: a file, or a picture's number (`like:12`)

A part that is in the way of the syntax (`-x`, `a=b`) goes in quotes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from morphoscope.errors import QueryError

OPERATORS = ("!=", "<=", ">=", "=", "<", ">")
RANGE = ".."
LIKE = "like:"
_QUOTED = r'"(?:[^"]|"")*"'
_BARE_NAME = re.compile(r'[^\s"=<>!|]+')
_BARE_VALUE = re.compile(r'[^\s"|=<>][^\s"|]*')
_STRING = re.compile(_QUOTED)
_OPERATOR = re.compile(r"\s*(!=|<=|>=|=|<|>)\s*")
_BLANK = re.compile(r"\s+|-(?=\s|$)")  # a dash on its own says nothing


@dataclass(frozen=True)
class Word:
    """A word, or several in this order (`is_phrase`), that must be found, or must not (`is_excluded`)."""

    text: str
    is_phrase: bool = False
    is_excluded: bool = False


@dataclass(frozen=True)
class Condition:
    """A field, one of OPERATORS, and the values of which one must hold."""

    field: str
    operator: str
    values: tuple[str, ...]
    is_excluded: bool = False


@dataclass(frozen=True)
class Query:
    """All parts of a search; none finds everything. like: the file or number whose like is sought."""

    words: tuple[Word, ...] = ()
    conditions: tuple[Condition, ...] = ()
    like: str = ""

    @property
    def wanted_words(self) -> list[Word]:
        """Those that must be found."""
        return [word for word in self.words if not word.is_excluded]

    def __str__(self) -> str:
        """The text that `parse` makes this of."""
        parts = [_word_text(word) for word in self.words] + [_condition_text(one) for one in self.conditions]
        return " ".join(parts + ([LIKE + _quoted(self.like)] if self.like else []))


def parse(text: str) -> Query:
    """The parts of a search. Raises QueryError that says where it can't be understood."""
    query, position = Query(), 0
    while position < len(text):
        if blank := _BLANK.match(text, position):
            position = blank.end()
            continue
        query, position = _with_part(query, text, position)
    return query


def _with_part(query: Query, text: str, start: int) -> tuple[Query, int]:
    is_excluded = text[start] == "-" and start + 1 < len(text) and not text[start + 1].isspace()
    position = start + is_excluded
    if text[position : position + len(LIKE)].lower() == LIKE:
        return _with_like(query, text, position + len(LIKE), is_excluded)
    is_quoted = text[position] == '"'
    name, position = _piece(text, position, _BARE_NAME, "a word or a field")
    operator = _OPERATOR.match(text, position)
    if operator is None:
        if position < len(text) and not text[position].isspace():
            raise _error(text, position, f"found '{text[position]}'", "a blank, or one of " + " ".join(OPERATORS))
        word = Word(name, is_quoted, is_excluded)
        return replace(query, words=(*query.words, word)), position
    values, position = _values(text, operator.end(), name, operator[1])
    condition = Condition(name, operator[1], values, is_excluded)
    return replace(query, conditions=(*query.conditions, condition)), position


def _with_like(query: Query, text: str, position: int, is_excluded: bool) -> tuple[Query, int]:
    if query.like or is_excluded:
        raise _error(text, position, f"found '{LIKE}' {'after a minus' if is_excluded else 'twice'}", f"one '{LIKE}PICTURE'")
    like, position = _piece(text, position, re.compile(r'[^\s"]+'), f"a picture after '{LIKE}'")
    return replace(query, like=like), position


def _values(text: str, position: int, name: str, operator: str) -> tuple[tuple[str, ...], int]:
    values = []
    while True:
        value, position = _piece(text, position, _BARE_VALUE, f"a value after '{name}{operator}'")
        values.append(value)
        if text[position : position + 1] != "|":
            break
        position += 1
    if position < len(text) and not text[position].isspace():
        raise _error(text, position, f"found '{text[position]}'", "a blank after the value")
    return tuple(values), position


def _piece(text: str, position: int, bare: re.Pattern[str], what: str) -> tuple[str, int]:
    """A quoted or bare piece that begins at a position, and where it ends."""
    if text[position : position + 1] == '"':
        match = _STRING.match(text, position)
        if match is None:
            raise _error(text, position, "found a quote that is never closed", "a second one")
        content = match[0][1:-1].replace('""', '"')
        if not content.strip():
            raise _error(text, position, "found empty quotes", what)
        return content, match.end()
    match = bare.match(text, position)
    if match is None:
        found = f"found '{text[position]}'" if position < len(text) else "it ends here"
        raise _error(text, position, found, what)
    return match[0], match.end()


def _error(text: str, position: int, found: str, expected: str) -> QueryError:
    return QueryError(
        f"Search '{text}', character {position + 1}: {found}; expected {expected}. Put names and values with blanks or signs in "
        'double quotes, as in "gold rods" or "Crystal system"=Cubic.'
    )


def _word_text(word: Word) -> str:
    is_plain = _BARE_NAME.fullmatch(word.text) and not word.text.lower().startswith(LIKE)
    # Of two dashes the second belongs to the word.
    is_bare = is_plain and not word.is_phrase and (word.is_excluded or word.text[0] != "-")
    return ("-" if word.is_excluded else "") + (word.text if is_bare else _quoted(word.text))


def _condition_text(condition: Condition) -> str:
    values = "|".join(_quoted(value) for value in condition.values)
    return f"{'-' if condition.is_excluded else ''}{_quoted(condition.field)}{condition.operator}{values}"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
