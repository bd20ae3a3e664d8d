"""The query language on the real binary: against grep on random bytes, against a reference of its own on multi-line records, and hostile
queries. The reference shares no code with the product."""
import os
import random
import re
import subprocess
import time


from product import check

WORDS = [b"timeout", b"Timeout", b"TIMEOUT", b"time", b"out", b"refused", b"conn", b"connection", b"a", b"b7", b"user_1", b"10.0.0.1", b"10.0.0.11", b"GET", b"/api/v1",
         b"k=v", b"ms", b"42", b"503", "été".encode(), "错误".encode(), b"\xff\xfe", b"\xc3", b"[x]", b"--", b"sKs", b"x" * 60]


def random_line(rng):
    words = [rng.choice(WORDS) if rng.random() < 0.8 else str(rng.randrange(2000)).encode() for _ in range(rng.randrange(10))]
    text = b"".join(w + rng.choice([b" ", b" ", b"", b",", b":", b"_", b"-", b"."]) for w in words)
    return b"2026-11-20 10:00:00 " + text + (b"\r" if rng.random() < 0.02 else b"")


def grep(pattern, paths, *flags):
    done = subprocess.run([b"grep", b"-a", b"-c", b"-h", *flags, b"--", pattern, *[p.encode() for p in paths]], capture_output=True,
                          env={"LC_ALL": "C", "PATH": os.environ["PATH"]})
    check(done.returncode < 2, f"grep refuses {pattern!r}: {done.stderr!r}")
    return sum(int(n) for n in done.stdout.split())


def count(home, query):
    return int(home.run("search", "--all", "--count-lines", "--quiet", "--", query, code=None).stdout or b"-1")


def quoted(text):
    return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def test_random_queries_equal_grep(home):
    """Random words, parts and patterns over random lines, invalid UTF-8 among them (bad input 6), count as grep does."""
    rng = random.Random(int(os.environ.get("LOGBOOM_SEED", "11")))
    paths = []
    for n in range(3):
        paths.append(home.log(f"r{n}.log"))
        with open(paths[-1], "wb") as f:
            f.writelines(random_line(rng) + b"\n" for _ in range(20000))
    home.run("import", *paths)
    lines = [line for p in paths for line in open(p, "rb").read().split(b"\n") if line]
    ascii_words = sorted({w for line in rng.sample(lines, 300) for w in re.findall(rb"[A-Za-z0-9_]+", line)})
    for word in rng.sample(ascii_words, min(25, len(ascii_words))) + [b"absentword"]:
        got, want = count(home, quoted(word)), grep(word, paths, b"-i", b"-w", b"-F")
        check(got == want, f"word {word!r}: {got}, grep says {want}")
    for _ in range(25):
        line = rng.choice(lines)
        at = rng.randrange(len(line))
        part = re.split(rb"[^\x21-\x7e]", line[at:at + rng.randrange(1, 9)])[0].replace(b"*", b"").replace(b"\\", b"")
        if not part:
            continue
        pattern = b"*" + re.sub(rb'([\\"():=~\-/\[\]<>])', rb"\\\1", part) + b"*"
        got, want = count(home, pattern), grep(part, paths, b"-i", b"-F")
        check(got == want, f"part {part!r}: {got}, grep says {want}")
    for pattern in [b"time(out|r)", b"^2026.*b7$", b"[0-9]{3}ms", b"(conn|refused)[ ,]", b"sKs.*sks", b"x{50}", b"\\[x\\]", b"10\\.0\\.0\\.1[^1]", b"a.b7", b"[[:upper:]]{3}",
                    b"out_?time", b"(a|b7)+,", b"^$", b"4?2", "错误.ms".encode(), "été".encode(), b"T[Ii]me"]:
        got, want = count(home, b"/" + pattern.replace(b"/", b"\\/") + b"/"), grep(pattern, paths, b"-E")
        check(got == want, f"pattern {pattern!r}: {got}, grep says {want}")


def word_at(line, word):
    """Whether the word stands in the line at word boundaries, in any ASCII case."""
    return re.search(rb"(?<![A-Za-z0-9_])" + re.escape(word) + rb"(?![A-Za-z0-9_])", line, re.I) is not None


