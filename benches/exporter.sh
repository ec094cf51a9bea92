#!/bin/sh
# exporter.sh: redrover's /scrape beside redis_exporter of the distribution, at the same Redis; release build.
#   beside    time, processor time, bytes and series of a scrape, and their ratios; goal: CPU and p99 at most 0.35 times,
#             in total and per series, with at least the same series
#   far       one scrape over a line with a round trip of 50 ms; goal: at most 1.3 round trips on a kept connection
#   hung      a Redis that stands still, scraped with a timeout of 2 s; goal: an answer in time, and nobody else delayed
#   fleet     1,000 targets at an interval of 5 s; goal: under half a core and 150 MiB
# SCRAPES=1000 ROUNDS=5 FLEET_SECONDS=30 change how much is measured; REDROVER names a program that is built already.
set -eu
cd "$(dirname "$0")/.."
SCRAPES=${SCRAPES:-1000} ROUNDS=${ROUNDS:-5} FLEET_SECONDS=${FLEET_SECONDS:-30}
TOOL=benches/exporter.py
if ! command -v prometheus-redis-exporter >/dev/null; then
  echo "installing prometheus-redis-exporter" >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends prometheus-redis-exporter >&2
fi
if [ -z "${REDROVER:-}" ]; then
  cargo build --release --workspace --locked
  REDROVER=${CARGO_TARGET_DIR:-target}/release/redrover
fi
dir=$(mktemp -d)
pids=""
finish() {
  # shellcheck disable=SC2086
  kill -CONT $pids 2>/dev/null || true
  # shellcheck disable=SC2086
  kill $pids 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$dir"
}
trap finish EXIT
trap "exit 130" INT TERM
begin() { "$@" >>"$dir/log" 2>&1 & last=$!; pids="$pids $last"; }
wait_for() {
  tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ $tries -gt 200 ]; then
      echo "in 20 s there was no answer to: $*" >&2
      tail -n 20 "$dir/log" >&2
      exit 1
    fi
    sleep 0.1
  done
}

redis=17701 hung=17702 far=17703 fleet=17704 ours=17711 theirs=17712 theirs_far=17713
for port in $redis $hung; do
  mkdir "$dir/$port"
  begin redis-server --bind 127.0.0.1 --port $port --save "" --dir "$dir/$port" --latency-monitor-threshold 1
  wait_for redis-cli -p $port ping
done
hung_pid=$last
python3 $TOOL seed 127.0.0.1 $redis
begin python3 $TOOL line $far 127.0.0.1 $redis 0.025
begin python3 $TOOL replay $fleet 127.0.0.1 $redis
wait_for redis-cli -p $fleet ping

cat >"$dir/redrover.yml" <<YAML
agent: {name: bench, failure_domain: office, data_dir: data}
exporter:
  groups:
    - {name: bench, targets: ["redis://127.0.0.1:$redis", "redis://127.0.0.1:$hung", "redis://127.0.0.1:$far"]}
    - name: fleet
      targets: [$(python3 $TOOL addresses $fleet)]
YAML
begin "$REDROVER" run --config.file "$dir/redrover.yml" --web.listen-address 127.0.0.1:$ours --compat.redis-exporter
ours_pid=$last
begin prometheus-redis-exporter --web.listen-address=127.0.0.1:$theirs --redis.addr=redis://127.0.0.1:$redis
theirs_pid=$last
begin prometheus-redis-exporter --web.listen-address=127.0.0.1:$theirs_far --redis.addr=redis://127.0.0.1:$far
wait_for curl -fsS http://127.0.0.1:$ours/-/healthy
wait_for curl -fsS http://127.0.0.1:$theirs/health
scrape="http://127.0.0.1:$ours/scrape?target=redis://127.0.0.1"

echo "beside: $SCRAPES scrapes of each in $ROUNDS rounds"
python3 $TOOL beside "$scrape:$redis" $ours_pid http://127.0.0.1:$theirs/metrics $theirs_pid "$SCRAPES" "$ROUNDS"
echo "far: 50 ms round trip"
python3 $TOOL times "$scrape:$far" 20
python3 $TOOL times http://127.0.0.1:$theirs_far/metrics 5
echo "hung: timeout 2 s"
kill -STOP "$hung_pid"
python3 $TOOL hung "$scrape:$hung" "$scrape:$redis"
kill -CONT "$hung_pid"
echo "fleet: 1000 targets, each every 5 s, for $FLEET_SECONDS s"
python3 $TOOL fleet "http://127.0.0.1:$ours/scrape?target=" $fleet $ours_pid "$FLEET_SECONDS"
