"""The rows of `make bench` on host metrics: what a look costs, and the embedded metric store beside a real InfluxDB 1.x and a plain SQLite table."""
import glob
import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "servers"))
import influxdb
from fleet_rows import cpu_seconds

HOSTS, TICKS = 100, 20
PROC = "cat /proc/stat /proc/meminfo /proc/vmstat /proc/loadavg /proc/diskstats /proc/net/dev /proc/self/mountinfo /proc/pressure/* /proc/[0-9]*/stat"


class InfluxBeside:
    """An InfluxDB whose memory goes to its files at once, so that they can be measured."""

    def __init__(self, folder):
        os.environ["INFLUXDB_DATA_CACHE_SNAPSHOT_WRITE_COLD_DURATION"] = "1s"
        self.server = influxdb.Influx(folder)
        self.server.start()
        self.server.query("CREATE DATABASE bench")

    def write(self, lines):
        with influxdb.opener().open(urllib.request.Request(f"{self.server.url}/write?db=bench", lines.encode()), timeout=120) as answer:
            assert answer.status == 204

    def file_bytes(self):
        """Of the values in its files, once they are there."""
        pattern, end = os.path.join(self.server.root, "data", "bench", "**", "*.tsm"), time.monotonic() + 60
        while time.monotonic() < end and not glob.glob(pattern, recursive=True):
            time.sleep(0.5)
        return sum(os.path.getsize(path) for path in glob.glob(pattern, recursive=True))


class MetricRows:
    def look(self):
        """one look at this host: processors, memory, disks, network, processes, and the samples of it."""
        done = json.loads(subprocess.run([os.path.join(self.build, "bench", "host_bench")], capture_output=True, text=True, check=True).stdout)
        cat = statistics.median(self.timed(["sh", "-c", PROC + " 2>/dev/null || true"]).cpu for _ in range(9)) * 1e6
        self.report(f"a look at this host ({done['processes']} processes)", f"{done['look_us']:.0f} us CPU, as JSON {done['json_us']:.0f} more",
                    f"cat of the same files: {cat:.0f} us", f"{done['look_us'] / cat:.2f}", "<= 1000 us")

    def metrics(self):
        """the embedded metric store: a fleet's samples, a year of one host, bytes per value."""
        with tempfile.TemporaryDirectory(prefix="logboom-bench-metrics-") as folder:
            self.fleet_of_hosts(folder)
            self.year_of_a_host(folder)
            self.bytes_per_value(folder)

    def metric_bench(self, *words):
        program = os.path.join(self.build, "src", "metricstore", "embedded", "metric_bench")
        return json.loads(subprocess.run([program, *words], capture_output=True, text=True, check=True).stdout)

    def fleet_of_hosts(self, folder):
        done = self.metric_bench("fleet", os.path.join(folder, "fleet"))
        ours = done["percent"] / 100 * 1e6 / (done["values"] / done["seconds"])
        beside = ("", "")
        if not influxdb.missing():
            theirs = self.influx_cpu(os.path.join(folder, "influx-fleet"))
            beside = (f"InfluxDB 1.6: {theirs:.2f} CPU s", f"{ours / theirs:.2f}")
        self.report(f"{done['hosts']} hosts, a sample each every 10 s", f"CPU {done['percent']:.1f}% of a core, {ours:.2f} s per million values, {done['resident'] / 1e6:.0f} MB", *beside, "< 20%")

    def influx_cpu(self, folder):
        """CPU seconds per million values, of points like those of metric_bench: nine processors of a host, nine fields each."""
        influx, made = InfluxBeside(folder), random.Random(1)
        began = int(time.time()) // 10 * 10 - 10 * TICKS
        try:
            before = cpu_seconds(influx.server.process.pid)
            for tick in range(TICKS):
                influx.write("".join(f"cpu,host=host-{host:04},cpu={cpu} " + ",".join(f"p{n}={made.randrange(10000) / 100}" for n in range(9)) + f" {(began + 10 * tick) * 10**9}\n"
                                     for host in range(HOSTS) for cpu in range(9)))
            influx.file_bytes()
            return (cpu_seconds(influx.server.process.pid) - before) / (HOSTS * TICKS * 81 / 1e6)
        finally:
            influx.server.stop()

    def year_of_a_host(self, folder):
        rounds = self.metric_bench("year", os.path.join(folder, "year"))["rounds"]
        middle = statistics.median(each["ms"] for each in rounds[1:4])
        table = sqlite3.connect(os.path.join(folder, "year.db"))
        table.execute("CREATE TABLE hour(series INTEGER, time INTEGER, value REAL, PRIMARY KEY(series, time)) WITHOUT ROWID")
        table.executemany("INSERT INTO hour VALUES(?, ?, ?)", ((series, hour * 3600, random.random()) for series in range(4) for hour in range(8760)))
        table.commit()
        times = []
        for _ in range(5):
            began = time.perf_counter()
            table.execute("SELECT time, value FROM hour WHERE series = 1 ORDER BY time").fetchall()
            times.append((time.perf_counter() - began) * 1000)
        plain = statistics.median(times)
        self.report("a year of a host, hour by hour", f"{middle:.1f} ms for a field ({rounds[1]['points']} points), {rounds[4]['ms']:.0f} ms for all {rounds[4]['points'] // rounds[1]['points']}",
                    f"a plain SQLite table: {plain:.1f} ms", f"{middle / plain:.2f}", "<= 50 ms")

    def bytes_per_value(self, folder):
        lines = self.args.samples or os.path.join(folder, "lines")
        if not self.args.samples:
            subprocess.run([os.path.join(self.build, "bench", "host_bench"), "record", "360", "1", lines], check=True)
        done = self.metric_bench("size", lines, os.path.join(folder, "size"))
        per = [each / done["values"] for each in done["bytes"]]
        beside = ("", "")
        if not influxdb.missing():
            influx = InfluxBeside(os.path.join(folder, "influx-size"))
            try:
                with open(lines, encoding="utf-8") as f:
                    influx.write(f.read())
                theirs = influx.file_bytes() / done["values"]
                beside = (f"InfluxDB 1.6: {theirs:.2f}", f"{per[0] / theirs:.2f}")
            finally:
                influx.server.stop()
        self.report(f"{done['values']} real values of {done['samples']} samples", f"{per[0]:.2f} bytes per value; the minutes of them {per[1]:.2f}, the hours {per[2]:.2f}", *beside, "<= 2 bytes")
