"""Which pictures a search means: every condition becomes a column of yes and no."""

from __future__ import annotations

import fnmatch
import operator
import os
import re
from collections.abc import Callable, Sequence

import numpy as np

from morphoscope.archive.columns import NUMBERS, TEXTS, Answered, Coded, Columns
from morphoscope.archive.query import RANGE, Condition, Query
from morphoscope.archive.store import Archive
from morphoscope.archive.words import WordHits, word_hits
from morphoscope.errors import QueryError, did_you_mean
from morphoscope.schema import CLASS_SEPARATOR, PARENT_SEPARATOR
from morphoscope.units import length_unit, to_nm

UNKNOWN, KNOWN = "unknown", "known"
CONFIDENCE, NOVELTY, NAME, LABEL, ANSWER = "confidence", "novelty", "name", "label", "answer"
ALIASES = {"objects": "n_objects", "pixel_size": "pixel_size_nm", "diameter": "diameter_nm", "voltage": "hv_kv"}
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\d\s]*)")
_COMPARE: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "=": np.isclose,
    "!=": lambda values, wanted: ~np.isclose(values, wanted),
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}

Labels = Callable[[str], Coded | None]
"""What people answered of a task, by its name: their consensus a row; None where nobody was asked."""


def fields(found: Columns) -> list[str]:
    """Every name that a condition can begin with."""
    of_tasks = [name for task in found.tasks for name in (task, f"{task}.{CONFIDENCE}", f"{task}.{ANSWER}", f"{task}.{LABEL}")]
    return [*of_tasks, CONFIDENCE, NOVELTY, *NUMBERS, NAME, *TEXTS]


def matching(
    archive: Archive,
    query: Query,
    found: Columns,
    labels: Labels = lambda task: None,
    words: WordHits | None = None,
) -> np.ndarray:
    """(N,) bool: the pictures for which all words and conditions hold. words: which have the wanted ones, where that is known.
    Raises QueryError for a field or value that isn't."""
    rows = np.ones(len(found), bool)
    asked_tasks = [task for one in query.conditions if (task := _task(found, one.field))]
    for condition in query.conditions:
        holds = _holds(archive, condition, found, asked_tasks, labels)
        rows &= ~holds if condition.is_excluded else holds
    if query.wanted_words:
        rows &= found.has((words or word_hits(archive, query.wanted_words)).ids)
    for word in query.words:
        if word.is_excluded:
            rows &= ~found.has(word_hits(archive, [word]).ids)
    return rows


def _holds(archive: Archive, condition: Condition, found: Columns, asked_tasks: Sequence[str], labels: Labels) -> np.ndarray:
    wanted = ALIASES.get(condition.field.lower(), condition.field)
    task = _task(found, wanted)
    if task is not None:
        return _class_holds(condition, found.tasks[task].best, found.model.schema.task(task).classes if found.model else ())
    owner, _, what = wanted.rpartition(".")
    owned = _task(found, owner)
    if owned is not None and what.lower() == CONFIDENCE:
        return _number_holds(condition, found.tasks[owned].confidence)
    if owned is not None and what.lower() == ANSWER:
        return _class_holds(condition, _sure_answers(found.tasks[owned]), found.tasks[owned].best.values)
    if what.lower() == LABEL and (coded := labels(owned or owner)):
        return _class_holds(condition, coded, coded.values)
    lower = wanted.lower()
    if lower == CONFIDENCE and found.tasks:
        return _number_holds(condition, _least_confidence(found, asked_tasks))
    if lower == NOVELTY:
        return _number_holds(condition, found.novelty)
    if lower in NUMBERS:
        return _number_holds(condition, found.numbers[lower])
    if lower in TEXTS:
        return _text_holds(condition, found.texts[lower], is_folder=lower == "folder")
    if lower == NAME:
        return _name_holds(archive, condition, found)
    raise _no_such_field(condition.field, found)


def _no_such_field(name: str, found: Columns) -> QueryError:
    names = fields(found)
    listed = [*found.tasks, CONFIDENCE, "pixel_size_nm", "diameter_nm", "hv_kv", "maker", "sample"]
    about = "" if found.tasks else " The archive holds no model's answers: index with --model to ask for classes."
    return QueryError(
        f"Search: there is no field '{name}'; expected one of {', '.join(listed)} or another of docs/archive.md."
        f"{did_you_mean(name, names)}{about} For a word with a sign in it, put all of it in quotes."
    )


def _task(found: Columns, name: str) -> str | None:
    """The task of that name, in any case."""
    if name in found.tasks:
        return name
    return next((task for task in found.tasks if task.casefold() == name.casefold()), None)


def _sure_answers(answered: Answered) -> Coded:
    return Coded(np.where(answered.is_sure, answered.best.codes, -1), answered.best.values)


def _least_confidence(found: Columns, asked_tasks: Sequence[str]) -> np.ndarray:
    """(N,) of the least sure among the tasks asked for, or among all."""
    tasks = [found.tasks[name].confidence for name in asked_tasks or found.tasks]
    return np.minimum.reduce(tasks)


