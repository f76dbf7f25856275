#!/usr/bin/env bash
# Draws the plots of docs/performance.md anew: CPU time against the number of calls, and added delay (Bench/plots.py).
# `make bench-plots` calls it; the third plot, of what is heard, is `make bench-rivals ARGS=docs/images`.
#   scripts/bench-plots.sh [FOLDER]      FOLDER is docs/images unless named
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "${1:-docs/images}"
.build/release/Bench curves "$folder"
.venv/bin/python Bench/plots.py "$folder" "${1:-docs/images}"
