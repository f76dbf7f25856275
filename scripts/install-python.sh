#!/usr/bin/env bash
# Makes .venv with the pinned packages of Tests/Interop/requirements.txt, and with those of Bench/requirements.txt where they are
# asked for; does nothing while the files are unchanged.
#   scripts/install-python.sh [bench]
set -euo pipefail
cd "$(dirname "$0")/.."

# Every package is pinned, those that others pull in included; --no-deps leaves out what Pipecat needs only for services.
install() { # install REQUIREMENTS STAMP
    local wanted
    wanted=$(sha256sum <"$1")
    [ "$(cat "$2" 2>/dev/null)" != "$wanted" ] || return 0
    echo "Installing $1 to .venv"
    .venv/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement "$1"
    echo "$wanted" >"$2"
}

requirements=Tests/Interop/requirements.txt
stamp=.venv/requirements.sha256
if [ "$(cat "$stamp" 2>/dev/null)" != "$(sha256sum <"$requirements")" ]; then
    rm -rf .venv
    # Debian's Python, not one that happens to stand before it in PATH.
    /usr/bin/python3 -m venv .venv
fi
install "$requirements" "$stamp"
[ "${1:-}" != bench ] || install Bench/requirements.txt .venv/bench.sha256
