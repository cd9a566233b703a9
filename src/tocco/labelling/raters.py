"""The people of a project: raters, roles and invitations, in its store."""

from __future__ import annotations

import sqlite3
from typing import Final

from tocco.errors import InputError
from tocco.files import SAFE_NAME_RULE, is_safe_name
from tocco.labelling.events import Invitation, Rater, Role
from tocco.labelling.store import RatingStore, add_audit

_NO_LINK: Final = "ask for a new link (`tocco label invite`)"


def add_rater(
    store: RatingStore, rater_id: str, *, name: str = "", role: Role = "rater", by: str = "admin"
) -> Rater:
    """Add a rater, or return the one that is there; a given name or role replaces the earlier one.

    Raises
    ------
    InputError
        `rater_id` cannot be part of a file name.
    """
    if not is_safe_name(rater_id):
        raise InputError("rater", f"{rater_id!r} cannot name a file", allowed=SAFE_NAME_RULE)
    now = store.clock()
    with store.connections.writing() as db:
        known = db.execute("SELECT * FROM raters WHERE rater_id = ?", (rater_id,)).fetchone()
        if known is None:
            db.execute("INSERT INTO raters VALUES (?, ?, ?, 1, ?)", (rater_id, name, role, now))
            add_audit(db, now, by, "add rater", {"rater": rater_id, "role": role})
        elif (name and known["name"] != name) or known["role"] != role:
            db.execute(
                "UPDATE raters SET name = ?, role = ? WHERE rater_id = ?",
                (name or known["name"], role, rater_id),
            )
            add_audit(db, now, by, "change rater", {"rater": rater_id, "role": role})
    return rater(store, rater_id)


def raters(store: RatingStore) -> tuple[Rater, ...]:
    """Everyone, in the order in which they were added."""
    with store.connections.reading() as db:
        rows = db.execute("SELECT * FROM raters ORDER BY rowid").fetchall()
    return tuple(_rater(row) for row in rows)


def rater(store: RatingStore, rater_id: str) -> Rater:
    """One rater.

    Raises
    ------
    InputError
        There is none of that id.
    """
    with store.connections.reading() as db:
        row = db.execute("SELECT * FROM raters WHERE rater_id = ?", (rater_id,)).fetchone()
    if row is None:
        raise InputError(
            store.path, f"has no rater {rater_id!r}", next_step="`tocco label raters` lists them"
        )
    return _rater(row)


def set_active(store: RatingStore, rater_id: str, is_active: bool, *, by: str = "admin") -> Rater:
    """Shut a rater out, or let them in again; their ratings stay."""
    rater(store, rater_id)
    now = store.clock()
    with store.connections.writing() as db:
        db.execute("UPDATE raters SET is_active = ? WHERE rater_id = ?", (int(is_active), rater_id))
        add_audit(db, now, by, "activate" if is_active else "deactivate", {"rater": rater_id})
    return rater(store, rater_id)


def add_invitation(
    store: RatingStore, rater_id: str, token_sha256: str, expires_sec: float, *, by: str = "admin"
) -> Invitation:
    """Store the hash of an invitation's token."""
    rater(store, rater_id)
    now = store.clock()
    with store.connections.writing() as db:
        number = db.execute(
            "INSERT INTO invitations (rater_id, token_sha256, created_sec, expires_sec) VALUES (?, ?, ?, ?)",
            (rater_id, token_sha256, now, expires_sec),
        ).lastrowid
        add_audit(db, now, by, "invite", {"rater": rater_id, "invitation": number})
    return next(one for one in invitations(store, rater_id) if one.number == number)


def invitations(store: RatingStore, rater_id: str | None = None) -> tuple[Invitation, ...]:
    """Every invitation, by number."""
    with store.connections.reading() as db:
        rows = db.execute("SELECT * FROM invitations ORDER BY number").fetchall()
    return tuple(Invitation(**dict(row)) for row in rows if rater_id in {None, row["rater_id"]})


def use_invitation(store: RatingStore, token_sha256: str) -> Rater:
    """The rater of an invitation, which is noted as used.

    Raises
    ------
    InputError
        It is unknown, was revoked, has expired, or its rater is not active.
    """
    now = store.clock()
    with store.connections.writing() as db:
        row = db.execute(
            "SELECT i.*, r.is_active FROM invitations i JOIN raters r USING (rater_id)"
            " WHERE token_sha256 = ?",
            (token_sha256,),
        ).fetchone()
        if row is None:
            raise InputError("invitation", "is not of this project", next_step=_NO_LINK)
        if row["revoked_sec"] is not None or not row["is_active"]:
            raise InputError("invitation", "was revoked", next_step=_NO_LINK)
        if row["expires_sec"] <= now:
            raise InputError("invitation", "has expired", next_step=_NO_LINK)
        db.execute("UPDATE invitations SET last_used_sec = ? WHERE number = ?", (now, row["number"]))
        add_audit(db, now, row["rater_id"], "sign in", {"invitation": row["number"]})
    return rater(store, row["rater_id"])


def revoke_invitations(store: RatingStore, rater_id: str, *, by: str = "admin") -> int:
    """Revoke every invitation of a rater; returns how many were open."""
    rater(store, rater_id)
    now = store.clock()
    with store.connections.writing() as db:
        changed = db.execute(
            "UPDATE invitations SET revoked_sec = ? WHERE rater_id = ? AND revoked_sec IS NULL",
            (now, rater_id),
        ).rowcount
        add_audit(db, now, by, "revoke invitations", {"rater": rater_id, "number": changed})
    return changed


def _rater(row: sqlite3.Row) -> Rater:
    return Rater(row["rater_id"], row["name"], row["role"], bool(row["is_active"]), row["created_sec"])
