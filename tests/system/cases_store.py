"""Faults under the store: a full disk, failing writes, bit flips, lost and foreign files, a second program, a wrong clock."""
import base64
import gzip
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import time

from faults import faults
from oracle import LINE, Lines, api_json, append, check_audit, check_exports, check_lines, count_lines, oracle, read, wait_lines, write
from product import Failure, check, tool


def problem_of(home):
    return api_json(home, "/api/v1/status")["store"]["problem"]


def store_files(home, ending=""):
    found = []
    for folder, _, names in os.walk(home.data):
        found += [os.path.join(folder, n) for n in names if n.endswith(ending)]
    return sorted(found)


def databases(home):
    """Of the log store; that of the metrics is another file."""
    return [path for path in store_files(home, ".db") if os.path.basename(path).startswith("logs-")]


def fill(home, lines, files=4, count=150):
    for n in range(files):
        append(home.log(f"f{n}.log"), lines.next(count))


def filled(home):
    """A store with lines of all files; the program has stopped."""
    lines = Lines()
    fill(home, lines)
    up = home.start(home.logs)
    wait_lines(home, len(lines.made))
    home.stop(up)
    return lines


def recover(home, up, lines):
    wait_lines(home, len(lines.made), seconds=300)
    home.wait_until(home.caught_up, "everything is durable")
    home.stop(up)
    oracle(home, lines.made, [read(home.log(n)) for n in sorted(os.listdir(home.logs))])


@faults("S1", "A1")
def test_killed_during_import(home):
    """An import is killed at five random moments; the last one finishes: nothing missing, nothing twice."""
    lines = Lines()
    fill(home, lines, 6, 3000)
    rng = random.Random(11)
    for _ in range(5):
        process = subprocess.Popen([home.binary, "--data", home.data, "import", *sorted(os.path.join(home.logs, n) for n in os.listdir(home.logs))],
                                   env=home.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.01, 0.3))
        process.kill()
        process.wait()
    paths = sorted(os.path.join(home.logs, n) for n in os.listdir(home.logs))
    home.run("import", *paths)
    oracle(home, lines.made, [read(p) for p in paths])


def strace(*words):
    return [tool("strace"), "-f", "-qq", "-o", "/dev/null", *words]


def test_spools_of_killed_imports_do_not_stay(home):
    """`import -` keeps what it reads in the data directory; what a killed one left there goes with the next one, a running one's stays."""
    killed = subprocess.Popen([home.binary, "--data", home.data, "import", "-", "--name", "k"], stdin=subprocess.PIPE, env=home.env)
    spool = os.path.join(home.data, f"import-{killed.pid}.spool")
    home.wait_until(lambda: os.path.exists(spool), "the import has begun")
    killed.kill()
    killed.wait()
    running = os.path.join(home.data, f"import-{os.getpid()}.spool")
    write(running, b"")
    check(os.path.exists(spool), "it is left behind")
    home.run("import", "-", "--name", "k", stdin=b"line\n")
    check(not os.path.exists(spool) and os.path.exists(running), f"left: {os.listdir(home.data)}")


@faults("S4")
def test_fsync_fails_once(home):
    """The n-th fsync fails with EIO: that batch is not acknowledged on the file that failed; in the end every line is stored once."""
    lines = Lines()
    fill(home, lines)
    for n in (1, 4):
        up = home.start(home.logs, wrap=strace("-e", "trace=fdatasync,fsync", "-e", f"inject=fdatasync,fsync:error=EIO:when={n}"), wait=False)
        try:
            home.wait_until(lambda: home.answers(up), "the program answers")
        except Exception:
            check(b"rror" in home.up_log().encode() and home.up_log().strip(), f"it ended without saying why: {home.up_log()!r}")
            home.running.remove(up)
            continue
        append(home.log("f0.log"), lines.next(20))
        time.sleep(0.5)
        append(home.log("f1.log"), lines.next(20))
        home.wait_until(lambda: home.count() >= len(lines.made) or home.count() == -1, "lines come in spite of it")
        home.kill(up)
    recover(home, home.start(home.logs), lines)


