#!/usr/bin/env bash
# What takes longer than `make test` allows, in parts; logs are in build/, results in build/test-results. Over an hour on two cores, all
# together; stops at the first part that fails. What the parts need is installed and fetched by `make setup-test-long`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
parts=(tsan fuzz crashes system reliability)
usage() {
  cat << END
usage: tools/test_long.sh [SECONDS] [PART ...]
  SECONDS      of each fuzz target (60)
  tsan         unit tests under tsan
  fuzz         every fuzz target for SECONDS
  crashes      simulated crashes of the store with 10000 seeds; beside them 500 rounds of the crash harness
               (LOGBOOM_CRASH_SEEDS, LOGBOOM_CRASH_ROUNDS change these)
  system       system tests that take long: kill at each system call, power cuts, failing write-back, failing malloc, other versions of servers
  reliability  docs/reliability.md from what ran
Without a part: all of them, in this order.
END
}
case "${1:-}" in -h | --help) usage && exit ;; esac
seconds=60
case "${1:-}" in [0-9]*) seconds=$1 && shift ;; esac
wanted=("$@")
[ $# -gt 0 ] || wanted=("${parts[@]}")
for part in "${wanted[@]}"; do
  [[ " ${parts[*]} " == *" $part "* ]] || { echo "there is no part '$part'; there are: ${parts[*]}" >&2 && exit 2; }
done
jobs=$(nproc)
source tools/steps.sh
results=build/test-results
mkdir -p "$results"
binary=build/release/src/app/logboom

# `logged NAME COMMAND...`: its output goes to build/NAME.log; the end of it is shown when the command fails.
logged() {
  local name=$1
  shift
  "$@" > "build/$name.log" 2>&1 || { tail -n 80 "build/$name.log"; return 1; }
}
built() {
  cmake --preset "$1" > "build/configure-$1.log" 2>&1 || { cat "build/configure-$1.log"; exit 1; }
  cmake --build --preset "$1" -j "$jobs" | tail -n 1
}

part_tsan() {
  step "unit tests under tsan"
  built tsan
  logged ctest-tsan ctest --test-dir build/tsan -j "$jobs" --output-on-failure --timeout 1800
  tail -n 4 build/ctest-tsan.log
}

part_fuzz() {
  step "fuzzing, $seconds s a target"
  built fuzz
  tools/fuzz.sh build/fuzz "$seconds"
}

# The harness mostly waits.
part_crashes() {
  local seeds=${LOGBOOM_CRASH_SEEDS:-10000} rounds=${LOGBOOM_CRASH_ROUNDS:-500} status=0 harness
  step "simulated crashes, $seeds seeds; beside them the crash harness, $rounds rounds"
  built release
  logged crash-long python3 tests/system/crash.py --binary "$binary" --rounds "$rounds" --results "$results" &
  harness=$!
  LOGBOOM_CRASH_SEEDS=$seeds logged ctest-seeds ctest --test-dir build/release -R logstore --output-on-failure --timeout 7200 || status=1
  wait "$harness" || status=1
  tail -n 1 build/crash-long.log
  return "$status"
}

part_system() {
  step "system tests that take long"
  built release
  python3 tests/system/run.py --binary "$binary" --long --results "$results"
}

part_reliability() {
  step "docs/reliability.md from what ran"
  python3 tests/system/reliability.py --results "$results"
}

for part in "${wanted[@]}"; do "part_$part"; done
step "done"
