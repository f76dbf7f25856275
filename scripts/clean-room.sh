#!/usr/bin/env bash
# Proves that `make test` and `make run` are each the only command needed: a minimal Debian 12 root, the Swift toolchain
# bound in, make, git and ca-certificates installed, and nothing else. The root is thrown away at the end.
#   scripts/clean-room.sh [test] [run]      both by default
# CLEAN_ROOM      where the root is made (.build-cleanroom/root)
# SWIFT_ROOT      the toolchain (found from the `swift` in PATH)
# Package sources, certificates and git and pip settings are those of this machine, copied or bound at run time.
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$PWD
room=${CLEAN_ROOM:-$repository/.build-cleanroom/root}
steps=("$@")
[ "${#steps[@]}" -gt 0 ] || steps=(test run)

# In a mount namespace of its own no mount can reach the machine or outlive this script, however it ends.
if [ -z "${TANDEM_CLEAN_ROOM:-}" ]; then
    exec env TANDEM_CLEAN_ROOM=inside unshare --mount --propagation private "$repository/scripts/clean-room.sh" "$@"
fi

[ "$(id -u)" -eq 0 ] || { echo 'clean-room: debootstrap and mounts need root' >&2; exit 1; }
command -v debootstrap >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends debootstrap
swift_root=${SWIFT_ROOT:-$(dirname "$(dirname "$(dirname "$(readlink -f "$(command -v swift)")")")")}

mounts=()
gateway=''
clean_up() {
    local status=$?
    trap - EXIT INT TERM
    [ -z "$gateway" ] || kill -KILL "$gateway" 2>/dev/null || true
    # Latest first: a mount left behind would be deleted through.
    local index
    for ((index = ${#mounts[@]} - 1; index >= 0; index--)); do umount "${mounts[index]}" || umount --lazy "${mounts[index]}"; done
    if [ "${#mounts[@]}" -gt 0 ] && grep -qF " $room/" /proc/self/mounts; then
        echo "clean-room: still mounted below $room, not deleted" >&2
        exit 1
    fi
    [ -n "${KEEP_CLEAN_ROOM:-}" ] || rm -rf --one-file-system "$room"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

attach() { # attach KIND SOURCE TARGET: a mount that clean_up takes away again
    mkdir -p "$3"
    case $1 in
    bind) mount --bind "$2" "$3" ;;
    read-only) mount --bind "$2" "$3"; mounts+=("$3"); mount -o remount,ro,bind "$3"; return ;;
    *) mount -t "$1" "$2" "$3" ;;
    esac
    mounts+=("$3")
}

mirror=$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list || true; } 2>/dev/null |
    sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb  *\(\[[^]]*\]  *\)\{0,1\}\([^ ]*\).*/\2/p' | sed -n '/debian/{p;q}')
echo "clean-room: a minimal bookworm in $room"
rm -rf --one-file-system "$room"
mkdir -p "$room"
debootstrap --variant=minbase --include=ca-certificates bookworm "$room" ${mirror:+"$mirror"} >"$room.log" 2>&1 || { tail -n 20 "$room.log"; exit 1; }

# How this machine reaches package sources: Debian, certificates, git and pip. Nothing of it is named here.
rm -f "$room/etc/apt/sources.list"
cp -L /etc/apt/sources.list "$room/etc/apt/" 2>/dev/null || true
cp -L /etc/apt/sources.list.d/*.sources "$room/etc/apt/sources.list.d/" 2>/dev/null || true
cp -L /etc/apt/sources.list.d/*.list "$room/etc/apt/sources.list.d/" 2>/dev/null || true
# Of apt's settings only those about reaching and trusting the sources.
grep -rlE 'Proxy|Check-(Valid-Until|Date)|CaInfo' /etc/apt/apt.conf.d 2>/dev/null | while read -r file; do cp "$file" "$room/etc/apt/apt.conf.d/"; done || true
for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/gitconfig /root/.gitconfig /root/.config/pip/pip.conf; do
    [ ! -f "$file" ] || { mkdir -p "$room$(dirname "$file")"; cp -L "$file" "$room$file"; }
done
mkdir -p "$room/usr/local/share/ca-certificates"
cp -L /usr/local/share/ca-certificates/*.crt "$room/usr/local/share/ca-certificates/" 2>/dev/null || true
# Sources that are read only by keys this root does not have (other vendors') are no part of it.
for file in "$room"/etc/apt/sources.list.d/*; do
    [ -f "$file" ] || continue
    key=$(sed -n 's/^Signed-By: *//p' "$file" | head -n 1)
    if [ -n "$key" ] && [ ! -f "$room$key" ]; then rm -f "$file"; fi