@faults("S6", "Q3")
def test_a_stop_while_the_disk_is_full(home):
    """Told to stop while the disk is full the program ends, and so does an import; what was not durable is collected at the next start."""
    home.mount_tmpfs(home.data, "size=67m,mode=700")  # below 64 MB free nothing is acknowledged any more
    lines, rng, paths = Lines(), random.Random(3), [home.log("big.log"), home.log("other.log")]
    for path in paths:
        noise = [b"2026-11-20 10:00:00 INFO noise %s\n" % base64.b64encode(rng.randbytes(90)) for _ in range(250_000)]
        lines.made.extend(noise)
        write(path, b"".join(noise))
    up = home.start(paths[0])
    home.wait_until(lambda: problem_of(home) != "", "the status names the full disk")
    home.kill(up, signal.SIGTERM)  # waits a minute, no more
    said = home.log("import.said")
    with open(said, "wb") as errors:
        command = subprocess.Popen([home.binary, "--data", home.data, "import", paths[1]], stdout=errors, stderr=errors, env=home.env)
    home.wait_until(lambda: b"acknowledges nothing" in read(said), "the import says that the disk is full")
    command.send_signal(signal.SIGINT)
    check(command.wait(timeout=60) not in (0, 1), "an import that was cut off does not say all is well")
    os.unlink(said)
    home.remount_tmpfs(home.data, "size=400m")
    up = home.start(home.logs)
    wait_lines(home, len(lines.made), seconds=300)
    home.stop(up)
    oracle(home, lines.made, [read(path) for path in paths])


@faults("S6", "A15")
def test_disk_full_and_freed(home):
    """The disk under the store is full: it says so, reading answers, nothing is acknowledged that is not there; freed, it goes on by itself."""
    home.mount_tmpfs(home.data, "size=67m,mode=700")  # below 64 MB free nothing is acknowledged any more
    lines = Lines()
    rng = random.Random(2)
    path = home.log("big.log")
    def noise(size):
        with open(path, "ab") as f:
            end = f.tell() + size
            while f.tell() < end:
                line = b"2026-11-20 10:00:00 INFO noise %s\n" % base64.b64encode(rng.randbytes(90))
                lines.made.append(line)
                f.write(line)

    def full():
        if home.count() == len(lines.made):
            noise(50_000)  # one commit had room for everything
        return problem_of(home) != "" and 0 <= home.count() < len(lines.made)  # in this order: what is there then no longer grows

    noise(8_000_000)
    up = home.start(home.logs)
    home.wait_until(full, "the status names the full disk")
    said = problem_of(home)
    check("free" in said and home.data in said, f"the problem is: {said!r}")
    check(home.count("nosuchword") == 0, "searching works on a full disk")
    held = home.count()
    check(0 <= held < len(lines.made), f"{held} of {len(lines.made)} lines on 3 free MB")
    home.remount_tmpfs(home.data, "size=400m")
    wait_lines(home, len(lines.made), seconds=300)
    home.wait_until(lambda: problem_of(home) == "", "the problem is gone")
    home.stop(up)
    oracle(home, lines.made, [read(path)])


@faults("A15", "S6")
def test_no_inodes_left(home):
    """No inode is free where the data directory lies: a clear message, no loop, and it works once there are some."""
    home.mount_tmpfs(home.data, "size=200m,nr_inodes=3,mode=700")
    lines = Lines()
    fill(home, lines)
    up = home.start(home.logs, wait=False)
    home.wait_until(lambda: up.poll() is not None or home.count() >= 0, "it runs, or it has ended")
    if up.poll() is not None:
        check(up.returncode not in (0, -11, -6), f"ended with {up.returncode}")
        home.running.remove(up)
        check("space" in home.up_log().lower() or "inode" in home.up_log().lower() or "full" in home.up_log().lower(), f"the message: {home.up_log()!r}")
        home.remount_tmpfs(home.data, "size=200m,nr_inodes=1000")
        up = home.start(home.logs)
    else:
        home.remount_tmpfs(home.data, "size=200m,nr_inodes=1000")
    recover(home, up, lines)


