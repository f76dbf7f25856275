#!/usr/bin/env bash
# Unit tests, and interop tests against a gateway, with our own code built for a sanitizer: address (memory used after it was freed
# or out of bounds, leaks, undefined behaviour of our C) or thread (data races). `make sanitize` calls it.
#   SOCKET_SUITES=PATTERN scripts/sanitize.sh [address] [thread]
# Any report fails it, also one of a process whose test passed: they are kept in Tests/Interop/out/sanitize.
set -uo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- address thread
# Every kind of leg and of far end. Browsers and models of speech are too slow with a sanitizer.
folders=(sipp malformed aiortc bridge recording line transfer outbound relay)
# Both kinds build into it, so that the packages we use are built once.
scratch=.build-sanitize
reports=$PWD/Tests/Interop/out/sanitize
binary=$PWD/$scratch/debug/tandem
status=0

run() { # run KIND: 1 when anything failed
    local failed=0
    export TANDEM_SANITIZER=$1
    export UBSAN_OPTIONS="log_path=$reports/$1:print_stacktrace=1"
    export TSAN_OPTIONS="log_path=$reports/$1"
    export LSAN_OPTIONS="suppressions=$PWD/scripts/leaks.txt:print_suppressions=0"
    # Not in tests: their fixtures hold each other, and one measures the depth of the stack, which must be a stack then.
    export ASAN_OPTIONS="log_path=$reports/$1:detect_leaks=0:detect_stack_use_after_return=0"
    swift build --scratch-path "$scratch" --build-tests || return 1
    swift test --scratch-path "$scratch" --skip-build --filter "$SOCKET_SUITES" || failed=1
    swift test --scratch-path "$scratch" --skip-build --skip "$SOCKET_SUITES" || failed=1
    export ASAN_OPTIONS="log_path=$reports/$1"
    # One after the other: they wait for sound in real time.
    (cd Tests/Interop && TANDEM_BINARY=$binary ../../.venv/bin/python -m pytest -n 0 "${folders[@]}") || failed=1
    return "$failed"
}

rm -rf "$reports"
mkdir -p "$reports"
for kind in "$@"; do run "$kind" || status=1; done
for report in "$reports"/*; do
    [ -e "$report" ] || continue
    printf '%s: %s\n' "$report" "$(grep -m 1 -E 'ERROR|WARNING|runtime error' "$report")" >&2
    status=1
done
[ "$status" -ne 0 ] || echo 'sanitize: clean'
exit "$status"