done

attach proc proc "$room/proc"
attach sysfs sys "$room/sys"
attach bind /dev "$room/dev"
attach bind /dev/pts "$room/dev/pts"
attach tmpfs shm "$room/dev/shm"
attach read-only "$swift_root" "$room$swift_root"
# Package mirrors kept as folders on this machine (git's insteadOf, pip's find-links).
{ git config --get-regexp '^url\..*\.insteadof$' || true; } | sed -n 's/^url\.\(\/[^ ]*\)\.insteadof .*/\1/p' | sort -u | while read -r folder; do [ ! -d "$folder" ] || echo "$folder"; done >"$room.folders"
sed -n 's/^find-links *= *\(\/.*\)/\1/p' /etc/pip.conf 2>/dev/null >>"$room.folders" || true
while read -r folder; do [ ! -d "$folder" ] || attach read-only "${folder%/}" "$room${folder%/}"; done <"$room.folders"

inside=(
    env -i HOME=/root TERM=dumb LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
    PATH="$swift_root/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" chroot "$room"
)

echo 'clean-room: make, git and ca-certificates'
"${inside[@]}" update-ca-certificates >/dev/null 2>&1
"${inside[@]}" apt-get update -qq
"${inside[@]}" apt-get install -y -qq --no-install-recommends make git ca-certificates >/dev/null
git bundle create --quiet "$room/root/repository.bundle" HEAD
"${inside[@]}" git -c advice.detachedHead=false clone --quiet /root/repository.bundle /root/tandem

for step in "${steps[@]}"; do
    began=$SECONDS
    case $step in
    test)
        echo 'clean-room: make test'
        "${inside[@]}" make -C /root/tandem test
        ;;
    run)
        echo 'clean-room: make run'
        : >"$room.run"
        "${inside[@]}" make -C /root/tandem run >"$room.run" 2>&1 &
        gateway=$!
        # A release build comes first.
        for ((waited = 0; waited < 3600; waited++)); do
            grep -q '^tandem ready ' "$room.run" && break
            kill -0 "$gateway" 2>/dev/null || { cat "$room.run"; echo 'clean-room: make run ended before it was ready' >&2; gateway=''; exit 1; }
            sleep 1
        done
        http=$(sed -n 's/^tandem ready .*http=\([^ ]*\).*/\1/p' "$room.run")
        health=$(curl --silent --show-error --fail --max-time 10 "$http/healthz")
        tail -n 8 "$room.run"
        echo "clean-room: $http/healthz answers: $health"
        kill -TERM "$gateway"
        if wait "$gateway"; then ended=0; else ended=$?; fi
        gateway=''
        # make reports a recipe that ended by our own signal; the gateway itself must be gone.
        if curl --silent --max-time 2 "$http/healthz" >/dev/null; then echo 'clean-room: the gateway outlived make run' >&2; exit 1; fi
        echo "clean-room: make run ended on SIGTERM (make's exit status $ended)"
        ;;
    *) echo "clean-room: no step called $step" >&2; exit 64 ;;
    esac
    echo "clean-room: make $step done in $((SECONDS - began)) s"
done
echo 'clean-room: both commands work on a bare Debian 12'
