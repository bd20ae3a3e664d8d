"""The main job: import, search, export, audit; `up` follows; what people type first."""
import fcntl
import gzip
import lzma
import os
import random
import signal
import subprocess

from faults import faults
from product import check


def write(path, data, mode="wb"):
    with open(path, mode) as f:
        f.write(data)


def generate(home, *words):
    home.run("generate", home.logs, *words, "--quiet")
    return sorted(os.path.join(home.logs, name) for name in os.listdir(home.logs))


def grep_count(pattern, paths, *flags):
    done = subprocess.run(["grep", "-a", "-c", "-h", *flags, "--", pattern, *paths], capture_output=True, env={"LC_ALL": "C", "PATH": os.environ["PATH"]})
    return sum(int(n) for n in done.stdout.split())


def count_lines(home, query, code=None):
    return int(home.run("search", "--all", "--count-lines", "--quiet", "--", query, code=code).stdout)


def test_import_search_export_audit(home):
    """Generated logs: import, audit, export byte for byte, counts as grep's, import again stores nothing twice."""
    paths = generate(home, "--format", "mixed", "--bytes", "12MB", "--files", "8", "--seed", "7")
    home.run("import", *paths)
    home.run("audit")
    for path in paths:
        check(home.export(path) == open(path, "rb").read(), f"export of {path} differs")
    before = count_lines(home, "")
    check(before == sum(open(p, "rb").read().count(b"\n") for p in paths), "not every line is stored")
    home.run("import", *paths)
    check(count_lines(home, "") == before, "importing again changed the number of lines")
    single = [p for p in paths if p.endswith(("-0.log", "-1.log", "-2.log", "-4.log", "-5.log", "-6.log"))]
    check(len(single) == 6, "six files without multi-line records")


def test_counts_equal_grep(home):
    """On files without multi-line records, words, parts and patterns count as grep does."""
    for n, kind in enumerate(["app", "access", "json"]):
        home.run("generate", os.path.join(home.logs, kind), "--format", kind, "--bytes", "2MB", "--seed", str(n + 1), "--quiet")
    paths = [os.path.join(home.logs, kind, "app-0.log") for kind in ["app", "access", "json"]]
    home.run("import", *paths)
    data = b"".join(open(p, "rb").read() for p in paths)
    rng = random.Random(5)
    words = sorted(set(data.replace(b"/", b" ").replace(b"=", b" ").replace(b'"', b" ").split()))
    words = [w.decode() for w in rng.sample(words, 40) if w.isalnum() and w.isascii()][:15] + ["timeout", "TIMEOUT", "order", "nosuchword", "503"]
    for word in words:
        got, want = count_lines(home, word), grep_count(word, paths, "-i", "-w", "-F")
        check(got == want, f"word {word}: {got}, grep says {want}")
    for part in ["imeou", "rder-1", "10.0.", "/api/v1", "ms rows", "ssion=0"]:
        got, want = count_lines(home, f'"*{part}*"' if " " in part else f"*{part}*"), grep_count(part, paths, "-i", "-F")
        if " " not in part:
            check(got == want, f"part {part}: {got}, grep says {want}")
    for pattern in ["time(out|d)", "order-[0-9]+4 ", "ERROR.*timeout", "^10\\.0", "[0-9]{4}-[0-9]{2}-20", "status.?[:=]50[23]"]:
        got, want = count_lines(home, f"/{pattern}/".replace("/api", "\\/api")), grep_count(pattern, paths, "-E")
        check(got == want, f"pattern {pattern}: {got}, grep says {want}")


def test_exact_bytes(home):
    """Any bytes come back: CR, blank lines, invalid UTF-8, no newline at the end, empty file."""
    rng = random.Random(3)
    samples = {
        "crlf.log": b"one\r\ntwo\r\n\r\n\r\nthree\r\n",
        "blank.log": b"\n\n\nfirst\n\n\nsecond\n\n",
        "bytes.log": b"".join(bytes(rng.randrange(1, 256) for _ in range(rng.randrange(200))) + b"\n" for _ in range(500)),
        "nonewline.log": b"first\nsecond without an end",
        "empty.log": b"",
        "long.log": b"x" * 3_000_000 + b"\nshort\n",
        "stack.log": b"2026-11-20 10:00:00 ERROR boom\njava.lang.IllegalStateException: y\n\tat a.b(C.java:1)\n\tat d.e(F.java:2)\nCaused by: java.io.IOException: z\n\tat g.h(I.java:3)\n2026-11-20 10:00:01 INFO fine\n",
    }
    for name, data in samples.items():
        write(home.log(name), data)
    home.run("import", *[home.log(n) for n in samples])
    home.run("audit")
    for name, data in samples.items():
        if data:
            check(home.export(home.log(name)) == data, f"export of {name} differs")
    found = home.run("search", "--all", "boom", "--quiet").stdout
    check(found.count(b"\n") == 6, f"the stack trace is one record: {found!r}")


