"""Faults of the files that are collected: rotation of every kind, truncation, deletion, links, rights, read errors."""
import collections
import os
import re
import subprocess
import sys
import time

from faults import faults
from oracle import Lines, append, check_audit, check_lines, files_of, oracle, read, stored_lines, wait_lines, write
from product import check


def logrotate(home, directives, path):
    """The real logrotate, forced once."""
    config, state = os.path.join(home.root, "rotate.conf"), os.path.join(home.root, "rotate.state")
    write(config, f"{path} {{\n{directives}\n}}\n".encode())
    os.chmod(config, 0o644)
    done = subprocess.run(["/usr/sbin/logrotate", "-f", "-s", state, config], capture_output=True)
    check(done.returncode == 0, f"logrotate: {done.stderr!r}")


def run_down(home, lines, path):
    """Collects some lines, stops cleanly, and leaves the program down."""
    append(path, lines.next(50))
    up = home.start(home.logs)
    wait_lines(home, len(lines.made))
    home.stop(up)


def finish(home, lines, contents=None, seconds=300):
    """Starts, waits for all lines, stops, and asks the oracle."""
    up = home.start(home.logs)
    wait_lines(home, len(lines.made), seconds=seconds)
    home.wait_until(home.caught_up, "everything is durable")
    home.stop(up)
    oracle(home, lines.made, contents if contents is not None else [read(p) for p in files_of(home) if not p.endswith(".gz")])


@faults("A4")
def test_yesterdays_state_is_put_back(home):
    """The data directory of yesterday is put back: what came since is read again, nothing twice."""
    lines, path = Lines(), home.log("a.log")
    run_down(home, lines, path)
    subprocess.run(["cp", "-a", home.data, home.data + ".yesterday"], check=True)
    run_down(home, lines, path)
    os.rename(path, path + ".1")
    run_down(home, lines, path)
    subprocess.run(["rm", "-rf", home.data], check=True)
    os.rename(home.data + ".yesterday", home.data)
    append(path, lines.next(50))
    finish(home, lines)


@faults("A4")
def test_data_directory_is_deleted(home):
    """Without its data directory the program collects everything anew, once."""
    lines, path = Lines(), home.log("a.log")
    run_down(home, lines, path)
    subprocess.run(["rm", "-rf", home.data], check=True)
    finish(home, lines)


@faults("A5")
def test_rename_rotation_with_a_late_writer(home):
    """Nine generations by the real logrotate while the writer keeps its old descriptor: late lines in .1 come too."""
    lines, path = Lines(), home.log("a.log")
    up = home.start(home.logs)
    late = open(path, "ab", buffering=0)
    contents, current = [], b""
    for n in range(9):
        data = lines.next(40)
        late.write(data)
        current += data
        logrotate(home, "rotate 9\ncreate 0644\n", path)
        data = lines.next(40)
        late.write(data[:1000])          # into the file that is called .1 now
        wait_lines(home, len(lines.made) - 40) if n % 3 == 0 else None
        late.write(data[1000:])
        contents.append(current + data)
        late.close()
        late, current = open(path, "ab", buffering=0), b""
    late.close()
    wait_lines(home, len(lines.made))
    home.stop(up)
    oracle(home, lines.made, contents)


FAST_WRITER = """
import sys, time
n, end = 0, time.monotonic() + float(sys.argv[2])
with open(sys.argv[1], "ab", buffering=0) as f:
    while time.monotonic() < end:
        f.write(b"".join(b"2026-11-20 10:00:00 INFO copytruncate number %d of many\\n" % i for i in range(n, n + 40)))
        n += 40
        time.sleep(0.001)
"""


@faults("A6")
def test_copytruncate_under_load(home):
    """The real logrotate copytruncates a file that is being written fast: whatever is in a file is stored, once, and nothing that was never written."""
    path = home.log("a.log")
    up = home.start(home.logs)
    writer = subprocess.Popen([sys.executable, "-c", FAST_WRITER, path, "5"])
    home.wait_until(lambda: os.path.exists(path) and os.path.getsize(path), "the writer writes")
    for _ in range(8):
        time.sleep(0.5)   # the row's pace; the outcome does not depend on it
        logrotate(home, "rotate 50\ncopytruncate\n", path)
    writer.wait()
    # A copy may end in the middle of a line: the rest of it was in the file when it was read, or is lost to everybody.
    in_files = {line for p in files_of(home) for line in read(p).splitlines(keepends=True) if line.endswith(b"\n")}
    # More lines may be stored than stand in the files: to have as many is not to have these.
    home.wait_until(lambda: home.count() >= len(in_files) and in_files <= set(stored_lines(home)), "the lines of every file are stored")
    home.wait_until(home.caught_up, "everything is durable")
    home.stop(up)
    have = stored_lines(home)
    check(len(have) == len(set(have)), f"{len(have) - len(set(have))} lines are stored twice")
    check(in_files <= set(have), f"{len(in_files - set(have))} lines that stand in a file are missing")
    check(len(in_files) > 10000, f"only {len(in_files)} lines were written")
    whole = re.compile(rb"2026-11-20 10:00:00 INFO copytruncate number [0-9]+ of many\n")
    check(all(whole.fullmatch(line) for line in have), f"altered: {[line for line in have if not whole.fullmatch(line)][:3]}")
    check_audit(home)


