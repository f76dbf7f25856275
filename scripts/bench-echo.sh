#!/usr/bin/env bash
# What our line echo canceller leaves of an echo, and of a voice over it (Bench/echo/measure.py). `make bench-echo` calls it.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python Bench/echo/measure.py ".build/release/Bench line-echo"
