"""Bad inputs: bytes of every kind, files that are none, hostile names and lines, odd configurations and surroundings."""
import csv
import gzip
import http.server
import io
import json
import lzma
import os
import pty
import random
import select
import signal
import socket
import subprocess
import threading
import zipfile

from faults import faults
from oracle import Lines, api, append, check_audit, check_exports, count_lines, files_of, oracle, read, stored_lines, wait_lines, write
from product import check, tool


def import_all(home, contents, *words):
    for name, data in contents.items():
        write(home.log(name), data)
    home.run("import", *words, *[home.log(n) for n in contents])
    check_audit(home)
    for name, data in contents.items():
        if data:
            got = home.export(home.log(name))
            check(got == data, f"{name} comes back with {len(got)} bytes, was {len(data)}: ...{got[-60:]!r}")


@faults("B1", "B4", "B6", "B7", "B9", "B20")
def test_any_bytes(home):
    """Random bytes, programs, NULs, invalid UTF-8, BOM, every kind of line end, archives: byte for byte."""
    rng = random.Random(1)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as z:
        z.writestr("x.log", b"inside\n" * 100)
    import_all(home, {
        "random.bin": rng.randbytes(300_000), "elf.log": read("/bin/true"), "nul.log": b"one\n" + b"\0" * 5000 + b"\ntwo\n",
        "nulhead.log": b"\0" * 10_000 + b"after\n", "utf8.log": b"ok\n\xff\xfe\xc0\xaf \xed\xa0\x80 \xe2\x82\nbad \xf0\x9f\x98\n", "bom.log": b"\xef\xbb\xbf{\"level\": \"error\", \"a\": 1}\n{\"a\": 2}\n",
        "ends.log": b"a\r\nb\rc\n\rd\n\r\r\n\x0c\n\xe2\x80\xa8e\xc2\x85f\n\x0bg\n", "zip.log": archive.getvalue(), "only-cr.log": b"a\rb\rc\r", "one.log": b"\n", "crs.log": b"\r\n\r\n\r\n"})
    home.run("search", "--all", "--quiet", "")
    check(home.run("search", "--count", "level:error", "--file", "*bom.log").stdout == b"1\n", "the BOM does not hide the first field")
    check(count_lines(home, '"\\ufffd"', code=None) >= 0, "a query with replacement marks")


@faults("B25")
def test_objects_among_other_lines(home):
    """Each line says by itself whether it is JSON: a broken one, plain text and objects in one file, in blocks and before, cut anywhere."""
    lines = ['{"status":500,"a":"broken at the head', "plain words before any object"]
    lines += [f'{{"status":{500 if n % 3 == 0 else 200},"n":{n}}}' if n % 2 else f"plain line {n} status:500" for n in range(40_000)]
    lines += ['{"status":1e999999}', '{"status":500} and more', '{"status":500}']
    good = sum(1 for line in lines if line.startswith('{"status":500') and line.endswith("}"))
    import_all(home, {"mixed.log": ("\n".join(lines) + "\n").encode(), "few.log": ("\n".join(lines[:7]) + "\n").encode()})
    count = lambda query: count_lines(home, query, code=None)
    check(count("status:500 file:mixed.log") == good, f"{count('status:500 file:mixed.log')} of {good}")
    check(count("status:500 file:few.log") == sum(1 for line in lines[:7] if line.startswith('{"status":500,"n"')), "a small file, never a block")
    check(count("n:>=39990") == 5, f"ranges: {count('n:>=39990')}")


@faults("B8")
def test_utf16(home):
    """UTF-16 with a BOM, both orders: exact bytes, as many lines as it has; found and shown by what it says, in blocks and before."""
    text = "".join(f"2026-11-20 10:00:{n:02d} ERROR Zeile {n} mit \u00e4\u4e2d\U0001f600\r\n" for n in range(50))
    long = "".join(f"2026-11-20 10:00:{n % 60:02d} INFO other {n}\r\n" for n in range(30_000)) + text
    import_all(home, {"le.log": b"\xff\xfe" + text.encode("utf-16-le"), "be.log": b"\xfe\xff" + text.encode("utf-16-be"), "block.log": b"\xff\xfe" + long.encode("utf-16-le")})
    for query, lines in (("Zeile", 150), ('"Zeile 17 mit"', 3), ("*eil*", 150), ("/Zeile 1[0-9] mit/", 30), ("Zeile NOT 4", 147), ("level:error", 150), ("\u4e2d", 150), ("nowhere", 0), ("other", 30_000)):
        check(count_lines(home, query, code=None) == lines, f"{query}: {count_lines(home, query, code=None)} lines, {lines} were written")
    rows = list(csv.reader(io.StringIO(home.run("search", "--all", "-o", "csv", '"Zeile 17 mit"').stdout.decode())))
    check(all(row[4].endswith("\u4e2d\U0001f600") for row in rows[1:]), f"as csv: {rows}")
    shown = home.run("search", "--all", "--quiet", '"Zeile 17 mit"').stdout.decode()
    check(shown == 3 * "2026-11-20 10:00:17 ERROR Zeile 17 mit \u00e4\u4e2d\U0001f600\n", f"shown: {shown!r}")