@faults("A7")
def test_copytruncate_while_down(home):
    """copytruncate while the program is down: the copy finishes the old generation."""
    lines, path = Lines(), home.log("a.log")
    run_down(home, lines, path)
    append(path, lines.next(50))
    logrotate(home, "rotate 5\ncopytruncate\n", path)
    append(path, lines.next(10))
    finish(home, lines)


@faults("A8")
def test_rotated_and_compressed_while_down(home):
    """Three rotations with gzip while down, once with delaycompress: no line missing, none twice."""
    for delay in ("", "delaycompress\n"):
        lines, path = Lines("d" if delay else "n"), home.log("delay.log" if delay else "now.log")
        run_down_one(home, lines, path)
        for _ in range(3):
            append(path, lines.next(60))
            logrotate(home, f"rotate 9\ncreate\ncompress\n{delay}", path)
        append(path, lines.next(5))
        up = home.start(home.logs)
        query = f"{lines.tag.decode()} line"
        wait_lines(home, len(lines.made), f'"{query}"')
        home.wait_until(home.caught_up, "everything is durable")
        home.stop(up)
        check_lines(home, lines.made, f'"{query}"')
    check_audit(home)


def run_down_one(home, lines, path):
    append(path, lines.next(50))
    up = home.start(home.logs)
    wait_lines(home, len(lines.made), f'"{lines.tag.decode()} line"')
    home.stop(up)


@faults("A10")
def test_inode_reuse_while_running(home):
    """Deleted and made again under the same name, 12 times: every file is its own source."""
    lines, path, contents = Lines(), home.log("a.log"), []
    up = home.start(home.logs)
    for n in range(12):
        contents.append(lines.next(1 + n % 3))
        write(path, contents[-1])
        wait_lines(home, len(lines.made))
        os.unlink(path)
    home.stop(up)
    oracle(home, lines.made, contents)
    check(len(home.json("sources")) == 12, f"{len(home.json('sources'))} sources, not 12")


@faults("A10")
def test_inode_reuse_while_down(home):
    """Deleted and made again while down, longer and shorter than before: the new file is read from its beginning."""
    lines, path, contents = Lines(), home.log("a.log"), []
    for count in (40, 80, 20):
        if os.path.exists(path):
            os.unlink(path)
        contents.append(lines.next(count))
        write(path, contents[-1])
        up = home.start(home.logs)
        wait_lines(home, len(lines.made))
        home.stop(up)
    oracle(home, lines.made, contents)


@faults("A11")
def test_deleted_while_running(home):
    """A deleted file is read to its end through the open descriptor, also what is written after the deletion."""
    lines, path = Lines(), home.log("a.log")
    up = home.start(home.logs)
    with open(path, "ab", buffering=0) as writer:
        writer.write(lines.next(50))
        wait_lines(home, 50)
        os.unlink(path)
        writer.write(lines.next(50))
        wait_lines(home, 100)
        contents = b"".join(lines.made)
    home.stop(up)
    oracle(home, lines.made, [contents])


@faults("A12")
def test_same_heads_and_same_files(home):
    """Fifty files that begin with the same 4 KB, and ten that are identical: each is its own source, nothing is merged away."""
    banner = b"=" * 4095 + b"\n"
    contents = [banner + b"2026-11-20 10:00:00 INFO file %d\n" % n for n in range(40)] + [banner] * 10
    for n, data in enumerate(contents):
        write(home.log(f"f{n}.log"), data)
    up = home.start(home.logs)
    wait_lines(home, 90)
    home.stop(up)
    oracle(home, [line for data in contents for line in data.splitlines(keepends=True)], contents)
    check(len(home.json("sources")) == 50, "fifty sources")


@faults("A13", "B10")
def test_tiny_files(home):
    """Empty, one byte, one newline, no newline at the end: held, then stored; the rest of the line follows without loss."""
    for name, data in (("empty.log", b""), ("byte.log", b"x"), ("newline.log", b"\n"), ("half.log", b"2026-11-20 10:00:00 INFO first ha")):
        write(home.log(name), data)
    up = home.start(home.logs)
    home.wait_until(lambda: len(home.json("sources")) >= 3, "the files are known")
    append(home.log("half.log"), b"lf and the second\n")
    append(home.log("empty.log"), b"no longer empty\n")
    wait_lines(home, 2)
    home.stop(up)
    home.run("import", *[p for p in files_of(home)])
    for name in ("byte.log", "half.log", "empty.log", "newline.log"):
        check(home.export(home.log(name)) == read(home.log(name)), f"{name} does not come back")
    check(b"2026-11-20 10:00:00 INFO first half and the second\n" in stored_lines(home), "the line is one record")
    check_audit(home)


