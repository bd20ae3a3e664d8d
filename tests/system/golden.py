#!/usr/bin/env python3
"""Makes tests/golden/store-<version>.tar.xz: a small store with something of everything the format knows, and what it must answer.

usage: golden.py --binary PATH
"""
import argparse
import hashlib
import json
import os
import re
import sys
import tarfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from oracle import Lines, append, count_lines, read, wait_lines, write
from product import Home, check

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(ROOT, "tests", "golden")
QUERIES = ["", "line", "level:error", "status:>=500", "user.name:*", "*of the*", "/c[0-9a-f]{8}$/", "trace NOT level:info", "topic:audit", "Grüße"]
RULES = """collect:
  items:
    - {path: %(logs)s/plain.log, exclude: [dropme], fields: {service: shop}}
    - {path: %(logs)s/json.log}
    - {path: %(logs)s/java.log}
    - {path: %(logs)s/utf16.log}
    - {path: %(logs)s/plain.log, topic: audit}
    - {path: %(logs)s/holes.log}
"""


def version_written():
    """Of the format, as docs/formats/store.md says."""
    return int(re.search(r"number format version \((\d+)\)", read(os.path.join(ROOT, "docs", "formats", "store.md")).decode())[1])


def write_logs(home):
    lines = Lines()
    write(home.log("plain.log"), lines.next(4000) + b"\n\r\n" + b"a dropme line\n" * 5 + b"\xff\xfe no UTF-8 \x00\n" + "Grüße\n".encode())
    records = [{"time": f"2026-11-20T10:00:{n % 60:02d}Z", "level": "error" if n % 7 == 0 else "info", "status": 200 + n % 400, "user": {"name": f"u{n % 5}"}}
               for n in range(1000)]
    write(home.log("json.log"), b"".join(json.dumps(r).encode() + b"\n" for r in records) + b"{broken\n")
    write(home.log("java.log"), b"".join(b"2026-11-20 11:00:%02d ERROR trace %d\n\tat a.B(C.java:%d)\n\tat d.E(F.java:1)\n" % (n % 60, n, n) for n in range(200)))
    write(home.log("utf16.log"), "\ufeffzwölf line\nnoch one\n".encode("utf-16-le"))
    write(home.log("holes.log"), b"before\n" + b"\0" * 20000 + b"behind\n")
    return lines


def answers(home):
    """What is asked of a golden store: the same now and in every later version."""
    exported = {}
    for source in home.json("sources"):
        for epoch in range(source["epoch"] + 1):
            done = home.run("export", "--source", source["source"], "--epoch", str(epoch), "--topic", source["topic"], code=None)
            key = f"{os.path.basename(source['file'])} {epoch} {source['topic']}"
            exported[key] = [done.returncode, len(done.stdout), hashlib.sha256(done.stdout).hexdigest()]
    audit = home.json("audit", code=None)
    return {"exports": exported, "counts": {query: count_lines(home, query, code=None) for query in QUERIES},
            "findings": sorted([f["kind"], f["begin"], f["end"], f["accepted_by"] != ""] for f in audit["findings"])}


def make(binary):
    home = Home(binary)
    lines = write_logs(home)
    config = os.path.join(home.root, "golden.yaml")
    write(config, (RULES % {"logs": home.logs}).encode())
    up = home.start("--config", config, "--no-page")
    wait_lines(home, 8000)
    home.wait_until(home.caught_up, "everything is durable")
    os.truncate(home.log("plain.log"), 0)                        # another epoch
    append(home.log("plain.log"), lines.next(300))
    wait_lines(home, 8600)
    home.wait_until(home.caught_up, "everything is durable")
    home.stop(up)
    home.run("import", "-", "--name", "in", stdin=b"one\ntwo\n")
    home.run("import", "-", "--name", "in", stdin=b"one\nTWO\nthree\n")   # a conflict, and one that a person accepted
    home.run("import", "-", "--name", "other", stdin=b"one\ntwo\n")
    home.run("import", "-", "--name", "other", stdin=b"one\nTWO\n")
    home.run("audit", "--accept", home.json("audit", code=1)["findings"][0]["id"])
    home.run("import", "-", "--name", "last", stdin=b"the last of its file\n" * 2000, env=dict(home.env, LOGBOOM_LOGS_FILE_SIZE="64KiB"))
    up = home.start("--config", config, "--no-page")             # rows in the tail
    append(home.log("plain.log"), b"the last line\n")
    wait_lines(home, 2, '"the last line"')
    home.stop(up)
    expected = answers(home)
    check(len(expected["exports"]) >= 10 and min(expected["counts"].values()) > 0, f"it answers {expected}")
    status = home.json("status")["store"]
    check(status["files"] > 1 and status["blocks"] > 0 and status["tail_rows"] > 0, f"the store has {status}")
    path = os.path.join(FOLDER, f"store-{version_written()}.tar.xz")
    write(os.path.join(home.root, "expected.json"), json.dumps(expected, indent=1, sort_keys=True).encode() + b"\n")
    with tarfile.open(path, "w:xz", preset=9) as tar:
        tar.add(os.path.join(home.data, "store"), "store", filter=nobody)
        tar.add(os.path.join(home.root, "expected.json"), "expected.json", filter=nobody)
    home.close()
    print(path, os.path.getsize(path), "bytes")


def nobody(member):
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    make(parser.parse_args().binary)
