"""What every request passes: who may ask, from where, how much and how often."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.apps.web.conftest import LIMITS, Serve, sent

from morphoscope.apps.web.guards.rates import Buckets
from morphoscope.apps.web.settings import Settings, Token, check_reach, read_tokens
from morphoscope.errors import MorphoscopeError

SECRETS = {role: f"{role}-0123456789abcdef" for role in ("viewer", "annotator", "admin")}
TOKENS = tuple(Token(secret, f"the {role}", role) for role, secret in SECRETS.items())  # type: ignore[arg-type]


def bearer(role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {SECRETS[role]}"}


@pytest.fixture(scope="module")
def guarded(served: Serve) -> TestClient:
    return served(tokens=TOKENS)


def test_strangers_see_the_page_and_nothing_else(guarded: TestClient) -> None:
    assert guarded.get("/").status_code == 200
    health = guarded.get("/api/health").json()
    assert health["token_needed"] and health["model"] is None and health["archive"] is None
    for method, path in (("GET", "/api/model"), ("POST", "/api/uploads"), ("GET", "/api/jobs"), ("GET", "/api/nothing")):
        answer = guarded.request(method, path)
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
        assert "expected the header 'Authorization: Bearer TOKEN'" in answer.json()["detail"]


def test_roles_may_do_what_they_are_for(guarded: TestClient) -> None:
    order = {"kind": "train", "options": {"images": "nowhere"}}
    assert guarded.get("/api/jobs", headers=bearer("viewer")).status_code == 200
    for role, status in (("viewer", 403), ("annotator", 403), ("admin", 422)):
        assert guarded.post("/api/jobs", json=order, headers=bearer(role)).status_code == status
    scale = "/api/pictures/u0123456789abcdef01234567/scale"
    assert guarded.put(scale, json={}, headers=bearer("viewer")).status_code == 403
    assert guarded.put(scale, json={}, headers=bearer("annotator")).status_code == 404


def test_a_browser_signs_in_once(served: Serve) -> None:
    browser = served(tokens=TOKENS)
    assert browser.post("/api/session", json={"token": "wrong"}).status_code == 401
    answer = browser.post("/api/session", json={"token": SECRETS["annotator"]})
    assert answer.json() == {"name": "the annotator", "role": "annotator", "needs_token": True}
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and SECRETS["annotator"] not in cookie
    assert browser.get("/api/jobs").status_code == 200
    assert browser.delete("/api/session").status_code == 204
    assert browser.get("/api/jobs").status_code == 401


def test_guessing_tokens_is_slowed_down(served: Serve) -> None:
    client = served(tokens=TOKENS)
    codes = [client.get("/api/jobs", headers={"Authorization": f"Bearer guess{i}"}).status_code for i in range(30)]
    assert codes[0] == 401 and codes[-1] == 429


@pytest.mark.parametrize(
    ("headers", "is_refused"),
    [
        ({"Host": "evil.example"}, True),
        ({"Host": "localhost:8765"}, False),
        ({"Host": "[::1]:8765"}, False),
        ({"Origin": "http://evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "http://127.0.0.1:8765"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, False),
    ],
)
def test_other_sites_are_refused(client: TestClient, headers: dict[str, str], is_refused: bool) -> None:
    answer = client.post("/api/archive/hits", json={"keys": []}, headers=headers)
    assert (answer.status_code == 403) == is_refused, answer.text


def test_a_proxy_may_name_a_server_with_tokens(guarded: TestClient) -> None:
    named = {"Host": "lab.example", "Origin": "https://lab.example"}
    assert guarded.get("/api/jobs", headers=bearer("viewer") | named).status_code == 200
    assert guarded.post("/api/archive/hits", json={"keys": []}, headers=bearer("viewer") | named).status_code == 404
    other = {"Host": "lab.example", "Origin": "https://evil.example"}
    assert guarded.post("/api/archive/hits", json={"keys": []}, headers=bearer("viewer") | other).status_code == 403


def test_every_answer_carries_the_strict_policy(client: TestClient) -> None:
    for path in ("/", "/api/health", "/api/nothing", "/openapi.json", "/api/reference"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    assert client.get("/api/health", headers={"Host": "evil.example"}).headers["x-frame-options"] == "DENY"


def test_bodies_are_counted_as_they_come(client: TestClient) -> None:
    def endless() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.tif"\r\n\r\n'
        for _ in range(64):
            yield b"x" * 2**20

    chunked = {"Content-Type": "multipart/form-data; boundary=x"}
    for path in ("/api/predict", "/api/uploads"):
        assert client.post(path, content=endless(), headers=chunked).status_code == 413
    assert client.post("/api/predict", content=b"x" * (LIMITS.upload_bytes + 1)).status_code == 413
    large = client.post("/api/archive/hits", content=b" " * (LIMITS.json_bytes + 1))
    assert large.status_code == 413 and "expected less" in large.json()["detail"]


def test_too_many_requests_are_told_to_wait(served: Serve) -> None:
    hasty = served(limits=dataclasses.replace(LIMITS, burst=5, per_second=0.1))
    answers = [hasty.get("/api/health") for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_a_bucket_fills_again() -> None:
    now = [0.0]
    bucket = Buckets(per_second=2, burst=2, clock=lambda: now[0])
    assert [bucket.seconds_to_wait("a") for _ in range(3)] == [0, 0, 0.5]
    assert bucket.seconds_to_wait("b") == 0
    now[0] = 0.5
    assert bucket.seconds_to_wait("a") == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "lab-server", "::"])  # noqa: S104
def test_another_host_demands_a_token(host: str) -> None:
    with pytest.raises(MorphoscopeError, match="no token is set; expected --token or --tokens"):
        check_reach(Settings(host=host))
    check_reach(Settings(host=host, tokens=TOKENS))
    check_reach(Settings(host="127.0.0.1"))


TOML = '[[tokens]]\ntoken = "0123456789abcdef"\nname = "Ada"\nrole = "{}"\n'


def test_a_tokens_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tokens.toml"
    path.write_text(TOML.format("annotator"), encoding="utf-8")
    (token,) = read_tokens(path)
    assert (token.name, token.role) == ("Ada", "annotator") and "0123456789abcdef" not in repr(token)
    path = tmp_path / "tokens.json"
    path.write_text('[{"token": "0123456789abcdef", "name": "Ada", "role": "admin"}]', encoding="utf-8")
    assert read_tokens(path)[0].role == "admin"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (TOML.format("adnim"), "role is 'adnim'; expected one of viewer, annotator, admin. Did you mean 'admin'?"),
        (TOML.format("admin") * 2, "stands there twice"),
        ('[[tokens]]\ntoken = "short"\nname = "Ada"\nrole = "admin"', "expected at least 16"),
        ("[[tokens]]\nname = 3", "expected the texts token, name and role"),
        ("", "no token in it"),
        ("[[", "can't be read"),
    ],
)
def test_a_bad_tokens_file_is_told(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "tokens.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MorphoscopeError) as told:
        read_tokens(path)
    assert sentence in str(told.value)


def test_uploads_leave_nothing_behind(served: Serve, micrograph_file: Path) -> None:
    client = served()
    services = client.app.state.services  # type: ignore[attr-defined]
    folder = services.uploads._folder
    client.post("/api/uploads", files=sent(micrograph_file)).raise_for_status()
    assert list(folder.iterdir())
    services.close()
    assert not folder.exists()