@faults("B2", "B3")
def test_line_lengths(home):
    """Lines at, below and above the limits, and one of 12 MB: fragments that join again, whatever the size."""
    near = [n + d for n in (4096, 65536, 131072, 262144, 1 << 20, 2 << 20) for d in (-2, -1, 0, 1)]
    data = b"".join(b"%d " % n + b"z" * (n - len(b"%d " % n)) + b"\n" for n in near)
    import_all(home, {"near.log": data, "huge.log": b"q" * 12_000_000, "after.log": b"w" * 3_000_000 + b"\n2026-11-20 10:00:00 INFO small one\n"})
    check(count_lines(home, '"small one"') == 1, "the line behind a long one is a record of its own")


@faults("B5")
def test_sparse_file(home):
    """A hole of 2 GB between lines: read over, not through; told as zeros in the export's place."""
    path = home.log("sparse.log")
    with open(path, "wb") as f:
        f.write(b"before the hole\n")
        f.seek(2 << 30)
        f.write(b"\nbehind the hole\n")
    home.run("import", path)
    check(count_lines(home, '"behind the hole"') == 1 and count_lines(home, '"before the hole"') == 1, "lines on both sides")
    check(sum(os.path.getsize(os.path.join(d, n)) for d, _, names in os.walk(home.data) for n in names) < 50_000_000, "the zeros are not stored")
    check_audit(home)


@faults("B11", "B14", "A19")
def test_things_that_are_no_files(home):
    """FIFO, socket, device, directory named .log, loops: never opened to wait on, one warning each, everything else is collected."""
    lines = Lines()
    write(home.log("good.log"), lines.next(20))
    os.mkfifo(home.log("fifo.log"))
    server = socket.socket(socket.AF_UNIX)
    server.bind(home.log("socket.log"))
    os.mkdir(home.log("folder.log"))
    os.symlink("/dev/zero", home.log("zero.log"))
    os.symlink("/proc/self/environ", home.log("environ.log"))
    os.symlink("/proc/kmsg", home.log("kmsg.log"))
    up = home.start(home.logs)
    wait_lines(home, 20)
    append(home.log("good.log"), lines.next(5))
    wait_lines(home, 25)
    home.stop(up)
    oracle(home, lines.made, [read(home.log("good.log"))])
    check(home.up_log().count("fifo.log") <= 2, "one warning for a FIFO")
    for name in ("fifo.log", "zero.log", "folder.log"):
        done = home.run("import", home.log(name), code=None, timeout=60)
        check(done.returncode in (0, 3) and b"Traceback" not in done.stderr, f"import of {name}: {done.returncode} {done.stderr!r}")


@faults("B15", "X7")
def test_hostile_names(home):
    """File names with newlines, quotes, escapes, invalid UTF-8, 255 bytes, a leading dash: collected, shown escaped, exported by id."""
    lines = Lines()
    names = [b"new\nline.log", b"quo'te\".log", b"\x1b[31mred.log", b"inv\xff\xfe.log", b"x" * 251 + b".log", b"-rf.log", b"\xe2\x80\xaegol.txt.log", b"<script>alert(1)<!--.log", b"=cmd().log"]
    folder = home.logs.encode()
    contents = []
    for name in names:
        contents.append(lines.next(3))
        write(os.path.join(folder, name), contents[-1])
    up = home.start(home.logs)
    wait_lines(home, len(lines.made))
    for words in (["sources"], ["search", "--with", "file,level"], ["status"], ["audit"], ["rules", "list"]):
        out = home.run(*words).stdout
        check(b"\x1b" not in out and b"\xe2\x80\xae" not in out, f"{words}: raw escapes in the output: {out[:300]!r}")
        check(b"\nline.log" not in out, f"{words}: a newline of a name breaks the line")
    status, body = api(home, "/api/v1/sources")
    check(status == 200 and len(json.loads(body)["sources"]) == len(names), "all as JSON")
    home.stop(up)
    oracle(home, lines.made, contents)
    done = home.run("import", os.fsdecode(os.path.join(folder, names[3])), code=2)
    check(b"UTF-8" in done.stderr and b"json" not in done.stderr, f"a name that is no UTF-8 cannot be said in JSON: {done.stderr!r}")


