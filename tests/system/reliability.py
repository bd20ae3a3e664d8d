#!/usr/bin/env python3
"""Writes docs/reliability.md: which rows of the fault matrix a test proves, by which test, and which rows are open. Sources: the JSON
results of run.py and crash.py in a folder, and the unit tests, which name their rows in test names or in comments right above them.

usage: reliability.py --results DIR [--output FILE]
"""
import argparse
import glob
import json
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

ROWS = {
    "A0": "the audit itself finds a planted loss, repetition, flipped bit and shifted edge", "A1": "killed in a loop while writers run", "A2": "killed at each system call",
    "A3": "power cut under the agent's disk", "A4": "state deleted, or an old one put back", "A5": "rename rotation with a writer that keeps its descriptor",
    "A6": "copytruncate under load", "A7": "copytruncate while down", "A8": "rotated and compressed while down", "A9": "truncated and regrown past the position while down",
    "A10": "inode numbers used again", "A11": "deleted while running, while down", "A12": "many files with the same head, identical files", "A13": "empty, one byte, no newline",
    "A14": "several names of one file", "A15": "disk or inodes used up under the state", "A16": "read errors on a log file", "A17": "read permission lost and given back",
    "A18": "clock far ahead, far behind", "A19": "very many files; inotify and descriptor limits", "A20": "memory limit with a slow target", "A21": "cloned agent", "A22": "stopped (SIGSTOP) for minutes",
    "A23": "rotated to a name of another pattern", "A24": "shortened to an equal prefix", "A25": "one file under two rules with two topics",
    "T1": "server down for long", "T2": "packets dropped", "T3": "cut between request and reply", "T4": "half-open connection", "T5": "slow link", "T6": "delayed, reordered, doubled packets",
    "T7": "old session replayed", "T8": "Kafka: brokers and leaders lost, every API failing", "T9": "Kafka: outcome unknown", "T10": "Kafka: partitions added, rebalances", "T11": "Kafka: topic made again",
    "T12": "Kafka: retention ate unread messages", "T13": "Kafka: corrupt and foreign messages",
    "S1": "killed during ingest, flush, merge, delete", "S2": "crash at each step of input and output", "S3": "power cut, real file system", "S4": "a write or fsync fails", "S5": "real write-back failure",
    "S6": "disk full in every phase", "S7": "one bit flipped", "S8": "store files cut, missing, old", "S9": "two programs on one directory", "S10": "the store cannot be written", "S11": "clock jump with retention on",
    "S12": "OpenSearch: partial failures", "S13": "older and newer versions of the data",
    "C1": "bad rules", "C2": "etcd lost, wiped, restored", "C3": "etcd compacted while away", "C4": "etcd: thousands of changes", "C5": "rule changed between crash and replay", "C6": "half of a change of several keys",
    "C7": "configuration file replaced, half written",
    "Q1": "idle and slow connections", "Q2": "greedy queries, clients that stop reading", "Q3": "stopped under load", "Q4": "memory allocation fails: a request, a search or collecting begins anew, or the program ends; no line is lost or repeated after its next start",
    "X1": "every route without, with wrong, revoked, too weak tokens", "X2": "foreign Host names", "X3": "requests of other sites", "X4": "guessing", "X5": "central rules that reach out of their roots",
    "X6": "rules pushed by a stranger", "X7": "hostile bytes in lines and names", "X8": "forged agents", "X9": "TLS: old, expired, wrong names", "X10": "secrets in logs and files; modes of files", "X11": "the program's own files",
    "M1": "host metrics on their way: agent, transfer, broker, InfluxDB killed", "M2": "InfluxDB down for long", "M3": "a field that changed its kind", "M4": "a mounted file system that hangs", "M5": "the clock is set while a host is sampled",
    "B1": "random bytes, programs, images", "B2": "no newline for very long", "B3": "lines at the limits", "B4": "NUL bytes and runs", "B5": "holes in files", "B6": "invalid UTF-8", "B7": "byte order mark", "B8": "UTF-16",
    "B9": "every kind of line end", "B10": "last line without newline", "B11": "FIFO, socket, device, directory", "B12": "links that loop, dangle, lead out", "B13": "very many files and entries",
    "B14": "unreadable files and folders", "B15": "hostile file names", "B16": "globs without end", "B17": "files growing faster than read", "B18": "rewritten in place", "B19": "compressed files that lie",
    "B20": "archives named .log", "B21": "evil regular expressions", "B22": "huge regular expressions", "B23": "multi-line starts that never or always match", "B24": "impossible times", "B25": "hostile JSON",
    "B26": "very many field names", "B27": "odd field names", "B28": "broken HTTP bodies", "B29": "broken HTTP heads", "B30": "forged batches", "B31": "ingest of the wrong shape", "B32": "impossible metric samples",
    "B33": "hostile queries", "B34": "hostile etcd values", "B35": "hostile configuration files", "B36": "clock before the program's date", "B37": "odd surroundings: locale, umask, closed descriptors", "B38": "store files that are none",
}
# Rows with a defect that is known and not repaired: open, whatever other tests of the row say. Taken out with the repair.
KNOWN = {}
ROW = re.compile(r"(?<![A-Za-z0-9_])([ATSCQXM]\d{1,2})(?![0-9A-Za-z])")
INPUT = re.compile(r"[Bb]ad inputs? (\d+(?:(?:, | and )\d+)*)")
IN_NAME = re.compile(r"(?:^|_)([ATSCQXMB]\d{1,2})(?=_|[A-Z][a-z]|$)")
TEST = re.compile(r"^\s*TEST(?:_[FP])?\((\w+),\s*(\w+)\)")


