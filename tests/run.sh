#!/bin/sh
# Installs all that the tests need, Debian packages included, and runs them. Arguments go to pytest.
#   sh tests/run.sh                  everything
#   sh tests/run.sh tests/unit       a part
#   sh tests/run.sh --setup-only     install, run nothing
set -eu
cd "$(dirname "$0")/.."

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

has() {
    command -v "$1" >/dev/null 2>&1
}

has_browser() {
    [ -n "${ZBUS_CHROMIUM:-}" ] || has chromium || has google-chrome
}

install_packages() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@"
}

if ! has_browser || ! python3 -c "import venv, ensurepip" 2>/dev/null; then
    as_root apt-get update -qq
    install_packages python3-venv
    # Ubuntu has no such package, only a snap; there the browser comes through Playwright, below.
    has_browser || install_packages chromium || true
fi

# Two hosts on one machine are made of network namespaces.
if ! has ip && has apt-get; then
    as_root apt-get update -qq
    install_packages iproute2
fi

[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/python -m pip install --quiet --editable '.[test]'

if ! has_browser; then
    as_root .venv/bin/playwright install-deps chromium
    .venv/bin/playwright install chromium
    ZBUS_CHROMIUM=$(.venv/bin/python -c "
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)")
    export ZBUS_CHROMIUM
fi

if [ "${1:-}" = "--setup-only" ]; then exit 0; fi
exec .venv/bin/python -m pytest "$@"
