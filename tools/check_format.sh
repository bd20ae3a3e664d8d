#!/usr/bin/env bash
# Every C++ file is as clang-format leaves it; names those that are not.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bad=$(git ls-files 'src/*.h' 'src/*.cc' 'bench/*.cc' 'fuzz/*.cc' | xargs -r -P "$(nproc)" -n 20 clang-format-14 --dry-run -Werror 2>&1 | grep -oE '^[^:]+' | sort -u)
[ -z "$bad" ] && { echo "format: fine"; exit 0; }
echo "not formatted (run 'make format'):"
echo "$bad"
exit 1
