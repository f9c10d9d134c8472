#!/bin/sh
# usage: smoke_test.sh PATH-OF-SEAWALL-DEMO
# Runs the whole demonstration on a tiny shop, then once more with broken invalidation, which must be noticed.
set -eu
demo=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$(dirname "$0")/.."

run() { "$demo" --scale 0.01 --trace web07 --seconds 1 --threads 4 --database "$work/shop.db" "$@"; }
fail() { echo "smoke test: $*" >&2; exit 1; }

run --json "$work/figures.json" || fail "the demo failed"
grep -q '"stale_answers": 0,' "$work/figures.json" || fail "no figures, or stale answers"
if run --break-invalidation >"$work/broken.txt"; then fail "broken invalidation was not noticed"; fi
grep -q 'stale: got version' "$work/broken.txt" || fail "no stale answer is shown: $(cat "$work/broken.txt")"
if "$demo" --trace nonsense 2>"$work/usage.txt"; then fail "a wrong option was accepted"; fi
grep -q 'web07, web12, orm, all' "$work/usage.txt" || fail "the known traces are not listed"
echo "smoke test: passed"
