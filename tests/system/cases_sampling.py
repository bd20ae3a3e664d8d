"""The samples of this host against what a reader of /proc of its own says, and against df and free; rules of metrics that change."""
import json
import os
import socket
import subprocess
import time

from product import Unix, check, tool


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
    home.wait_until(lambda: len(values(home, "load", "load1")) >= count, f"{count} samples are stored", 120)


def meminfo():
    with open("/proc/meminfo") as f:
        return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in f}


def received(interface):
    with open("/proc/net/dev") as f:
        for line in f:
            name, colon, rest = line.partition(":")
            if colon and name.strip() == interface:
                return int(rest.split()[0])
    return None


def busy_ticks():
    """User and system ticks of all processors, guests inside user."""
    with open("/proc/stat") as f:
        user, nice, system, idle, iowait, irq, softirq, steal = (int(n) for n in f.readline().split()[1:9])
    return user + nice + system + irq + softirq + steal, user + nice + system + irq + softirq + steal + idle + iowait


def next_second(after):
    """Waits for the first whole second behind that time."""
    second = int(after) + 1
    time.sleep(max(0, second - time.time()))
    return second


def move_over_loopback(size):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1)
        with socket.create_connection(listening.getsockname()) as out, listening.accept()[0] as into:
            for _ in range(size >> 16):
                out.sendall(bytes(1 << 16))
                left = 1 << 16
                while left:
                    left -= len(into.recv(left))


def near(what, ours, theirs, share=0.01, least=0.0):
    check(abs(ours - theirs) <= max(abs(theirs) * share, least), f"{what}: {ours} is sampled, {theirs} is right")


def test_samples_agree_with_proc_df_and_free(home):
    """Memory, disks, processor, network: what is stored against /proc read by Python, df and free."""
    start(home, "{interval: 1s}")
    wait_for_samples(home, 3)
    # Something to measure, from one whole second to another, as samples are: 20 MiB over the loopback.
    began = next_second(time.time())
    busy, whole = busy_ticks()
    first = received("lo")
    move_over_loopback(20 << 20)
    next_second(began + 6)
    sent = received("lo")
    later_busy, later_whole = busy_ticks()
    ended = int(time.time())
    wait_for_samples(home, 10)

    total = values(home, "memory", "total")
    near("memory.total", list(total.values())[-1], meminfo()["MemTotal"])
    memory = subprocess.run([tool("free"), "-b"], capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"}).stdout
    free_total = int(memory.splitlines()[1].split()[1])
    near("memory.total as free says", list(total.values())[-1], free_total)
    used = values(home, "memory", "used")
    low, high = min(used.values()), max(used.values())
    free_used = free_total - int(memory.splitlines()[1].split()[6])
    check(low - 0.05 * free_total <= free_used <= high + 0.05 * free_total, f"memory.used between {low} and {high}, free says {free_used}")

    for line in lines(home, "disk", fields="total,used,available"):
        out = subprocess.run([tool("df"), "-B1", "--output=size,used,avail", line["tags"]["mount"]], capture_output=True, text=True, check=True).stdout
        size, df_used, available = (int(n) for n in out.splitlines()[1].split())
        theirs = {"total": size, "used": df_used, "available": available}[line["field"]]
        near(f"disk {line['tags']['mount']} {line['field']}", line["values"][-1], theirs, least=0.01 * size)

    used_cpu = [v for t, v in values(home, "cpu", "used", {"cpu": "total"}).items() if began < t <= ended]
    check(len(used_cpu) >= 3, f"{len(used_cpu)} samples of the processor in {ended - began} s")
    # A look is some milliseconds behind its second, on a busy machine more.
    near("cpu used", sum(used_cpu) / len(used_cpu), 100 * (later_busy - busy) / (later_whole - whole), least=5)

    if first is not None:
        counted = values(home, "net", "bytes_received", {"interface": "lo"})
        check(sent - first >= 20 << 20, "the bytes did not go over the loopback")
        check(min(counted.values()) <= first and max(counted.values()) >= sent, "the counter of lo is another than /proc says")
        rates = values(home, "net", "received_rate", {"interface": "lo"})
        check(sum(rates[t] for t in rates if began <= t <= ended + 1) >= 0.9 * (20 << 20), "rates do not show the bytes that went over lo")


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
    home.wait_until(lambda: Unix(home).ask("/metrics/host")[0] == 503, "sampling ends", 30)
    count = len(values(home, "load", "load1"))
    time.sleep(3)
    check(len(values(home, "load", "load1")) <= count + 1, "samples are taken though metrics are off")
    write_config(home, "{interval: 1s}")
    home.wait_until(lambda: len(values(home, "load", "load1")) >= count + 3, "sampling goes on", 60)
