"""Host metrics all the way of a fleet: the sampler, a real Kafka broker, `logboom transfer`, a real InfluxDB; read back with InfluxDB's own client."""
import calendar
import csv
import io
import json
import os
import re
import shlex
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "servers"))

import influxdb
from cases_kafka import TopicAgent, Transfer, broker_of, kill_broker, restart_broker
from cases_metrics import DATABASE, influx_of
from faults import faults
from product import Unix, check, free_port, tool

TOPIC = "system"


class SamplingAgent(TopicAgent):
    """An agent that samples its host every second to Kafka, and collects nothing else."""

    def __init__(self, home, broker, name):
        super().__init__(home, broker, name, [])

    def rules(self, folder):
        with open(self.config, "w") as f:
            f.write(f"transport: {{kind: kafka, brokers: ['{self.broker.address}']}}\nmetrics: {{interval: 1s, topic: {TOPIC}}}\n"
                    f"collect:\n  items:\n    - path: {folder}/none.log\n")

    def ring(self):
        """What stands in the ring on disk (docs/formats/metrics.md): the messages of every entry."""
        found = []
        folder = os.path.join(self.data, "samples")
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as f:
                data = f.read()
            at = 5
            while at + 12 <= len(data):
                size = int.from_bytes(data[at:at + 4], "little")
                frame = data[at + 12:at + 12 + size]
                if len(frame) < size:
                    break  # being written, or cut off by the end of the agent
                at += 12 + size
                lines = subprocess.run([tool("zstd"), "-dc"], input=frame, capture_output=True, check=True).stdout
                found += [json.loads(line) for line in lines.splitlines()]
        return found


def to_influx(home, broker, server):
    return Transfer(home, broker, [TOPIC], "--metrics_store.kind", "influxdb", "--metrics_store.url", server.url, "--metrics_store.database", DATABASE)


def seconds_of(text):
    """Of the time of a message, which is a whole second here."""
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def points_of_messages(messages):
    """(measurement, tags, second) > fields. The same sample twice is one."""
    points = {}
    for message in messages:
        tags = {**message.get("tags", {}), "host": message["host.name"], **({"ip": message["host.ip"]} if "host.ip" in message else {})}
        points[message["measurement"], tuple(sorted(tags.items())), seconds_of(message["@timestamp"])] = message["fields"]
    return points


