"""The interface for scripts, asked with whatever its schema allows: every answer is one that it names."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode

from tocco.apps.web.app import create_app
from tocco.apps.web.limits import Rate
from tocco.apps.web.settings import RequestLimits
from web_example import ADDRESS, make_take, web_client
from web_example import settings as web_settings

OFTEN = Rate(1_000_000, 1.0)
EXAMPLES = 100 if os.environ.get("HYPOTHESIS_PROFILE") == "fresh" else 8


def operations() -> dict[str, Any]:
    """Method and path -> operation, of an application that is not started."""
    with tempfile.TemporaryDirectory() as folder:
        schema = schemathesis.openapi.from_dict(create_app(web_settings(Path(folder))).openapi())
    found = [one.ok() for one in schema.get_all_operations()]
    found = [one for one in found if not one.path.startswith("/api/rate/")]  # test_rate_schema has these
    return {f"{one.method.upper()} {one.path}": one for one in found}


OPERATIONS = operations()
WITHOUT_VALUES = ("GET /api/scores", "GET /api/takes")
ASKED = [
    (name, mode)
    for name in OPERATIONS
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or name not in WITHOUT_VALUES
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    limits = RequestLimits(OFTEN, OFTEN, OFTEN, OFTEN)
    made = web_settings(tmp_path_factory.mktemp("library"), requests=limits)
    with web_client(made) as found:
        yield found


def sent(case: Case) -> dict[str, Any]:
    """What the client is called with."""
    parts = case.as_transport_kwargs(base_url=ADDRESS)
    content = parts.pop("data", None)
    if content is not None:
        parts["content"] = content if isinstance(content, bytes | str) else b""
    headers = {name: value for name, value in (parts.pop("headers", None) or {}).items() if value}
    parts.pop("cookies", None)
    return {**parts, "headers": {**headers, "origin": ADDRESS}}


def test_all_of_it_is_in_the_schema() -> None:
    assert set(OPERATIONS) == {
        "PUT /api/uploads",
        "DELETE /api/uploads/{upload_id}",
        "GET /api/scores",
        "GET /api/takes",
        "POST /api/takes",
        "GET /api/takes/{take_id}",
        "PATCH /api/takes/{take_id}",
        "DELETE /api/takes/{take_id}",
        "POST /api/takes/{take_id}/cancel",
        "POST /api/takes/{take_id}/retry",
        "GET /api/takes/{take_id}/export",
        "POST /api/results",
        "GET /api/results/{result_id}",
        "DELETE /api/results/{result_id}",
        "POST /api/results/{result_id}/cancel",
        "POST /api/results/{result_id}/retry",
    }


@pytest.mark.parametrize(("name", "mode"), ASKED)
def test_every_answer_is_one_that_the_schema_names(
    client: TestClient, name: str, mode: GenerationMode
) -> None:
    operation = OPERATIONS[name]
    documented = {int(status) for status in operation.definition.raw["responses"] if status.isdigit()}
    assert not {status for status in documented if status >= 500} - {507}

    @seed(24)
    @settings(max_examples=EXAMPLES, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode), is_there=st.booleans())
    def ask(case: Case, is_there: bool) -> None:
        if is_there and "take_id" in (case.path_parameters or {}):
            case.path_parameters["take_id"] = make_take(client, "a")["id"]
        answer = client.request(**sent(case))
        assert answer.status_code < 500, answer.text
        assert answer.status_code in documented, answer.text
        if answer.status_code >= 400:
            assert "\n" not in answer.json()["error"]

    ask()
