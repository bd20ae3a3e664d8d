"""The reference in docs/ is what the program's own tables say."""
import csv
import io
import os
import re

from product import check

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def test_reference_is_current(home):
    """docs/reference/commands.md and settings.md equal what the program prints (`make reference` renews them)."""
    for page in ("commands", "settings"):
        printed = home.run("reference", page).stdout
        with open(os.path.join(ROOT, "docs", "reference", page + ".md"), "rb") as f:
            check(f.read() == printed, f"docs/reference/{page}.md is out of date: run make reference")


def test_rules_are_described(home):
    """docs/reference/rules.md has a row for each key that `check` knows of a rule."""
    with open(os.path.join(ROOT, "docs", "reference", "rules.md")) as f:
        page = f.read()
    for config in ("collect:\n  qqqqqqqq: 1\n", "collect:\n  items:\n    - path: /x\n      qqqqqqqq: 1\n"):
        path = home.log("a.yaml")
        with open(path, "w") as f:
            f.write(config)
        said = home.run("check", path, code=1).stdout.decode()
        known = re.search(r"known here: ([a-z_, ]+)", said)[1].split(", ")
        missing = [key for key in known if f"\n| `{key}` |" not in page]
        check(known and not missing, f"no row for {missing}")


def test_completion_scripts(home):
    """There is a script for each shell, and bash accepts its own."""
    import subprocess
    for shell in ("bash", "zsh", "fish"):
        check(b"logboom" in home.run("completion", shell).stdout, f"a script for {shell}")
    script = home.run("completion", "bash").stdout
    check(subprocess.run(["bash", "-n"], input=script).returncode == 0, "bash reads its script")
    home.run("completion", "tcsh", code=2)


def test_generate_is_deterministic(home):
    """The same seed gives the same bytes, another seed others."""
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        home.run("generate", home.log(name), "--format", "mixed", "--files", "8", "--bytes", "400KB", "--seed", seed, "--quiet")
    read = lambda name: b"".join(open(os.path.join(home.log(name), f"app-{n}.log"), "rb").read() for n in range(8))
    check(read("a") == read("b") and read("a") != read("c"), "seeds decide the bytes")


def test_import_standard_input(home):
    """What comes on standard input is a source by its name; again: nothing twice; without a name: wrong use."""
    data = b"".join(b"line %d\n" % i for i in range(50_000)) + b"no end"
    home.run("import", "-", "--name", "numbers", stdin=data)
    home.run("import", "-", "--name", "numbers", stdin=data + b" now\nand more\n")
    check(home.run("search", "--all", "--count", "line").stdout == b"50000\n", "each line once")
    check(home.run("export", "--file", "stdin:numbers", code=None).stdout.startswith(data), "the export")
    home.run("import", "-", code=2, stdin=b"x")


def test_backup_is_a_data_directory(home):
    """A backup can be searched, audited and exported like the original, and has the host's metrics."""
    path = home.log("a.log")
    with open(path, "wb") as f:
        f.write(b"2026-11-20 10:00:00 INFO kept\n" * 1000)
    config = os.path.join(home.root, "logboom.yaml")
    with open(config, "w") as f:
        f.write(f"collect: {{items: [{{path: {path}}}]}}\nmetrics: {{interval: 1s}}\n")
    up = home.start("--config", config)
    home.wait_until(lambda: home.run("search", "--count", "kept", code=None).stdout == b"1000\n", "the lines are found")
    samples = lambda: list(csv.DictReader(io.StringIO(home.run("metrics", "*", "load.load1", "--step", "1s", "-o", "csv", code=None).stdout.decode())))
    home.wait_until(lambda: len(samples()) >= 2, "samples of this host are stored")
    before = samples()
    copy = os.path.join(home.root, "copy")
    home.run("backup", copy)
    home.stop(up)
    home.data = copy
    check([row for row in samples() if row in before] == before, "the copy holds every sample")
    check(home.run("search", "--count", "kept").stdout == b"1000\n", "the copy holds every line")
    home.run("audit")
    check(home.export(path) == open(path, "rb").read(), "the copy exports the file")
