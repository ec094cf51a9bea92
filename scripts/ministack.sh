#!/bin/sh
# ministack.sh: the provider for Route 53 against ministack, a stand-in from PyPI that shares nothing with this project.
# It needs python3 with venv and the package index; the environment is made once, below the target folder.
set -eu
cd "$(dirname "$0")/.."

version=1.5.33
port=${MINISTACK_PORT:-45571}
folder=${CARGO_TARGET_DIR:-target}/ministack-$version
log=$folder/log

if [ ! -x "$folder/bin/ministack" ]; then
  echo "ministack: installing $version"
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/pip" --quiet --disable-pip-version-check install "ministack==$version"
fi

BIND_HOST=127.0.0.1 GATEWAY_PORT=$port SERVICES=route53,sts LOG_LEVEL=WARNING "$folder/bin/ministack" >"$log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null || true' EXIT INT TERM

url=http://127.0.0.1:$port
is_up() { "$folder/bin/python" -c "import urllib.request as u; u.urlopen('$url/2013-04-01/hostedzone', timeout=2)" 2>/dev/null; }
tries=0
until is_up; do
  tries=$((tries + 1))
  if [ $tries -ge 60 ] || ! kill -0 $server 2>/dev/null; then
    echo "ministack: it does not come up" >&2
    cat "$log" >&2
    exit 1
  fi
  sleep 0.5
done
echo "ministack: $version listens at $url"

# Not among the targets of `make lint`, because it is built only here.
cargo clippy --workspace --locked --test ministack -- -D warnings
env -u AWS_PROFILE AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_EC2_METADATA_DISABLED=true \
  AWS_ENDPOINT_URL_STS="$url" REDROVER_MINISTACK="$url" \
  cargo test --workspace --locked --test ministack
