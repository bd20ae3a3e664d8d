#!/usr/bin/env bash
# What takes longer than `make test` allows: tsan, fuzzing, long crash loops, kill at each system call. Over an hour on two cores; stops at
# the first failure, logs are in build/. usage: tools/test_long.sh SECONDS_PER_FUZZ_TARGET
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-60}
jobs=$(nproc)
source tools/steps.sh
results=build/test-results
mkdir -p "$results"

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

step "unit tests under tsan"
built tsan
logged ctest-tsan ctest --test-dir build/tsan -j "$jobs" --output-on-failure --timeout 1800
tail -n 4 build/ctest-tsan.log

step "fuzzing, $seconds s a target"
built fuzz
tools/fuzz.sh build/fuzz "$seconds"

step "simulated crashes, 10000 seeds; beside them the crash harness, 500 rounds, which mostly waits"
built release
binary=build/release/src/app/logboom
logged crash-500 python3 tests/system/crash.py --binary "$binary" --rounds 500 --results "$results" &
harness=$!
status=0
LOGBOOM_CRASH_SEEDS=10000 logged ctest-seeds ctest --test-dir build/release -R logstore --output-on-failure --timeout 7200 || status=1
wait "$harness" || status=1
tail -n 1 build/crash-500.log
[ "$status" -eq 0 ]

step "system tests that take long: kill at each system call, power cuts, failing write-back, failing malloc"
python3 tests/system/run.py --binary "$binary" --long --results "$results"

step "docs/reliability.md from what ran"
python3 tests/system/reliability.py --results "$results"
step "done"