def test_agent_keys_that_are_none(home):
    """A key file that is empty, too short, or zeros as a power cut may leave them: refused by name, and left as it is."""
    write(home.log("a.log"), b"a line\n")
    home.run("import", home.log("a.log"))
    path = home.env["LOGBOOM_AGENT_KEY_FILE"]
    for content in (b"", b"x" * 31, bytes(64), b"k" * 31 + b"\0"):
        write(path, content)
        done = home.run("import", home.log("a.log"), code=3)
        check(path.encode() in done.stderr and b"restore it from a backup" in done.stderr, f"{content[:4]!r}: {done.stderr!r}")
        check(read(path) == content, "the file was changed")


@faults("X7")
def test_hostile_lines(home):
    """Escapes, bidirectional marks, formulas in lines: exact through a pipe, escaped on a terminal, defused in CSV."""
    evil = [b"\x1b]0;owned\x07\x1b[2J\x1b[31mred", b"=HYPERLINK(\"http://evil\")", b"+1+cmd|' /C calc'!A0", b"-2+3", b"@SUM(A1)", b"a,b\"c", b"user \xe2\x80\xaelave \xe2\x81\xa6x",
            b"\xc2\x9b31mC1", b"<script>alert(1)</script>", b"bell\x07 back\x08\x08 cr\rover"]
    write(home.log("evil.log"), b"".join(line + b"\n" for line in evil))
    home.run("import", home.log("evil.log"))
    check(sorted(stored_lines(home)) == sorted(line + b"\n" for line in evil), "a pipe gets the exact bytes")
    rows = list(csv.reader(io.StringIO(home.run("search", "--all", "-o", "csv").stdout.decode("utf-8", "replace"), newline="")))
    check(len(rows) == len(evil) + 1, f"{len(rows)} rows of CSV")
    for row in rows[1:]:
        check(all(cell[:1] not in ("=", "+", "-", "@", "\t", "\r") for cell in row), f"a formula in CSV: {row}")
    main, side = pty.openpty()
    process = subprocess.Popen([home.binary, "--data", home.data, "search", "--all", "--color", "never"], stdout=side, stderr=side, stdin=subprocess.DEVNULL, env=dict(home.env, TERM="xterm"))
    os.close(side)
    shown = b""
    while select.select([main], [], [], 60)[0]:
        try:
            chunk = os.read(main, 65536)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    process.wait(timeout=60)
    os.close(main)
    check(b"HYPERLINK" in shown, f"the terminal shows the lines: {shown[:200]!r}")
    for bad in (b"\x1b]0", b"\x1b[2J", b"\x07", b"\x08", b"\xe2\x80\xae", b"\xc2\x9b"):
        check(bad not in shown, f"{bad!r} reaches the terminal")


@faults("B19")
def test_compressed_files_that_lie(home):
    """gz, xz and zst: cut, damaged, concatenated, with trash behind, a bomb: what can be read is there, nothing crashes, memory stays bounded."""
    data = b"".join(b"2026-11-20 10:00:%02d INFO packed line %d\n" % (n % 60, n) for n in range(5000))
    packed = gzip.compress(data)
    half = len(packed) // 2
    write(home.log("two.log.1.gz"), gzip.compress(data[:50_000]) + gzip.compress(data[50_000:]))
    write(home.log("cut.log.1.gz"), packed[:half])
    write(home.log("flip.log.1.gz"), packed[:half] + bytes([packed[half] ^ 16]) + packed[half + 1:])
    write(home.log("trash.log.1.gz"), packed + b"trash behind")
    write(home.log("none.log.1.gz"), b"not gzip at all\n")
    write(home.log("empty.log.1.gz"), b"")
    write(home.log("cut.log.1.xz"), lzma.compress(data)[:2000])
    write(home.log("bomb.log.1.gz"), gzip.compress(b"\0" * 20_000_000, 9))
    done = home.run("import", *files_of(home), code=None, timeout=300)
    check(done.returncode in (0, 1, 3), f"import ended with {done.returncode}: {done.stderr[-500:]!r}")
    check(home.export(home.log("two.log.1.gz")) == data, "concatenated members are one file")
    audit = home.run("audit", code=None)
    check(audit.returncode in (0, 1), f"audit: {audit.returncode}")
    check(b"cut.log.1.gz" in audit.stdout + done.stderr + done.stdout, "the cut file is named")


