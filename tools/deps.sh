#!/bin/sh
# Finds out what the build lacks and installs it, where apt-get can; otherwise prints the line to run.
# Exit status: 0 all is there, 1 something is missing.
set -u

cc=${CC:-cc}
command -v "$cc" >/dev/null || cc=$(command -v gcc || command -v clang)
tools=${TOOLS:-"flex bison"}
headers="zlib.h png.h jansson.h xxhash.h cmocka.h"

package_of() {
    case $1 in
    cc) echo gcc libc6-dev ;;
    zlib.h) echo zlib1g-dev ;;
    png.h) echo libpng-dev ;;
    xxhash.h) echo libxxhash-dev ;;
    *.h) echo "lib${1%.h}-dev" ;;
    *) echo "$1" ;;
    esac
}

# cmocka.h is not complete by itself.
has_header() {
    printf '#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <setjmp.h>\n#include <%s>\n' "$1" |
        "$cc" -E -x c - >/dev/null 2>&1
}

missing() {
    if [ -z "$cc" ] || ! echo '#include <stdlib.h>' | "$cc" -E -x c - >/dev/null 2>&1; then
        package_of cc
        cc=false
    fi
    for tool in $tools; do
        command -v "$tool" >/dev/null || package_of "$tool"
    done
    for header in $headers; do
        has_header "$header" || package_of "$header"
    done
    command -v curl >/dev/null || command -v wget >/dev/null || echo curl ca-certificates
}

packages=$(missing | tr '\n' ' ')
packages=${packages% }
[ -n "$packages" ] || exit 0

line="apt-get install -y --no-install-recommends $packages"
if ! command -v apt-get >/dev/null; then
    echo "deps: missing, under Debian's names: $packages" >&2
    echo "deps: Fedora:  dnf install gcc flex bison zlib-devel libpng-devel jansson-devel xxhash-devel libcmocka-devel" >&2
    echo "deps: Arch:    pacman -S gcc flex bison zlib libpng jansson xxhash cmocka" >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    as_root=
elif sudo -n true 2>/dev/null; then
    as_root=sudo
else
    echo "deps: run this, then make again:  sudo $line" >&2
    exit 1
fi
echo "deps: $line" >&2
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq >&2 && $as_root $line -qq >&2 || exit 1