def rows_of_text(text):
    rows = set(ROW.findall(text))
    for numbers in INPUT.findall(text):
        rows |= {"B" + n for n in re.findall(r"\d+", numbers)}
    return rows & set(ROWS)


def unit_tests():
    """(rows, test) of every unit test that names rows in its name or in the comment right above it."""
    found = []
    for path in sorted(glob.glob(os.path.join(ROOT, "src", "**", "*_test.cc"), recursive=True)):
        comment = ""
        for line in open(path, encoding="utf-8"):
            if line.lstrip().startswith("//"):
                comment += line
                continue
            if match := TEST.match(line):
                rows = rows_of_text(comment) | (set(IN_NAME.findall(match[2])) & set(ROWS))
                if rows:
                    found.append((rows, f"{os.path.relpath(path, ROOT)}: {match[1]}.{match[2]}"))
            comment = ""
    return found


def load(folder, name):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        return None
    with open(path) as f:
        return json.load(f)


class Evidence:
    def __init__(self):
        self.by_row = {row: [] for row in ROWS}

    def add(self, rows, what, date):
        for row in rows:
            if row in self.by_row:
                self.by_row[row].append((what, date))


def gather(folder):
    evidence, failing, crash_lines = Evidence(), [], []
    system, crash = load(folder, "system.json"), load(folder, "crash.json")
    for run in filter(None, (system, load(folder, "system-long.json"))):
        for test in run["tests"]:
            if test["passed"]:
                evidence.add(test["rows"], f"system: {test['test']}", run["date"])
            elif test["rows"]:
                failing.append((test["test"], test["rows"], test.get("not_run", "failed")))
    if crash:
        good = [m for m in crash["modes"] if m["passed"]]
        for m in good:
            crash_lines.append(f"| {m['mode']} | {m['rounds']} | {m['lines']:,} | {m['missing']} | {m['repeated']} | {m['altered']} | {m['generations']} |")
        if good and len(good) == len(crash["modes"]):
            total = sum(m["lines"] for m in good)
            evidence.add(crash["rows"], f"crash harness: {sum(m['rounds'] for m in good)} kills, {total:,} lines, missing 0, repeated 0, altered 0", crash["date"])
        failing += [(f"crash harness, mode {m['mode']}", crash["rows"], "failed") for m in crash["modes"] if not m["passed"]]
    for rows, test in unit_tests():
        evidence.add(rows, test, "unit")
    return evidence, failing, crash_lines, bool(system), bool(crash)


def order(row):
    return "ASCQXTMB".index(row[0]), int(row[1:])


def page(folder):
    evidence, failing, crash_lines, has_system, has_crash = gather(folder)
    proved = [row for row in sorted(ROWS, key=order) if evidence.by_row[row] and row not in KNOWN]
    opened = [row for row in sorted(ROWS, key=order) if row not in proved]
    out = ["# Reliability: what is proved, and by which test", "",
           "Generated by `tests/system/reliability.py` from the results of the last full test run; do not edit. A row is a way in which things go wrong; it counts as",
           "proved when a test provokes it and checks that no line is missing, repeated or altered, that the audit is clean and exports are byte-equal (or, where a row",
           "asks for something else, that). System tests run the real binary (`tests/system`), the others are unit tests with faults injected below the code.", "",
           f"{len(proved)} of {len(ROWS)} rows have a test that passes; {len(opened)} are open.", ""]
    if not has_system or not has_crash:
        out += [f"Incomplete: results of {'the system tests' if not has_system else 'the crash harness'} were not there when this page was made.", ""]
    if crash_lines:
        out += ["## Crash harness", "", "Writers at full speed, rotations, kill -9 at random moments; then every line is looked for.", "",
                "| rotation | kills | lines | missing | repeated | altered | files byte-equal |", "|---|---|---|---|---|---|---|", *crash_lines, ""]
    out += ["## Rows with a test that passes", "", "| row | what goes wrong | tests | last run |", "|---|---|---|---|"]
    for row in proved:
        tests = evidence.by_row[row]
        shown = "<br>".join(f"`{t}`" if not t.startswith("crash harness") else t for t, _ in tests[:4]) + (f"<br>and {len(tests) - 4} more" if len(tests) > 4 else "")
        dates = sorted(d for _, d in tests if d != "unit")
        out.append(f"| {row} | {ROWS[row]} | {shown} | {dates[-1] if dates else 'with every unit test run'} |")
    out += ["", "## Open rows", "", "No test that passes names these yet, or a defect is known.", "", "| row | what goes wrong | known |", "|---|---|---|"]
    out += [f"| {row} | {ROWS[row]} | {KNOWN.get(row, '')} |" for row in opened]
    if failing:
        out += ["", "## Tests that did not pass in this run", "", "| test | rows | why |", "|---|---|---|"]
        out += [f"| `{test}` | {' '.join(rows)} | {why} |" for test, rows, why in failing]
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--results", default=os.path.join(ROOT, "build", "test-results"))
    parser.add_argument("--output", default=os.path.join(ROOT, "docs", "reliability.md"))
    args = parser.parse_args()
    text = page(args.results)
    with open(args.output, "w", encoding="utf-8") as f:
        f.write(text)
    print(f"{args.output}: {text.splitlines()[6]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
