#!/usr/bin/env bash
# Feeds whatever reads bytes from outside with what libFuzzer makes up, under AddressSanitizer. `make fuzz` calls it.
#   scripts/fuzz.sh [TARGET…]        all targets where none is named; FUZZ_SECONDS (60) for each
# What it learnt stays in .build-fuzz/corpus for the next time. What breaks a target is kept in .build-fuzz/crashes, and fails.
set -uo pipefail
cd "$(dirname "$0")/.."
export TANDEM_SANITIZER=fuzzer
# A trap is the fuzzer's to report: Swift's own report of it never ends here.
export SWIFT_BACKTRACE=enable=no
# libosip2 and OpenSSL keep tables for the whole process; what a run itself keeps is found by its memory limit.
export ASAN_OPTIONS=detect_leaks=0
scratch=.build-fuzz
# Debian has no lld, Swift brings one; gold fails on what the sanitizer adds.
swift build -c release -Xswiftc -enable-testing -Xswiftc -use-ld=lld --scratch-path "$scratch" --product Fuzz || exit 1
fuzz=$scratch/release/Fuzz
mkdir -p "$scratch/crashes"
[ $# -gt 0 ] || set -- $("$fuzz" list)
status=0
for target in "$@"; do
    log=$scratch/$target.log
    if timeout $((${FUZZ_SECONDS:-60} + 120)) "$fuzz" "$target" "$scratch/corpus/$target" -max_total_time="${FUZZ_SECONDS:-60}" -max_len=4096 \
        -timeout=10 -rss_limit_mb=1024 -artifact_prefix="$scratch/crashes/$target-" -print_final_stats=1 >"$log" 2>&1; then
        printf '%-6s %s runs, %s\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
            "$(grep -oE 'cov: [0-9]+' "$log" | tail -n 1 | sed 's/cov: \(.*\)/\1 edges seen/')"
    else
        printf '%-6s BROKEN, see %s:\n' "$target" "$log"
        grep -m 3 -E 'Fatal error|ERROR|SUMMARY' "$log" | cut -c1-300
        status=1
    fi
done
exit "$status"
