#!/usr/bin/env python3
"""Compiles every source of the product with clang and -Wthread-safety, without making code.
usage: tools/thread_safety.py BUILD_DIR   (configured with the preset clang; only its compile_commands.json is used)"""
import concurrent.futures
import json
import os
import shlex
import subprocess
import sys


def check(entry):
    words = [w for w in shlex.split(entry["command"])]
    start = next(i for i, w in enumerate(words) if os.path.basename(w).startswith("clang++"))
    words = words[start:]
    out = words.index("-o")
    del words[out:out + 2]
    run = subprocess.run(words + ["-fsyntax-only", "-Wno-unused-command-line-argument"], cwd=entry["directory"], capture_output=True, text=True)
    return entry["file"], run.returncode, run.stderr


def main():
    with open(os.path.join(sys.argv[1], "compile_commands.json")) as f:
        # Generated files are made by the build, which does not run here.
        entries = [e for e in json.load(f) if e["file"].endswith(".cc") and "_test.cc" not in e["file"] and os.path.exists(e["file"])]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, code, text in pool.map(check, entries):
            if code != 0:
                failed += 1
                print(f"{path}:\n{text}")
    print(f"thread safety: {len(entries)} files with clang, {failed} failed")
    return 1 if failed or not entries else 0


if __name__ == "__main__":
    sys.exit(main())
