#!/usr/bin/env bash
# What takes longer than `make test` allows: tsan, fuzzing, long crash loops, kill at each system call. usage: tools/test_long.sh SECONDS_PER_FUZZ_TARGET
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-60}
jobs=$(nproc)
mkdir -p build/test-results
echo "== unit tests under tsan"
cmake --preset tsan > /dev/null
cmake --build --preset tsan -j "$jobs" | tail -n 1
ctest --test-dir build/tsan -j "$jobs" --output-on-failure --timeout 1800
echo "== fuzzing, $seconds s a target"
cmake --preset fuzz > /dev/null
cmake --build --preset fuzz -j "$jobs" | tail -n 1
tools/fuzz.sh build/fuzz "$seconds"
echo "== simulated crashes, 10000 seeds"
cmake --preset release > /dev/null
cmake --build --preset release -j "$jobs" | tail -n 1
LOGBOOM_CRASH_SEEDS=10000 ctest --test-dir build/release -R logstore --output-on-failure --timeout 7200
echo "== system tests that take long: kill at each system call, power cuts, failing write-back, failing malloc"
python3 tests/system/run.py --binary build/release/src/app/logboom --long --results build/test-results
echo "== crash harness, 500 rounds"
python3 tests/system/crash.py --binary build/release/src/app/logboom --rounds 500 --results build/test-results
echo "== docs/reliability.md from what ran"
python3 tests/system/reliability.py --results build/test-results
echo "== done"
