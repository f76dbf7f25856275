#!/usr/bin/env bash
# What is heard where packets are lost (Bench/concealment/measure.py). `make bench-concealment` calls it.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python Bench/concealment/measure.py ".build/release/Bench concealment"
