#!/bin/sh
# guards.sh: in the program that people install, nothing switches a guard off. No environment variable does, no flag is
# taken for one, and the hook by which the unit tests do it is not in there. Guards and scenarios: docs/safety.md.
set -eu
cd "$(dirname "$0")/.."

table=docs/safety.md
program=${CARGO_TARGET_DIR:-target}/release/redrover
# How the hook looks from outside: the end of its symbol's name, and what it says when it is misused.
symbol=5guard3off
text='a guard is switched off already'

fail() {
  echo "guards: $*" >&2
  exit 1
}
holds() { grep -aqF -e "$1" "$2"; }

guards=$(sed -n 's/^| `\([A-Za-z]*\)` | .*(\.\.\/tests\/scenarios\/.*/\1/p' "$table" | sort -u)
scenarios=$(sed -n 's/^| .*(\.\.\/\(tests\/scenarios\/[A-Z0-9]*\.yml\)).*/\1/p' "$table" | sort -u)
[ "$(echo "$guards" | wc -l)" -ge 12 ] || fail "$table lists too few guards"

echo "guards: the hook is in the unit tests, and not in the release build"
tests=$(cargo test --workspace --locked --lib --no-run 2>&1 |
  sed -n 's/.*Executable unittests src\/lib.rs (\(.*\/redrover-[0-9a-f]*\))$/\1/p')
[ -x "$tests" ] || fail "the unit tests were not built"
# With its symbols, so that there is something to look into.
cargo rustc --release --locked --bin redrover -- -C strip=none
holds 3act6switch "$program" || fail "the release build has no symbols: nothing can be told from it"
for trace in "$symbol" "$text"; do
  holds "$trace" "$tests" || fail "the unit tests hold no \"$trace\": this script looks for the wrong thing"
  ! holds "$trace" "$program" || fail "the release build holds \"$trace\""
done
cargo build --release --locked --bin redrover
! holds "$text" "$program" || fail "the release build holds \"$text\""

echo "guards: no variable switches one off"
# CompareAndSwap -> compare-and-swap
words() { echo "$1" | sed 's/\([a-z]\)\([A-Z]\)/\1-\2/g' | tr 'A-Z' 'a-z'; }
variables=$(
  for guard in $guards; do
    name=$(words "$guard" | tr 'a-z-' 'A-Z_')
    for prefix in '' GUARD_ NO_ WITHOUT_ DISABLE_ SKIP_ GUARDS_ GUARD_NO_; do
      echo "$prefix$name" "REDROVER_$prefix$name"
    done
    echo "$guard" "$(words "$guard" | tr - _)"
  done
)
for value in off 0 1 false; do
  settings=$(for variable in $variables; do echo "$variable=$value"; done)
  names=$(echo $guards | tr ' ' ,)
  # Word splitting is meant: neither names nor paths hold a space.
  answer=$(env $settings REDROVER_WITHOUT="$names" REDROVER_GUARDS="$value" REDROVER_GUARDS_OFF="$names" \
    GUARDS_OFF="$names" WITHOUT="$names" OFF="$names" "$program" simulate $scenarios) ||
    fail "with all variables at $value: $answer"
done

echo "guards: no flag is taken for one"
for guard in $guards; do
  name=$(words "$guard")
  for flag in "--$name=off" "--no-$name" "--without-$name" "--disable-$name" "--skip-$name" "--guard.$name=off" \
    "--without=$name" "--without=$guard" "--guards-off=$guard" "--no-guards"; do
    for command in "simulate $flag tests/scenarios/F001.yml" "run $flag" "$flag run"; do
      if answer=$("$program" $command 2>&1); then
        fail "redrover $command is accepted"
      fi
      case $answer in
        *"unexpected argument '${flag%%=*}' found"*) ;;
        *) fail "redrover $command fails, and not because of the flag: $answer" ;;
      esac
    done
  done
done
echo "guards: $(echo "$guards" | wc -l) guards stand, $(echo "$scenarios" | wc -l) scenarios passed each time"
