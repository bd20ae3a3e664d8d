#!/usr/bin/env bash
# Every test of `make test`: release build, layers and format, unit tests, unit tests again under asan+ubsan, clang's thread-safety
# analysis, the page's tests, system tests on the real binary, the crash harness. Stops at the first failure; prints each step.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-5G}
jobs=$(nproc)
source tools/steps.sh
results=build/test-results
mkdir -p "$results"
rm -f "$results"/system.json "$results"/crash.json  # what test-long found stays

step "layers and format"
python3 tools/check_layers.py
tools/check_format.sh

step "release build"
cmake --preset release > build/configure-release.log 2>&1 || { cat build/configure-release.log; exit 1; }
cmake --build --preset release -j "$jobs" | tail -n 1

step "unit tests (release)"
ctest --test-dir build/release -j "$jobs" --output-on-failure --timeout 600 > build/ctest-release.log 2>&1 || { tail -n 80 build/ctest-release.log; exit 1; }
tail -n 4 build/ctest-release.log

step "system tests on the real binary"
python3 tests/system/run.py --binary build/release/src/app/logboom --results "$results"

step "crash harness, 20 rounds"
python3 tests/system/crash.py --binary build/release/src/app/logboom --rounds "${LOGBOOM_CRASH_ROUNDS:-20}" --results "$results"

step "docs/reliability.md from what ran"
python3 tests/system/reliability.py --results "$results"

step "the page: logic, and in a real browser"
(cd web && npm test > ../build/web-test.log 2>&1) || { tail -n 60 build/web-test.log; exit 1; }
tail -n 12 build/web-test.log
python3 tests/system/page.py --binary build/release/src/app/logboom

step "clang, thread safety"
cmake --preset clang > build/configure-clang.log 2>&1 || { cat build/configure-clang.log; exit 1; }
python3 tools/thread_safety.py build/clang

step "unit tests under asan and ubsan"
cmake --preset asan > build/configure-asan.log 2>&1 || { cat build/configure-asan.log; exit 1; }
cmake --build --preset asan -j "$jobs" | tail -n 1
ctest --test-dir build/asan -j "$jobs" --output-on-failure --timeout 900 > build/ctest-asan.log 2>&1 || { tail -n 80 build/ctest-asan.log; exit 1; }
tail -n 4 build/ctest-asan.log

step "done"
unit=$(grep -oE '[0-9]+ tests? failed out of [0-9]+' build/ctest-release.log | awk '{print $NF}')
echo "$((unit * 2 + 3)) passed, 0 failed"
