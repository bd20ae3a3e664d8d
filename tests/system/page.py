#!/usr/bin/env python3
"""The page of the real binary in headless Chromium: starts `up` on generated logs and runs web/e2e against it.
usage: page.py --binary PATH [--keep]"""
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
    args = parser.parse_args()
    home = Home(args.binary)
    try:
        home.run("generate", home.logs, "--format", "app", "--files", "2", "--bytes", "1MB", "--quiet")
        live = home.log("live.log")
        open(live, "wb").close()
        process = home.start(home.logs)
        home.wait_until(home.caught_up, "the generated logs are durable")
        signin = home.run("login", "--quiet").stdout.decode().strip()
        base = re.match(r"https?://[^/]+/", signin)
        check(base, f"login printed {signin!r}")
        done = subprocess.run(["node", os.path.join(ROOT, "web", "e2e", "run.mjs"), "--url", base[0], "--signin", signin, "--file", live], timeout=600)
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
