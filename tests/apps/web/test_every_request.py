"""Whatever is sent, the server answers as its own description says, and never with a mistake of its own."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import status_code_conformance
from tests.apps.web.conftest import LIMITS, Serve

from morphoscope.apps.web.settings import Token
from morphoscope.archive import Archive

EXAMPLES = 3
"""An operation; MORE of them are tried with `pytest -m slow`."""
MORE = 60
SECRET = "a-token-for-schemathesis"  # noqa: S105
UNLIMITED = dataclasses.replace(LIMITS, burst=10**6, costly_burst=10**6, pictures_burst=10**6)


@pytest.fixture(scope="module")
def api(served: Serve, tmp_path_factory: pytest.TempPathFactory) -> BaseSchema:
    folder = tmp_path_factory.mktemp("lab")
    Archive.open(folder / "lab.archive").close()
    client = served(
        archive=folder / "lab.archive",
        host="0.0.0.0",  # noqa: S104 the requests of a test name any host; nothing listens
        tokens=(Token(SECRET, "schemathesis", "admin"),),
        data=(_empty(folder / "data"),),
        runs=folder / "runs",
        limits=UNLIMITED,
    )
    return schemathesis.openapi.from_asgi("/openapi.json", client.app)


def _empty(folder: Path) -> Path:
    folder.mkdir()
    return folder.resolve()


def ask_everything(api: BaseSchema, examples: int) -> None:
    """Tries every operation; a live source's events never end, so they are left out."""
    asked = settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    operations = [found.ok() for found in api.get_all_operations()]
    assert len(operations) > 35
    for operation in operations:
        if operation.path.endswith("/events"):
            continue

        @asked
        @given(case=operation.as_strategy())
        def answered(case: schemathesis.Case) -> None:
            headers = {"Authorization": f"Bearer {SECRET}"}
            case.call_and_validate(headers=headers, checks=[not_a_server_error, status_code_conformance])

        answered()


def test_no_request_makes_the_server_fail(api: BaseSchema) -> None:
    ask_everything(api, EXAMPLES)


@pytest.mark.slow
def test_many_requests_do_not_either(api: BaseSchema) -> None:
    ask_everything(api, MORE)
