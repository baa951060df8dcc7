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

has_browser() {
    command -v chromium >/dev/null || command -v google-chrome >/dev/null
}

if ! { has_browser && python3 -c "import venv, ensurepip"; } 2>/dev/null; then
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv
    # Ubuntu has Chromium as a snap only, which needs no container but a whole system.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium
fi

[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/python -m pip install --quiet --editable '.[test]'

if [ "${1:-}" = "--setup-only" ]; then exit 0; fi
exec .venv/bin/python -m pytest "$@"