@faults("B24", "B25", "B26", "B27")
def test_odd_times_and_json(home):
    """Impossible times, JSON too deep, too long, with duplicate, empty and hostile names: kept exactly, found as text."""
    times = [b"0000-01-01 00:00:00 a", b"9999-12-31 23:59:59 b", b"2026-02-30 10:00:00 c", b"2026-13-45 99:99:99 d", b"1795224275 e", b"1795224275877 f", b"1795224275877172511 g", b"99999999999999999999999 h",
             b"2026-11-20T10:00:00 i", b"2026-11-20T10:00:00+99:99 j", b"Feb 30 10:00:00 host k", b"[20/Nov/2026:10:00:00 +0000] l", b"-1 m", b"1969-12-31 23:59:59 n"]
    deep = b"[" * 100_000 + b"]" * 100_000
    jsons = [b'{"a":' + deep + b"}", b'{"a":1,"a":2}', b'{"a":1e999,"b":18446744073709551615,"c":-9223372036854775808}', b'{"__proto__":{"x":1},"a.b":1,"a":{"b":2},"":3,"_id":4}', b'{"time":"2026-99-99","level":{}}',
             b'{"a":"' + b"\\u0000" * 1000 + b'"}', b'{"a":"' + b"l" * 900_000 + b'"}', b"{" + b",".join(b'"f%d":%d' % (n, n) for n in range(20_000)) + b"}", b'{"a":', b'{"a":"\\ud800"}', b"null", b"[]", b"{}", b"{\"level\":\"error\"} trailing"]
    import_all(home, {"times.log": b"\n".join(times) + b"\n", "odd.json.log": b"\n".join(jsons) + b"\n"})
    check(count_lines(home, "", ) == len(times) + len(jsons), f"{count_lines(home, '')} lines of {len(times) + len(jsons)}")
    rows = [json.loads(line) for line in home.run("search", "--all", "-o", "ndjson").stdout.splitlines()]
    check(len(rows) >= len(times), "rows as JSON")
    for query in ("a:2", "a.b:1", "c:-9223372036854775808", "f19999:19999", "__proto__.x:1"):
        home.run("search", "--count", query, code=None)


@faults("B23")
def test_multiline_rules_that_never_or_always_match(home):
    """A start pattern that never matches, and one that always does: bounded groups, exact bytes."""
    data = b"".join(b"line %d\n" % n for n in range(30_000))
    for name in ("never", "always"):
        os.mkdir(home.log(name))
        write(home.log(f"{name}/x.log"), data)
    config = os.path.join(home.root, "logboom.yaml")
    write(config, f"""collect:
  items:
    - path: {home.log('never')}
      multiline: {{start: '^THISNEVERCOMES'}}
    - path: {home.log('always')}
      multiline: {{start: '^'}}
""".encode())
    check_config = home.run("check", config, code=None)
    check(check_config.returncode == 0, f"the configuration: {check_config.stdout!r} {check_config.stderr!r}")
    up = home.start("--config", config)
    wait_lines(home, 60_000)
    home.stop(up)
    check_exports(home, [data, data])
    check_audit(home)


@faults("A25")
def test_two_rules_for_one_file(home):
    """One file under two rules with two topics: once per channel."""
    lines, path = Lines(), home.log("a.log")
    write(path, lines.next(50))
    config = os.path.join(home.root, "logboom.yaml")
    write(config, f"collect:\n  items:\n    - {{path: {path}, topic: one}}\n    - {{path: '{home.logs}/*.log', topic: two}}\n".encode())
    up = home.start("--config", config)
    wait_lines(home, 100)
    append(path, lines.next(50))
    wait_lines(home, 200)
    home.stop(up)
    for topic in ("one", "two"):
        check(sorted(stored_lines(home, f"topic:{topic}")) == sorted(lines.made), f"topic {topic} has each line once")
        check(home.run("export", "--file", path, "--topic", topic).stdout == read(path), f"the export of topic {topic}")
    check_audit(home)