@faults("S7", "A0")
def test_flipped_bits_are_found(home):
    """One bit flipped at 30 random places of the store: the audit finds it, or nothing that is stored is touched; other files stay readable."""
    rng = random.Random(17)
    paths = []
    for n in range(4):
        path = home.log(f"f{n}.log")
        with open(path, "wb") as f:
            for i in range(5000):
                f.write(b"2026-11-20 10:00:%02d INFO file %d line %d %s\n" % (i % 60, n, i, rng.randbytes(30).hex().encode()))
        paths.append(path)
        home.run("import", path)
    contents = {p: read(p) for p in paths}
    home.run("audit")
    found = harmless = 0
    database = max(databases(home), key=os.path.getsize)
    original = read(database)
    for n in range(30):
        place, bit = rng.randrange(len(original)), rng.randrange(8)
        damaged = bytearray(original)
        damaged[place] ^= 1 << bit
        write(database, bytes(damaged))
        audit = home.run("audit", code=None)
        check(audit.returncode >= 0 and audit.returncode < 128, f"bit {bit} of byte {place}: the audit ended with {audit.returncode}")
        if audit.returncode == 0:
            harmless += 1
            for path, data in contents.items():
                check(home.export(path) == data, f"bit {bit} of byte {place}: the audit is clean, and {path} is not what it was")
            continue
        found += 1
        check(audit.stdout.strip() or audit.stderr.strip(), f"bit {bit} of byte {place}: found, and nothing said")
        if n % 4 == 0:
            for path, data in contents.items():
                done = home.run("export", "--file", path, code=None)
                check(done.returncode != 0 or done.stdout == data, f"bit {bit} of byte {place}: a wrong export that claims to be right")
    write(database, original)
    home.run("audit")
    check(found >= 10, f"only {found} of 30 flips found, {harmless} harmless")


@faults("A0")
def test_the_oracle_finds_what_is_planted(home):
    """The checks of these tests, which share no code with the product: one line lost, stored twice, altered, moved in the store is each named."""
    lines = Lines()
    data = lines.next(200)
    whole = LINE.findall(data)
    planted = {
        "missing 1 ": whole[:50] + whole[51:],
        "repeated 1,": whole[:50] + whole[49:],
        "altered 1 ": whole[:50] + [whole[50].replace(b"x line", b"y line")] + whole[51:],
    }
    for what, stored in planted.items():
        shutil.rmtree(home.data, ignore_errors=True)
        write(home.log("a.log"), b"".join(stored))
        home.run("import", home.log("a.log"))
        for wanted, found in ((what, lambda: check_lines(home, lines.made)), ("do not come back byte for byte", lambda: check_exports(home, [data]))):
            try:
                found()
            except Failure as failure:
                check(wanted in str(failure), f"planted: {what}; named: {failure}")
                continue
            check(False, f"planted: {what}; nothing was found")
    shutil.rmtree(home.data)
    write(home.log("a.log"), b"".join(whole[:50] + [whole[51], whole[50]] + whole[52:]))
    home.run("import", home.log("a.log"))
    check_lines(home, lines.made)              # the same lines: only the bytes know their order
    try:
        check_exports(home, [data])
    except Failure:
        return
    check(False, "two lines changed places, and nothing was found")


def damage_first_block(home):
    database = max(databases(home), key=os.path.getsize)
    damaged = bytearray(read(database))
    damaged[damaged.index(b"LBBLOCK1") + 40] ^= 0xff
    write(database, bytes(damaged))
    check("damaged" in check_audit(home, 1), "the audit finds the damaged block")


@faults("S7")
def test_damaged_blocks_are_filled_again_from_their_files(home):
    """Blocks damaged beyond repair: `repair` names their ranges, the next `up` reads them again from the file (also renamed), nothing is there twice."""
    lines = Lines()
    path = home.log("a.log")
    append(path, lines.next(60000))
    home.run("import", path)
    damage_first_block(home)
    done = home.run("repair", code=1)
    check(re.search(rb"lost: bytes \[\d+, \d+\) of .*a\.log: still on the disk", done.stdout), f"repair says {done.stdout!r}")
    check("missing" in check_audit(home, 1), "after the repair the range is missing")
    os.rename(path, path + ".1")
    append(path, lines.next(10))
    recover(home, home.start(home.logs), lines)


@faults("S7", "A8")
def test_damaged_blocks_are_filled_again_from_compressed_copies(home):
    """The same when the file lies only in a compressed copy, which was known as one before its store was damaged."""
    lines = Lines()
    path = home.log("a.log")
    append(path, lines.next(60000))
    up = home.start(home.logs)
    wait_lines(home, 60000)
    os.rename(path, path + ".1")
    append(path, lines.next(10))
    wait_lines(home, 60010)
    subprocess.run([tool("gzip"), path + ".1"], check=True)
    home.wait_until(lambda: any(s["file"] == path + ".1.gz" and s["finished"] for s in home.json("sources")), "the copy is known as one")
    home.stop(up)
    damage_first_block(home)
    home.run("repair", code=1)
    up = home.start(home.logs)
    home.wait_until(lambda: home.run("audit", code=None).returncode == 0, "the copy has filled the hole", 120)
    home.stop(up)
    check_lines(home, lines.made)
    check_audit(home)


