#!/bin/sh
# figures.sh: what the agent costs at rest. Two real Redis sites, one probe a second, release build.
#   start     from the start of the process to the first complete /metrics
#   cpu       processor time over REST seconds of idling, as a share of one core
#   memory    resident memory at the end
# Prints one line each. REST=60 benches/figures.sh measures longer.
set -eu
cd "$(dirname "$0")/.."
REST=${REST:-30}
TARGET=${CARGO_TARGET_DIR:-target}
cargo build --release --workspace --locked
dir=$(mktemp -d)
pids=""
finish() {
  # shellcheck disable=SC2086
  kill $pids 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$dir"
}
trap finish EXIT INT TERM

port=17611
for site in 1 2; do
  mkdir "$dir/redis$site"
  follow=""
  [ "$site" = 2 ] && follow="--replicaof 127.0.0.11 $port"
  # shellcheck disable=SC2086
  redis-server --bind "127.0.0.1$site" --bind-source-addr "127.0.0.1$site" --port $port --protected-mode no \
    --save "" --dir "$dir/redis$site" --repl-diskless-sync-delay 0 $follow >"$dir/redis$site.log" 2>&1 &
  pids="$pids $!"
done
until redis-cli -h 127.0.0.12 -p $port info replication 2>/dev/null | grep -q master_link_status:up; do :; done

cat >"$dir/redrover.yml" <<YAML
global: {probe_interval: 1s, probe_timeout: 500ms}
agent: {name: bench, failure_domain: office, data_dir: data}
datacenters: [{name: dc-a}, {name: dc-b}]
embedded_dns: {listen: "127.0.0.1:17653", zone: bench.test, name_servers: [ns1.bench.test]}
services:
  - name: sessions
    topology: replication
    mode: recommend
    record: {provider: embedded, name: sessions.bench.test, type: A, ttl: 5s}
    sites:
      - {datacenter: dc-a, dns_target: 127.0.0.11, targets: ["redis://127.0.0.11:$port"]}
      - {datacenter: dc-b, dns_target: 127.0.0.12, targets: ["redis://127.0.0.12:$port"]}
    promote: {kind: replicaof}
    canary: {enabled: true}
YAML
"$TARGET/release/redrover" adopt sessions --active dc-a --yes --config.file "$dir/redrover.yml" >/dev/null 2>&1

began=$(date +%s%N)
"$TARGET/release/redrover" run --config.file "$dir/redrover.yml" --web.listen-address 127.0.0.1:17611 2>"$dir/agent.log" &
agent=$!
pids="$pids $agent"
complete() {
  page=$(curl -fsS http://127.0.0.1:17611/metrics 2>/dev/null) || return 1
  [ "$(echo "$page" | grep -c '^redis_uptime_in_seconds')" = 2 ] && echo "$page" | grep -q '^redrover_failover_confidence'
}
until complete; do :; done
echo "start   $(( ($(date +%s%N) - began) / 1000000 )) ms to the first complete /metrics (goal: under 2000)"

ticks() { sed 's/.*) //' "/proc/$agent/stat" | awk '{ print $12 + $13 }'; }
sleep 5
first=$(ticks)
sleep "$REST"
awk -v used=$(( $(ticks) - first )) -v rest="$REST" -v hz="$(getconf CLK_TCK)" \
  'BEGIN { printf "cpu     %.2f %% of a core over %d s (goal: under 2)\n", 100 * used / hz / rest, rest }'
awk '/^VmRSS/ { printf "memory  %.1f MiB resident (goal: under 40)\n", $2 / 1024 }' "/proc/$agent/status"
