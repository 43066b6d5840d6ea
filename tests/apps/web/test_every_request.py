"""Whatever is sent, the server answers as its own description says, and never with a mistake of its own."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import status_code_conformance
from tests.apps.web.conftest import LIMITS, Serve

EXAMPLES = 4
"""An operation; more are tried with `pytest -m slow`."""
_UNLIMITED = dataclasses.replace(LIMITS, burst=10**6, costly_burst=10**6, pictures_burst=10**6)


@pytest.fixture(scope="session")
def api(served: Serve, model: Path, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("lab")
    from morphoscope.archive import Archive

    Archive.open(folder / "lab.archive").close()
    client = served(model=model, archive=folder / "lab.archive", data=(folder,), runs=folder / "runs", limits=_UNLIMITED)
    return schemathesis.openapi.from_asgi("/openapi.json", client.app)


schema = schemathesis.pytest.from_fixture("api")
_PHASES = [Phase.explicit, Phase.generate]


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, phases=_PHASES, suppress_health_check=list(HealthCheck))
def test_no_request_makes_the_server_fail(case: schemathesis.Case) -> None:
    case.call_and_validate(headers={"Host": "127.0.0.1"}, checks=[not_a_server_error, status_code_conformance])
