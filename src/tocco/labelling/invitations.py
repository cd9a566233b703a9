"""Signed links by which raters come in: nothing to remember, and only the hash of each is stored."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Final

from tocco.errors import InputError
from tocco.labelling.events import Rater
from tocco.labelling.raters import add_invitation, use_invitation
from tocco.labelling.store import RatingStore

if TYPE_CHECKING:
    from itsdangerous import URLSafeSerializer

JOIN_PATH: Final = "/join/"
"""Path of a link, before the token."""

_SALT: Final = "tocco label invitation 1"


def make_token(
    store: RatingStore, secret: str, rater_id: str, *, valid_days: float, by: str = "admin"
) -> str:
    """Token of a new invitation, good for use in a path.

    Parameters
    ----------
    store
    secret
        Key of the signatures: `Project.secret()`.
    rater_id
        A rater of the store.
    valid_days
    by
        Who invites, for the audit log.
    """
    token = _signer(secret).dumps([rater_id, secrets.token_urlsafe(12)])
    add_invitation(store, rater_id, _hash(token), store.clock() + 86400.0 * valid_days, by=by)
    return token


def rater_of_token(store: RatingStore, secret: str, token: str) -> Rater:
    """The rater whom a token lets in, noted in the audit log.

    Raises
    ------
    InputError
        The signature is wrong, or the invitation is unknown, revoked or expired, or the rater not active.
    """
    from itsdangerous import BadData

    try:
        named = _signer(secret).loads(token)
    except BadData as error:
        raise InputError(
            "invitation", "has no valid signature", next_step="copy the whole link, or ask for a new one"
        ) from error
    found = use_invitation(store, _hash(token))
    assert named[0] == found.rater_id
    return found


def _signer(secret: str) -> URLSafeSerializer:
    from itsdangerous import URLSafeSerializer

    return URLSafeSerializer(secret, salt=_SALT)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
