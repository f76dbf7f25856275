#!/usr/bin/env bash
# The house rules that a script can see (docs/architecture.md). Prints every breach and fails if there is one.
set -uo pipefail
cd "$(dirname "$0")/.."
breaches=0

# report WHAT < <(search): a breach if the search finds anything. Not in a pipe: the count would be lost with its subshell.
report() {
    local found
    found=$(cat)
    [ -n "$found" ] || return 0
    printf '%s\n%s\n\n' "$1" "$found"
    breaches=$((breaches + 1))
}
# swift PATTERN PATH…: lines of tracked or new Swift files in which the pattern stands outside a comment.
swift_lines() {
    local pattern=$1; shift
    git grep --untracked --exclude-standard -nP "$pattern" -- "$@" | grep -vP '^[^:]*:\d+:\s*//'
}

engines=('Sources/SIPStack/*.swift' 'Sources/RTCStack/*.swift' 'Sources/RTP/*.swift' 'Sources/SDP/*.swift' 'Sources/Transcode/*.swift' 'Sources/Dialplan/*.swift')

long_files() {
    local file limit lines
    git ls-files --cached --others --exclude-standard '*.swift' | while read -r file; do
        [ -f "$file" ] || continue
        limit=400
        [[ $(basename "$file") =~ Parser|Reader ]] && limit=600
        lines=$(wc -l <"$file")
        [ "$lines" -le "$limit" ] || echo "$file: $lines lines, at most $limit"
    done
}
unrunnable_scripts() {
    local file
    git ls-files 'scripts/*.sh' '.ci/run' | while read -r file; do
        [ -x "$file" ] || echo "$file: not executable"
        bash -n "$file" 2>&1
    done
}

report 'Files too long (split where they hold two things):' < <(long_files)

report 'Sleeps in tests (await an event, or use virtual time):' < <(swift_lines 'Task\.sleep|Thread\.sleep|\busleep\(|\bnanosleep\(|(?<![A-Za-z.])sleep\(' 'Tests/*.swift')
report 'Clocks or randomness read inside engines (both are arguments):' < <(swift_lines '\.now\(\)|\bDate\(\)|ContinuousClock|SuspendingClock|clock_gettime|gettimeofday|SystemRandomNumberGenerator' "${engines[@]}")
report 'Input and output outside Gateway:' < <(swift_lines '^\s*(@preconcurrency )?(public |internal )?import (NIOPosix|NIO|NIOSSL|NIOHTTP1|NIOWebSocket|Logging|Hummingbird)\s*$' 'Sources/*.swift' ':!Sources/Gateway/*')
report 'Left open:' < <(git grep --untracked --exclude-standard -nP '\b(TODO|FIXME)\b' -- Sources Tests conf docs)
report 'Able to trap on input:' < <(swift_lines '\bfatalError\(|\btry!|\bas!' 'Sources/*.swift')
report 'Tracked by git, should not be:' < <(git ls-files | grep -E '(^|/)\.build|Package\.resolved$|\.o$|__pycache__')
report 'Scripts that cannot run:' < <(unrunnable_scripts)

if [ "$breaches" -gt 0 ]; then
    echo "lint: $breaches house rules broken" >&2
    exit 1
fi
echo 'lint: clean'
