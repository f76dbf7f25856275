#!/usr/bin/env bash
# Sends recorded and synthetic speech through Tandem and rtpengine over the same bad networks and prints what PESQ says of
# each (Bench/sound.py). `make bench-rivals` calls it; `make bench` too, with what is installed. The plot goes to the folder
# named, if one is.
#   scripts/bench-sound.sh [FOLDER]           KEEP_SOUND=1 keeps the recordings, under /tmp
#   scripts/bench-sound.sh --if-installed     says so where PESQ or a voice is missing, and does nothing
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = --if-installed ]; then
    shift
    if ! { command -v espeak-ng && command -v sox && .venv/bin/python -c 'import numpy, pesq, scipy'; } >/dev/null 2>&1; then
        printf '\nWhat is heard is not judged: PESQ, espeak-ng or sox is missing. make bench-rivals installs them, as make test does.\n'
        exit 0
    fi
fi
folder=$(mktemp -d)
[ -n "${KEEP_SOUND:-}" ] || trap 'rm -rf "$folder"' EXIT

# Recorded voices (ALSA's test clips, a woman's; where they are installed) and a synthetic one, with pauses; PESQ wants 8 to 20 s.
espeak-ng -v en-gb -s 150 -w "$folder/said.wav" \
    'The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background. It is easy to tell the depth of a well.'
clips=(/usr/share/sounds/alsa/{Front_Center,Front_Left,Front_Right,Rear_Center,Side_Left,Side_Right}.wav)
for name in "${clips[@]}" "$folder/said.wav"; do
    [ ! -e "$name" ] || sox -q -D "$name" -b 16 -c 1 -r 48000 "$folder/part.$(basename "$name")" gain -n -6 pad 0.2 0.1
done
sox -q "$folder"/part.*.wav "$folder/speech.wav"
mkdir "$folder/heard"
.build/release/Bench sound "$folder/speech.wav" "$folder/heard"
.venv/bin/python Bench/sound.py "$folder/speech.wav" "$folder/heard" ${1:+"$1/pesq.png"}
