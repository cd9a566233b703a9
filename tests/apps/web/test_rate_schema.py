"""The interface of the rating page, asked with whatever its schema allows, and with what it does not."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import Case, GenerationMode

from rating_example import Two, invite, join, project_in
from tocco.apps.web.app import create_app
from tocco.apps.web.limits import Rate
from tocco.apps.web.settings import RequestLimits
from web_example import ADDRESS, web_client
from web_example import settings as web_settings

OFTEN = Rate(1_000_000, 1.0)
EXAMPLES = 200 if os.environ.get("HYPOTHESIS_PROFILE") == "fresh" else 12


def operations() -> dict[str, Any]:
    """Method and path -> operation, of an application that is not started."""
    with tempfile.TemporaryDirectory() as folder:
        schema = schemathesis.openapi.from_dict(create_app(web_settings(Path(folder))).openapi())
    found = [one.ok() for one in schema.get_all_operations()]
    return {f"{one.method.upper()} {one.path}": one for one in found if one.path.startswith("/api/rate/")}


OPERATIONS = operations()
WITHOUT_VALUES = ("GET /api/rate/session",)
ASKED = [
    (name, mode)
    for name in OPERATIONS
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or name not in WITHOUT_VALUES
]


@pytest.fixture(scope="module")
def two(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    library = tmp_path_factory.mktemp("library")
    project_in(library, drawn)
    limits = RequestLimits(OFTEN, OFTEN, OFTEN, OFTEN)
    with web_client(web_settings(library, requests=limits)) as client:
        anna, bert = (join(client, invite(client, one)) for one in ("anna", "bert"))
        yield Two(client, anna, bert)


def test_all_of_it_is_in_the_schema() -> None:
    assert set(OPERATIONS) == {
        "GET /api/rate/session",
        "GET /api/rate/items/{position}",
        "GET /api/rate/items/{position}/score",
        "GET /api/rate/items/{position}/sound",
        "GET /api/rate/items/{position}/feedback",
        "GET /api/rate/pairs/{number}",
        "GET /api/rate/pairs/{number}/{side}/sound",
        "POST /api/rate/events",
    }


@pytest.mark.parametrize(("name", "mode"), ASKED)
def test_every_answer_is_one_that_the_schema_names(two: Two, name: str, mode: GenerationMode) -> None:
    operation = OPERATIONS[name]
    documented = {int(status) for status in operation.definition.raw["responses"] if status.isdigit()}

    @seed(24)
    @settings(max_examples=EXAMPLES, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        for place in ("position", "number"):
            if isinstance((case.path_parameters or {}).get(place), int):
                case.path_parameters[place] %= 4  # three are there
        parts = case.as_transport_kwargs(base_url=ADDRESS)
        parts.pop("cookies", None)
        content = parts.pop("data", None)
        if content is not None:
            parts["content"] = content if isinstance(content, bytes | str) else b""
        given_headers = {one: value for one, value in (parts.pop("headers", None) or {}).items() if value}
        headers = {**given_headers, **two.anna, "origin": ADDRESS}
        answer = two.client.request(**parts, headers=headers)
        assert answer.status_code in documented, answer.text
        assert answer.status_code < 500 or answer.status_code == 507
        if answer.status_code >= 400:
            sentence = answer.json()["error"]
            assert "\n" not in sentence
            assert "ratings.sqlite" not in sentence

    ask()


def test_nobody_else_has_changed(two: Two) -> None:
    with two.client.app.state.rating_project.open().project.open_store() as store:  # type: ignore[attr-defined]
        assert {one.rater_id for one in store.events()} <= {"anna"}
