from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from labelling_example import Clock, make_project, new_store
from tocco.errors import InputError
from tocco.labelling.invitations import make_token, rater_of_token
from tocco.labelling.raters import (
    add_rater,
    invitations,
    rater,
    raters,
    revoke_invitations,
    set_active,
)
from tocco.labelling.store import RatingStore

SECRET = "a secret of the tests"
DAY = 86400.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[RatingStore]:
    with new_store(tmp_path, clock) as made:
        add_rater(made, "ann", name="Ann")
        yield made


def test_a_rater_is_added_once_and_may_change(store: RatingStore) -> None:
    add_rater(store, "bea", role="admin")
    assert add_rater(store, "ann").name == "Ann"
    assert add_rater(store, "ann", role="admin").role == "admin"
    assert [(one.rater_id, one.role, one.is_active) for one in raters(store)] == [
        ("ann", "admin", True),
        ("bea", "admin", True),
    ]
    assert [one.action for one in store.audit("admin")] == ["add rater", "add rater", "change rater"]


@pytest.mark.parametrize("name", ["../eve", "", "a b", "nul"])
def test_an_id_has_to_be_fit_for_a_file_name(store: RatingStore, name: str) -> None:
    with pytest.raises(InputError, match="cannot name a file"):
        add_rater(store, name)


def test_a_link_lets_its_rater_in_until_it_expires(store: RatingStore, clock: Clock) -> None:
    token = make_token(store, SECRET, "ann", valid_days=2.0)
    assert rater_of_token(store, SECRET, token).rater_id == "ann"
    clock.now += 2.0 * DAY - 1.0
    assert rater_of_token(store, SECRET, token).rater_id == "ann"
    clock.now += 1.0
    with pytest.raises(InputError, match="has expired"):
        rater_of_token(store, SECRET, token)
    assert [one.action for one in store.audit("ann")] == ["sign in", "sign in"]


def test_a_forged_or_foreign_link_is_refused(store: RatingStore, tmp_path: Path) -> None:
    token = make_token(store, SECRET, "ann", valid_days=2.0)
    for forged in (token[:-1] + ("A" if token[-1] != "A" else "B"), "x", ""):
        with pytest.raises(InputError, match="has no valid signature"):
            rater_of_token(store, SECRET, forged)
    with pytest.raises(InputError, match="has no valid signature"):
        rater_of_token(store, "another secret", token)
    with new_store(tmp_path / "other") as other:
        add_rater(other, "ann")
        with pytest.raises(InputError, match="is not of this project"):
            rater_of_token(other, SECRET, token)


def test_a_revoked_link_and_a_rater_who_was_shut_out_are_refused(store: RatingStore) -> None:
    token = make_token(store, SECRET, "ann", valid_days=2.0)
    set_active(store, "ann", False)
    with pytest.raises(InputError, match="was revoked"):
        rater_of_token(store, SECRET, token)
    set_active(store, "ann", True)
    assert rater_of_token(store, SECRET, token).rater_id == "ann"
    assert revoke_invitations(store, "ann") == 1
    with pytest.raises(InputError, match="was revoked"):
        rater_of_token(store, SECRET, token)
    assert rater_of_token(store, SECRET, make_token(store, SECRET, "ann", valid_days=1.0)).name == "Ann"


def test_the_store_has_the_hash_of_a_token_alone(store: RatingStore) -> None:
    token = make_token(store, SECRET, "ann", valid_days=2.0)
    (found,) = invitations(store)
    assert len(found.token_sha256) == 64
    store.close()
    content = b"".join(path.read_bytes() for path in store.path.parent.iterdir())
    assert found.token_sha256.encode() in content
    assert token.encode() not in content


def test_nobody_is_invited_who_is_no_rater(store: RatingStore) -> None:
    with pytest.raises(InputError, match="has no rater 'eve'"):
        make_token(store, SECRET, "eve", valid_days=1.0)
    with pytest.raises(InputError, match="has no rater 'eve'"):
        rater(store, "eve")


def test_the_secret_of_a_project_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    secret = project.secret()
    assert project.secret() == secret
    assert len(secret) >= 32
    assert (project.folder / "secret").stat().st_mode & 0o777 == 0o600