PAGE = 16384


def lose_page(database, page):
    with open(database, "r+b") as f:
        f.seek((page - 1) * PAGE)
        f.write(bytes(PAGE))


def root_page(database, table):
    connection = sqlite3.connect(f"file:{database}?immutable=1", uri=True)
    page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    connection.close()
    return page


@faults("S7", "A8")
def test_lost_pages_of_the_ledger(home):
    """The pages of streams, ledger, names and the schema are lost, each in turn: after `repair` the same import, and a compressed copy in the place of the file, store nothing twice; the loss is one finding, closed by its id."""
    lines, path, small = Lines(), home.log("a.log"), home.log("b.log")
    append(path, lines.next(20000))
    append(small, lines.next(30))
    home.run("import", path, small)
    database, whole, content = databases(home)[0], home.data + ".whole", read(path)
    shutil.copytree(home.data, whole)
    for table in ("stream", "ledger", "ref", "schema"):
        lose_page(database, 1 if table == "schema" else root_page(database, table))
        audit = home.run("audit", code=None)
        check(audit.returncode != 0 and b"run `logboom repair`" in audit.stdout + audit.stderr, f"{table}: the audit says {audit}")
        home.run("repair", code=None)
        home.run("import", path, small)
        check_lines(home, lines.made)
        os.unlink(path)
        write(path + ".1.gz", gzip.compress(content))
        home.run("import", path + ".1.gz", small)
        check_lines(home, lines.made)
        findings = home.json("audit", code=None)["findings"]
        check(all("repaired: lost: " in f["detail"] for f in findings) and len(findings) <= 1, f"{table}: the audit says {findings}")
        for finding in findings:
            home.run("audit", "--accept", finding["id"])
        check_audit(home, 0)
        os.unlink(path + ".1.gz")
        write(path, content)                   # under another handle: put back for the next round
        shutil.rmtree(home.data)
        shutil.copytree(whole, home.data)


@faults("S8")
def test_a_missing_store_file_is_given_up(home):
    """The first of two store files is gone: `audit` names the command, `repair` gives the file up, the next import stores its lines again, one finding stays until it is accepted."""
    lines, path = Lines(), home.log("a.log")
    append(path, lines.next(3000))
    home.run("import", path)
    append(path, lines.next(200))
    later = [tool("faketime"), "+1 day"]
    subprocess.run([*later, home.binary, "--data", home.data, "import", path], env=home.env, check=True, capture_output=True)
    first = databases(home)[0]
    os.unlink(first)
    said = home.run("audit", code=1).stdout
    check(b"run `logboom repair`" in said, f"the audit says {said!r}")
    done = home.run("repair", code=1)
    check(b"missing and given up" in done.stdout and b"still on the disk" in done.stdout, f"repair says {done.stdout!r}")
    subprocess.run([*later, home.binary, "--data", home.data, "import", path], env=home.env, check=True, capture_output=True)
    check_lines(home, lines.made)
    check_exports(home, [read(path)])
    findings = home.json("audit", code=1)["findings"]
    check(len(findings) == 1 and "given up" in findings[0]["detail"], f"the audit says {findings}")
    home.run("audit", "--accept", findings[0]["id"])
    check_audit(home, 0)


@faults("S7")
def test_a_block_is_not_filled_from_altered_files(home):
    """The file has other bytes where a block was lost: they are a conflict, never taken for the old ones."""
    lines, path = Lines(), home.log("a.log")
    append(path, lines.next(60000))
    home.run("import", path)
    database = max(databases(home), key=os.path.getsize)
    damaged = bytearray(read(database))
    damaged[damaged.index(b"LBBLOCK1") + 40] ^= 0xff
    write(database, bytes(damaged))
    done = home.run("repair", code=1)
    begin = int(re.search(rb"lost: bytes \[(\d+), ", done.stdout)[1])
    with open(path, "r+b") as f:
        f.seek(begin + 100_000)
        f.write(b"#")
    home.run("import", path, code=3)
    said = check_audit(home, 1)
    check("conflict" in said, f"the audit says {said}")