def test_multi_line_records(home):
    """Stack traces are one record: conditions hold within a line, several of them anywhere in the record."""
    rng = random.Random(12)
    records = []
    for i in range(4000):
        lines = [b"2026-11-20 10:%02d:%02d %s " % (i // 60 % 60, i % 60, rng.choice([b"INFO", b"WARN", b"ERROR"])) + b" ".join(rng.choice(WORDS[:14]) for _ in range(4))]
        for _ in range(rng.choice([0, 0, 0, 1, 3, 9])):
            lines.append(b"\tat " + b".".join(rng.choice(WORDS[:9]) for _ in range(3)) + b"(F.java:%d)" % rng.randrange(99))
        records.append(lines)
    with open(home.log("s.log"), "wb") as f:
        f.write(b"".join(line + b"\n" for lines in records for line in lines))
    home.run("import", home.log("s.log"))

    def anywhere(word):
        return lambda lines: any(word_at(line, word) for line in lines)

    cases = {b"timeout": anywhere(b"timeout"), b"timeout refused": lambda r: anywhere(b"timeout")(r) and anywhere(b"refused")(r),
             b'"timeout refused"': anywhere(b"timeout refused"), b"conn -b7": lambda r: anywhere(b"conn")(r) and not anywhere(b"b7")(r),
             b"conn OR b7": lambda r: anywhere(b"conn")(r) or anywhere(b"b7")(r), b"/time.*refused/": lambda r: any(re.search(rb"time.*refused", x) for x in r),
             b"/^\\tat time/": lambda r: any(x.startswith(b"\tat time") for x in r), b"*me.ref*": lambda r: any(b"me.ref" in x.lower() for x in r),
             b"-*java*": lambda r: not any(b"java" in x.lower() for x in r), b"level:error": lambda r: b" ERROR " in r[0],
             b"level:>=warn conn*": lambda r: b" INFO " not in r[0] and any(re.search(rb"(?<![A-Za-z0-9_])conn", x, re.I) for x in r)}
    for query, matches in cases.items():
        found = [r for r in records if matches(r)]
        got = count(home, query)
        check(got == sum(len(r) for r in found), f"{query!r}: {got} lines, the reference says {sum(len(r) for r in found)}")
        got = int(home.run("search", "--count", "--quiet", "--", query, code=None).stdout)
        check(got == len(found), f"{query!r}: {got} records, the reference says {len(found)}")


def test_hostile_queries(home):
    """Bad inputs 21, 22, 33: evil regexes run in linear time or are refused; what does not parse is plain text with a note."""
    with open(home.log("h.log"), "wb") as f:
        f.write(b"2026-11-20 10:00:00 INFO " + b"a" * 50000 + b"\n2026-11-20 10:00:01 INFO in main() of x\n")
    home.run("import", home.log("h.log"))
    began = time.monotonic()
    check(count(home, b"/(a+)+b/") == 0, "(a+)+b matches nothing")
    check(count(home, b"/^.*(a|b)*$/") == 2, "(a|b)* matches")
    check(time.monotonic() - began < 120, "evil regexes take linear time")
    check(count(home, b"main()") == 1, "what does not parse is searched as text")
    noted = home.run("search", "main()", code=None)
    check(b"parentheses" in noted.stderr and b"plain text" in noted.stderr, f"the note says why: {noted.stderr!r}")
    for query in ["/((x{100}){100}){100}/", "(" * 200 + "a" + ")" * 200, "a " * 1001, "x" * 65537]:
        done = home.run("search", "--", query, code=2)
        check(done.stderr.count(b"\n") <= 3 and done.stderr, f"one clear message for {query[:20]}: {done.stderr!r}")
    for query in ["", "*", "**"]:
        check(count(home, query.encode()) == 2, f"{query!r} finds everything")
    for query in ["(((", '"', "OR", "NOT", "field:", "/", "//", "~", "a AND", ")", "\\", "-", "=", ":"]:
        check(home.run("search", "--", query, code=None).returncode in (0, 1), f"{query!r} is answered")


def test_answers_that_cannot_be_written(home):
    """A full disk behind standard output is no success; a reader that left (head) is none of our business. Columns and forms that do not
    exist are refused."""
    with open(home.log("w.log"), "wb") as f:
        f.writelines(b"2026-11-20 10:00:00 INFO line %d\n" % i for i in range(50000))
    home.run("import", home.log("w.log"))
    for words in (["search", "--all", "line"], ["search", "--count", "line"], ["audit"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([home.binary, *words, "--data", home.data], stdout=full, stderr=subprocess.PIPE)
        check(done.returncode == 3 and b"standard output" in done.stderr, f"{words} into a full disk: {done}")
    pipe = subprocess.Popen([home.binary, "search", "--all", "line", "--data", home.data], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    pipe.stdout.readline()
    pipe.stdout.close()
    check(pipe.wait(180) == 0 and pipe.stderr.read() == b"", "a reader that leaves is no error")
    done = home.run("search", "--with", "time,bogus", "line", code=2)
    check(b'"bogus"' in done.stderr and b"offset" in done.stderr, f"the column and those there are: {done.stderr!r}")
    for words in (["sources", "-o", "csv"], ["search", "--values", "level", "-o", "csv"], ["audit", "-o", "csv"]):
        check(b"csv" in home.run(*words, code=2).stderr, f"{words} is refused")
    lines = home.run("search", "-o", "csv", "--file", "w.log", "-n", "2").stdout.splitlines()
    check(len(lines) == 3 and lines[0] == b"time,level,host,file,text", f"records as csv: {lines}")


def grep_context(word, path, around):
    return subprocess.run(["grep", "-a", "-w", "-F", "-C", str(around), word, path], capture_output=True, env={"LC_ALL": "C", "PATH": os.environ["PATH"]}).stdout


def test_context_is_that_of_grep(home):
    """`--context` prints what `grep -C` prints: groups that touch are one, no line twice, over more matches than a page holds; also of the newest only, and
    of files that take turns."""
    rng = random.Random(7)
    for name in ("a.log", "b.log"):
        with open(home.log(name), "w") as f:
            f.writelines(f"2026-11-20 {10 + n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d} INFO {name} {n} {'wanted' if rng.random() < 0.3 else 'other'}\n" for n in range(2500))
    home.run("import", home.log("a.log"), home.log("b.log"))
    for name, around in (("a.log", 0), ("b.log", 3)):
        got = home.run("search", "--all", "--context", str(around), "--file", name, "wanted").stdout
        wanted = grep_context("wanted", home.log(name), around)
        check(got == wanted, f"{name} with {around}: {len(got)} bytes, grep has {len(wanted)}")
    both = home.run("search", "--all", "--context", "2", "wanted").stdout.splitlines(keepends=True)
    for name in ("a.log", "b.log"):
        lines = [line for line in both if f" {name} ".encode() in line]
        wanted = grep_context("wanted", home.log(name), 2).splitlines(keepends=True)
        check(lines == [line for line in wanted if line != b"--\n"], f"{name} of both: {len(lines)} lines")
    newest = home.run("search", "-n", "40", "--context", "2", "--file", "a.log", "wanted").stdout
    check(grep_context("wanted", home.log("a.log"), 2).endswith(newest) and newest.count(b"wanted") >= 40, "the newest 40 are the end of it")


def test_options_that_would_do_nothing(home):
    """Options that say nothing to a command, or nothing beside each other, are refused with a line that names them."""
    with open(home.log("a.log"), "wb") as f:
        f.write(b"2026-11-20 10:00:00 ERROR a\n")
    home.run("import", home.log("a.log"))
    wrong = [["search", "-f", what] for what in ("--count", "--count-lines", "--fields")] + [
        ["search", "-f", "--histogram", "1m"], ["search", "-f", "--to", "now"], ["search", "-f", "--context", "2"], ["search", "--count", "--fields"],
        ["search", "--count", "-n", "3"], ["search", "--all", "-n", "3"], ["search", "--values", "level", "--context", "1"], ["search", "--with", "time", "-o", "json"],
        ["search", "--token-file", "x"], ["follow", "--with", "time", "-o", "csv"], ["audit", "--accept", "x", "--shallow"], ["export", "--file", "a", "--source", "b"],
        ["export", "--file", "a", "-o", "json"], ["import", home.log("a.log"), "--name", "x"], ["import", "-", home.log("a.log")], ["import", home.log("a.log"), "-o", "json"],
        ["rules", "add", "/x", "--host", "a", "--hosts", "b"], ["token", "create", "--agent", "--role", "admin"], ["repair", "--server", "http://127.0.0.1:1"],
        ["generate", home.logs, "--lines", "1", "--every", "1s"], ["up", "--no-page", "--tls-key", "x"], ["up", "--server", "http://127.0.0.1:1"], ["doctor", "-o", "json"]]
    for words in wrong:
        done = home.run(*words, code=2)
        option = next(w for w in reversed(words) if w.startswith("-")).lstrip("-")
        name = {"f": "follow", "n": "limit", "o": "output", "to": "until", "": "-"}.get(option, option)
        check(name.encode() in done.stderr and done.stderr.count(b"\n") <= 2 and not done.stdout, f"{words}: {done.stderr!r}")
    for source in ("-", home.log("a.log")):
        done = home.run("import", source, "--server", "http://127.0.0.1:1", code=2, stdin=b"x\n")
        check(b"ssh" in done.stderr, f"an import over --server: {done.stderr!r}")
    check(home.run("search", "--color", "always").stdout == b"\x1b[31m2026-11-20 10:00:00 ERROR a\x1b[0m\n", "colours")
    check(home.run("search", "-o", "text", "--all", "--count").stdout == b"1\n", "what says the same twice is fine")
