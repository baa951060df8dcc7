"""The HTTP door of a rig: the live page, and what people and programs ask for.

Importing this package is cheap: FastAPI and uvicorn are loaded when a gateway runs.
"""

from __future__ import annotations

from zbus.gateways._gateway import run_gateway
from zbus.gateways._settings import GatewaySettings

__all__ = ["GatewaySettings", "run_gateway"]
