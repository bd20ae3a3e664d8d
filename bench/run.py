#!/usr/bin/env python3
"""Runs the benchmarks of `make bench`: each prints its figure, its yardstick measured in the same run, the ratio, and both commands. Median of
five unless it says otherwise. Nothing here passes or fails by the clock.

usage: run.py --build BUILD_DIR [--size 4GB] [--only NAME,NAME] [--keep DIR] [--list]
"""
import argparse
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "system"))
sys.path.insert(0, os.path.join(ROOT, "bench"))
from fleet import Agent, Server
from fleet_rows import FleetRows, cpu_seconds
from metric_rows import MetricRows
from product import Home, Unix


def parse_size(text):
    units = {"KB": 10**3, "MB": 10**6, "GB": 10**9}
    match = re.fullmatch(r"(\d+)(KB|MB|GB)", text.upper())
    return int(match[1]) * units[match[2]]


def forget(folder):
    """The kernel keeps nothing of the folder's files in memory."""
    for name in os.listdir(folder):
        descriptor = os.open(os.path.join(folder, name), os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def anonymous_bytes(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"RssAnon:\s+(\d+)", f.read())[1]) * 1024


class Timed:
    """A finished command: wall and CPU seconds, and the peak of resident and of anonymous memory."""

    def __init__(self, command, env=None, stdout=subprocess.DEVNULL):
        self.command = command
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, env=env)
        self.anonymous = 0
        watcher = threading.Thread(target=self.watch, args=(process.pid,), daemon=True)
        watcher.start()
        self.stderr = process.stderr.read()
        self.code = process.wait()
        self.wall = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def watch(self, pid):
        try:
            while True:
                with open(f"/proc/{pid}/status") as f:
                    match = re.search(r"RssAnon:\s+(\d+)", f.read())
                if match:
                    self.anonymous = max(self.anonymous, int(match[1]) * 1024)
                time.sleep(0.05)
        except (OSError, ProcessLookupError):
            return


