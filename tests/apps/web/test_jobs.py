"""Jobs: ordered from the page, run as commands, and on disk whatever becomes of the server."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.apps.web.conftest import Serve

from morphoscope.apps.web.jobs.options import AllowedPaths, command
from morphoscope.apps.web.jobs.process import run
from morphoscope.apps.web.jobs.results import history, job_answer
from morphoscope.apps.web.jobs.store import JobStore
from morphoscope.errors import MorphoscopeError


def wait_for(is_so: Callable[[], bool], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.2)


@pytest.fixture
def data(tmp_path: Path, micrograph_file: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "gold.tif").write_bytes(micrograph_file.read_bytes())
    return folder


def test_a_job_outlives_the_server(served: Serve, model: Path, data: Path, tmp_path: Path) -> None:
    settings = {"data": (data.resolve(), model.parent.resolve()), "runs": tmp_path / "runs"}
    first = served(**settings)
    asked = {"kind": "predict", "name": "gold", "options": {"model": str(model), "paths": ["gold.tif"]}}
    job = first.post("/api/jobs", json=asked).raise_for_status().json()
    assert job["command"].startswith("morphoscope predict ")
    wait_for(lambda: first.get(f"/api/jobs/{job['id']}").json()["state"] == "running")
    first.app.state.services.close()  # type: ignore[attr-defined]
    second = served(**settings)
    wait_for(lambda: second.get(f"/api/jobs/{job['id']}").json()["state"] != "running")
    told = second.get(f"/api/jobs/{job['id']}").json()
    assert told["state"] == "done" and told["progress"] == 1 and "predictions.csv" in told["files"], told["error"]
    assert "1 pictures labelled" in second.get(f"/api/jobs/{job['id']}/log").json()["text"]


def test_jobs_wait_their_turn_and_can_be_cancelled(served: Serve, data: Path, tmp_path: Path) -> None:
    client = served(data=(data.resolve(),), runs=tmp_path / "runs")
    asked = {"kind": "measure", "options": {"paths": ["gold.tif"]}}
    ids = [client.post("/api/jobs", json=asked).json()["id"] for _ in range(2)]
    wait_for(lambda: client.get(f"/api/jobs/{ids[0]}").json()["state"] == "running")
    assert [job["state"] for job in client.get("/api/jobs").json()] == ["queued", "running"]
    assert client.post(f"/api/jobs/{ids[1]}/cancel").json()["state"] == "cancelled"
    client.post(f"/api/jobs/{ids[0]}/cancel")
    wait_for(lambda: client.get(f"/api/jobs/{ids[0]}").json()["state"] == "cancelled")
    assert client.get(f"/api/jobs/{ids[1]}").json()["started"] is None
    assert client.get("/api/jobs/20260101-000000-000-abcdef").status_code == 404
    assert client.get(f"/api/jobs/{ids[0]}/confusion").status_code == 404
    assert client.get(f"/api/jobs/{ids[0]}/report").status_code == 404


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "'images' is missing"),
        ({"images": "/etc"}, "outside of the folders that jobs may read"),
        ({"images": "../elsewhere"}, "outside of the folders"),
        ({"images": "link"}, "outside of the folders"),
        ({"images": ".", "epoch": 3}, "Did you mean 'epochs'?"),
        ({"images": ".", "epochs": "three"}, "is no number"),
        ({"images": ".", "out": "elsewhere"}, "there is no option 'out'"),
        ({"images": ".", "set": ["a=b"]}, "there is no option 'set'"),
        ({"images": ".", "recipe": "../r.toml"}, "outside of the folders"),
        ({"images": ".", "refit": "yes"}, "neither true nor false"),
        ({"images": ".", "group": "a\nb"}, "printable"),
        ({"images": "a\0b"}, "printable"),
    ],
)
def test_what_a_job_may_not_ask(data: Path, options: dict[str, object], sentence: str) -> None:
    (data.parent / "elsewhere").mkdir()
    (data / "link").symlink_to(data.parent / "elsewhere")
    with pytest.raises(MorphoscopeError) as told:
        command("train", options, AllowedPaths([data.resolve()]), data / "out")  # type: ignore[arg-type]
    assert sentence in str(told.value)


def test_values_never_become_options(data: Path) -> None:
    options = {"images": ".", "group": "--overwrite", "epochs": 2.0, "time_budget": 0.5, "refit": True, "recipe": "default"}
    words = command("train", options, AllowedPaths([data.resolve()]), Path("/out"))  # type: ignore[arg-type]
    assert words == [
        *("train", str(data.resolve()), "--group=--overwrite", "--epochs=2", "--time-budget=0.5", "--refit"),
        *("--recipe=default", "--out=/out"),
    ]


def test_a_job_whose_process_is_gone_has_failed(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    job = store.order("train", "", {}, ["train", "nowhere"], "Ada", store.new_id())
    assert job.state == "queued"
    (job.folder / "started.json").write_text(json.dumps({"pid": os.getpid(), "created": 1.0, "started": "2026-01-01T00:00:00Z"}))
    told = job_answer(store.get(job.id))
    assert told.state == "failed" and "ended without a word" in told.error


def test_curves_are_read_while_a_fit_runs(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    job = store.order("train", "", {}, ["train", "nowhere"], "Ada", store.new_id())
    fit = job.out / "fits" / "model"
    fit.mkdir(parents=True)
    assert history(job).columns == {}
    (fit / "history.csv").write_text("epoch,train_loss\n1,0.5\n2,\n")
    assert history(job).columns == {"epoch": [1, 2], "train_loss": [0.5, None]}
    (job.out / "history.csv").write_text("epoch,train_loss\n1,0.25\n")
    assert history(job).columns == {"epoch": [1], "train_loss": [0.25]}


def test_confusion_opens_its_pictures(served: Serve, data: Path, tmp_path: Path) -> None:
    client = served(data=(data.resolve(),), runs=tmp_path / "runs")
    store: JobStore = client.app.state.services.jobs.store  # type: ignore[attr-defined]
    job = store.order("train", "", {"images": str(data)}, ["train", str(data)], "Ada", store.new_id())
    run_of_nothing = {"code": 0, "ended": "2026-01-01T00:00:00Z"}
    (job.folder / "ended.json").write_text(json.dumps(run_of_nothing))
    figures = {"classes": ["A", "B"], "confusion": [[0, 2], [0, 0]], "accuracy": 0.0, "n": 2}
    (job.out / "metrics.json").write_text(json.dumps({"tasks": {"T": figures}}))
    (job.out / "predictions.csv").write_text("path,T.best,T.true\ngold.tif,B,A\ngone.tif,B,A\n")
    told = client.get(f"/api/jobs/{job.id}/confusion").json()
    (cell,) = told["cells"]
    assert (cell["true"], cell["predicted"], cell["n"], len(cell["keys"])) == ("A", "B", 2, 1)
    assert client.get(f"/api/pictures/{cell['keys'][0]}").json()["name"] == "gold.tif"
    assert client.get(f"/api/jobs/{job.id}").json()["metrics"]["T"]["accuracy"] == 0
    (job.out / "report.html").write_text("<script>alert(1)</script>")
    report = client.get(f"/api/jobs/{job.id}/report")
    assert report.headers["content-security-policy"].startswith("sandbox")


def test_the_process_writes_down_how_it_ended(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    job = store.order("measure", "", {}, ["measure", str(tmp_path / "nowhere.tif"), "--out=x.csv"], "Ada", store.new_id())
    assert run(job.folder) == 2
    told = job_answer(store.get(job.id))
    assert told.state == "failed" and "found no such file" in told.error


def test_the_client_is_typed(client: TestClient) -> None:
    assert client.app.openapi()["paths"]["/api/jobs"]["post"]["responses"]["201"]  # type: ignore[attr-defined]
