# shellcheck shell=bash disable=SC2034
# setup.sh - sourced by quickstart and check: installs what they need on Debian and Ubuntu, names it elsewhere.
#
#   need_tools FILE...   commands and headers, each as the name of its Debian package in the table below
#   need_cmake DIR       cmake >= 3.24, else one from PyPI in DIR
#   need_python DIR      a virtual environment in DIR with tests/requirements.txt

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc 2>/dev/null || echo 2)

die() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

has_header() { # LANGUAGE HEADER
    local compiler=cc
    [ "$1" = c++ ] && compiler=c++
    echo "#include <$2>" | "$compiler" -x "$1" -fsyntax-only - 2>/dev/null
}

has_package() { # DEBIAN-PACKAGE
    case $1 in
    gcc) command -v cc >/dev/null && has_header c stdio.h ;;
    g++) command -v c++ >/dev/null && has_header c++ vector ;;
    make | cmake | binutils) command -v "${1/binutils/nm}" >/dev/null ;;
    pkg-config) command -v pkg-config >/dev/null ;;
    zlib1g-dev) has_header c zlib.h ;;
    liblzma-dev) has_header c lzma.h ;;
    libcjson-dev) has_header c cjson/cJSON.h ;;
    libgtest-dev) has_header c++ gtest/gtest.h ;;
    clang) command -v clang >/dev/null ;;
    libclang-rt-dev) # libFuzzer and the sanitizers
        echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return !d + n < 0; }' |
            clang -fsanitize=fuzzer,address,undefined -x c - -o /dev/null 2>/dev/null
        ;;
    python3) command -v python3 >/dev/null ;;
    python3-venv) python3 -c 'import venv, ensurepip' 2>/dev/null ;;
    *) false ;;
    esac
}

missing_packages() {
    local package
    for package; do has_package "$package" || echo "$package"; done
}

need_tools() {
    local missing as_root=()
    missing=$(missing_packages "$@")
    [ -z "$missing" ] && return
    missing=${missing//$'\n'/ }
    command -v apt-get >/dev/null || die "missing: $missing (names of Debian packages). Install them and run this again."
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "missing: $missing. As root: apt-get install $missing"
        as_root=(sudo)
    fi
    echo "installing $missing"
    local log
    log=$(mktemp)
    # shellcheck disable=SC2086
    { "${as_root[@]}" apt-get -qq update &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
            ca-certificates libc6-dev $missing; } >"$log" 2>&1 || {
        cat "$log" >&2
        die "apt-get could not install: $missing"
    }
    rm -f "$log"
    missing=$(missing_packages "$@")
    [ -z "$missing" ] || die "still missing after apt-get install: ${missing//$'\n'/ }"
}

# Puts a cmake that is new enough first in PATH.
need_cmake() {
    local have least=3.24
    have=$(cmake --version 2>/dev/null | sed -n '1s/[^0-9]*//p')
    [ "$(printf '%s\n' "$least" "${have:-0}" | sort -V | head -n 1)" = "$least" ] && return
    need_tools python3 python3-venv
    if [ ! -x "$1/bin/cmake" ]; then
        echo "installing cmake from PyPI: found ${have:-none}, needed $least"
        { python3 -m venv "$1" && "$1/bin/pip" -q install "cmake>=$least,<4"; } ||
            die "cmake $least or newer is needed, found ${have:-none}"
    fi
    export PATH=$1/bin:$PATH
}

need_python() {
    local wanted=$root/tests/requirements.txt
    if ! cmp -s "$wanted" "$1/requirements.txt"; then
        echo "installing Python packages into $1: $(grep -v '^#' "$wanted" | tr '\n' ' ')"
        { python3 -m venv "$1" && "$1/bin/pip" -q --disable-pip-version-check install -r "$wanted" &&
            cp "$wanted" "$1/requirements.txt"; } || die "pip could not install what $wanted lists"
    fi
}
