#!/bin/sh
# usage: postgres_test.sh PATH-OF-SEAWALL-DEMO, with the URL of a server in POSTGRES_URL
# Runs the demonstration on a tiny shop in that PostgreSQL, which is left as it was, then with broken invalidation.
set -eu
demo=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$(dirname "$0")/.."

run() { "$demo" --scale 0.01 --trace web07 --seconds 1 --threads 2 "$@"; }
fail() { echo "postgres test: $*" >&2; exit 1; }

run --database "$POSTGRES_URL" --json "$work/figures.json" >"$work/out.txt" || fail "the demo failed"
grep -q '"stale_answers": 0,' "$work/figures.json" || fail "no figures, or stale answers"
password=$(echo "$POSTGRES_URL" | sed 's|.*://[^:]*:\([^@]*\)@.*|\1|')
if grep -q "$password" "$work/figures.json" "$work/out.txt"; then fail "the password is shown"; fi
if run --database "$POSTGRES_URL" --break-invalidation >"$work/broken.txt"; then
  fail "broken invalidation was not noticed"
fi
grep -q 'stale: got version' "$work/broken.txt" || fail "no stale answer is shown: $(cat "$work/broken.txt")"
if command -v psql >/dev/null; then
  left=$(psql "$POSTGRES_URL" -tAc "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'seawall_demo%'")
  [ "$left" -eq 0 ] || fail "$left schemas are left in the server"
fi
if run --database postgres://127.0.0.1:1/nobody 2>"$work/nobody.txt"; then fail "it runs without a server"; fi
grep -q -- '--database: database nobody at 127.0.0.1:1' "$work/nobody.txt" || fail "$(cat "$work/nobody.txt")"
echo "postgres test: passed"
