#!/usr/bin/env bash
# Compiles the library that counts a gateway's allocations when it is preloaded (Tests/Interop/allocations/count.c), for tests and bench.
#   scripts/build-allocation-counter.sh OUTPUT.so
set -euo pipefail
output=${1:?usage: build-allocation-counter.sh OUTPUT.so}
# Without tail calls: they would take frames away from the stacks.
exec cc -O2 -Wall -Werror -fno-optimize-sibling-calls -shared -fPIC -o "$output" "$(dirname "$0")/../Tests/Interop/allocations/count.c"
