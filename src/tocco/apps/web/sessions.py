"""Who is logged in: signed cookies, which hold nothing secret and cannot be made up."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.requests import HTTPConnection
from starlette.responses import Response

from tocco.errors import OutputError

OWNER: Final = "tocco_owner"
"""Cookie of whoever knows the secret."""

DAY_SEC: Final = 86_400
SESSION_SEC: Final = 30 * DAY_SEC

_KEY_BYTES: Final = 32
_KEY_FILE: Final = "key"


class Sessions:
    """Makes and reads signed cookies.

    Parameters
    ----------
    key : signs the cookies; whoever has it can make them
    secret
        That the owner logs in with. None where nobody has to: everyone is the owner. A new secret ends all
        sessions.
    """

    def __init__(self, key: bytes, secret: str | None) -> None:
        self._secret = secret
        self._key = hmac.new(key, (secret or "").encode(), hashlib.sha256).digest()

    @property
    def needs_login(self) -> bool:
        """Whether the owner has to log in."""
        return self._secret is not None

    def is_secret(self, given: str) -> bool:
        """Whether this is the secret; takes as long for any answer."""
        return self._secret is not None and hmac.compare_digest(given.encode(), self._secret.encode())

    def sign(self, cookie: str, value: str) -> str:
        """Value of a cookie that says `value`."""
        return self._serializer(cookie).dumps([value, secrets.token_hex(8)])

    def read(self, connection: HTTPConnection, cookie: str, max_age_sec: int = SESSION_SEC) -> str | None:
        """What a cookie of this name says; None where it is missing, older, or was not signed here."""
        given = connection.cookies.get(cookie)
        if given is None:
            return None
        try:
            found = self._serializer(cookie).loads(given, max_age=max_age_sec)
        except BadSignature:
            return None
        return found[0] if isinstance(found, list) and found and isinstance(found[0], str) else None

    def is_owner(self, connection: HTTPConnection) -> bool:
        """Whether a request comes from whoever knows the secret, or needs none."""
        return not self.needs_login or self.read(connection, OWNER) == "owner"

    def person(self, connection: HTTPConnection) -> str:
        """Who asks, for the limits of requests: a signed cookie, else the address."""
        for name in sorted(connection.cookies):
            if name.startswith("tocco_") and self.read(connection, name) is not None:
                return hashlib.sha256(connection.cookies[name].encode()).hexdigest()
        return connection.client.host if connection.client else "unknown"

    def _serializer(self, cookie: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._key, salt=f"tocco cookie {cookie}")


def set_cookie(
    response: Response, connection: HTTPConnection, name: str, value: str, max_age_sec: int = SESSION_SEC
) -> None:
    """Put a cookie into an answer: no script reads it, and no other site has it sent."""
    is_https = connection.url.scheme == "https"
    response.set_cookie(
        name, value, max_age=max_age_sec, httponly=True, samesite="strict", secure=is_https, path="/"
    )


def signing_key(folder: Path) -> bytes:
    """The key of a library, made when it is first asked for; only its owner may read the file.

    Raises
    ------
    OutputError
        It cannot be read or written.
    """
    path = folder / _KEY_FILE
    try:
        with contextlib.suppress(FileExistsError):
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(handle, "wb") as stream:
                stream.write(secrets.token_bytes(_KEY_BYTES))
        key = path.read_bytes()
    except OSError as error:
        raise OutputError(path, f"cannot be used ({error.strerror})", next_step="check the folder") from error
    if len(key) != _KEY_BYTES:
        raise OutputError(path, "is no key", allowed=f"{_KEY_BYTES} bytes", next_step="remove it")
    return key
