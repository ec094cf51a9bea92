#!/bin/sh
# detection.sh FOLDER PERIOD_SECONDS [evaluate's flags]: how well trouble is found in series of your own.
# FOLDER holds pairs NAME.train.csv and NAME.test.csv (or .csv.gz): `t`, then numbers, then `label`, 1 for a row of
# trouble. Labels are for judging alone and are never handed over. Each pair runs through `redrover evaluate` with two
# seeds, and beside it a plain isolation forest. One line for each method:
#   AUC, AP  over the rows, mean of the pairs
#   R@1      events with an alarm at the most sensitive fixed limit with at most one false-alarm hour a day
#   own      false-alarm hours a day, and events found, with redrover's own limit
# REDROVER names a binary that is built already.
set -eu
cd "$(dirname "$0")/.."
[ $# -ge 2 ] || { sed -n '2,11s/^# *//p' "$0" >&2; exit 2; }
if [ -z "${REDROVER:-}" ]; then
  cargo build --release --locked
  REDROVER=${CARGO_TARGET_DIR:-target}/release/redrover
fi
exec python3 benches/detection.py "$REDROVER" "$@"