@faults("B18", "A0")
def test_files_altered_after_they_were_read(home):
    """`audit --source` compares with the file: clean while it is as it was, also renamed; one changed byte and a cut end are named by range. Expired bytes are compared by their marks."""
    lines, path = Lines(), home.log("a.log")
    append(path, lines.next(20000))
    size = os.path.getsize(path)
    home.run("import", path)
    source = home.json("sources")[0]["source"]
    said = home.run("audit", "--source", source).stdout
    check(b"compared with the file" in said, f"{said!r}")
    os.rename(path, home.log("b.txt"))
    home.run("audit", "--source", source)
    with open(home.log("b.txt"), "r+b") as f:
        f.seek(345_678)
        f.write(b"#")
    check(b"altered [345678, 345679)" in home.run("audit", "--source", source, code=1).stdout, "the changed byte is named")
    home.run("audit")                      # without --source files are not looked at
    os.truncate(home.log("b.txt"), size - 5)
    check(f"altered [{size - 5}, {size})".encode() in home.run("audit", "--source", source, code=1).stdout, "the cut end is named")
    os.unlink(home.log("b.txt"))
    check(b"not compared" in home.run("audit", "--source", source).stdout, "a deleted file is no finding")


def expire(home):
    """Retention takes everything but the newest file of the store."""
    up = home.start(home.log("nothing"), "--logs.retention.size", "1")
    home.wait_until(lambda: api_json(home, "/api/v1/status")["store"]["files"] == 1, "the old files are removed")
    home.stop(up)


def import_new_file(home, path):
    """Into a store whose files are small: this one begins another."""
    home.run("import", path, env=dict(home.env, LOGBOOM_LOGS_FILE_SIZE="64KiB"))


@faults("S1")
def test_import_again_what_has_expired(home):
    """What retention removed is not stored again by a second import; `--again` stores it, once, and other bytes than those of then are a conflict."""
    lines, path = Lines(), home.log("a.log")
    os.mkdir(home.log("nothing"))
    append(path, lines.next(20000))
    append(home.log("z.log"), b"the newest\n")
    home.run("import", path)
    import_new_file(home, home.log("z.log"))
    expire(home)
    left = count_lines(home, "of the test", code=None)
    check(left < 20000, f"{left} lines are left after retention")
    home.run("audit")
    home.run("import", path)
    check(count_lines(home, "of the test", code=None) == left, "a second import takes nothing that has expired")
    home.run("import", "--again", path, home.log("z.log"))
    oracle(home, lines.made + [b"the newest\n"], [read(path)])
    home.run("import", "--again", path)
    check_lines(home, lines.made, '"of the test"')
    source = [s["source"] for s in home.json("sources") if s["file"] == path][0]
    home.run("audit", "--source", source)
    expire_again = home.log("y.log")
    append(expire_again, b"newer still\n")
    import_new_file(home, expire_again)
    expire(home)
    home.run("audit", "--source", source)      # the expired bytes fit their marks
    with open(path, "r+b") as f:
        f.seek(1000)
        f.write(b"#")
    check(b"altered [" in home.run("audit", "--source", source, code=1).stdout, "an expired range with other bytes is named")
    home.run("import", "--again", path, code=3)
    check("conflict" in check_audit(home, 1), "other bytes are a conflict")


