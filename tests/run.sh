#!/bin/sh
# Checks and tests everything: sh tests/run.sh
#
# As root on Debian or Ubuntu it first installs what is missing for the Nix tests; elsewhere it
# names what is missing, and those tests say that they were skipped.
set -eu
cd "$(dirname "$0")/.."

# What the Nix tests use: a command or a file that shows it, and the Debian package.
missing() {
    command -v nix-build >/dev/null 2>&1 || echo nix-bin
    command -v python3 >/dev/null 2>&1 || echo python3
    python3 -c 'import ensurepip, sys; sys.exit(not ensurepip.version())' >/dev/null 2>&1 || echo python3-venv
    python3 -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' >/dev/null 2>&1 || echo python3-dev
    python3 -c 'import wheel' >/dev/null 2>&1 || /usr/bin/python3 -c 'import wheel' >/dev/null 2>&1 || echo python3-wheel
    for tool in pkg-config patch gcc cmake meson; do
        command -v $tool >/dev/null 2>&1 || echo $tool
    done
    command -v ninja >/dev/null 2>&1 || echo ninja-build
}

lacking=$(missing)
if [ -n "$lacking" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing" $lacking
    {
        apt-get update -q &&
            DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $lacking
    } </dev/null >/dev/null 2>&1 || echo "That did not work; going on without."
    lacking=$(missing)
fi
if [ -n "$lacking" ]; then
    echo "Missing for the Nix tests (names of Debian packages):" $lacking
fi
browser=${PYRESOLVE_BROWSER:-}
for name in chromium chromium-browser google-chrome; do
    if command -v $name >/dev/null 2>&1; then browser=$name; fi
done
if [ -z "$browser" ]; then
    echo "No Chromium (Debian: chromium): the report's page is not tried in a browser"
fi
if ! command -v cargo >/dev/null 2>&1; then
    echo "Missing: cargo, of Rust 1.95 or later" >&2
    exit 1
fi

step() {
    echo "+ $*"
    "$@"
}

if cargo fmt --version >/dev/null 2>&1; then
    step cargo fmt --check
else
    echo "cargo fmt is not installed: formatting is not checked"
fi
if cargo clippy --version >/dev/null 2>&1; then
    step cargo clippy --locked --all-targets --quiet -- -D warnings
else
    echo "cargo clippy is not installed: lints are not checked"
fi

PYRESOLVE_NIX_REPORT=$(mktemp -d)
export PYRESOLVE_NIX_REPORT
trap 'rm -rf "$PYRESOLVE_NIX_REPORT"' EXIT
status=0
if cargo nextest --version >/dev/null 2>&1; then
    step cargo nextest run --locked --no-fail-fast --status-level fail --final-status-level fail || status=$?
    step cargo test --locked --doc --quiet || status=$?
else
    step cargo test --locked --no-fail-fast --quiet || status=$?
fi

ran=$(cat "$PYRESOLVE_NIX_REPORT"/* 2>/dev/null | grep -c '^ran' || true)
skipped=$(cat "$PYRESOLVE_NIX_REPORT"/* 2>/dev/null | grep -c '^skipped' || true)
reasons=$(cat "$PYRESOLVE_NIX_REPORT"/* 2>/dev/null | sed -n 's/^skipped: //p' | sort -u | paste -s -d ';' - | sed 's/;/; /g')
echo "Nix tests: $ran ran, $skipped skipped${reasons:+: $reasons}"
exit "$status"
