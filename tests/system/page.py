#!/usr/bin/env python3
"""The page of the real binary in headless Chromium: starts `up` on generated logs and runs web/e2e against it.
usage: page.py --binary PATH [--only TEXT]"""
import argparse
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from product import Failure, Home, check

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--only", nargs=1, default=[], help="only the checks whose names hold this")
    args = parser.parse_args()
    home = Home(args.binary)
    try:
        home.run("generate", home.logs, "--format", "app", "--files", "2", "--bytes", "1MB", "--quiet")
        live = home.log("live.log")
        open(live, "wb").close()
        config = os.path.join(home.root, "logboom.yaml")
        with open(config, "w") as f:
            f.write("metrics: {interval: 1s}\n")
        process = home.start(home.logs, "--config", config)
        home.wait_until(home.caught_up, "the generated logs are durable")
        signin = home.run("login", "--quiet").stdout.decode().strip()
        base = re.match(r"https?://[^/]+/", signin)
        check(base, f"login printed {signin!r}")
        done = subprocess.run(["node", os.path.join(ROOT, "web", "e2e", "run.mjs"), "--url", base[0], "--signin", signin, "--file", live, *(["--only", *args.only] if args.only else [])], timeout=600)
        home.stop(process)
        check(done.returncode == 0, "the page's checks failed")
        return 0
    except Failure as failure:
        print(f"FAILED: {failure}")
        return 1
    finally:
        home.close()


if __name__ == "__main__":
    sys.exit(main())