def points_of_influx(server):
    """The same of everything in the database, as its own query API gives it: one entry a point, so what stood twice under another time is seen."""
    points = {}
    for series in server.query("SELECT * FROM /.*/ GROUP BY *", DATABASE):
        tags = tuple(sorted((k, v) for k, v in series.get("tags", {}).items() if v))
        for row in series["values"]:
            check(row[0] % 10**9 == 0, f"a point of {series['name']} bears no whole second: {row[0]}")
            points[series["name"], tags, row[0] // 10**9] = {k: v for k, v in zip(series["columns"][1:], row[1:]) if v is not None}
    return points


def sampled(server):
    """The seconds of which there is a sample of the load."""
    try:
        found = server.query("SELECT load1 FROM load", DATABASE)
    except RuntimeError:
        return []
    return [row[0] // 10**9 for series in found for row in series["values"]]


def check_points(stored, expected):
    missing = expected.keys() - stored.keys()
    check(not missing, f"{len(missing)} of {len(expected)} samples are not in InfluxDB, as {sorted(missing)[:3]}")
    more = stored.keys() - expected.keys()
    check(not more, f"{len(more)} points are in InfluxDB that nobody sent, as {sorted(more)[:3]}")
    for key, fields in expected.items():
        check(stored[key] == fields, f"{key}: InfluxDB has {stored[key]}, sent was {fields}")


def client_of_influx(server, query):
    """Rows as Debian's `influx` prints them."""
    printed = subprocess.run([influxdb.client(), "-port", str(server.port), "-database", DATABASE, "-precision", "s", "-format", "csv", "-execute", query],
                             capture_output=True, text=True, check=True, timeout=60).stdout
    return list(csv.DictReader(io.StringIO(printed)))


@faults("T8", "M1")
def test_samples_reach_influxdb_once(home):
    """Sampler > Kafka > transfer > InfluxDB while agent, transfer, broker and InfluxDB are killed: every message of the topic and of the agent's ring
    is one point, with its values; `influx` and `logboom metrics` say the same."""
    broker, server = broker_of(home), influx_of(home)
    agent, transfer = SamplingAgent(home, broker, "web-1"), to_influx(home, broker, server)
    agent.start()
    transfer.start()
    home.wait_until(lambda: len(sampled(server)) >= 3, "samples are in InfluxDB")
    transfer.kill()
    kill_broker(home, broker)
    home.wait_until(lambda: len({m["@timestamp"] for m in agent.ring()}) >= 3, "samples wait in the ring")
    agent.kill()
    held = points_of_messages(agent.ring())
    last = max(second for _, _, second in held)
    home.kill(server.process)
    restart_broker(home, broker)
    agent.start()
    home.running.append(server.start())
    transfer.start()
    home.wait_until(lambda: max(sampled(server), default=0) > last + 2, "samples of the agent's second run are in InfluxDB")
    agent.stop()
    sent = points_of_messages([json.loads(line.split("\t", 1)[1]) for line in broker.admin("read", TOPIC)] + agent.ring())
    check(not held.keys() - sent.keys(), f"{len(held.keys() - sent.keys())} samples of the ring never were sent")
    delivered = points_of_messages([json.loads(line.split("\t", 1)[1]) for line in broker.admin("read", TOPIC)])
    home.wait_until(lambda: len(points_of_influx(server)) >= len(delivered), "everything of the topic is in InfluxDB")
    check_points(points_of_influx(server), delivered)
    seconds = sorted(sampled(server))
    alive = [s for s in range(seconds[0], last + 1)]
    check(len(set(alive) - set(seconds)) <= 2, f"while the agent ran, samples are missing: {sorted(set(alive) - set(seconds))}")
    command_and_client_agree(home, server, seconds)
    transfer.stop()


def command_and_client_agree(home, server, seconds):
    [row] = client_of_influx(server, "SELECT count(load1) FROM load")
    check(int(row["count"]) == len(seconds), f"influx counts {row['count']}, there are {len(seconds)}")
    [mean] = client_of_influx(server, "SELECT mean(used) FROM memory WHERE host = 'web-1'")
    words = ["metrics", "web-1", "memory.used", "--from", str(seconds[0]), "--to", str(seconds[-1] + 1), "--step", "1s", "-o", "csv"]
    values = [float(r["value"]) for r in csv.DictReader(io.StringIO(home.run(*words).stdout.decode()))]
    check(len(values) == len(seconds), f"logboom metrics prints {len(values)} points, there are {len(seconds)}")
    check(abs(sum(values) / len(values) - float(mean["mean"])) < 1e-6 * float(mean["mean"]), f"the mean is {sum(values) / len(values)}, influx says {mean['mean']}")


def gauge(home, name):
    found = re.search(rf"^{name}(?:{{.*}})? (\S+)", Unix(home).ask("/metrics")[1].decode(), re.M)
    return float(found[1]) if found else 0.0


def resident(process):
    with open(f"/proc/{process.pid}/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmRSS:"))


def message(host, second, measurement, fields, tags=None):
    return {"@timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second)), "measurement": measurement, "host.name": host, "topic": TOPIC,
            "tags": tags or {}, "fields": fields}


def say_samples(broker, messages, topic=TOPIC):
    broker.admin("say", topic, "sample", stdin=b"".join(json.dumps(m).encode() + b"\n" for m in messages))


def an_hour(hosts):
    """Of so many hosts, a sample of the processors every ten seconds."""
    now = int(time.time()) // 10 * 10
    names = ("user", "nice", "system", "iowait", "irq", "softirq", "steal", "idle", "used")
    return [message(f"web-{host}", second, "cpu", {name: (host + second // 10 + n) % 97 + 0.5 for n, name in enumerate(names)}, {"cpu": "total"})
            for second in range(now - 3600, now, 10) for host in range(hosts)]


@faults("M2")
def test_influxdb_is_down_for_an_hour(home):
    """An hour of a hundred hosts comes while InfluxDB is stopped: memory stays bounded, logs of the same transfer flow on, and when it is back every
    sample is one point."""
    broker, server = broker_of(home), influx_of(home)
    for topic in (TOPIC, "web"):
        broker.admin("create", topic, 3)
    transfer = Transfer(home, broker, [TOPIC, "web"], "--metrics_store.kind", "influxdb", "--metrics_store.url", server.url, "--metrics_store.database", DATABASE)
    transfer.start()
    first = message("web-0", int(time.time()) // 10 * 10 - 7200, "load", {"load1": 0.5})
    say_samples(broker, [first])
    home.wait_until(lambda: stored(server) == 1, "the first sample is in InfluxDB")
    home.kill(server.process)
    messages = an_hour(100)
    say_samples(broker, messages)
    home.wait_until(lambda: gauge(home, "logboom_metricstore_queue_bytes") > 12 << 20, "samples wait in memory")
    before = resident(transfer.process)
    broker.admin("say", "web", stdin=b"".join(b"line %d\n" % n for n in range(2000)))
    home.wait_until(lambda: home.count() == 2000, "logs are stored while InfluxDB is down")
    check(gauge(home, "logboom_metricstore_queue_bytes") <= 16 << 20, "more samples wait in memory than may")
    check(resident(transfer.process) - before < 64 << 20, f"memory grew from {before} to {resident(transfer.process)} while samples wait")
    home.running.append(server.start())
    home.wait_until(lambda: stored(server) > 10_000, "samples flow again", 300)
    home.kill(server.process)
    transfer.stop()  # fails where it does not end within a minute
    transfer.start()
    home.running.append(server.start())
    home.wait_until(lambda: stored(server) > len(messages), "everything is in InfluxDB", 300)
    check_points(points_of_influx(server), points_of_messages([first, *messages]))
    transfer.stop()


def stored(server):
    """How many points there are."""
    try:
        found = server.query("SELECT count(*) FROM /.*/", DATABASE)
    except RuntimeError:
        return 0
    return sum(max((count for count in series["values"][0][1:] if count), default=0) for series in found)


@faults("M3")
def test_a_field_that_changed_its_kind_is_quarantined(home):
    """A field that InfluxDB knows as another kind: refused by the server, which `logboom metrics` and the API say in its words; the sample's other fields
    and all other samples are stored."""
    broker, server = broker_of(home), influx_of(home)
    transfer = to_influx(home, broker, server)
    broker.admin("create", TOPIC, 1)
    transfer.start()
    at = int(time.time()) // 10 * 10 - 600
    say_samples(broker, [message("web-1", at, "load", {"load1": 0.5, "load5": 0.5})])
    home.wait_until(lambda: stored(server) == 1, "the first sample is in InfluxDB")
    odd = [message("web-1", at + n, "load", {"load1": "high", "load5": n + 0.5}) for n in range(1, 50)]
    fine = [message("web-1", at + n, "memory", {"used": n}) for n in range(1, 50)]
    say_samples(broker, [m for pair in zip(odd, fine) for m in pair])
    home.wait_until(lambda: stored(server) == 99, "the rest is in InfluxDB")
    kept = [message("web-1", at, "load", {"load1": 0.5, "load5": 0.5})] + [dict(m, fields={"load5": m["fields"]["load5"]}) for m in odd] + fine
    check_points(points_of_influx(server), points_of_messages(kept))
    store = json.loads(Unix(home).ask("/api/v1/metrics/hosts")[1])["store"]
    check(store["quarantined"] == 49, f"quarantined are {store['quarantined']}")
    refused = store["refused"]
    check(any("field type conflict" in r["reason"] and r["field"] == "load1" and r["measurement"] == "load" for r in refused), f"refused are {refused}")
    transfer.stop()


PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "metrics.md")


def page():
    """The commands of docs/metrics.md as (host, line), and its files by name."""
    with open(PAGE, encoding="utf-8") as f:
        text = f.read()
    files = {name: body for name, body in re.findall(r"```yaml\n# (\S+)\n(.*?)```", text, re.S)}
    return re.findall(r"^(web-1|store)\$ (.+)$", text, re.M), files


def asked_loads(home):
    status, body = Unix(home).ask("/api/v1/metrics/query?measurement=load&fields=load1&from=-10m")
    found = json.loads(body)["lines"] if status == 200 else []
    return found[0]["times"] if found else []


def test_the_pages_commands(home):
    """docs/metrics.md followed to the letter: on one machine, then over Kafka into InfluxDB with its two files."""
    commands, files = page()
    check(len(commands) >= 12 and set(files) == {"agent.yaml", "transfer.yaml"}, f"the page has {len(commands)} commands and the files {sorted(files)}")
    broker, server = broker_of(home), influx_of(home)
    beside = {}
    files["logboom.yaml"] = "metrics: {interval: 1s}\n"
    for name, text in files.items():
        with open(os.path.join(home.root, name), "w", encoding="utf-8") as f:
            f.write(text.replace("10.0.0.1:9092", broker.address).replace("http://10.0.0.2:8086", server.url).replace("interval: 10s", "interval: 1s").replace("/var/log/app", home.logs))
    env = dict(home.env, LOGBOOM_AGENT_NAME="web-1")
    said = {}
    for host, line in commands:
        words = shlex.split(line.replace("~/.local/state/logboom", home.data))
        if words[1] in ("up", "transfer"):
            if "up" in beside:
                home.stop(beside.pop("up"))
            paths = [home.logs, "--config", "logboom.yaml"] if words[1] == "up" else []
            beside[words[1]] = home.start(*paths, *words[2:], command=words[1], env=env, listen=f"127.0.0.1:{free_port()}")
            home.wait_until(lambda: len(asked_loads(home)) >= 3, "there are samples", 300)
        elif words[1] == "agent":
            log = open(os.path.join(home.root, "agent.log"), "ab")
            beside["agent"] = subprocess.Popen([home.binary, "--data", os.path.join(home.root, "agent"), *words[1:]], env=env, cwd=home.root, stdout=log, stderr=log, start_new_session=True)
            home.running.append(beside["agent"])
        elif words[0] == "logboom":
            said[line] = home.run(*words[1:], env=env, code=None if words[1] == "doctor" else 0).stdout.decode()
        else:
            program = [influxdb.client(), "-port", str(server.port)] if words[0] == "influx" else words[:1]
            said[line] = subprocess.run([*program, *words[1:]], capture_output=True, text=True, check=True, timeout=60).stdout
    for line, text in said.items():
        check("web-1" in text or "cpu" in text or "time,host" in text or "InfluxDB" in text, f"{line} printed:\n{text[:2000]}")
    for name in ("agent", "transfer"):
        home.stop(beside[name])


def test_samples_are_read_on_where_they_are_stored(home):
    """A topic of samples alone: what comes while the transfer is dead is stored by its next run, though it begins at the latest message; what is stored
    is not read again."""
    broker, server = broker_of(home), influx_of(home)
    broker.admin("create", TOPIC, 1)
    transfer = Transfer(home, broker, [TOPIC], "--transfer.start_at", "latest", "--metrics_store.kind", "influxdb", "--metrics_store.url", server.url,
                        "--metrics_store.database", DATABASE)
    transfer.start()
    at = int(time.time()) // 10 * 10 - 600
    load = lambda n: message("web-1", at + n, "load", {"load1": n + 0.5})
    said = []
    while stored(server) == 0:  # it begins behind the messages that are there when it has looked
        said.append(load(len(said)))
        say_samples(broker, said[-1:])
    began = stored(server) + 1
    say_samples(broker, [load(90)])  # stored after how far the one before it is stored was noted
    home.wait_until(lambda: stored(server) == began, "one more is stored")
    transfer.kill()
    missed = [load(100 + n) for n in range(100)]
    say_samples(broker, missed)
    transfer.start()
    home.wait_until(lambda: stored(server) >= began + 100, "what came while the transfer was dead is stored")
    transfer.stop()
    server.query(f'DROP DATABASE "{DATABASE}"')
    transfer.start()
    say_samples(broker, [load(300)])
    home.wait_until(lambda: stored(server) > 0, "the next sample is stored")
    check_points(points_of_influx(server), points_of_messages([load(300)]))
    transfer.stop()


def asked_points(home, measurement, field):
    """(host, second) > value of everything the store of the transfer has, at most two hours old."""
    status, body = Unix(home).ask(f"/api/v1/metrics/query?measurement={measurement}&fields={field}&from=-2h&step=0s&pick=last")
    check(status == 200, f"the store answers {status}: {body[:500]}")
    return {(line["host"], int(at) // 10**9): value for line in json.loads(body)["lines"] for at, value in zip(line["times"], line["values"])}


def received(home):
    return gauge(home, "logboom_transfer_batches_received_total")


@faults("M2")
def test_the_disk_of_the_metrics_is_full(home):
    """The disk of the embedded metric store is full while an hour of a hundred hosts comes: it is said, nothing is read in a loop, memory stays bounded, logs
    of the same partition are stored; with room every sample is there, also where the transfer was killed meanwhile."""
    broker = broker_of(home)
    broker.admin("create", TOPIC, 1)
    home.mount_tmpfs(os.path.join(home.data, "metrics"), "size=60m,mode=700")  # below 64 MB nothing is stored
    transfer = Transfer(home, broker, [TOPIC])
    transfer.start()
    say_samples(broker, [message("web-0", int(time.time()) // 10 * 10 - 10, "load", {"load1": 0.5})])
    home.wait_until(lambda: "MB are free" in metric_problem(home), "the full disk is said")
    time.sleep(3)  # more than one attempt
    check(received(home) == 1, f"one sample was read {received(home)} times")
    messages = an_hour(100)
    say_samples(broker, messages)
    broker.admin("say", TOPIC, stdin=b"".join(b"line %d\n" % n for n in range(2000)))
    home.wait_until(lambda: home.count() == 2000, "logs of the same partition are stored", 300)
    check(gauge(home, "logboom_metricstore_queue_bytes") <= 8 << 20, "more samples wait in memory than may")
    check(gauge(home, "logboom_transfer_samples_held_up_total") >= 1, "more came than may wait")
    before = received(home)
    check(before == len(messages) + 2001, f"{len(messages) + 2001} messages were read {before} times")
    said = home.up_log()
    check(said.count("MB are free") == 1, f"it was not said once:\n{said[-3000:]}")
    check("metrics" in home.run("doctor", code=None).stdout.decode(), "doctor does not say it")
    transfer.kill()
    transfer.start()
    home.wait_until(lambda: received(home) > len(messages), "what is not stored is read again")
    home.remount_tmpfs(os.path.join(home.data, "metrics"), "size=400m")
    expected = {(m["host.name"], seconds_of(m["@timestamp"])): m["fields"]["used"] for m in messages}
    home.wait_until(lambda: asked_points(home, "cpu", "used").keys() >= expected.keys(), "with room every sample is stored", 300)
    check(asked_points(home, "cpu", "used") == expected, "samples bear other values")
    home.wait_until(lambda: metric_problem(home) == "", "the problem is gone")
    check(home.count() == 2000, f"{home.count()} lines of 2000")
    transfer.stop()


def metric_problem(home):
    status, body = Unix(home).ask("/api/v1/metrics/hosts")
    return json.loads(body)["store"]["problem"] if status == 200 else ""


def begin_at_the_latest(home, broker, transfer, loads):
    """A transfer that begins at the latest message of a topic of samples is killed as soon as it has stored one; what came behind that one while it was dead,
    in every partition, is stored by its next run. `loads`: second > value of what is stored."""
    broker.admin("create", TOPIC, 4)
    at = int(time.time()) // 10 * 10 - 6000
    load = lambda n: message("web-1", at + n, "load", {"load1": n + 0.5})
    say_samples(broker, [load(n) for n in range(5)])  # before its time
    transfer.start()
    said = 5
    while not loads():  # it begins behind what is there when it has looked
        said += 1
        say_samples(broker, [load(said)])
    first = min(loads()) - at
    transfer.kill()
    for n in range(8):
        say_samples(broker, [load(1000 + 10 * n + m) for m in range(10)])
    transfer.start()
    expected = {at + n: n + 0.5 for n in [*range(first, said + 1), *range(1000, 1080)]}
    home.wait_until(lambda: len(loads()) >= len(expected), "what came while it was dead is stored")
    differ = sorted(set(loads().items()) ^ set(expected.items()))
    check(not differ, f"stored is not what was said from {first} on: {[(second - at, value) for second, value in differ[:10]]}")
    transfer.stop()


@faults("M1")
def test_samples_from_the_latest_on_in_the_embedded_store(home):
    """A topic with samples alone, read from the latest message on into the embedded store: killed before it had noted how far it was, it misses nothing."""
    broker = broker_of(home)

    transfer = Transfer(home, broker, [TOPIC], "--transfer.start_at", "latest")
    begin_at_the_latest(home, broker, transfer, lambda: {second: value for (_, second), value in asked_points(home, "load", "load1").items()})


@faults("M1")
def test_samples_from_the_latest_on_in_influxdb(home):
    """The same into InfluxDB."""
    broker, server = broker_of(home), influx_of(home)

    def loads():
        try:
            return {row[0] // 10**9: row[1] for series in server.query("SELECT load1 FROM load", DATABASE) for row in series["values"]}
        except RuntimeError:
            return {}

    transfer = Transfer(home, broker, [TOPIC], "--transfer.start_at", "latest", "--metrics_store.kind", "influxdb", "--metrics_store.url", server.url,
                        "--metrics_store.database", DATABASE)
    begin_at_the_latest(home, broker, transfer, loads)
