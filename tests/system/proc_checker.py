"""A reader of /proc of the tests' own: what a sample must lie between. A sample of second t is taken behind t and before it can be asked for, so
readings just before t and right after it was seen enclose it, however slow the machine is."""
import os
import time

SECTOR = 512
TICKS = os.sysconf("SC_CLK_TCK")


def words_of(path):
    with open(path) as f:
        return [line.split() for line in f]


def cpu():
    """Ticks since boot of all processors, guests inside user and nice."""
    names = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
    return dict(zip(names, map(int, words_of("/proc/stat")[0][1:9])))


def memory():
    """As `free` counts: total, used and available; swap."""
    said = {line[0].rstrip(":"): int(line[1]) * 1024 for line in words_of("/proc/meminfo")}
    return {"total": said["MemTotal"], "used": said["MemTotal"] - said["MemAvailable"], "available": said["MemAvailable"], "free": said["MemFree"],
            "swap_total": said["SwapTotal"], "swap_used": said["SwapTotal"] - said["SwapFree"]}


def net():
    """Counters by interface, as the samples name them."""
    found = {}
    for line in open("/proc/net/dev").read().splitlines()[2:]:
        name, rest = line.split(":", 1)
        n = list(map(int, rest.split()))
        found[name.strip()] = {"bytes_received": n[0], "packets_received": n[1], "bytes_sent": n[8], "packets_sent": n[9]}
    return found


def diskio():
    """Counters by whole disk (those of /sys/block) that was ever used."""
    whole, found = set(os.listdir("/sys/block")), {}
    for line in words_of("/proc/diskstats"):
        n = list(map(int, line[3:14]))
        if line[2] in whole and (n[0] or n[4]):
            found[line[2]] = {"reads": n[0], "read_bytes": n[2] * SECTOR, "writes": n[4], "written_bytes": n[6] * SECTOR}
    return found


def ticks_of(pids):
    """Processor time that processes used, in ticks; their ends are no concern of this."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as f:
            n = f.read().rpartition(")")[2].split()
        total += int(n[11]) + int(n[12])
    return total


class Reading:
    def __init__(self, pids=()):
        self.began = time.time()
        self.cpu, self.memory, self.net, self.diskio, self.process = cpu(), memory(), net(), diskio(), ticks_of(pids)
        self.ended = time.time()


class Between:
    """For each second with a sample the last reading before it and the first behind the moment at which the sample could be asked for."""

    def __init__(self, has_sample, pids=()):
        self.has_sample, self.pids = has_sample, pids
        self.seconds = {}

    def watch(self, seconds):
        """Ends when so many seconds have both readings; a second that bears no sample, of a machine that stood still, is passed over."""
        while len(self.seconds) < seconds:
            second = int(time.time() + 0.05) + 1
            time.sleep(max(0.0, second - 0.03 - time.time()))
            before = Reading(self.pids)
            if before.ended >= second:
                continue
            time.sleep(max(0.0, second - time.time()))
            while not (seen := self.has_sample(second)) and time.time() < second + 0.9:
                time.sleep(0.01)
            if seen:
                self.seconds[second] = (before, Reading(self.pids))

    def ends(self):
        return min(self.seconds), max(self.seconds)

    def growth(self, of, ends=None):
        """The least and the greatest that a counter can have grown between the samples of two seconds, the first and the last if none are named."""
        first, last = (self.seconds[second] for second in ends or self.ends())
        return of(last[0]) - of(first[1]), of(last[1]) - of(first[0])

    def runs(self, seconds):
        """(second before, last) of each run of these seconds without a hole."""
        known = sorted(second for second in seconds if {second, second - 1} <= self.seconds.keys())
        begins = [second for second in known if second - 1 not in known]
        ends = [second for second in known if second + 1 not in known]
        return [(begin - 1, end) for begin, end in zip(begins, ends)]


def within(what, ours, low, high, share=0.01, least=0.0):
    """Between both, or off by at most that share of the nearer one, or by `least`."""
    off = max(low - ours, ours - high, 0)
    return "" if off <= max(share * abs(low if ours < low else high), least) else f"{what}: sampled {ours}, /proc says {low} to {high}"


def compare(between, series):
    """What of the samples of those seconds is not as /proc says; `series(measurement, field, tags)` gives second > value."""
    found = [problem for second, readings in between.seconds.items() for problem in compare_second(second, *readings, series)]
    return [problem for problem in found + list(compare_cpu(between, series)) if problem]


def compare_second(second, before, after, series):
    whole = before.memory["total"]
    for field, low in before.memory.items():
        ours, ends = series("memory", field, {})[second], sorted((low, after.memory[field]))
        # What others allocate between two readings is not bounded by them.
        yield within(f"{second} memory.{field}", ours, *ends, least=0.0 if field.endswith("total") else 0.01 * whole)
    for measurement, tag, old, new in (("net", "interface", before.net, after.net), ("diskio", "device", before.diskio, after.diskio)):
        for name in old.keys() & new.keys():
            for field, low in old[name].items():
                ours = series(measurement, field, {tag: name}).get(second)
                yield f"{second} {measurement} {name}: nothing is sampled" if ours is None else within(f"{second} {measurement}.{field} of {name}", ours, low, new[name][field], share=0)


def compare_cpu(between, series):
    """The mean of the percentages against the ticks of the same time."""
    began, ended = between.ends()
    shortest, longest = between.growth(lambda reading: sum(reading.cpu.values()))
    for field in between.seconds[began][0].cpu:
        low, high = between.growth(lambda reading: reading.cpu[field])
        values = [v for second, v in series("cpu", field, {"cpu": "total"}).items() if began < second <= ended]
        yield within(f"cpu.{field}", sum(values) / len(values), 100 * low / longest, 100 * high / shortest, least=1.0)