def test_compressed_copies(home):
    """gz and xz are read as what they hold."""
    data = b"".join(b"2026-11-20 10:00:%02d INFO line %d\n" % (i % 60, i) for i in range(20000))
    with gzip.open(home.log("a.log.1.gz"), "wb") as f:
        f.write(data)
    with lzma.open(home.log("b.log.1.xz"), "wb") as f:
        f.write(data)
    home.run("import", home.log("a.log.1.gz"), home.log("b.log.1.xz"))
    check(count_lines(home, "INFO") == 40000, "both copies are readable")
    check(home.export(home.log("a.log.1.gz")) == data, "the export is what the copy holds")


def test_up_follows(home):
    """Lines appear while `up` runs; a restart goes on where it stopped."""
    write(home.log("a.log"), b"2026-11-20 10:00:00 INFO first\n")
    up = home.start(home.logs)
    home.wait_until(lambda: home.run("search", "first", code=None).returncode == 0, "the first line is found")
    write(home.log("a.log"), b"2026-11-20 10:00:01 WARN second\n", "ab")
    write(home.log("new.log"), b"2026-11-20 10:00:02 ERROR third\n")
    home.wait_until(lambda: home.run("search", "second", code=None).returncode == 0, "an appended line is found")
    home.wait_until(lambda: home.run("search", "third", code=None).returncode == 0, "a new file is found")
    home.stop(up)
    write(home.log("a.log"), b"2026-11-20 10:00:03 INFO fourth\n", "ab")
    up = home.start(home.logs)
    home.wait_until(lambda: home.run("search", "fourth", code=None).returncode == 0, "what came while it was down is found")
    check(home.run("search", "--count", "INFO OR WARN OR ERROR").stdout == b"4\n", "four lines, none twice")
    home.run("audit")
    home.stop(up)
    check(home.export(home.log("a.log")).count(b"\n") == 3, "the export of the followed file")


def test_follow_prints_new_lines(home):
    """`follow` prints matching lines as they come."""
    write(home.log("a.log"), b"old line\n")
    up = home.start(home.logs)
    shown = os.path.join(home.root, "shown")
    with open(shown, "wb") as out:
        follow = subprocess.Popen([home.binary, "follow", "wanted", "--data", home.data], stdout=out, env=home.env, start_new_session=True)
    home.running.append(follow)

    def printed():
        with open(shown, "rb") as f:
            return f.read().splitlines(keepends=True)

    def follows():
        write(home.log("a.log"), b"wanted at first\n", "ab")
        return printed()

    home.wait_until(follows, "follow prints what comes")  # what came before it had connected is not its business
    write(home.log("a.log"), b"not this\nthis is wanted 1\nnor this\nwanted 2\n", "ab")
    home.wait_until(lambda: b"wanted 2\n" in printed(), "it prints the last line")
    lines = [line for line in printed() if line != b"wanted at first\n"]
    check(lines == [b"this is wanted 1\n", b"wanted 2\n"], f"follow printed {lines}")
    home.kill(follow, signal.SIGTERM)
    home.stop(up)


@faults("S9")
def test_second_up_is_refused(home):
    """A second `up` on a data directory says so and exits; import goes to the running program."""
    up = home.start(home.logs)
    second = home.run("up", home.logs, code=None)
    check(second.returncode == 3 and b"rules add" in second.stderr, f"the second one: {second.returncode} {second.stderr!r}")
    outside = os.path.join(home.root, "outside.log")
    write(outside, b"2026-11-20 10:00:00 INFO imported while running\n")
    home.run("import", outside)
    check(count_lines(home, "imported") == 1, "the import reached the running program")
    home.stop(up)


def rule_lines(home, *words):
    return home.run("rules", "list", *words).stdout.decode().splitlines()