@faults("X11")
def test_own_files_are_not_collected(home):
    """`up` on the folder that holds its own data directory and its own log: no loop."""
    lines = Lines()
    write(home.log("a.log"), lines.next(10))
    up = home.start(home.root)
    wait_lines(home, 10)
    append(home.log("a.log"), lines.next(10))
    wait_lines(home, 20, '"of the test"')
    first = home.count()
    home.wait_until(home.caught_up, "it comes to rest")
    for _ in range(20):
        append(home.log("a.log"), lines.next(1))
    wait_lines(home, 40, '"of the test"')
    check(home.count() - first < 200, f"it collects itself: {first} lines, then {home.count()}")
    home.stop(up)
    stored = {s["file"] for s in home.json("sources") if s["records"]}
    check(not [p for p in stored if p.startswith(home.data)], f"its own files are collected: {stored}")


@faults("C1", "C7")
def test_rules_that_are_wrong(home):
    """Wrong rules do not replace good ones, and the answer names line and key; a file is replaced by rename, half written, by a symlink."""
    lines = Lines()
    write(home.log("a.log"), lines.next(10))
    up = home.start(home.logs)
    wait_lines(home, 10)
    good = home.run("rules", "get").stdout
    rules = os.path.join(home.root, "rules.yaml")
    for bad, wanted in ((b"collect:\n  items:\n    - pth: /x\n", b"pth"), (b"collect: [\n", b""), (b"collect:\n\titems: 3\n", b""), (b"collect:\n  items:\n    - path: relative/x\n", b"path"),
                        (b"collect:\n  items:\n    - path: /x\n      include: ['(']\n", b"include"), (b"", b""), (b"collect:\n  items:\n    - {path: /a, name: n}\n    - {path: /b, name: n}\n", b"n")):
        write(rules, bad)
        done = home.run("rules", "put", rules, code=None)
        if done.returncode == 0:
            check(bad == b"", f"{bad!r} was taken")
            write(rules, good)
            home.run("rules", "put", rules)
            continue
        check(done.returncode in (1, 2, 3) and wanted in done.stderr + done.stdout, f"{bad!r}: {done.returncode} {done.stderr!r}")
        check(home.run("rules", "get").stdout == good, f"{bad!r} changed the rules")
    append(home.log("a.log"), lines.next(10))
    wait_lines(home, 20)
    home.stop(up)
    oracle(home, lines.made, [read(home.log("a.log"))])


@faults("C7")
def test_configuration_file_replaced_while_running(home):
    """The configuration is half written, then replaced by rename, then a symlink is turned: the last good one holds until the new one is whole."""
    one, two, three = (Lines(t) for t in ("one", "two", "three"))
    for name in ("one", "two", "three"):
        os.mkdir(home.log(name))
    config = os.path.join(home.root, "logboom.yaml")

    def text(*names):
        return ("collect:\n  items:\n" + "".join(f"    - path: {home.log(n)}\n" for n in names)).encode()

    write(config, text("one"))
    up = home.start("--config", config)
    write(home.log("one/a.log"), one.next(5))
    wait_lines(home, 5)
    write(config, b"collect:\n  items:\n    - pa")          # half written
    append(home.log("one/a.log"), one.next(5))
    wait_lines(home, 10)
    write(config + ".new", text("one", "two"))
    os.rename(config + ".new", config)                        # as editors do
    write(home.log("two/a.log"), two.next(5))
    wait_lines(home, 15)
    write(os.path.join(home.root, "v2.yaml"), text("one", "two", "three"))
    os.symlink("v2.yaml", config + ".link")
    os.rename(config + ".link", config)                       # as config maps do
    write(home.log("three/a.log"), three.next(5))
    wait_lines(home, 20)
    home.stop(up)
    oracle(home, one.made + two.made + three.made, [b"".join(x.made) for x in (one, two, three)])