class Bench(FleetRows, MetricRows):
    timed = Timed

    def __init__(self, args):
        self.args = args
        self.binary = os.path.join(os.path.abspath(args.build), "src", "app", "logboom")
        self.build = os.path.abspath(args.build)
        self.size = parse_size(args.size)
        self.kafka_size = parse_size(args.kafka_size)
        self.work = args.keep or tempfile.mkdtemp(prefix="logboom-bench-")
        os.makedirs(self.work, exist_ok=True)
        self.rows = []
        self.home = None

    def report(self, name, figure, yardstick="", ratio="", target=""):
        row = f"{name:<46} {figure:<34} {yardstick:<40} {ratio:<14} {target}"
        print(row, flush=True)
        self.rows.append((name, figure, yardstick, ratio, target))

    def corpus(self):
        """The generated logs, and a store that holds them."""
        if self.home:
            return self.home
        home = Home(self.binary, "logboom-bench-")
        shutil.rmtree(home.logs)
        home.logs = os.path.join(self.work, "logs")
        home.data = os.path.join(self.work, "data")
        if not os.path.exists(os.path.join(home.logs, "app-7.log")):
            home.run("generate", home.logs, "--format", "mixed", "--bytes", str(self.size), "--files", "8", "--seed", "7", "--quiet", timeout=1200)
        self.home = home
        return home

    def paths(self):
        home = self.corpus()
        return [os.path.join(home.logs, n) for n in sorted(os.listdir(home.logs)) if re.fullmatch(r"app-\d+\.log", n)]

    def raw_bytes(self):
        return sum(os.path.getsize(p) for p in self.paths())

    def store(self):
        home = self.corpus()
        if not os.path.exists(os.path.join(home.data, "store")):
            home.run("import", *self.paths(), timeout=3600)
        return home

    # ------------------------------------------------------------------ benchmarks

    def parse(self):
        """file > records > discard, per CPU second, beside read + memchr."""
        print(subprocess.run([os.path.join(self.build, "bench", "parse_bench"), self.paths()[0]], capture_output=True, text=True).stdout)

    def collect(self):
        """collecting alone: file > batches > discard beside read + memchr, and 10 MB/s followed."""
        program = os.path.join(self.build, "bench", "collect_bench")
        text = subprocess.run([program, *self.paths()[:2]], capture_output=True, text=True, check=True).stdout
        figure = lambda pattern: float(re.search(pattern, text)[1])
        self.report("collect, thrown away", f"{figure(r'collector +([0-9.]+)'):.2f} GB per CPU s, peak {figure(r'memory +([0-9]+)') / 1024:.0f} MB",
                    f"read + memchr: {figure(r'memchr +([0-9.]+)'):.2f} GB per CPU s", f"{figure(r'ratio +([0-9.]+)'):.2f}", "")
        with tempfile.TemporaryDirectory(prefix="logboom-bench-collect-") as folder:
            generator = subprocess.Popen([self.binary, "generate", folder, "--format", "app", "--files", "4", "--rate", str(10_000_000 // 105), "--quiet"])
            try:
                text = subprocess.run([program, "--follow", folder + "/*.log", str(self.args.seconds // 2)], capture_output=True, text=True, check=True).stdout
            finally:
                generator.terminate()
                generator.wait()
        self.report(f"collect {figure(r'^([0-9]+) bytes') / (self.args.seconds // 2) / 1e6:.1f} MB/s as they are written", f"CPU {figure(r': ([0-9.]+) %'):.1f}% of a core, peak {figure(r'memory ([0-9]+)') / 1024:.0f} MB", "", "", "<= 1.5%, <= 20 MB")

    def ingest(self):
        """file > durable and searchable, beside zstd -1 on one core, over the same files."""
        home, raw = self.corpus(), self.raw_bytes()
        ours, zstd, memory = [], [], []
        for _ in range(self.args.repeat):
            shutil.rmtree(home.data, ignore_errors=True)
            command = [self.binary, "import", *self.paths(), "--data", home.data, "--quiet"]
            done = Timed(command, env=home.env)
            ours.append(done)
            memory.append(done.anonymous)
            zstd.append(Timed(["sh", "-c", "for f in \"$@\"; do zstd -1 -c -q \"$f\" > /dev/null; done", "sh", *self.paths()]))
        mine = statistics.median(raw / t.wall for t in ours)
        theirs = statistics.median(raw / t.wall for t in zstd)
        lines = int(home.run("search", "--all", "--count-lines", "--quiet", "").stdout)
        self.report("file > durable and searchable", f"{mine / 1e6:.0f} MB/s, {mine / raw * lines / 1e6:.2f} M lines/s", f"zstd -1: {theirs / 1e6:.0f} MB/s", f"{mine / theirs:.2f}", ">= 0.6")
        self.report("  anonymous memory, peak; CPU", f"{max(memory) / 1e6:.0f} MB; {statistics.median(t.cpu / raw * 1e9 for t in ours):.1f} s/GB", "", "", "<= 128 MB")
        print(f"    commands: {' '.join(command[:2])} ... --data D | zstd -1 -c FILE (each file)")

    def fleet(self):
        """agent over HTTP > server, durable, beside import of the same files into a store of its own."""
        raw, shares, rows = self.raw_bytes(), [], []
        for _ in range(self.args.repeat):
            alone = Home(self.binary, "logboom-bench-alone-")
            imported = Timed([self.binary, "import", *self.paths(), "--data", alone.data, "--quiet"], env=alone.env)
            alone.close()
            wall, agent_cpu, server_cpu, anonymous = self.fleet_once(raw)
            shares.append(imported.wall / wall)
            rows.append((raw / wall, agent_cpu, server_cpu, anonymous, raw / imported.wall, imported.cpu))
        rate, agent_cpu, server_cpu, anonymous, alone_rate, alone_cpu = (statistics.median(r[i] for r in rows) for i in range(6))
        self.report("agent over HTTP > server", f"{rate / 1e6:.0f} MB/s", f"file > store: {alone_rate / 1e6:.0f} MB/s", f"{statistics.median(shares):.2f}", ">= 0.7")
        self.report("  CPU of agent and server", f"{agent_cpu / raw * 1e9:.1f} + {server_cpu / raw * 1e9:.1f} s/GB", f"file > store: {alone_cpu / raw * 1e9:.1f} s/GB")
        self.report("  anonymous memory, agent and server", f"{anonymous / 1e6:.0f} MB")

    def fleet_once(self, raw):
        home = Home(self.binary, "logboom-bench-fleet-")
        server = Server(home)
        server.start()
        agent = Agent(server, "bench-1", folder=self.home.logs)
        agent.rules(*self.paths())
        unix, began = Unix(home), time.monotonic()
        agent.start()
        anonymous = 0
        while json.loads(unix.ask("/api/v1/status")[1])["store"]["raw_bytes"] < raw:
            anonymous = max(anonymous, sum(anonymous_bytes(p.pid) for p in (agent.process, server.process)))
            time.sleep(0.02)
        wall = time.monotonic() - began
        cpu = [cpu_seconds(p.pid) for p in (agent.process, server.process)]
        agent.stop()
        server.stop()
        home.close()
        return wall, *cpu, anonymous

    def disk(self):
        """bytes on disk, everything counted, beside zstd -1 of the raw files."""
        home, raw = self.store(), self.raw_bytes()
        mine = sum(os.path.getsize(os.path.join(d, f)) for d, _, names in os.walk(home.data) for f in names)
        theirs = sum(int(subprocess.run(["sh", "-c", f"zstd -1 -c -q '{p}' | wc -c"], capture_output=True, text=True).stdout) for p in self.paths())
        self.report("bytes on disk", f"{mine / 1e6:.0f} MB, raw/disk {raw / mine:.2f}", f"zstd -1: {theirs / 1e6:.0f} MB, {raw / theirs:.2f}", f"{mine / theirs:.2f}", "< 1; raw/disk >= 8")

    def ask(self, unix, query, **parameters):
        from urllib.parse import quote
        target = "/api/v1/search?q=" + quote(query) + "".join(f"&{k}={quote(str(v))}" for k, v in parameters.items())
        began = time.monotonic()
        body = unix.get(target)
        wall = time.monotonic() - began
        done = [json.loads(line) for line in body.split(b"\n") if line.startswith(b'{"type":"done"')]
        return wall * 1000, done[0]["stats"] if done else {}

    def median_ask(self, process, unix, query, **parameters):
        """Wall and CPU milliseconds of the program for one search, once it is warm, and its statistics."""
        self.ask(unix, query, **parameters)
        before = cpu_seconds(process.pid)
        asked = [self.ask(unix, query, **parameters) for _ in range(5)]
        cpu = (cpu_seconds(process.pid) - before) / len(asked) * 1000
        return statistics.median(a[0] for a in asked), cpu, asked[-1][1]

    def rg(self, *words):
        times = []
        for _ in range(3):
            times.append(Timed(["rg", "--no-mmap", "-a", "-j1", *words, *self.paths()]).wall * 1000)
        return statistics.median(times)

    def searches(self):
        """words, parts and patterns over the whole store, warm, through the API of a running program."""
        home = self.store()
        process = home.start(os.path.join(self.work, "nothing-here.log"), "--no-page")
        unix = Unix(home)
        try:
            for name, query, parameters, yard, target in (
                    ("absent word", "zyxwvutnosuch", dict(limit=100), None, "<= 20 ms"),
                    ("rare word, newest 100", "HikariPool", dict(limit=100, count="false"), None, "<= 30 ms"),
                    ("common word: count", "timeout", dict(limit=0), ("-c", "-i", "-w", "-F", "timeout"), "<= 150 ms, 10x rg"),
                    ("common word: count and minute histogram", "timeout", dict(limit=0, step="1m"), ("-c", "-i", "-w", "-F", "timeout"), "<= 150 ms"),
                    ("common word: newest 100", "timeout", dict(limit=100, count="false"), None, "<= 30 ms"),
                    ("everything: count and minute histogram", "", dict(limit=0, step="1m"), None, ""),
                    ("substring, trigrams help", "*kariPoo*", dict(limit=0), ("-c", "-i", "-F", "kariPoo"), "<= 1 s"),
                    ("substring, common", "*imeou*", dict(limit=0), ("-c", "-i", "-F", "imeou"), "<= 3x rg"),
                    ("field of JSON lines: count", "http.status:>=500", dict(limit=0), None, ""),
                    ("level and field: count", "level:error AND http.status:500", dict(limit=0), None, ""),
                    ("regex with a literal", "/order-[0-9]+99 /", dict(limit=0), ("-c", "order-[0-9]+99 "), "<= 3x rg"),
                    ("regex without a literal", "/[0-9]{3}-[a-f]{4}/", dict(limit=0), ("-c", "[0-9]{3}-[a-f]{4}"), "<= 3x rg")):
                ms, cpu, stats = self.median_ask(process, unix, query, **parameters)
                theirs = self.rg(*yard) if yard else None
                self.report(name, f"{ms:.0f} ms, CPU {cpu:.0f} ms, {stats.get('records')} records, {stats.get('blocks_read')} of {stats.get('blocks_total')} blocks",
                            f"rg {' '.join(yard)}: {theirs:.0f} ms" if yard else "", f"{ms / theirs:.3f}" if yard else "", target)
        finally:
            home.stop(process)

    def latency(self):
        """write > durable and visible to follow, 1,000 lines/s, beside fdatasync."""
        home = Home(self.binary, "logboom-bench-latency-")
        path = home.log("a.log")
        open(path, "wb").close()
        process = home.start(home.logs)
        written, seen = {}, {}
        follow = subprocess.Popen([self.binary, "follow", "--data", home.data, "tick"], stdout=subprocess.PIPE, env=home.env)

        def reader():
            for line in follow.stdout:
                seen[int(line.split()[1])] = time.monotonic()
        thread = threading.Thread(target=reader, daemon=True)
        thread.start()
        time.sleep(1)
        count = 5000
        with open(path, "ab", buffering=0) as f:
            began = time.monotonic()
            for i in range(count):
                time.sleep(max(0, began + i / 1000 - time.monotonic()))
                written[i] = time.monotonic()
                f.write(b"tick %d of the clock\n" % i)
        home.wait_until(lambda: len(seen) >= count, "all lines are followed", 60)
        delays = sorted((seen[i] - written[i]) * 1000 for i in written)
        follow.terminate()
        follow.wait()
        home.stop(process)
        syncs = []
        with open(home.log("sync"), "wb", buffering=0) as f:
            for _ in range(200):
                f.write(b"x" * 4096)
                t = time.monotonic()
                os.fdatasync(f.fileno())
                syncs.append((time.monotonic() - t) * 1000)
        self.report("write > visible to follow, 1,000 lines/s", f"p50 {delays[count // 2]:.1f} ms, p99 {delays[count * 99 // 100]:.1f} ms", f"fdatasync p50 {statistics.median(syncs):.2f} ms", "", "p50 <= 2 fdatasync + 5 ms, p99 <= 20 ms")
        home.close()

    def steady(self, rate=10_000_000, seconds=None):
        """10 MB/s appended, all in one: CPU and memory of the program."""
        seconds = seconds or self.args.seconds
        home = Home(self.binary, "logboom-bench-steady-")
        process = home.start(home.logs)
        stats = f"/proc/{process.pid}"

        def cpu():
            return cpu_seconds(process.pid)
        before, anonymous = cpu(), 0
        generator = subprocess.Popen([self.binary, "generate", home.logs, "--format", "app", "--files", "4", "--rate", str(rate // 105), "--quiet"], env=home.env)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            anonymous = max(anonymous, int(re.search(r"RssAnon:\s+(\d+)", open(f"{stats}/status").read())[1]) * 1024)
            time.sleep(0.25)
        generator.terminate()
        generator.wait()
        used = cpu() - before
        size = sum(os.path.getsize(os.path.join(home.logs, n)) for n in os.listdir(home.logs))
        written, commits = self.metric(home, "store_wal_written_bytes_total"), self.metric(home, "store_commits_total")
        home.stop(process)
        self.report(f"{size / seconds / 1e6:.1f} MB/s appended for {seconds} s", f"CPU {used / seconds * 100:.1f}% of a core, anonymous {anonymous / 1e6:.0f} MB", f"WAL {written / size:.2f} bytes/byte, {commits / seconds:.0f} commits/s", "", "<= 10%, <= 64 MB")
        home.close()

    def metric(self, home, name):
        return float(re.search(rf"^logboom_{name}(?:{{.*}})? (\S+)", Unix(home).ask("/metrics")[1].decode(), re.M)[1])

    def wal(self):
        """WAL bytes per raw byte and commits per second at two rates (full speed: see ingest)."""
        for rate in (1000, 1_000_000):
            self.steady(rate, 10)

    def idle(self):
        """10,000 idle files and one busy, beside the busy one alone."""
        figures = {}
        for idle in (0, 10_000):
            home = Home(self.binary, "logboom-bench-idle-")
            for n in range(idle):
                with open(home.log(f"idle-{n}.log"), "wb") as f:
                    f.write(b"one line\n")
            process = home.start(home.logs)
            home.wait_until(home.caught_up, "the idle files are read", 120)
            time.sleep(2)  # what starting leaves to do is not idling
            stat = f"/proc/{process.pid}/stat"
            cpu = lambda: sum(int(x) for x in open(stat).read().rsplit(")", 1)[1].split()[11:13]) / os.sysconf("SC_CLK_TCK")
            before, began = cpu(), time.monotonic()
            time.sleep(10)
            idle_cpu = (cpu() - before) / (time.monotonic() - began)
            home.run("generate", os.path.join(home.root, "busy"), "--format", "app", "--bytes", "200MB", "--quiet")
            began = time.monotonic()
            os.rename(os.path.join(home.root, "busy", "app-0.log"), home.log("busy.log"))
            home.wait_until(lambda: self.metric(home, "store_raw_bytes_total") >= 200e6, "the busy file is durable", 120)
            figures[idle] = (200e6 / (time.monotonic() - began), idle_cpu)
            home.stop(process)
            home.close()
        self.report("one busy file beside 10,000 idle ones", f"{figures[10_000][0] / 1e6:.0f} MB/s, idle CPU {figures[10_000][1] * 100:.2f}%", f"alone: {figures[0][0] / 1e6:.0f} MB/s", f"{figures[10_000][0] / figures[0][0]:.2f}", "same; < 0.5%")

    def open(self):
        """opening the store to the first rows, from memory and from the disk (--size 10GB for the figure of the issue)."""
        home = self.store()

        def once(cold):
            if cold:
                forget(os.path.join(home.data, "store"))
            return Timed([self.binary, "search", "-n", "10", "--data", home.data, "--quiet"], env=home.env).wall * 1000
        warm, cold = (statistics.median(once(cold) for _ in range(5)) for cold in (False, True))
        self.report("open the store, first rows", f"{warm:.0f} ms, from the disk {cold:.0f} ms", f"{self.raw_bytes() / 1e9:.1f} GB raw", "", "<= 300 ms")


ORDER = ["parse", "collect", "ingest", "fleet", "disk", "searches", "latency", "steady", "wal", "idle", "open", "look", "metrics",
         "kafka", "kafka_transfer", "opensearch", "transfers", "latency_kafka", "agents"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--size", default="4GB")
    parser.add_argument("--kafka-size", default="400MB", help="of what goes through Kafka and OpenSearch")
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", default="")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--samples", default="", help="real samples, as host_bench record writes them; else six minutes of this host are taken")
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    if args.list:
        for name in ORDER:
            print(f"{name:<10} {getattr(Bench, name).__doc__}")
        return 0
    bench = Bench(args)
    print(f"{os.cpu_count()} cores, corpus {args.size}, median of {args.repeat}")
    try:
        for name in args.only.split(",") if args.only else ORDER:
            print(f"-- {name}: {getattr(Bench, name).__doc__}")
            getattr(bench, name)()
    finally:
        if not args.keep:
            shutil.rmtree(bench.work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
