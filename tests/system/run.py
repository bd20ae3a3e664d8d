#!/usr/bin/env python3
"""Runs the system tests: the real binary, real files, real signals. A test is a function `test_*` of a module tests/system/cases_*.py that
takes a Home; its `rows` attribute (set by the decorator `faults`) names the rows of the fault matrix it proves. What ran is written as
JSON for docs/reliability.md.

usage: run.py --binary PATH [--results DIR] [--only SUBSTRING] [--long] [--list]
"""
import argparse
import glob
import importlib
import json
import os
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from product import Failure, Home, NotRun


def collect():
    tests = []
    for path in sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases_*.py"))):
        module = importlib.import_module(os.path.splitext(os.path.basename(path))[0])
        for name, function in vars(module).items():
            if name.startswith("test_") and callable(function):
                tests.append((f"{module.__name__}.{name}", function))
    return tests


def run_one(name, function, binary, keep):
    home = Home(binary)
    began = time.monotonic()
    try:
        function(home)
        error = ""
    except NotRun as reason:
        home.close()
        print(f"NOT RUN {name}: {reason}", flush=True)
        return {"test": name, "rows": getattr(function, "rows", []), "passed": False, "not_run": str(reason), "detail": (function.__doc__ or "").strip()}
    except Failure as failure:
        error = str(failure)
    except Exception:  # a test that breaks has failed, whatever broke it
        error = traceback.format_exc()
    home.close(keep=bool(error) and keep)
    seconds = time.monotonic() - began
    print(f"{'ok    ' if not error else 'FAILED'} {name} ({seconds:.1f} s)", flush=True)
    if error:
        print("    " + error.replace("\n", "\n    ") + (f"\n    left for looking: {home.root}" if keep else ""), flush=True)
    return {"test": name, "rows": getattr(function, "rows", []), "passed": not error, "seconds": round(seconds, 2), "detail": (function.__doc__ or "").strip()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--results")
    parser.add_argument("--only", default="")
    parser.add_argument("--long", action="store_true", help="only the tests that take long, instead of the others")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    tests = [t for t in collect() if args.only in t[0] and getattr(t[1], "long", False) == args.long]
    if args.list:
        for name, function in tests:
            print(name, *getattr(function, "rows", []))
        return 0
    if not tests:
        print("no test matches")
        return 1
    done = [run_one(name, function, args.binary, args.keep) for name, function in tests]
    if args.results:
        os.makedirs(args.results, exist_ok=True)
        with open(os.path.join(args.results, "system-long.json" if args.long else "system.json"), "w") as f:
            json.dump({"date": time.strftime("%Y-%m-%d"), "tests": done}, f, indent=1)
    not_run = sum("not_run" in d for d in done)
    failed = sum(not d["passed"] for d in done) - not_run
    print(f"{len(done) - failed - not_run} passed, {failed} failed" + (f", {not_run} not run" if not_run else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