def _class_holds(condition: Condition, coded: Coded, classes: Sequence[str]) -> np.ndarray:
    """Of a class, or a class above it (`Fibres` of `Fibres/Polymer`); a multi-label answer has every class that it names."""
    if condition.operator not in ("=", "!="):
        raise QueryError(
            f"Search: '{condition.field}{condition.operator}' compares classes; expected = or !=. "
            f"For how sure the model is, write {condition.field}.{CONFIDENCE}{condition.operator}0.9."
        )
    wanted = {value.casefold() for value in condition.values}
    names = {name for each in classes for name in each.split(CLASS_SEPARATOR)}
    known = {part.casefold() for name in names for part in (name, name.split(PARENT_SEPARATOR)[0])}
    for value in condition.values:
        if value.casefold() not in known | {UNKNOWN, KNOWN} and not _is_pattern(value):
            listed = sorted(names)
            raise QueryError(
                f"Search: '{condition.field}' has no class '{value}'; expected one of {', '.join(listed)} or {UNKNOWN}."
                f"{did_you_mean(value, listed) or ' Write one of these.'}"
            )

    def has_one(answer: str) -> bool:
        folded = [name.casefold() for name in answer.split(CLASS_SEPARATOR)]
        return any(_is_alike(name, value) or name.startswith(value + PARENT_SEPARATOR) for name in folded for value in wanted)

    return _negated(condition, _by_value(coded, has_one, wanted))


def _text_holds(condition: Condition, coded: Coded, is_folder: bool) -> np.ndarray:
    wanted = [value.casefold() for value in condition.values]
    if condition.operator in ("=", "!="):

        def is_one(text: str) -> bool:
            folded = text.casefold()
            return any(_is_alike(folded, value) or (is_folder and _is_below(folded, value)) for value in wanted)

        return _negated(condition, _by_value(coded, is_one, set(wanted)))
    compare = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}[condition.operator]
    return _by_value(coded, lambda text: any(compare(text.casefold(), value) for value in wanted), set())


def _name_holds(archive: Archive, condition: Condition, found: Columns) -> np.ndarray:
    if condition.operator not in ("=", "!="):
        raise QueryError(f"Search: '{NAME}{condition.operator}' compares file names; expected = or !=, and * for any signs.")
    holds = np.zeros(len(found), bool)
    for value in condition.values:
        pattern = value.lower() if _is_pattern(value) else _literal(value.lower())
        rows = archive.connection.execute("SELECT id FROM picture WHERE lower(name) GLOB ?", (pattern,)).fetchall()
        holds |= found.has(np.array([row[0] for row in rows], np.int64))
    return _negated(condition, holds)


def _by_value(coded: Coded, is_right: Callable[[str], bool], wanted: set[str]) -> np.ndarray:
    """(N,) bool: asks once for each distinct value; the last place is that of blank ones."""
    right = [KNOWN in wanted or is_right(value) for value in coded.values]
    return np.array([*right, UNKNOWN in wanted], bool)[coded.codes]


def _negated(condition: Condition, holds: np.ndarray) -> np.ndarray:
    return ~holds if condition.operator == "!=" else holds


def _number_holds(condition: Condition, values: np.ndarray) -> np.ndarray:
    """Of unknown ones nothing holds but `unknown`, and `!=`."""
    if condition.operator == "!=":
        return ~_number_holds(Condition(condition.field, "=", condition.values), values)
    holds = np.zeros(len(values), bool)
    with np.errstate(invalid="ignore"):
        for value in condition.values:
            holds |= _one_number_holds(condition, value, values)
    return holds


def _one_number_holds(condition: Condition, value: str, values: np.ndarray) -> np.ndarray:
    if value.lower() in (UNKNOWN, KNOWN):
        return np.isnan(values) == (value.lower() == UNKNOWN)
    if RANGE in value:
        low, _, high = value.partition(RANGE)
        holds = ~np.isnan(values)
        if low:
            holds &= values >= _number(condition, low)
        if high:
            holds &= values <= _number(condition, high)
        return holds
    return _COMPARE[condition.operator](values, _number(condition, value))


def _number(condition: Condition, text: str) -> float:
    """A number, with a unit of length where the field is one in nm. Raises QueryError."""
    if match := _NUMBER.fullmatch(text):
        value, unit = float(match[1]), match[2]
        if not unit:
            return value
        if condition.field.lower().endswith("_nm") and length_unit(unit):
            return to_nm(value, unit)
    example = f"{condition.field}>2, {condition.field}=20{RANGE}50 or {condition.field}={UNKNOWN}"
    raise QueryError(
        f"Search: '{condition.field}{condition.operator}{text}' has no number; expected one, as in {example}. Correct it."
    )


def _is_alike(text: str, wanted: str) -> bool:
    return fnmatch.fnmatchcase(text, wanted) if _is_pattern(wanted) else text == wanted


def _is_pattern(value: str) -> bool:
    return "*" in value or "?" in value


def _is_below(folder: str, above: str) -> bool:
    return folder.startswith(above.rstrip("/" + os.sep) + os.sep)


def _literal(value: str) -> str:
    """A pattern of SQLite's GLOB that matches just this."""
    return value.replace("[", "[[]")