@faults("B35", "B16", "B21", "B22")
def test_configurations_that_are_bombs(home):
    """Tabs, aliases, duplicate keys, huge numbers, globs and expressions without end: each a message with a line, at once."""
    path = os.path.join(home.root, "c.yaml")
    bombs = [b"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b]\n", b"server:\n\tlisten: 1\n", b"server:\n  listen: 127.0.0.1:1\n  listen: 127.0.0.1:2\n",
             b"limits:\n  memory: 99999999999999999999999999\n", b"limits:\n  memory: -5MB\n", b"collect:\n  items:\n    - path: /" + b"**/" * 500 + b"x\n",
             b"collect:\n  items:\n    - path: '/" + b"{a,b}" * 40 + b"'\n", b"collect:\n  items:\n    - path: /x\n      exclude: ['((x{100}){100}){100}']\n", b"\xff\xfe\x00", b"- " * 100_000, b"{" * 10_000, b"x: " + b"y" * 3_000_000 + b"\n"]
    for bomb in bombs:
        write(path, bomb)
        done = home.run("check", path, code=None, timeout=120)
        check(done.returncode in (1, 2, 3), f"{bomb[:60]!r}: exit status {done.returncode} {done.stdout[:300]!r}")
        check(0 < len(done.stdout + done.stderr) < 200_000, f"{bomb[:60]!r}: the message has {len(done.stdout + done.stderr)} bytes")


@faults("B37")
def test_odd_surroundings(home):
    """No HOME, no locale, closed descriptors, umask 0, no terminal: the same results, files still 0600."""
    lines = Lines()
    write(home.log("a.log"), lines.next(10))
    bare = {"LOGBOOM_AGENT_KEY_FILE": home.env["LOGBOOM_AGENT_KEY_FILE"]}
    subprocess.run(["bash", "-c", 'umask 000; exec "$0" --data "$1" import "$2" <&- >&- 2>&-', home.binary, home.data, home.log("a.log")], env=bare, timeout=120)
    for env in (bare, dict(bare, LC_ALL="tr_TR.UTF-8"), dict(bare, LC_ALL="xx_YY", HOME="/nonexistent"), dict(bare, TZ="Asia/Kathmandu", LC_ALL="C")):
        done = home.run("search", "--all", "--quiet", "line", env=env)
        check(sorted(done.stdout.splitlines(keepends=True)) == sorted(lines.made), f"with {env}: {done.stdout[:200]!r}")
    for folder, folders, names in os.walk(home.data):
        for name in names + folders:
            check(not os.lstat(os.path.join(folder, name)).st_mode & 0o077, f"{name} is readable by others")
    oracle(home, lines.made, [read(home.log("a.log"))])


@faults("A17", "B14")
def test_read_permission_lost_and_given_back(home):
    """As a plain user: an unreadable file and folder are named once with what is missing; given back, nothing is lost."""
    tool("setpriv")
    lines = Lines()
    write(home.log("a.log"), lines.next(10))
    os.mkdir(home.log("closed"))
    other = Lines("closed")
    write(home.log("closed/b.log"), other.next(10))
    binary = os.path.join(home.root, "logboom")
    subprocess.run(["cp", home.binary, binary], check=True)
    home.binary = binary
    if os.getuid() == 0:
        subprocess.run(["chown", "-R", "65534:65534", home.root], check=True)
        os.chmod(home.root, 0o755)
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
    os.chmod(home.log("closed"), 0)
    up = home.start(home.logs, wrap=user)
    wait_lines(home, 10)
    os.chmod(home.log("a.log"), 0)
    append(home.log("a.log"), lines.next(10))
    home.wait_until(lambda: "closed" in home.up_log(), "the unreadable folder is named")
    os.chmod(home.log("a.log"), 0o644)
    os.chmod(home.log("closed"), 0o755)
    wait_lines(home, 30, seconds=300)
    home.stop(up)
    oracle(home, lines.made + other.made, [read(home.log("a.log")), read(home.log("closed/b.log"))])


@faults("A16")
def test_read_errors(home):
    """Reads of a log fail with EIO, EINTR and EAGAIN now and then: tried again, no byte skipped."""
    lines, path = Lines(), home.log("a.log")
    write(path, lines.next(3000))
    for error, when in (("EIO", "1..3"), ("EINTR", "1+2"), ("EIO", "2+3")):
        up = home.start(home.logs, wrap=[tool("strace"), "-f", "-qq", "-o", "/dev/null", "-P", path, "-e", "trace=read,pread64,preadv,lseek",
                                         "-e", f"inject=read,pread64,preadv:error={error}:when={when}"])
        append(path, lines.next(500))
        wait_lines(home, len(lines.made), seconds=300)
        home.kill(up)
    up = home.start(home.logs)
    wait_lines(home, len(lines.made))
    home.stop(up)
    oracle(home, lines.made, [read(path)])


