#!/usr/bin/env bash
# Runs every fuzz target for some seconds, starting from its corpus. usage: tools/fuzz.sh BUILD_DIR SECONDS
set -euo pipefail
build=$1
seconds=$2
count=0
for target in "$build"/fuzz/*_fuzz; do
  [ -x "$target" ] || continue
  name=$(basename "$target")
  echo "-- $name"
  work=$(mktemp -d)
  "$target" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 -print_final_stats=0 "$work" "fuzz/corpus/$name" 2>&1 | tail -n 3
  rm -rf "$work"
  count=$((count + 1))
done
[ "$count" -gt 0 ] || { echo "no fuzz target was built"; exit 1; }
echo "$count targets"
