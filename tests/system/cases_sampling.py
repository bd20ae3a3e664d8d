"""The samples of this host against what a reader of /proc of its own says, and against df and free; rules of metrics that change."""
import ctypes
import json
import os
import socket
import subprocess
import sys
import time

import proc_checker
from faults import faults, long
from product import NotRun, Unix, check, tool
from wire import Host


def write_config(home, metrics):
    """Replaced whole, as an editor does."""
    path = os.path.join(home.root, "logboom.yaml")
    with open(path + ".new", "w") as f:
        f.write(f"collect:\n  items:\n    - path: {home.logs}/none.log\nmetrics: {metrics}\n")
    os.rename(path + ".new", path)
    return path


def start(home, metrics):
    return home.start("--config", write_config(home, metrics))


def lines(home, measurement, **more):
    query = {"measurement": measurement, "from": "-10m", **more}
    target = "/api/v1/metrics/query?" + "&".join(f"{k}={v}" for k, v in query.items())
    status, body = Unix(home).ask(target)
    check(status == 200, f"{target}: {status}: {body[:300]}")
    return json.loads(body)["lines"]


def values(home, measurement, field, tags=None):
    """Time in seconds > value, of one series."""
    for line in lines(home, measurement, fields=field):
        if line["field"] == field and line["tags"] == (tags or {}):
            return {int(t) // 10**9: v for t, v in zip(line["times"], line["values"])}
    return {}


def wait_for_samples(home, count):
    home.wait_until(lambda: len(values(home, "load", "load1")) >= count, f"{count} samples are stored", 300)


def has_sample(home):
    """Whether the sample of a second can be asked for: the last of its measurements is stored with it."""
    def asked(second):
        status, body = Unix(home).ask(f"/api/v1/metrics/query?measurement=load&fields=load1&from={second}&to={second + 1}")
        return status == 200 and bool(json.loads(body)["lines"])
    return asked


def sample_behind(home, second):
    """The first second behind this one that has a sample: a machine that stands still for a second has none of it."""
    found = []

    def there():
        found[:] = [time for time in values(home, "load", "load1") if time > second]
        return found

    home.wait_until(there, f"a sample behind {second} is stored")
    return min(found)


def all_series(home):
    """Of everything sampled: second > value by measurement, field and tags, asked for once."""
    known = {}

    def series(measurement, field, tags):
        if measurement not in known:
            known[measurement] = {(line["field"], tuple(sorted(line["tags"].items()))): {int(t) // 10**9: v for t, v in zip(line["times"], line["values"])}
                                  for line in lines(home, measurement) if "values" in line}
        return known[measurement].get((field, tuple(sorted(tags.items()))), {})
    return series


def burner(home):
    """A process under a name of its own that uses a processor, holds memory and writes to the disk."""
    text = ("import os, socket, sys, time\n"
            "open('/proc/self/comm', 'w').write('lb-burner')\n"
            "held, file = bytearray(64 << 20), open(sys.argv[1], 'wb')\n"
            "while True:\n"
            "    until = time.monotonic() + 0.2\n"
            "    while time.monotonic() < until:\n"
            "        sum(range(1000))\n"
            "    file.seek(0)\n"
            "    file.write(os.urandom(1 << 20))\n"
            "    os.fsync(file.fileno())\n")
    process = subprocess.Popen([sys.executable, "-c", text, os.path.join(home.root, "burnt")], start_new_session=True)
    home.running.append(process)
    return process


def watch(home, seconds, load):
    """Samples of so many seconds beside what a reader of /proc of its own says."""
    start(home, "{interval: 1s}")
    wait_for_samples(home, 2)
    between = proc_checker.Between(has_sample(home), [load.pid])
    between.watch(seconds)
    return between


def check_accuracy(home, between):
    series = all_series(home)
    wrong = proc_checker.compare(between, series)
    check(not wrong, f"{len(wrong)} figures are not as /proc says:\n" + "\n".join(wrong[:20]))
    # Only the processes that use most are sampled: those seconds in which this was one of them.
    values = series("process", "cpu", {"name": "lb-burner"})
    runs = between.runs(values)
    seconds = [second for begin, end in runs for second in range(begin + 1, end + 1)]
    check(len(seconds) > len(between.seconds) / 3, f"lb-burner is sampled in {len(seconds)} of {len(between.seconds)} seconds")
    bounds = [between.growth(lambda reading: reading.process, ends) for ends in runs]
    low, high = (100 * sum(bound[which] for bound in bounds) / proc_checker.TICKS for which in (0, 1))
    problem = proc_checker.within("process.cpu of lb-burner, of all seconds", sum(values[second] for second in seconds), low, high, least=len(seconds))
    check(not problem, problem)
    return series


def test_samples_agree_with_proc(home):
    """Processors, memory, swap, disks' and interfaces' counters and a process of ten seconds under load, each within 1% of what a reader of /proc of
    its own says between readings that enclose the sample."""
    check_accuracy(home, watch(home, 10, burner(home)))


@long
def test_samples_agree_with_proc_for_two_minutes(home):
    """The same over two minutes under stress-ng: processors, memory, disk, context switches."""
    load = burner(home)
    words = ["--cpu", "1", "--vm", "1", "--vm-bytes", "256m", "--hdd", "1", "--hdd-bytes", "64m", "--switch", "1", "--temp-path", home.root, "--timeout", "150"]
    home.running.append(subprocess.Popen([tool("stress-ng"), *words], start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    series = check_accuracy(home, watch(home, 120, load))
    check(any(series("process", "cpu", {"name": name}) for name in ("stress-ng-cpu", "stress-ng-vm", "stress-ng-hdd")), "the processes of stress-ng are not shown")


def test_memory_as_free_says(home):
    """total, used and swap of the sample beside which `free` was asked."""
    start(home, "{interval: 1s}")
    wait_for_samples(home, 2)
    off = []
    for _ in range(5):
        second = sample_behind(home, int(time.time()))
        printed = subprocess.run([tool("free"), "-b"], capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"}).stdout.splitlines()
        total, available, swap_total, swap_used = (int(printed[row].split()[column]) for row, column in ((1, 1), (1, 6), (2, 1), (2, 2)))
        ours = {field: values(home, "memory", field)[second] for field in ("total", "available", "swap_total", "swap_used")}
        check(ours["total"] == total and ours["swap_total"] == swap_total, f"sampled {ours}, free says {total} and {swap_total}")
        off.append(max(abs(ours["available"] - available), abs(ours["swap_used"] - swap_used)) / total)
    # The machine's other work goes on between the sample and free.
    check(sorted(off)[2] <= 0.01, f"memory is off by {off}")


def test_disks_as_df_says(home):
    """Each local file system, and a new one with known contents: sizes and inodes as `df` has them."""
    folder = os.path.join(home.root, "mounted")
    home.image(os.path.join(home.root, "image"), 64 << 20, folder)
    for n in range(100):
        with open(os.path.join(folder, f"{n}"), "wb") as f:
            f.write(bytes(200_000))
    os.sync()
    start(home, "{interval: 1s}")
    wait_for_samples(home, 2)
    seen = set()
    for line in lines(home, "disk"):
        mount, field = line["tags"]["mount"], line["field"]
        columns = {"total": "size", "used": "used", "available": "avail", "inodes": "itotal", "inodes_used": "iused", "inodes_free": "iavail"}
        if field not in columns:
            continue
        said = int(subprocess.run([tool("df"), "-B1", f"--output={columns[field]}", mount], capture_output=True, text=True, check=True).stdout.split()[1])
        seen.add((mount, field))
        if mount == folder:
            check(line["values"][-1] == said, f"{field} of {mount}: sampled {line['values'][-1]}, df says {said}")
        else:
            whole = next(other["values"][-1] for other in lines(home, "disk") if other["tags"]["mount"] == mount and other["field"] == ("inodes" if field.startswith("i") else "total"))
            check(abs(line["values"][-1] - said) <= 0.01 * whole, f"{field} of {mount}: sampled {line['values'][-1]}, df says {said}")
    check({(folder, "used"), (folder, "inodes_used")} <= seen, f"the new file system is not sampled: {sorted(seen)}")


def test_network_of_a_known_transfer(home):
    """Twelve megabytes in datagrams over a cable of their own: counters and the sum of the rates show them within 1%."""
    host = Host(home)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
            sink.bind((host.gateway, 0))
            start(home, "{interval: 1s}")
            wait_for_samples(home, 2)
            count, size, headers = 8000, 1458, 42
            text = ("import socket, sys, time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                    f"for n in range({count}):\n    s.sendto(bytes({size}), (sys.argv[1], int(sys.argv[2])))\n    time.sleep(0.0005)\n")
            began = sample_behind(home, int(time.time()))
            subprocess.run([*host.wrap, sys.executable, "-c", text, host.gateway, str(sink.getsockname()[1])], check=True, timeout=120)
        ended = sample_behind(home, int(time.time()) + 1)
        tags = {"interface": host.cable}
        counted, rates, packets = (values(home, "net", field, tags) for field in ("bytes_received", "received_rate", "packets_received"))
        wanted = count * (size + headers)
        near("bytes received", counted[ended] - counted[began], wanted)
        near("packets received", packets[ended] - packets[began], count)
        times = sorted(t for t in rates if began <= t <= ended)
        near("the sum of the rates", sum(rates[t] * (t - before) for before, t in zip(times, times[1:])), wanted)
    finally:
        host.close()


def near(what, ours, theirs, share=0.01):
    check(abs(ours - theirs) <= abs(theirs) * share, f"{what}: {ours} is sampled, {theirs} is right")


def test_every_second_has_one_sample_while_rules_change(home):
    """Samples bear whole seconds, none is missing and none twice while the topic changes five times."""
    start(home, "{interval: 1s}")
    wait_for_samples(home, 3)
    for n in range(5):
        write_config(home, f"{{interval: 1s, topic: t{n}}}")
        time.sleep(1.3)
    wait_for_samples(home, 9)
    for line in lines(home, "load", fields="load1"):
        times = [int(t) for t in line["times"]]
        check(all(t % 10**9 == 0 for t in times), "a sample bears no whole second")
        check(times == sorted(set(times)), "a sample is there twice")
        # A machine that stands still for a second has no sample of it, whatever the rules do.
        missing = (times[-1] - times[0]) // 10**9 + 1 - len(times)
        check(missing <= 2, f"{missing} samples are missing of {len(times)}")


def test_metrics_are_switched_off_and_on_by_the_file(home):
    """`metrics: off` ends sampling within seconds, and /metrics/host says so; on again goes on."""
    start(home, "{interval: 1s}")
    wait_for_samples(home, 2)
    status, body = Unix(home).ask("/metrics/host")
    check(status == 200 and b'node_cpu_seconds_total{cpu="0",mode="user"}' in body, f"/metrics/host: {status}")
    write_config(home, "off")
    home.wait_until(lambda: Unix(home).ask("/metrics/host")[0] == 503, "sampling ends")
    count = len(values(home, "load", "load1"))
    time.sleep(3)
    check(len(values(home, "load", "load1")) <= count + 1, "samples are taken though metrics are off")
    write_config(home, "{interval: 1s}")
    home.wait_until(lambda: len(values(home, "load", "load1")) >= count + 3, "sampling goes on")


class HungMount:
    """A file system of a server that never answers: FUSE without anybody behind it. Whoever looks at it waits until it is given up."""

    def __init__(self, folder):
        os.makedirs(folder)
        self.folder, self.libc = folder, ctypes.CDLL(None, use_errno=True)
        self.device = os.open("/dev/fuse", os.O_RDWR) if os.access("/dev/fuse", os.W_OK) else -1
        options = f"fd={self.device},rootmode=40000,user_id=0,group_id=0".encode()
        if self.device < 0 or self.libc.mount(b"hung", folder.encode(), b"fuse", 0, options) != 0:
            self.close()
            raise NotRun("cannot mount a FUSE file system")

    def close(self):
        if self.device >= 0:
            os.close(self.device)  # whoever waits is let go
        self.libc.umount2(self.folder.encode(), 2)


@faults("M4")
def test_a_file_system_that_hangs_holds_nothing_up(home):
    """A mounted file system whose server never answers, and one mounted in a folder beside it: samples come every second, with the other's space."""
    home.image(os.path.join(home.root, "image"), 16 << 20, os.path.join(home.root, "fine"))
    hung = HungMount(os.path.join(home.root, "hung"))
    try:
        looked = subprocess.Popen(["stat", "-f", hung.folder], start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        start(home, "{interval: 1s}")
        wait_for_samples(home, 5)
        check(looked.poll() is None, "the file system answers: the test proves nothing")
        mounts = {line["tags"]["mount"] for line in lines(home, "disk")}
        check(os.path.join(home.root, "fine") in mounts and hung.folder not in mounts, f"sampled are {mounts}")
        times = sorted(values(home, "load", "load1"))
        check(times[-1] - times[0] - len(times) < 2, f"samples are missing: {times}")
    finally:
        hung.close()
        looked.wait(timeout=30)


@faults("M5")
def test_a_clock_that_is_set_loses_and_repeats_nothing(home):
    """The clock is set back by six seconds, on by an hour, back by an hour: no time of a series comes twice, set back a little it is waited for, all
    else is followed at once; percentages stay percentages."""
    tool("faketime")
    offset = os.path.join(home.root, "offset")

    def set_clock(seconds):
        with open(offset + ".new", "w") as f:
            f.write(f"{seconds:+d}s")
        os.rename(offset + ".new", offset)

    set_clock(0)
    env = dict(home.env, LD_PRELOAD="/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", FAKETIME_TIMESTAMP_FILE=offset, FAKETIME_NO_CACHE="1", FAKETIME_DONT_FAKE_MONOTONIC="1")
    home.start("--config", write_config(home, "{interval: 1s}"), env=env)
    at = lambda: {second: value for line in lines(home, "cpu", fields="used", tags="cpu=total", **{"from": int(time.time()) - 600, "to": int(time.time()) + 7200})
                  for second, value in zip((int(t) // 10**9 for t in line["times"]), line["values"])}
    home.wait_until(lambda: len(at()) >= 3, "samples are stored")
    before, set_at = max(at()), time.monotonic()
    set_clock(-6)
    home.wait_until(lambda: max(at()) > before + 1, "samples go on behind the last one")
    check(time.monotonic() - set_at >= 5, "a sample was taken before the clock passed the last one")
    here = max(at())
    set_clock(3600)
    home.wait_until(lambda: len([s for s in at() if s > here + 3000]) >= 3, "samples follow the clock forward")
    check(not [s for s in at() if here + 60 < s < here + 3000], "samples were invented for an hour that did not pass")
    ahead = set(at())
    set_clock(-6)
    home.wait_until(lambda: len([s for s in at() if here < s < here + 3000]) >= 3, "samples follow the clock back")
    check(ahead <= set(at()), "samples of the hour ahead are gone")
    check(all(0 <= value <= 100 for value in at().values()), f"percentages are {at()}")
    check("clock was set back" in home.up_log(), "the log does not say that the clock was set back")
