"""Addresses of the application, one module a matter; a new router is added to `ROUTERS`."""

from __future__ import annotations

from fastapi import APIRouter

from tocco.apps.web.guard import OPEN_PATHS as _ALWAYS_OPEN
from tocco.apps.web.routes import login, rate, rate_data, raters, results, takes, uploads, views

ROUTERS: tuple[APIRouter, ...] = (
    login.router,
    views.router,
    takes.router,
    results.router,
    uploads.router,
    rate.router,
    rate_data.router,
    raters.router,
)

OPEN_PATHS: tuple[str, ...] = (*_ALWAYS_OPEN, "/join", "/join/", "/rate", "/rate/", "/api/rate/")
"""Paths that need not the owner's login; whoever adds one checks there who asks."""
