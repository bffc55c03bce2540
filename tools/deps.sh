#!/bin/sh
# Finds out what the build lacks and installs it, where apt-get can; otherwise prints the line to run.
#
#   tools/deps.sh [--missing]     --missing: only says what is missing, after a step of the build has failed
#
# Environment: CC, CFLAGS as for make.
# Exit status: 0 all is there, 1 something is missing, 2 usage.
set -u

cc=${CC:-cc}
command -v "${cc%% *}" >/dev/null || cc=$(command -v gcc || command -v clang)
headers="zlib.h png.h jpeglib.h sndfile.h jansson.h xxhash.h cmocka.h"

package_of() {
    case $1 in
    zlib.h) echo zlib1g-dev ;;
    png.h) echo libpng-dev ;;
    jpeglib.h) echo libjpeg-dev ;;
    sndfile.h) echo libsndfile1-dev ;;
    xxhash.h) echo libxxhash-dev ;;
    *.h) echo "lib${1%.h}-dev" ;;
    *) echo "$1" ;;
    esac
}

# cmocka.h and jpeglib.h are not complete by themselves.
has_header() {
    printf '#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <setjmp.h>\n#include <stdio.h>\n#include <%s>\n' "$1" |
        $cc ${CFLAGS:-} -E -x c - >/dev/null 2>&1
}

# One line for each thing that is not there: its name, then its packages.
missing() {
    if [ -z "$cc" ] || ! has_header stdlib.h; then
        echo "compiler gcc libc6-dev"
        cc=false
    fi
    for tool in flex bison; do
        command -v $tool >/dev/null || echo "$tool $tool"
    done
    for header in $headers; do
        has_header "$header" || echo "$header $(package_of "$header")"
    done
}

case ${1:-} in
'') ;;
--missing)
    names=$(cc=${CC:-cc} && missing | cut -d' ' -f1 | paste -sd' ' -)
    case $names in
    '') exit 0 ;;
    compiler*) echo "make: CC=${CC:-cc} does not compile: \`make deps\` installs a compiler, CC= takes another one" >&2 ;;
    *) echo "make: missing: $names; \`make deps\` installs what the build needs" >&2 ;;
    esac
    exit 1
    ;;
*)
    echo "usage: tools/deps.sh [--missing]" >&2
    exit 2
    ;;
esac

packages=$(missing | cut -d' ' -f2- | tr '\n' ' ')
# To fetch data, which can be drawn too, and to draw curves: nobody is stopped because of it.
optional=
command -v gnuplot >/dev/null || optional="gnuplot-nox"
command -v curl >/dev/null || command -v wget >/dev/null || optional="${optional:+$optional }curl ca-certificates"
[ -n "$packages$optional" ] || exit 0

line="apt-get install -y --no-install-recommends $packages$optional"
line=${line% }
if [ "$(id -u)" = 0 ]; then
    as_root=
elif sudo -n true 2>/dev/null; then
    as_root=sudo
else
    as_root=nobody
fi
if [ -z "$packages" ] && { [ "$as_root" = nobody ] || ! command -v apt-get >/dev/null; }; then
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "deps: missing, under Debian's names: $packages" >&2
    echo "deps: Fedora:  dnf install gcc flex bison zlib-devel libpng-devel libjpeg-turbo-devel libsndfile-devel jansson-devel xxhash-devel libcmocka-devel" >&2
    echo "deps: Arch:    pacman -S gcc flex bison zlib libpng libjpeg-turbo libsndfile jansson xxhash cmocka" >&2
    exit 1
fi
if [ "$as_root" = nobody ]; then
    echo "deps: run this, then make again:  sudo $line" >&2
    exit 1
fi
echo "deps: $line" >&2
export DEBIAN_FRONTEND=noninteractive
if $as_root apt-get update -qq >&2 && $as_root $line -qq >&2; then
    exit 0
fi
[ -z "$packages" ] && echo "deps: no $optional: \`make data\` may draw digits, curves may not be drawn" >&2
