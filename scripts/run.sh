#!/usr/bin/env bash
# Starts the release binary (or $TANDEM_BINARY) on a configuration and says, once it is ready, which page to open and which
# number to dial.
set -euo pipefail
cd "$(dirname "$0")/.."

# Passes the gateway's output on and adds the two addresses under the ready line. It ends when the gateway does, so a
# Ctrl-C, which goes to both, must not end it first.
announce() {
    trap '' INT TERM
    local line field http='' sip=''
    while IFS= read -r line; do
        printf '%s\n' "$line"
        [[ $line == "tandem ready "* ]] || continue
        for field in $line; do
            case $field in
            http=*) http=${field#http=} ;;
            sip=*) sip=${field#sip=}; sip=${sip%%,*} ;;
            esac
        done
        printf '\n  Open in a browser:       %s/\n  Dial from a SIP phone:   sip:demo@%s\n  Stop with:               Ctrl-C\n\n' "$http" "${sip#*:}"
    done
}
exec "${TANDEM_BINARY:-.build/release/tandem}" serve --config "$1" > >(announce)
