#!/usr/bin/env bash
# Runs the interop tests (options go to pytest; with the path of a folder or a file that alone), three at a time as long as there are
# browsers among them, for with more beside them they get the processor too late to sound right, and then four at a time.
# They hear sound in real time, so a machine that stands still for a moment while they are at work can fail one that is right: the few
# that failed are run once more, one after the other, and named at the end. More than a few are a fault and stand as they are.
set -uo pipefail
cd "$(dirname "$0")/.."
most=4
# With those whose time goes by waiting.
with_browsers=(browsers mission bridge relay baresip sipp)
failures=$(mktemp)
trap 'rm -f "$failures" "$failures.part"' EXIT

# Adds to the failures. The status of pytest, but that nothing was picked is no failure.
run() {
    .venv/bin/python -m pytest --failures-to "$failures.part" "$@"
    local status=$?
    cat "$failures.part" >>"$failures"
    [ "$status" -eq 5 ] || return "$status"
}

others() {
    local folder
    for folder in Tests/Interop/*/; do
        folder=$(basename "$folder")
        [[ " ${with_browsers[*]} " == *" $folder "* ]] || ! compgen -G "Tests/Interop/$folder/test_*.py" >/dev/null || echo "Tests/Interop/$folder"
    done
}

if [ $# -gt 0 ] && [ -e "${!#}" ]; then
    run "$@"
    status=$?
else
    run "${with_browsers[@]/#/Tests/Interop/}" "$@"
    status=$?
    mapfile -t rest < <(others)
    run -n 4 "${rest[@]}" "$@" || status=$?
fi
# 1: tests failed; anything else is no business of the tests.
[ "$status" -eq 1 ] || exit "$status"
mapfile -t failed <"$failures"
if [ "${#failed[@]}" -eq 0 ] || [ "${#failed[@]}" -gt "$most" ]; then exit "$status"; fi

printf 'interop: once more, alone: %s\n' "${failed[@]}"
(cd Tests/Interop && ../../.venv/bin/python -m pytest -n 0 "${failed[@]}") || exit 1
printf 'interop: failed beside others, passed alone: %s\n' "${failed[@]}"
