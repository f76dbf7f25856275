#!/usr/bin/env bash
# Installs the Debian packages that a purpose needs, and nothing when they are all there already.
#   scripts/install-dependencies.sh build    what compiling and running the gateway needs
#   scripts/install-dependencies.sh test     what the interop tests need besides: the foreign peers and Python
#   scripts/install-dependencies.sh bench    the rival that the bench measures beside the gateway, and voices
set -euo pipefail

# The C libraries the gateway links, and what a Swift toolchain unpacked from a tarball needs to run and to link.
build_packages=(
    libogg-dev libopus-dev libosip2-dev libspandsp-dev libspeexdsp-dev libsqlite3-dev libsrtp2-dev libssl-dev pkg-config
    binutils ca-certificates git g++ libcurl4 libncurses6 libxml2 tzdata zlib1g-dev
)
# Foreign peers (sipp, baresip, Kamailio, Chromium, Firefox), a sound card for Firefox, speech (espeak-ng, sox, Asterisk's prompts), and Python;
# python3-dev and g++ because the PESQ package is published as source only.
test_packages=(
    asterisk-core-sounds-en-wav baresip-core chromium curl espeak-ng firefox-esr fonts-dejavu-core g++ kamailio nodejs procps pulseaudio python3 python3-dev python3-venv sip-tester sox
)
# In user space: the packages with rtpengine's kernel module are not needed. ALSA's recorded voices are what is said.
# WebRTC's audio processing is there to be compared with.
bench_packages=(rtpengine-daemon alsa-utils libwebrtc-audio-processing-dev)

case "${1:-}" in
build) wanted=("${build_packages[@]}") ;;
test) wanted=("${test_packages[@]}") ;;
bench) wanted=("${bench_packages[@]}") ;;
*) echo "usage: $0 build|test|bench" >&2; exit 64 ;;
esac

missing=()
for package in "${wanted[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "These Debian packages are needed, and apt-get is not here to install them: ${missing[*]}" >&2
    exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "Run this as root, or install: ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
fi

echo "Installing Debian packages: ${missing[*]}"
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}
# The lock on the package lists has no timeout of its own: try again while another apt holds it.
for attempt in 1 2 3 4 5; do
    apt update -qq && break
    [ "$attempt" -lt 5 ] || exit 1
    sleep 10
done
apt install -y -qq --no-install-recommends "${missing[@]}"

# Debian starts a freshly installed Kamailio on port 5060, which is the gateway's, and rtpengine too; tests and bench start
# their own.
for service in kamailio rtpengine-daemon; do
    if [[ " ${missing[*]} " == *" $service "* ]] && [ -d /run/systemd/system ]; then
        "${as_root[@]}" systemctl disable --quiet --now "$service"
    fi
done
