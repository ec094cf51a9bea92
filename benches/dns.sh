#!/bin/sh
# dns.sh: how many queries the embedded name server answers on one core, with the limit of answers switched off.
# The agent runs on core 0 and `dnsperf` (Debian package dnsperf) on core 1, over loopback, UDP; release build.
#   steady    RATE queries a second are offered for SECONDS_EACH seconds: what was answered and lost, how long an answer took,
#             and what share of its core the agent used, its other work included
#   most      as many queries as dnsperf can have answered
# One question in ten is for a name that does not exist, one in ten for the fence. RATE=20000 SECONDS_EACH=10 benches/dns.sh
set -eu
cd "$(dirname "$0")/.."
RATE=${RATE:-20000}
SECONDS_EACH=${SECONDS_EACH:-10}
TARGET=${CARGO_TARGET_DIR:-target}
for program in dnsperf taskset redis-server dig; do
  command -v $program >/dev/null 2>&1 || { echo "dns.sh: $program is not installed" >&2; exit 1; }
done
cargo build --release --bin redrover --locked
dir=$(mktemp -d)
pids=""
finish() {
  # shellcheck disable=SC2086
  kill $pids 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$dir"
}
trap finish EXIT INT TERM

for site in 1 2; do
  redis-server --bind "127.0.0.2$site" --port 17621 --protected-mode no --save "" --dir "$dir" >"$dir/redis$site.log" 2>&1 &
  pids="$pids $!"
done
cat >"$dir/redrover.yml" <<YAML
global: {probe_interval: 1s, probe_timeout: 500ms}
agent: {name: bench, failure_domain: office, data_dir: data}
datacenters: [{name: dc-a}, {name: dc-b}]
embedded_dns: {listen: "127.0.0.1:17623", zone: bench.test, name_servers: [ns1.elsewhere.test], rate_limit: {enabled: false}}
services:
  - name: sessions
    topology: active-active
    mode: recommend
    record: {provider: embedded, name: sessions.bench.test, type: A, ttl: 5s}
    sites:
      - {datacenter: dc-a, dns_target: 127.0.0.21, targets: ["redis://127.0.0.21:17621"]}
      - {datacenter: dc-b, dns_target: 127.0.0.22, targets: ["redis://127.0.0.22:17621"]}
    canary: {enabled: true}
YAML
"$TARGET/release/redrover" adopt sessions --active dc-a --yes --config.file "$dir/redrover.yml" >/dev/null 2>&1
taskset -c 0 "$TARGET/release/redrover" run --config.file "$dir/redrover.yml" --web.listen-address 127.0.0.1:17622 2>"$dir/agent.log" &
agent=$!
pids="$pids $agent"
until dig @127.0.0.1 -p 17623 +short +tries=1 +time=1 sessions.bench.test A 2>/dev/null | grep -q 127.0.0.21; do :; done

for _ in 1 2 3 4 5 6 7 8; do echo "sessions.bench.test A"; done >"$dir/queries"
echo "_redrover.sessions.bench.test TXT" >>"$dir/queries"
echo "nobody.bench.test A" >>"$dir/queries"

ticks() { sed 's/.*) //' "/proc/$agent/stat" | awk '{ print $12 + $13 }'; }
measure() { # measure name options...
  name=$1
  shift
  before=$(ticks)
  taskset -c 1 dnsperf -s 127.0.0.1 -p 17623 -d "$dir/queries" -l "$SECONDS_EACH" -c 8 -T 1 -O suppress=timeout "$@" >"$dir/out" 2>&1
  awk -v name="$name" -v used=$(( $(ticks) - before )) -v hz="$(getconf CLK_TCK)" -v seconds="$SECONDS_EACH" '
    /Queries per second/ { rate = $4 }
    /Queries lost/ { lost = $3 }
    /Average Latency/ { average = $4; sub(/.*max /, ""); sub(/\).*/, ""); most = $0 }
    END { printf "%-7s %8.0f answers/s, %d lost, %.3f ms on average, %.1f ms at most, %.0f %% of a core\n",
          name, rate, lost, average * 1000, most * 1000, 100 * used / hz / seconds }' "$dir/out"
}
measure steady -Q "$RATE"
measure most -q 200