@faults("S8", "B38")
def test_damaged_store_files_are_never_a_silent_empty_store(home):
    """Store files empty, random, cut, missing, of another program: a named error or a report, no crash, no overwriting, no silent empty store."""
    lines = Lines()
    fill(home, lines, 3, 2000)
    home.run("import", *[home.log(n) for n in sorted(os.listdir(home.logs))])
    saved = home.data + ".saved"
    shutil.copytree(home.data, saved)
    rng = random.Random(4)

    def other_program(path):
        os.unlink(path)
        with sqlite3.connect(path) as db:
            db.execute("create table theirs(x)")

    damages = {
        "empty": lambda p: write(p, b""),
        "random": lambda p: write(p, rng.randbytes(50_000)),
        "cut in half": lambda p: os.truncate(p, os.path.getsize(p) // 2),
        "cut by a page": lambda p: os.truncate(p, os.path.getsize(p) - 4096),
        "missing": os.unlink,
        "another program's": other_program,
    }
    for what, damage in damages.items():
        shutil.rmtree(home.data)
        shutil.copytree(saved, home.data)
        victim = databases(home)[0]
        damage(victim)
        before = read(victim) if os.path.exists(victim) else None
        audit = home.run("audit", code=None)
        if audit.returncode == 0 and what == "cut by a page":  # a page without content: then everything must be there
            check_exports(home, [read(home.log(n)) for n in sorted(os.listdir(home.logs))])
            continue
        check(audit.returncode in (1, 3), f"{what}: audit ended with {audit.returncode}: {audit.stdout!r} {audit.stderr!r}")
        said = audit.stdout + audit.stderr   # the store's file by name, or what of the logs is damaged, by range
        check(os.path.basename(victim).encode() in said or re.search(rb"FINDING .* damaged \[\d+, \d+\) of .*f\d\.log", said), f"{what}: nothing is named: {said!r}")
        search = home.run("search", "--all", "--count-lines", "--quiet", "line", code=None)
        check(search.returncode != 0 or int(search.stdout) == len(lines.made) or search.stderr, f"{what}: a silent empty store: {search.stdout!r}")
        check((read(victim) if os.path.exists(victim) else None) == before, f"{what}: reading changed the file")


@faults("S8")
def test_store_replaced_by_an_old_one(home):
    """The store of an hour ago, copied back with everything: what it lacks is read again."""
    lines = filled(home)
    shutil.copytree(home.data, home.data + ".old")
    up = home.start(home.logs)
    fill(home, lines)
    wait_lines(home, len(lines.made))
    home.stop(up)
    shutil.rmtree(home.data)
    os.rename(home.data + ".old", home.data)
    recover(home, home.start(home.logs), lines)


@faults("S10")
def test_store_cannot_be_written(home):
    """Every write to a file answers EROFS: ingest stops and says why, queries go on; a start without the fault finishes."""
    lines = filled(home)
    stored = len(lines.made)
    up = home.start(home.logs, wrap=strace("-e", "trace=pwrite64", "-e", "inject=pwrite64:error=EROFS"))
    fill(home, lines)
    home.wait_until(lambda: problem_of(home) != "", "the status says that nothing is stored")
    check("ead-only" in problem_of(home), f"the cause is missing: {problem_of(home)!r}")
    check(home.count() == stored, f"queries answer {home.count()}, stored are {stored}")
    home.kill(up)
    recover(home, home.start(home.logs), lines)


@faults("S4")
def test_write_fails_on_one_file(home):
    """One file of the store cannot be written any more: the next takes over, nothing missing, nothing twice."""
    lines = filled(home)
    paths = [word for path in databases(home) for word in ("-P", path, "-P", path + "-wal")]
    up = home.start(home.logs, wrap=strace(*paths, "-e", "trace=pwrite64", "-e", "inject=pwrite64:error=EIO"))
    fill(home, lines)
    wait_lines(home, len(lines.made))
    check(len(databases(home)) == 2, f"a second file: {databases(home)}")
    home.kill(up)
    recover(home, home.start(home.logs), lines)


@faults("S11", "A18", "B36")
def test_clock_jumps(home):
    """The clock jumps ten years ahead, back to 1971 and right again: nothing stalls, nothing is deleted by the jump alone."""
    tool("faketime")
    lines = filled(home)
    for when in ("+3650d", "-3650d", "@1971-01-02 00:00:00"):
        env = dict(home.env, LD_PRELOAD="/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", FAKETIME=when, FAKETIME_DONT_FAKE_MONOTONIC="1")
        up = home.start(home.logs, env=env)
        fill(home, lines)
        wait_lines(home, len(lines.made))
        if when == "+3650d":
            home.wait_until(lambda: api_json(home, "/api/v1/status")["store"]["deletion_held"] != "", "the status says that deletion is held")
        home.stop(up)
    recover(home, home.start(home.logs), lines)


@faults("A20")
def test_small_memory_limit(home):
    """limits.memory of 16 MB and 40 MB of logs at once, long lines among them: the memory of the process stays bounded, nothing is lost."""
    for n in range(4):
        home.run("generate", os.path.join(home.logs, str(n)), "--format", "app", "--bytes", "6MB", "--seed", str(n), "--quiet")
    paths = [home.log(f"{n}/app-0.log") for n in range(4)]
    write(home.log("long.log"), b"y" * 5_000_000 + b"\nshort\n")
    paths.append(home.log("long.log"))
    wanted = sum(read(p).count(b"\n") for p in paths)
    up = home.start(home.logs, "--limits.memory", "16MB", "--logs.query_memory", "16MiB")
    wait_lines(home, wanted, seconds=300)
    peak = int([line for line in open(f"/proc/{up.pid}/status") if line.startswith("VmHWM")][0].split()[1])
    check(peak < 250_000, f"the process took {peak} kB at its peak")
    home.stop(up)
    check_exports(home, [read(p) for p in paths])
    check_audit(home)
