#!/bin/sh
# usage: redis_test.sh PATH-OF-SEAWALL-DEMO, with a URL in REDIS_URL and the ports of all servers in REDIS_SERVERS
# Runs the demonstration in two processes on a tiny shop, then with broken invalidation, which must be noticed.
set -eu
demo=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$(dirname "$0")/.."

run() { "$demo" --scale 0.01 --trace web07 --seconds 1 --threads 2 --database "$work/shop.db" --processes 2 "$@"; }
fail() { echo "redis test: $*" >&2; exit 1; }

run --redis "$REDIS_URL" --fresh 5 --json "$work/figures.json" || fail "the demo failed"
grep -q '"stale_answers": 0,' "$work/figures.json" || fail "no figures, or stale answers"
grep -q '"processes": 2,' "$work/figures.json" || fail "not two processes"
if grep -q '"fresh_answers": 0,$' "$work/figures.json"; then fail "nobody asked for fresh answers"; fi
if command -v redis-cli >/dev/null; then
  for port in $REDIS_SERVERS; do
    left=$(redis-cli -p "$port" --scan --pattern 'seawall-demo-*' | wc -l)
    [ "$left" -eq 0 ] || fail "$left keys of the run are left in the server on port $port"
  done
fi
if run --redis "$REDIS_URL" --break-invalidation >"$work/broken.txt"; then
  fail "broken invalidation was not noticed"
fi
grep -q 'stale: got version' "$work/broken.txt" || fail "no stale answer is shown: $(cat "$work/broken.txt")"
if run --redis redis://127.0.0.1:1 2>"$work/nobody.txt"; then fail "it needs a server, and runs without"; fi
grep -q -- '--redis redis://127.0.0.1:1: no server answers' "$work/nobody.txt" || fail "$(cat "$work/nobody.txt")"
echo "redis test: passed"