@faults("B18")
def test_rewritten_in_place(home):
    """A file is rewritten in place near the read position while down: noticed, the new content is there as a new generation."""
    lines, path = Lines(), home.log("a.log")
    write(path, lines.next(20))
    old = read(path)
    up = home.start(home.logs)
    wait_lines(home, 20)
    home.stop(up)
    new = old[:-40].upper() + b"x" * 39 + b"\n"
    write(path, new, "r+b")
    up = home.start(home.logs)
    wait_lines(home, 40)
    home.stop(up)
    check_exports(home, [old, new])


@faults("B17", "B13")
def test_many_files_and_one_that_grows(home):
    """3,000 files and one that grows all the time: all are read, few descriptors are open."""
    lines, busy = Lines(), Lines("busy")
    os.mkdir(home.log("many"))
    for n in range(3000):
        write(home.log(f"many/f{n}.log"), lines.next(1))
    up = home.start(home.logs)
    sizes = []

    def grow():
        append(home.log("busy.log"), busy.next(50))
        sizes.append(len(os.listdir(f"/proc/{up.pid}/fd")))
        return home.count('"x line"') >= 3000

    home.wait_until(grow, "all files are read while one grows", 300)
    wait_lines(home, len(lines.made) + len(busy.made), seconds=300)
    check(max(sizes) < 1500, f"{max(sizes)} descriptors at once")
    home.stop(up)
    check(count_lines(home, "") == len(lines.made) + len(busy.made), "each line once")
    check_audit(home)


@faults("B4")
def test_zeros_at_the_end(home):
    """A file that ends in a long run of zeros, as after a crash: imported to its end, the zeros are one range, the bytes come back."""
    import_all(home, {"tail.log": b"text\nmore\n" + b"\0" * 100_000, "half.log": b"text\nhalf" + b"\0" * 50_000})
    check(count_lines(home, "half") == 1, "the line before the zeros")


class Stranger(http.server.BaseHTTPRequestHandler):
    """Answers every request with the JSON of another program."""
    answer = b"[]"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    do_POST = do_GET

    def log_message(self, *_):
        pass