@faults("A14", "B12")
def test_many_names_of_one_file(home):
    """A hard link, a symlink, a loop and a dangling link: one source, each line once."""
    lines, path = Lines(), home.log("a.log")
    write(path, lines.next(50))
    os.link(path, home.log("hard.log"))
    os.symlink(path, home.log("soft.log"))
    os.symlink("loop.log", home.log("loop.log"))
    os.symlink(home.logs, home.log("again"))
    os.symlink("/nowhere/at/all", home.log("dangling.log"))
    up = home.start(home.logs)
    wait_lines(home, 50)
    append(path, lines.next(50))
    wait_lines(home, 100)
    home.stop(up)
    oracle(home, lines.made, [read(path)])
    check(len([s for s in home.json("sources") if s["records"]]) == 1, "one source")


@faults("A23")
def test_rotated_to_a_foreign_name(home):
    """`log.txt` becomes `20261120140129.txt`: found by its handle, while running and while down."""
    lines, path = Lines(), home.log("log.txt")
    run_down(home, lines, path)
    append(path, lines.next(30))
    os.rename(path, home.log("20261120140129.txt"))
    write(path, lines.next(30))
    up = home.start(home.logs)
    wait_lines(home, len(lines.made))
    append(path, lines.next(10))
    os.rename(path, home.log("20261120150129.txt"))
    append(home.log("20261120150129.txt"), lines.next(10))
    write(path, lines.next(30))
    wait_lines(home, len(lines.made))
    home.stop(up)
    oracle(home, lines.made, [read(p) for p in files_of(home)])
    check(len(home.json("sources")) == 3, "three sources")


@faults("A9")
def test_truncated_and_regrown_while_down(home):
    """Truncated and grown past the old position while down: the guard bytes notice, the new head is there."""
    lines, path = Lines(), home.log("a.log")
    run_down(home, lines, path)
    old = read(path)
    write(path, lines.next(400))
    check(os.path.getsize(path) > len(old), "it has grown past the old position")
    finish(home, lines, [old, read(path)])


@faults("A24")
def test_shortened_to_an_equal_prefix_while_down(home):
    """A host that lost its page cache: the file ends earlier, at a commit; what is left is the same. Nothing is stored twice, new lines follow."""
    lines, path = Lines(), home.log("a.log")
    run_down(home, lines, path)
    keep = b"".join(lines.made)
    run_down(home, lines, path)
    os.truncate(path, len(keep))
    added = lines.next(3)
    append(path, added)
    finish(home, lines, [keep + added])
    source = home.json("sources")[0]["source"]
    home.run("audit", "--source", source)
    with open(path, "r+b") as f:
        f.seek(100)
        f.write(b"#")
    check(b"altered [100, 101)" in home.run("audit", "--source", source, code=1).stdout, "a byte of the inherited prefix is compared too")


@faults("C5")
def test_rules_change_between_crash_and_replay(home):
    """kill -9, other filters, multi-line starts, formats and paths, start again, many times: each byte keeps the fate it was given first; no
    line twice, none missing that no rule drops, and the file comes back byte for byte."""
    log, config, lines = home.log("a.log"), os.path.join(home.root, "logboom.yaml"), Lines()
    rules = ["path: {logs}/*.log", "path: {logs}/a.log\n      exclude: ['[05] of the test']", "path: {logs}\n      multiline: {{start: 'line \\d*[02468] of'}}",
             "path: {logs}/a*\n      include: ['line']\n      format: json", "path: {logs}/?.log\n      exclude: ['5 of the test']\n      keep_blank: true"]
    for turn in range(12):
        write(config, f"collect:\n  items:\n    - {rules[turn % len(rules)].format(logs=home.logs)}\n".encode())
        up = home.start("--config", config)
        for _ in range(20):
            append(log, lines.next(100) + b"\n")
        if turn % 3 == 2:  # also in the last one, whose rule drops lines
            home.wait_until(lambda: [s["acknowledged"] for s in home.json("sources")] == [os.path.getsize(log)], "all is read")
        home.kill(up)
    write(config, f"collect:\n  items:\n    - path: {home.logs}/*.log\n".encode())
    up = home.start("--config", config)
    append(log, lines.next(100))
    wait_lines(home, 1, f'"line {len(lines.made) - 1} of the test"')
    home.stop(up)
    have = collections.Counter(line for line in stored_lines(home) if line.strip())
    check(all(n == 1 for n in have.values()), f"{sum(n > 1 for n in have.values())} lines stand twice")
    check(set(have) <= set(lines.made), f"altered: {list(set(have) - set(lines.made))[:2]}")
    kept = {line for line in lines.made if not re.search(rb"[05] of the test", line)}
    check(kept <= set(have), f"{len(kept - set(have))} lines are missing: {list(kept - set(have))[:2]}")
    check(len(have) < len(lines.made), "no rule dropped anything: the test proves nothing")
    whole, exported = read(log).splitlines(keepends=True), home.export(log, code=1).splitlines(keepends=True)
    check([x for x in exported if x.strip()] == [x for x in whole if x in have], "the export is the file without what the rules dropped")
    beside = sum(a == b"\n" and b not in have for a, b in zip(whole, whole[1:]))  # blank lines before a dropped one go with it
    check(whole.count(b"\n") - beside <= exported.count(b"\n") <= whole.count(b"\n"), "blank lines are kept")
    check_audit(home)
