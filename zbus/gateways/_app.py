"""The gateway as one ASGI application: routes, errors, page, and the guard in front of them."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp

import zbus
from zbus.gateways._errors import add_error_handlers
from zbus.gateways._guard import Guard
from zbus.gateways._live import live_routes
from zbus.gateways._pictures import picture_routes
from zbus.gateways._reading import reading_routes
from zbus.gateways._settings import GatewaySettings
from zbus.gateways._view import BusView
from zbus.transport import is_exposed

STATIC = Path(__file__).parent / "static"


def build_app(settings: GatewaySettings, view: BusView, hosts: frozenset[str]) -> ASGIApp:
    """Everything the gateway answers, seen through `view`, to requests that name one of `hosts`."""
    exposed = is_exposed(f"tcp://{settings.bind}")
    # Why: the usual documentation pages load scripts from elsewhere, which the content policy forbids.
    app = FastAPI(title="zbus gateway", version=zbus.__version__, docs_url=None, redoc_url=None)
    add_error_handlers(app)
    hello = {
        "title": settings.title,
        "version": zbus.__version__,
        "viewers_max": settings.viewers_max,
        "exposed": exposed,
    }
    app.include_router(reading_routes(view, exposed))
    app.include_router(picture_routes(view))
    app.include_router(live_routes(view, hello))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    return Guard(app, hosts, any_address=exposed)
