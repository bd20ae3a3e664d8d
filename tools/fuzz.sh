#!/usr/bin/env bash
# Runs every fuzz target for some seconds, starting from its corpus, as many at a time as there are cores. What ends a target lies
# as BUILD_DIR/TARGET-crash-... afterwards. usage: tools/fuzz.sh BUILD_DIR SECONDS
set -euo pipefail
export build=$1 seconds=$2

run_one() {
  local name work log status=0
  name=$(basename "$1")
  work=$(mktemp -d)
  log=$build/$name.log
  "$1" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 -artifact_prefix="$build/$name-" "$work" "fuzz/corpus/$name" > "$log" 2>&1 || status=$?
  rm -rf "$work"
  echo "$name: $(grep -aoE '^Done [0-9]+ runs.*' "$log" || echo "ended with $status")"
  [ "$status" -eq 0 ] || tail -n 60 "$log"
  return "$status"
}
export -f run_one

targets=("$build"/fuzz/*_fuzz)
[ -x "${targets[0]}" ] || { echo "no fuzz target was built"; exit 1; }
printf '%s\0' "${targets[@]}" | xargs -0 -P "$(nproc)" -I{} bash -euc 'run_one {}'
echo "${#targets[@]} targets"