@faults("B25")
def test_a_server_that_is_no_logboom(home):
    """Commands that ask a server and get another program's JSON end with a message, not with a crash."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        for Stranger.answer in (b"[]", b"7", b'{"store": 1, "agents": {"a": 1}, "sources": "x", "entries": [1], "tokens": [1], "type": 3}', b'{"findings": [[1]]}'):
            for words in (["search", "x"], ["status"], ["sources"], ["audit"], ["rules", "list"], ["rules", "history"], ["token", "list"], ["fleet"]):
                done = home.run(*words, "--server", f"http://127.0.0.1:{server.server_port}", code=None)
                check(0 <= done.returncode <= 3, f"{words} on {Stranger.answer!r}: {done.returncode}, {done.stderr[-300:]!r}")
    finally:
        server.shutdown()
        server.server_close()


def test_a_stream_of_other_bytes_under_a_used_name(home):
    """`import -` of other bytes under a name that is used: exit 3, it and the audit name the stream, until a person accepts the finding by an id there is."""
    first, other = b"2026-11-20 10:00:00 INFO one\n2026-11-20 10:00:01 INFO two\n", b"2026-11-20 10:00:00 INFO 0ne\n2026-11-20 10:00:01 INFO two\n"
    home.run("import", "-", "--name", "web", stdin=first)
    for _ in range(2):
        done = home.run("import", "-", "--name", "web", stdin=other, code=3)
        check(b"stdin:web: " in done.stderr and b"quarantine" in done.stderr and b"--name" in done.stderr and b"0 B durable" in done.stderr, f"the import says {done.stderr!r}")
    finding = home.json("audit", code=1)["findings"]
    check(len(finding) == 1 and finding[0]["kind"] == "conflict" and finding[0]["file"] == "stdin:web", f"the audit says {finding}")
    refused = home.run("audit", "--accept", "f-0000000000000000", code=2)
    check(finding[0]["id"].encode() in refused.stderr and not refused.stdout, f"an id that no finding has: {refused.stderr!r}")
    check_audit(home, 1)
    home.run("audit", "--accept", finding[0]["id"])
    check_audit(home)
    home.run("import", "-", "--name", "web", stdin=first)
    check(stored_lines(home) == first.splitlines(True), "the first stream is what is stored")


def test_made_up_logs_for_a_configuration(home):
    """`generate --config` writes what the configuration collects, each path of it, and replaces nothing that is there."""
    config = os.path.join(home.root, "c.yaml")
    paths = [home.log("one.log"), os.path.join(home.logs, "deep", "**", "x-*.log"), os.path.join(home.logs, "folder/")]
    write(config, ("collect:\n  items:\n" + "".join(f"    - path: '{path}'\n" for path in paths)).encode())
    home.run("generate", "--config", config, "--lines", "500", "--files", "2", "--format", "app")
    made = sorted(os.path.join(d, n) for d, _, names in os.walk(home.logs) for n in names)
    check(len(made) == 5, f"one file, two of a pattern, two of a folder: {made}")
    lines = sorted(line for path in made for line in read(path).splitlines(True))
    up = home.start("--config", config)
    wait_lines(home, len(lines))
    home.stop(up)
    check(sorted(stored_lines(home)) == lines, "every line of every file is collected")
    for words, says in ((["--config", config], b"one.log"), (["--config", config, home.logs], b"folder"), (["--config", "/dev/null"], b"no path")):
        done = home.run("generate", *words, "--lines", "1", code=2)
        check(says in done.stderr, f"{words}: {done.stderr!r}")
    check(sorted(line for path in made for line in read(path).splitlines(True)) == lines, "what was there is as it was")


def test_patterns_of_files(home):
    """`--file` and `file:` take a path, a name, *, ** and ?."""
    for name in ("a/app-1.log", "a/b/app-2.log", "app-10.log"):
        os.makedirs(os.path.dirname(home.log(name)), exist_ok=True)
        write(home.log(name), f"2026-11-20 10:00:00 INFO line of {name}\n".encode())
    home.run("import", home.logs)
    for pattern, found in (("app-?.log", 2), ("app-*.log", 3), (home.logs + "/**/app-*.log", 3), (home.logs + "/*/app-?.log", 2), (home.log("a/app-1.log"), 1), ("app-1.log", 1), ("*/b/*", 1),
                           (home.logs + "/a/**", 2), ("app-1?.log", 1), ("app-", 0), ("?/app-1.log", 0)):
        by_option = home.run("search", "--count", "--file", pattern, code=None).stdout
        by_query = home.run("search", "--count", f"file:{pattern}", code=None).stdout
        check(by_option == by_query == b"%d\n" % found, f"{pattern}: {by_option!r}, {by_query!r}, wanted {found}")


@faults("C7")
def test_a_hangup_reads_the_configuration_anew(home):
    """SIGHUP: rules and settings are read at once and the log says what came of it; a file that is wrong leaves what is in force; the program goes on."""
    lines, config = Lines(), os.path.join(home.root, "logboom.yaml")
    rules = "collect: {items: [{path: %s}]}\n" % home.log("a.log")
    write(config, rules.encode())
    append(home.log("a.log"), lines.next(10))
    up = home.start("--config", config)
    wait_lines(home, 10)

    def hang_up(said):
        seen = len(home.up_log())
        up.send_signal(signal.SIGHUP)
        home.wait_until(lambda: all(text in home.up_log()[seen:] for text in said), f"the log says {said}")

    hang_up(["as they were at the start", "nothing to change"])
    for metrics, said in (("{interval: 7s, topic: own}", "host metrics every 7 s, topic own"), ("off", "host metrics are off")):
        write(config, f"{rules}metrics: {metrics}\n".encode())
        hang_up(["as they were at the start"])
        home.wait_until(lambda: said in home.up_log(), f"the log says {said}")
    write(config, (rules + "logs: {retention: {age: 5d}}\n").encode())
    hang_up(["logs.retention.age", "next start"])
    write(config, b"collect: [\n")
    hang_up(["not usable, the last good ones stay", "settings are not usable"])
    write(config, rules.encode())
    hang_up(["as they were at the start"])
    for _ in range(200):
        up.send_signal(signal.SIGHUP)
    append(home.log("a.log"), lines.next(10))
    wait_lines(home, 20)
    home.stop(up)
    oracle(home, lines.made, [read(home.log("a.log"))])
