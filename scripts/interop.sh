#!/usr/bin/env bash
# Runs the interop tests (arguments go to pytest), four at a time. They hear sound in real time, so a machine that stands still
# for a moment while they are at work can fail one that is right: the few that failed are run once more, one after the other,
# and named at the end. More than a few are a fault and stand as they are.
set -uo pipefail
cd "$(dirname "$0")/.."
most=4
failures=$(mktemp)
trap 'rm -f "$failures"' EXIT

.venv/bin/python -m pytest Tests/Interop --failures-to "$failures" "$@"
status=$?
# 1: tests failed; anything else is no business of the tests.
[ "$status" -eq 1 ] || exit "$status"
mapfile -t failed <"$failures"
if [ "${#failed[@]}" -eq 0 ] || [ "${#failed[@]}" -gt "$most" ]; then exit "$status"; fi

printf 'interop: once more, alone: %s\n' "${failed[@]}"
(cd Tests/Interop && ../../.venv/bin/python -m pytest -n 0 "${failed[@]}") || exit 1
printf 'interop: failed beside others, passed alone: %s\n' "${failed[@]}"
