"""What every request has to pass, and what every answer carries: no other site can use the application."""

from __future__ import annotations

import ipaddress
import math
import socket
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tocco.apps.web.limits import Buckets, Rate
from tocco.apps.web.refusals import RefusedError
from tocco.apps.web.sessions import Sessions
from tocco.apps.web.settings import LOCAL_NAMES, RequestLimits, Settings
from tocco.errors import ToccoError

Answer = Callable[[Request, ToccoError], Response]
"""Makes the answer that says why a request is refused."""

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'; frame-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""No script and no style inside a document, and nothing from anywhere else."""

HEADERS: Final = {
    "content-security-policy": PAGE_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(self)",
    "cache-control": "no-store",
}
"""Of every answer that does not set its own."""

SAFE: Final = ("GET", "HEAD", "OPTIONS")
OPEN_PATHS: Final = ("/login", "/static/")
"""Whoever is not logged in may ask for these; a path that ends in "/" stands for all below it."""

MOST_BODY_BYTES: Final = 1_000_000
"""Of a request that is read into memory."""

LARGE_BODIES: Final = ("/api/uploads",)
"""Paths whose requests are not read into memory, and have limits of their own."""

_LOCAL_ORIGINS: Final = ("same-origin", "none")


class Guard:
    """Refuses requests by host, origin, length, rate and login, in this order; adds headers to every answer.

    Parameters
    ----------
    app : what answers the requests that pass
    settings, sessions, buckets
    answer : says why one is refused
    open_paths : that need no login
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        sessions: Sessions,
        buckets: Buckets,
        answer: Answer,
        open_paths: tuple[str, ...] = OPEN_PATHS,
    ) -> None:
        self.app = app
        self.sessions = sessions
        self.buckets = buckets
        self.answer = answer
        self.open_paths = open_paths
        self.limits = settings.requests
        self.hosts = _own_names(settings)
        self.any_address = settings.host in ("0.0.0.0", "::")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope, receive)
        refused = self._refused(request)
        await (refused or self.app)(scope, receive, send_with_headers)

    def _refused(self, request: Request) -> Response | None:
        try:
            self._check_host(request.headers)
            check_origin(request)
            check_body(request)
            self._check_rate(request)
        except RefusedError as refusal:
            response = self.answer(request, refusal)
            if isinstance(refusal, _TooOftenError):
                response.headers["retry-after"] = str(math.ceil(refusal.wait_sec))
            return response
        return self._login_first(request)

    def _check_host(self, headers: Headers) -> None:
        """Refuse names that are not of this machine: a page of another site may have made one point here.

        A bare address cannot be made to point elsewhere, so any is accepted where all are listened to.
        """
        name = _name_in(headers.get("host", ""))
        if name in self.hosts or (self.any_address and _is_address(name)):
            return
        raise RefusedError(
            421,
            "Host",
            "is not a name of this server",
            allowed=", ".join(sorted(self.hosts)),
            next_step="open the address that tocco serve printed; --name allows a further one",
        )

    def _check_rate(self, request: Request) -> None:
        kind, rate = rate_of(request, self.limits)
        wait_sec = self.buckets.wait_sec((kind, self.sessions.person(request)), rate)
        if wait_sec > 0.0:
            raise _TooOftenError(kind, rate, wait_sec)

    def _login_first(self, request: Request) -> Response | None:
        if self.sessions.is_owner(request) or is_open(request.url.path, self.open_paths):
            return None
        if request.method in SAFE and wants_page(request):
            return RedirectResponse(f"/login?next={quote(request.url.path)}", 303)
        return self.answer(
            request, RefusedError(401, "login", "is needed", next_step="open /login and give the secret")
        )


class _TooOftenError(RefusedError):
    def __init__(self, kind: str, rate: Rate, wait_sec: float) -> None:
        super().__init__(
            429,
            "requests",
            f"are too many ({kind})",
            allowed=f"{rate.count} in {rate.seconds:g} s",
            next_step=f"try again in {math.ceil(wait_sec)} s",
        )
        self.wait_sec = wait_sec


def check_origin(request: Request) -> None:
    """Refuse what a page of another site asks for.

    Whatever changes something has to name this origin, as every browser does. Whatever does not may come by
    a link from elsewhere, but is not given to other sites as a part of their pages.

    Raises
    ------
    RefusedError
        It comes from another site.
    """
    site = request.headers.get("sec-fetch-site", "none")
    if request.method in SAFE:
        is_link = request.headers.get("sec-fetch-mode") == "navigate"
        is_document = request.headers.get("sec-fetch-dest") in ("document", None)
        if site not in _LOCAL_ORIGINS and not (is_link and is_document):
            raise _of_another_site("Sec-Fetch-Site")
        return
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if site not in _LOCAL_ORIGINS or request.headers.get("origin", "").lower() != own.lower():
        raise _of_another_site("Origin")


def check_body(request: Request) -> None:
    """Refuse what is too long to be read into memory.

    Raises
    ------
    RefusedError
        It is (413), or it does not say how long it is (411).
    """
    if request.url.path in LARGE_BODIES:
        return
    if "transfer-encoding" in request.headers:
        raise RefusedError(411, "request", "does not say its size", next_step="send a Content-Length")
    given = request.headers.get("content-length", "0")
    if not given.isascii() or not given.isdigit() or int(given) > MOST_BODY_BYTES:
        raise RefusedError(
            413,
            "request",
            "is too long",
            allowed=f"at most {MOST_BODY_BYTES} bytes",
            next_step="send less at once",
        )


def _of_another_site(header: str) -> RefusedError:
    return RefusedError(
        403,
        header,
        "is not this server: another site may change nothing here",
        next_step="use the pages of this server, or send its address as Origin",
    )


def rate_of(request: Request, limits: RequestLimits) -> tuple[str, Rate]:
    """Kind of a request, and how many of these are allowed."""
    path = request.url.path
    if request.method in SAFE:
        return "read", limits.read
    if path == "/login":
        return "login", limits.login
    if path.startswith("/api/uploads"):
        return "upload", limits.upload
    return "write", limits.write


def is_open(path: str, open_paths: tuple[str, ...]) -> bool:
    """Whether a path needs no login.

    >>> is_open("/static/app.css", ("/static/",)), is_open("/logins", ("/login",))
    (True, False)
    """
    return any(path == one or (one.endswith("/") and path.startswith(one)) for one in open_paths)


def wants_page(connection: HTTPConnection) -> bool:
    """Whether a person looks at the answer, rather than a script."""
    return "text/html" in connection.headers.get("accept", "") and not connection.url.path.startswith("/api/")


def _own_names(settings: Settings) -> frozenset[str]:
    names = {*LOCAL_NAMES, *(name.lower() for name in settings.names)}
    if not settings.is_local:
        names |= {settings.host.lower(), socket.gethostname().lower()}
    return frozenset(names)


def _name_in(host: str) -> str:
    """The name or address in a header Host, without its port; "" where it has none."""
    if set(host) & set("/\\@?# \t,;"):
        return ""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:  # brackets without an address in them
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
