#!/usr/bin/env bash
# Our voice activity detector beside those of Debian's WebRTC audio processing and speexdsp, in noise (Bench/voice/measure.py).
# `make bench-vad` calls it. The two libraries are no part of the gateway: their programs are built here, into a folder that goes.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
read -ra flags < <(pkg-config --cflags --libs webrtc-audio-processing speexdsp)
g++ -O2 -w Bench/voice/rivals.cpp -o "$folder/rivals" "${flags[@]}"
detectors=("turns-tandem=.build/release/Bench voice 8000")
for name in webrtc-low webrtc-moderate webrtc-high speex; do detectors+=("$name=$folder/rivals $name 8000"); done
.venv/bin/python Bench/voice/measure.py "${detectors[@]}"
