#!/usr/bin/env bash
# The house rules that a script can see (docs/architecture.md). Prints every breach and fails if there is one.
set -uo pipefail
cd "$(dirname "$0")/.."
breaches=0

# report WHAT: fails with the lines on standard input, if there are any.
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

git ls-files --cached --others --exclude-standard '*.swift' | while read -r file; do
    [ -f "$file" ] || continue
    limit=400
    [[ $(basename "$file") =~ Parser|Reader ]] && limit=600
    lines=$(wc -l <"$file")
    [ "$lines" -le "$limit" ] || echo "$file: $lines lines, at most $limit"
done | report 'Files too long (split where they hold two things):'

swift_lines 'Task\.sleep|Thread\.sleep|\busleep\(|\bnanosleep\(|(?<![A-Za-z.])sleep\(' 'Tests/*.swift' | report 'Sleeps in tests (await an event, or use virtual time):'
swift_lines '\.now\(\)|\bDate\(\)|ContinuousClock|SuspendingClock|clock_gettime|gettimeofday|SystemRandomNumberGenerator' "${engines[@]}" | report 'Clocks or randomness read inside engines (both are arguments):'
swift_lines '^\s*(@preconcurrency )?(public |internal )?import (NIOPosix|NIO|NIOSSL|NIOHTTP1|NIOWebSocket|Logging|Hummingbird)\s*$' 'Sources/*.swift' ':!Sources/Gateway/*' | report 'Input and output outside Gateway:'
swift_lines '\bTODO\b|\bFIXME\b|\bXXX\b' 'Sources/*.swift' 'Tests/*.swift' 'Sources/*.js' 'Tests/*.py' | report 'Left open:'
git grep --untracked --exclude-standard -nP '^\s*(//|#).*\b(TODO|FIXME)\b' -- 'Sources' 'Tests' | report 'Left open, in comments:'
swift_lines '\bfatalError\(|\btry!|\bas!' 'Sources/*.swift' | report 'Able to trap on input:'
git ls-files | grep -E '(^|/)\.build|Package\.resolved$|\.o$|__pycache__' | report 'Tracked by git, should not be:'
git ls-files 'scripts/*.sh' '.ci/run' | while read -r file; do [ -x "$file" ] && bash -n "$file" || echo "$file"; done 2>&1 | report 'Scripts not executable or with a syntax error:'

if [ "$breaches" -gt 0 ]; then
    echo "lint: $breaches house rules broken" >&2
    exit 1
fi
echo 'lint: clean'
