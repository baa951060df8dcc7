"""One table from errors to HTTP status, and the one form in which they are told."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from zbus.errors import (
    ConfigError,
    RequestRefused,
    RequestTimeout,
    TransportError,
    UnknownName,
    WireError,
    ZbusError,
)
from zbus.gateways._audience import TooManyViewers
from zbus.gateways._view import NoPicture

log = logging.getLogger(__name__)

# The first that fits counts.
STATUS_OF_ERROR: tuple[tuple[type[ZbusError], int], ...] = (
    (UnknownName, 404),
    (TooManyViewers, 503),
    (NoPicture, 504),
    (RequestTimeout, 504),
    (TransportError, 503),
    (WireError, 400),
    (ConfigError, 400),
    (ZbusError, 500),
)
STATUS_OF_REFUSAL = {
    "unknown_node": 404,
    "unknown_verb": 404,
    "bad_message": 400,
    "busy": 503,
    "expired": 504,
}
REFUSED_STATUS = 409


def status_of(error: ZbusError) -> int:
    """The HTTP status that tells of `error`."""
    if isinstance(error, RequestRefused):
        return STATUS_OF_REFUSAL.get(error.code, REFUSED_STATUS)
    return next(status for kind, status in STATUS_OF_ERROR if isinstance(error, kind))


def error_form(code: str, cause: str, next_step: str = "") -> dict[str, Any]:
    """An error as the body of an answer."""
    return {"error": {"code": code, "cause": cause, "next_step": next_step}}


def add_error_handlers(app: FastAPI) -> None:
    """Have every error of `app` answered in the one form."""
    app.add_exception_handler(ZbusError, _on_zbus_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(Exception, _on_failure)


async def _on_zbus_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ZbusError)
    return JSONResponse(error_form(error.code, error.cause, error.next_step), status_of(error))


async def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).name.lower()
    form = error_form(code, f"{request.method} {request.url.path}: {error.detail}", "see /openapi.json")
    return JSONResponse(form, error.status_code, headers=error.headers)


async def _on_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    told = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    return JSONResponse(error_form("bad_request", told, "see /openapi.json"), 422)


async def _on_failure(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse(error_form("error", "the gateway failed at this", "see the gateway's log"), 500)