def test_rules_without_a_program(home):
    """`rules` on the files where no program runs: checked, compared and kept in the history as by the program, which then follows them; refused while
    something works on the folder and does not answer. The configuration file is a person's."""
    config = os.path.join(home.root, "own.yaml")
    write(config, f"collect:\n  items:\n    - {{name: person, path: {home.log('p.log')}}}\n".encode())
    own = ("--config", config)
    home.run("rules", "list", *own, code=3)
    added = home.run("rules", "add", home.log("a.log"), "--name", "a", *own)
    check(b"when the program starts" in added.stdout and b"no program runs" in added.stderr, f"it says {added.stdout!r} {added.stderr!r}")
    check([line.split()[0] for line in rule_lines(home, *own)[1:]] == ["person", "a"], f"the rules are {rule_lines(home, *own)}")
    home.run("rules", "add", home.log("b.log"), "--name", "b", *own)
    check(b"no rule 'c'" in home.run("rules", "remove", "c", *own, code=1).stderr, "what is not there is not removed")
    done = home.run("rules", "remove", "person", *own, code=2)
    check(config.encode() in done.stderr, f"a person's rule: {done.stderr!r}")
    bad = os.path.join(home.root, "bad.yaml")
    write(bad, b"collect:\n  items:\n    - pth: /one\n")
    check(b"bad.yaml:3" in home.run("rules", "put", bad, *own, code=2).stderr, "wrong rules name the place")
    good = os.path.join(home.root, "good.yaml")
    write(good, home.run("rules", "get", *own).stdout)
    check(b"at revision 3" in home.run("rules", "put", good, "--revision", "1", *own, code=3).stderr, "a stale edit")
    check(b"- b " in home.run("rules", "remove", "b", "--dry-run", *own).stdout, "a dry run names it")
    home.run("rules", "remove", "b", *own)
    home.run("rules", "restore", "3", *own)
    history = home.run("rules", "history", *own).stdout.decode().splitlines()
    check(len(history) == 5 and all(f"uid:{os.getuid()}" in line for line in history[1:]), f"the history says {history}")
    with open(os.path.join(home.data, "store", "store.lock")) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = home.run("rules", "remove", "b", *own, code=3)
        check(b"try again" in done.stderr, f"under the lock: {done.stderr!r}")
        check(len(rule_lines(home, *own)) == 4, "reading does not wait")
    for name in ("p", "a", "b"):
        write(home.log(f"{name}.log"), f"line of {name}\n".encode())
    up = home.start(*own)
    home.wait_until(lambda: home.count() == 3, "what the files say is collected")
    check(rule_lines(home)[0] == "revision 5", f"the program goes on from {rule_lines(home)}")
    for n in range(10):
        home.run("rules", "add", home.log(f"quick-{n}.log"))
    check(len(rule_lines(home)) == 14, f"none of the quick ones is lost: {rule_lines(home)}")
    check(b"own.yaml" in home.run("rules", "remove", "person", code=2).stderr, "a person's rule stays with a program, too")
    home.stop(up)
    with open(os.path.join(home.data, "access-events.ndjson"), "rb") as f:
        events = f.read()
    check(events.count(b"rules replaced") == 14, "every change is in the events")


def test_wrong_use(home):
    """Wrong flags, paths and files: one clear message, exit status 2 or 3, nothing changed."""
    write(home.log("a.log"), b"x\n")
    home.run("import", home.log("a.log"))
    check(home.run("search", "--since", "yesterdy", code=None).returncode == 2, "a wrong time is wrong use")
    for words, code in ((["serch"], 2), (["search", "--nope"], 2), (["import", home.log("missing.log")], 3), (["check", home.log("missing.yaml")], 3),
                        (["export"], 2), (["generate", home.logs], 2), ([], 2)):
        done = home.run(*words, code=None)
        check(done.returncode == code, f"{words}: exit status {done.returncode}, expected {code}: {done.stderr!r}")
        check(0 < done.stderr.count(b"\n") <= 4 or not words, f"{words}: the message is {done.stderr!r}")


@faults("C1", "B35")
def test_check_names_every_mistake(home):
    """`check` names all mistakes with place and hint."""
    path = home.log("logboom.yaml")
    write(path, b"server:\n  listn: 127.0.0.1:1\ncollect:\n  items:\n    - pth: /var/log/a\n      exclude: ['(']\n      format: jsn\nlimits:\n  memory: lots\n")
    done = home.run("check", path, code=1)
    text = done.stdout.decode()
    for wanted in ("logboom.yaml:2:", "server.listen", "pth", "'path'", "exclude", "jsn", "limits.memory"):
        check(wanted in text, f"'{wanted}' is missing in:\n{text}")
    for bad, wanted in ((b"server:\n  listen: nonsense:port\n", "c.yaml:2:11: server.listen: 'nonsense:port' is not an address and a port"),
                        (b"server:\n  listen: 300.1.1.1:80\n", "server.listen"), (b"server:\n  listen: 127.0.0.1:99999\n", "server.listen"), (b"server:\n  listen: '::1:7117'\n", "server.listen"),
                        (b"server:\n  public_url: logs.example.com\n", "https://"), (b"logs:\n  workers: -3\n", "from 0 to"), (b"logs:\n  retention: {size: much}\n", "auto or a size"),
                        (b"limits:\n  memory: 1kB\n", "from 8MB"), (b"limits: {line: 64MiB}\n", "an eighth of limits.memory"), (b"server:\n  tls_cert: /x.pem\n", "c.yaml:2: server.tls_cert is set, server.tls_key is not")):
        config = os.path.join(home.root, "c.yaml")
        write(config, bad)
        done = home.run("check", "c.yaml", code=1)
        check(wanted in done.stdout.decode(), f"{bad!r}: {wanted!r} is missing in {done.stdout!r}")
        done = home.run("up", "--config", config, code=2)
        check(wanted.replace("c.yaml", config) in done.stderr.decode(), f"at the start: {bad!r}: {wanted!r} is missing in {done.stderr!r}")
    done = home.run("up", "--listen", "nowhere:", code=2)
    check(b"--listen: server.listen: 'nowhere:'" in done.stderr, f"the flag: {done.stderr!r}")
    for good in (b"server:\n  listen: '[::1]:0'\n", b"server:\n  listen: 0.0.0.0:7117\n", b"server:\n  listen: logs-1.example.com:80\n", b"server:\n  public_url: https://logs.example.com/logs\n"):
        write(path, good)
        home.run("check", path)
    write(path, b"a: &x [1]\nb: *x\n")
    check(b"anchor" in home.run("check", path, code=1).stdout, "anchors are refused")
