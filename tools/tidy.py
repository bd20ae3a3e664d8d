#!/usr/bin/env python3
"""Runs clang-tidy with .clang-tidy over every source of the product, tests left out. Needs no build.
usage: tools/tidy.py BUILD_DIR [PATH-PART ...]   (configured with the preset clang; only its compile_commands.json is used)
JOBS=N: so many at once; default: as many as there are cores."""
import concurrent.futures
import json
import os
import subprocess
import sys


def check(build, path):
    run = subprocess.run(["clang-tidy-14", "-p", build, "--quiet", path], capture_output=True, text=True)
    return path, run.returncode, run.stdout


def main():
    build, wanted = sys.argv[1], sys.argv[2:]
    with open(os.path.join(build, "compile_commands.json")) as f:
        paths = sorted({e["file"] for e in json.load(f)})
    # Generated files are made by the build, which does not run here.
    paths = [p for p in paths if p.endswith(".cc") and "_test.cc" not in p and os.path.exists(p) and (not wanted or any(w in p for w in wanted))]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS") or os.cpu_count())) as pool:
        for path, code, text in pool.map(lambda p: check(build, p), paths):
            if code != 0:
                failed += 1
                print(text, flush=True)
    print(f"clang-tidy: {len(paths)} files, {failed} with findings")
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
