"""What must be true after every fault: each line once and unaltered, exports byte-equal, the audit clean. Shares no code with the product."""
import collections
import json
import os
import re
import zlib

from product import Failure, Unix, check

LINE = re.compile(rb"[^\n]*\n")   # splitlines would also split at a CR


def write(path, data, mode="wb"):
    with open(path, mode) as f:
        f.write(data)


def append(path, data):
    write(path, data, "ab")


def read(path):
    with open(path, "rb") as f:
        return f.read()


class Lines:
    """Numbered lines with a checksum each: `next(n)` makes n new ones and remembers them."""

    def __init__(self, tag="x"):
        self.tag, self.made = tag.encode(), []

    def next(self, count=1):
        lines = []
        for _ in range(count):
            body = b"%s line %d of the test" % (self.tag, len(self.made))
            lines.append(b"2026-11-20 10:%02d:%02d INFO %s c%08x\n" % (len(self.made) // 60 % 60, len(self.made) % 60, body, zlib.crc32(body)))
            self.made.append(lines[-1])
        return b"".join(lines)


def stored_lines(home, query=""):
    return LINE.findall(home.run("search", "--all", "--quiet", "--", query).stdout)


def count_lines(home, query="", code=0):
    return int(home.run("search", "--all", "--count-lines", "--quiet", "--", query, code=code).stdout)


def wait_lines(home, count, query="", seconds=180):
    """Until at least so many lines are found by the running program; the number afterwards is the oracle's business."""
    try:
        home.wait_until(lambda: home.count(query) >= count, f"{count} lines are stored", seconds)
    except Failure as failure:
        raise Failure(f"{failure}\nthere are {home.count(query)}") from None


def check_lines(home, expected, query=""):
    """missing = 0, repeated = 0, altered = 0."""
    want, have = collections.Counter(expected), collections.Counter(stored_lines(home, query))
    missing, extra = want - have, have - want
    known = set(expected)
    repeated = sum(n for line, n in extra.items() if line in known)
    altered = [line for line in extra if line not in known]
    check(not missing and not extra, f"lines {len(expected)}: missing {sum(missing.values())} {list(missing)[:2]}, repeated {repeated}, "
                                     f"altered {len(altered)} {altered[:2]}")


def exports(home):
    """The bytes of every generation of every source."""
    have = []
    for source in home.json("sources"):
        for epoch in range(source["epoch"] + 1):
            done = home.run("export", "--source", source["source"], "--epoch", str(epoch), "--topic", source["topic"], code=None)
            if done.returncode == 0:
                have.append(done.stdout)
    return have


def check_exports(home, wanted):
    have = collections.Counter(exports(home))
    lost = [len(data) for data in wanted if data and not have[data]]
    check(not lost, f"{len(lost)} of {len(wanted)} contents do not come back byte for byte (sizes {lost[:5]}; exported {sorted(map(len, have))[:12]})")


def check_audit(home, code=0):
    done = home.run("audit", code=None)
    check(done.returncode == code, f"audit: exit status {done.returncode}, expected {code}\n{done.stdout.decode(errors='replace')[-1500:]}"
                                   f"{done.stderr.decode(errors='replace')[-500:]}")
    return done.stdout.decode(errors="replace")


def oracle(home, expected, contents=()):
    check_lines(home, expected)
    check_exports(home, contents)
    check_audit(home)


def files_of(home):
    return sorted(os.path.join(home.logs, name) for name in os.listdir(home.logs))


def api(home, target, method="GET", body=b"", headers=()):
    """Status and body of a request over the socket."""
    return Unix(home).ask(target, method, body, headers)


def api_json(home, target):
    status, body = api(home, target)
    check(status == 200, f"{target}: {status} {body[:300]!r}")
    return json.loads(body)
