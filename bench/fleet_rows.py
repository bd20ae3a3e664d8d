"""The rows of `make bench` on a fleet: Kafka, OpenSearch, many agents. Real servers, as the tests start them; what cannot be started is said and left out."""
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
for folder in ("system", "servers"):
    sys.path.insert(0, os.path.join(ROOT, "tests", folder))
import kafka
import opensearch
from fleet import Agent, Server
from product import Home, Unix, free_port

PARTITIONS = 3
# As the agent's (src/transport/kafka/sender.cc).
PRODUCER = ["acks=all", "enable.idempotence=true", "compression.codec=none", "partitioner=murmur2", "queue.buffering.max.kbytes=16384",
            "message.max.bytes=1000000", "message.timeout.ms=0"]


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def status_bytes(pid, name):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(rf"{name}:\s+(\d+)", f.read())[1]) * 1024


def bytes_read(pid):
    with open(f"/proc/{pid}/io") as f:
        return int(re.search(r"rchar: (\d+)", f.read())[1])


def percentile(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


class TopicAgent(Agent):
    """An agent that sends every file of a folder to one topic."""

    def __init__(self, home, name, folder, broker, topic, encoding):
        self.home, self.url, self.broker, self.topic, self.encoding = home, None, broker, topic, encoding
        super().__init__(self, name, folder=folder, token="none")

    def rules(self, folder):
        with open(self.config, "w") as f:
            f.write(f"transport: {{kind: kafka, brokers: ['{self.broker.address}'], encoding: {self.encoding}}}\n"
                    f"collect:\n  items:\n    - {{path: {folder}/*.log, topic: {self.topic}}}\n")

    def command(self, *words):
        return [self.home.binary, "agent", "--data", self.data, "--config", self.config, *words]


class FleetRows:
    """Mixed into Bench."""

    def servers(self, *modules):
        """Whether they can be started; says which cannot."""
        missing = [m.missing() for m in modules if m.missing()]
        for why in missing:
            self.report("not measured", why)
        return not missing

    def small_corpus(self, name="kafka-logs"):
        """What goes through Kafka: much less than the whole, or one message per line fills the disk."""
        folder = os.path.join(self.work, name)
        if not os.path.isdir(folder):
            size = min(self.size, self.kafka_size)
            home = Home(self.binary, "logboom-bench-corpus-")
            home.run("generate", folder, "--format", "mixed", "--bytes", str(size), "--files", "6", "--seed", "11", "--quiet", timeout=1200)
            home.close()
        paths = [os.path.join(folder, n) for n in sorted(os.listdir(folder))]
        return folder, paths, sum(os.path.getsize(p) for p in paths)

    def open_broker(self, home, settings=()):
        broker = kafka.Broker(os.path.join(home.root, "kafka"), ["message.max.bytes=1100000", *settings])
        broker.start()
        home.running.append(broker.process)
        return broker

    def filled(self, home, broker, topic, encoding, folder, raw):
        """An agent brings the folder into the topic. What it took: CPU seconds of the agent and of the broker, peak memory, messages."""
        broker.admin("create", topic, PARTITIONS)
        agent = TopicAgent(home, f"bench-{topic}", folder, broker, topic, encoding)
        before, began = cpu_seconds(broker.process.pid), time.monotonic()
        agent.start()
        pid, last, calm, anonymous = agent.process.pid, -1.0, 0, 0
        # All is read, and then nothing is to be done any more.
        while bytes_read(pid) < raw or calm < 6:
            time.sleep(0.25)
            now, anonymous = cpu_seconds(pid), max(anonymous, status_bytes(pid, "RssAnon"))
            calm = calm + 1 if now - last < 0.011 else 0
            last = now
            home.wait_until(lambda: time.monotonic() - began < 1200, f"all of {folder} is in the topic", 1)
        took = dict(wall=time.monotonic() - began - calm * 0.25, agent=last, broker=cpu_seconds(broker.process.pid) - before,
                    rss=status_bytes(pid, "VmHWM"), anonymous=anonymous, messages=sum(int(line.split()[1]) for line in broker.admin("ends", topic)))
        agent.stop()
        return took

    def bare(self, broker, topic, count):
        """The same messages by a bare producer: CPU seconds of it and of the broker."""
        into = topic + ".bare"
        broker.admin("create", into, PARTITIONS)
        before = cpu_seconds(broker.process.pid)
        done = subprocess.run([os.path.join(self.build, "bench", "kafka_producer_bench"), broker.address, topic, into, str(count), *PRODUCER],
                              capture_output=True, text=True, check=True).stdout
        return float(re.search(r"CPU ([0-9.]+)", done)[1]), cpu_seconds(broker.process.pid) - before, done.strip()

    def kafka(self):
        """file > Kafka, acks=all: each encoding beside a bare producer of the same messages, `batch` beside JSON."""
        if not self.servers(kafka):
            return
        folder, _, raw = self.small_corpus()
        home, figures = Home(self.binary, "logboom-bench-kafka-"), {}
        try:
            broker = self.open_broker(home)
            self.filled(home, broker, "warm", "batch", folder, raw)  # the JVM compiles what it needs
            for encoding in ("json", "line", "batch"):
                took = figures[encoding] = self.filled(home, broker, encoding, encoding, folder, raw)
                own, brokers, said = self.bare(broker, encoding, took["messages"])
                self.report(f"file > Kafka, {encoding}", f"agent CPU {took['agent'] / raw * 1e9:.1f} s/GB, RSS {took['rss'] / 1e6:.0f} MB, anonymous {took['anonymous'] / 1e6:.0f}",
                            f"bare producer: {own / raw * 1e9:.1f} s/GB", f"{own / took['agent']:.2f}", ">= 0.8 (json, line); <= 64 MB")
                self.report(f"  broker, {took['messages']} messages", f"CPU {took['broker'] / raw * 1e9:.1f} s/GB", f"bare producer: {brokers / raw * 1e9:.1f} s/GB")
                print(f"    bare: {said}")
                broker.admin("delete", encoding + ".bare")
            for who in ("agent", "broker"):
                ratio = figures["json"][who] / figures["batch"][who]
                self.report(f"batch beside JSON, raw bytes per CPU second of the {who}", f"{raw / figures['batch'][who] / 1e6:.0f} MB",
                            f"JSON: {raw / figures['json'][who] / 1e6:.0f} MB", f"{ratio:.1f}", ">= 4")
        finally:
            home.close()

    def kafka_transfer(self):
        """Kafka (filled before, `batch`) > transfer > embedded store, beside import of the same files."""
        if not self.servers(kafka):
            return
        folder, paths, raw = self.small_corpus()
        home = Home(self.binary, "logboom-bench-transfer-")
        try:
            broker = self.open_broker(home)
            self.filled(home, broker, "logs", "batch", folder, raw)
            walls, cpus, alone = [], [], []
            for _ in range(self.args.repeat):
                shutil.rmtree(home.data, ignore_errors=True)
                began = time.monotonic()
                process = home.start("--transport.brokers", broker.address, "--transfer.topics", "logs", command="transfer", listen=f"127.0.0.1:{free_port()}")
                self.wait_stored(home, raw)
                walls.append(time.monotonic() - began)
                cpus.append(cpu_seconds(process.pid))
                home.stop(process)
                shutil.rmtree(home.data, ignore_errors=True)
                alone.append(self.timed([self.binary, "import", *paths, "--data", home.data, "--quiet"], home.env))
            wall, cpu = statistics.median(walls), statistics.median(cpus)
            import_wall, import_cpu = statistics.median(t.wall for t in alone), statistics.median(t.cpu for t in alone)
            self.report("Kafka, batch > transfer > store", f"{raw / wall / 1e6:.0f} MB/s; CPU {cpu / raw * 1e9:.1f} s/GB",
                        f"file > store: {raw / import_wall / 1e6:.0f} MB/s; {import_cpu / raw * 1e9:.1f} s/GB",
                        f"{import_wall / wall:.2f}; CPU {import_cpu / cpu:.2f}", ">= 0.6")
        finally:
            home.close()

    def wait_stored(self, home, raw, seconds=1200):
        home.wait_until(lambda: json.loads(Unix(home).ask("/api/v1/status")[1])["store"]["raw_bytes"] >= raw, "all of it is stored", seconds)

    def agents(self, files=50):
        """200 agents (--agents) of 50 files each, each a process of its own, against one server: heartbeats, memory, a change of rules on all."""
        count = self.args.agents
        home = Home(self.binary, "logboom-bench-agents-")
        try:
            server = Server(home)
            server.start()
            agents, shared = [], os.path.join(home.root, "shared")
            os.mkdir(shared)
            for n in range(count):
                agent = Agent(server, f"bench-{n:03}")
                for f in range(files):
                    with open(agent.log(f"a-{f}.log"), "wb") as file:
                        file.write(b"".join(b"2026-11-20 10:00:%02d INFO line %d of %s\n" % (i % 60, i, agent.name.encode()) for i in range(20)))
                with open(agent.config, "w") as f:
                    f.write(f"rules: {{from: server}}\ncollect: {{roots: ['{agent.root}', '{shared}']}}\n")
                agents.append(agent)
            rules = os.path.join(home.root, "rules.yaml")
            began = time.monotonic()
            for agent in agents:
                agent.start()
            home.wait_until(lambda: len(json.loads(Unix(home).ask("/api/v1/agents")[1])["agents"]) == count, "all agents are there", 300)
            joined = time.monotonic() - began
            self.put_on_all(home, agents, rules, "first", "a-*.log")
            home.wait_until(lambda: home.count("topic:first") == count * files * 20, "all lines are stored", 600)
            delivered = time.monotonic() - began
            gaps, changes = self.watch_agents(home, agents, shared)
            self.report(f"{count} agents of {files} files: heartbeats (every 2 s)", f"longest gap {max(gaps):.1f} s", "", "", "every one in time (offline at 10 s)")
            whole, behind = (statistics.median(c[i] for c in changes) for i in (0, 1))
            self.report("  a change of rules: lines of all hosts after", f"{whole:.1f} s, {behind:.1f} s behind the end of the command", "", "", "<= 2 s")
            self.report("  server", f"RSS {status_bytes(server.process.pid, 'VmHWM') / 1e6:.0f} MB, anonymous {status_bytes(server.process.pid, 'RssAnon') / 1e6:.0f} MB",
                        f"there after {joined:.0f} s, {count * files} files after {delivered:.0f} s", "", "<= 256 MB")
        finally:
            home.close()

    def put_on_all(self, home, agents, path, topic, pattern):
        """One set of rules for each agent, over one connection each: what `rules put --hosts` does for equal rules."""
        for agent in agents:
            with open(path, "w") as f:
                f.write(f"collect:\n  items:\n    - {{path: {agent.logs}/{pattern}, topic: {topic}}}\n")
            home.run("rules", "put", path, "--host", agent.name, "--quiet")

    def watch_agents(self, home, agents, shared):
        """For a while: the longest time an agent was not heard of, and how long rules added on all hosts took until lines came of them."""
        longest, stop = [0.0], threading.Event()

        def look():
            while not stop.wait(0.3):
                answer = json.loads(Unix(home).ask("/api/v1/agents")[1])
                now = time.time()
                for row in answer.get("agents", []):  # a busy server refuses one now and then
                    longest[0] = max(longest[0], now - int(row["reported"]) / 1e9)

        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        changes = []
        for turn in range(3):
            path = os.path.join(shared, f"new-{turn}.txt")  # a file of each host, with one name
            with open(path, "wb") as f:
                f.write(b"fresh\n")
            began = time.monotonic()
            home.run("rules", "add", path, "--topic", f"turn{turn}", "--hosts", "bench-*", "--quiet")
            put = time.monotonic()
            home.wait_until(lambda: home.count(f"topic:turn{turn}") >= len(agents), "every agent follows", 120)
            changes.append((time.monotonic() - began, time.monotonic() - put))
            time.sleep(max(0, self.args.seconds / 6))
        stop.set()
        watcher.join()
        return longest, changes

    # ------------------------------------------------------------------ OpenSearch

    def open_node(self, home):
        node = opensearch.Node(os.path.join(home.root, "opensearch"), ["indices.memory.index_buffer_size: 64mb"])
        node.start()
        home.running.append(node.process)
        return node

    def stored_in(self, home, node):
        home.env.update(LOGBOOM_LOGS_KIND="elastic", LOGBOOM_ELASTIC_URL=node.url)

    def opensearch(self):
        """Kafka (filled before, `batch`) > transfer > OpenSearch, beside a plain loader that posts prepared bodies of the same documents."""
        if not self.servers(kafka, opensearch):
            return
        size, self.kafka_size = self.kafka_size, min(self.kafka_size, 100_000_000)
        home = Home(self.binary, "logboom-bench-opensearch-")
        try:
            folder, _, raw = self.small_corpus("search-logs")
            broker, node = self.open_broker(home), self.open_node(home)
            self.filled(home, broker, "logs", "batch", folder, raw)
            self.stored_in(home, node)
            wanted = self.documents_in(folder)
            self.through_transfer(home, broker, node, wanted)  # the JVM compiles what it needs
            bodies, count = self.bodies_of(node, "logboom-logs-*", os.path.join(home.root, "bodies"))
            plain, plain_target = self.by_loader(node, bodies, count)
            for index in ("logboom-logs-*", "logboom.ledger"):
                node.ask("DELETE", "/" + index)
            wall, own, target = self.through_transfer(home, broker, node, wanted)
            self.report("Kafka > transfer > OpenSearch", f"{count / wall / 1e3:.1f} k documents/s, node CPU {target / count * 1e6:.0f} us each",
                        f"prepared bodies: {count / plain / 1e3:.1f} k/s, {plain_target / count * 1e6:.0f} us each", f"{plain / wall:.2f}; CPU {plain_target / target:.2f}", ">= 0.9")
            self.report("  the transfer itself", f"CPU {own / count * 1e6:.0f} us each", f"with the node's: {(own + target) / count * 1e6:.0f} us", f"{own / (own + target):.2f}", "<= 0.15")
        finally:
            self.kafka_size = size
            home.close()

    def through_transfer(self, home, broker, node, wanted):
        """Seconds, CPU seconds of the transfer and of the node until everything is searchable."""
        before, began = cpu_seconds(node.process.pid), time.monotonic()
        process = home.start("--transport.brokers", broker.address, "--transfer.topics", "logs", command="transfer", listen=f"127.0.0.1:{free_port()}")
        # As anybody sees it: asking for a refresh each time would be most of the node's work.
        home.wait_until(lambda: time.sleep(0.3) or self.found(node, "logs") >= wanted, "all documents are there", 1800)
        took = time.monotonic() - began, cpu_seconds(process.pid), cpu_seconds(node.process.pid) - before
        home.stop(process)
        return took

    def by_loader(self, node, bodies, count):
        """The same of a loader that posts the bodies, two at a time, into an index of the same template."""
        before, began = cpu_seconds(node.process.pid), time.monotonic()
        subprocess.run(f"ls {bodies}/* | xargs -P 2 -I F curl -s -o /dev/null -H 'Content-Type: application/x-ndjson' --data-binary @F "
                       f"{node.url}/logboom-logs-loader/_bulk", shell=True, check=True)
        loaded = node.count("logboom-logs-loader")
        if loaded != count:
            raise RuntimeError(f"the loader has stored {loaded} of {count} documents")
        return time.monotonic() - began, cpu_seconds(node.process.pid) - before

    def documents_in(self, folder):
        """Records of the corpus, counted by an import."""
        home = Home(self.binary, "logboom-bench-count-")
        home.run("import", folder, "--quiet", timeout=1200)
        count = int(home.run("search", "--all", "--count", "--quiet", "").stdout)
        home.close()
        return count

    def bodies_of(self, node, pattern, folder):
        """The documents as bodies of _bulk of some 5 MB, in files; the folder, and how many. In the order in which the transfer wrote them, that of the
        topic: one file behind the other is less work for the node."""
        os.makedirs(folder)
        out, size, files, count = [], 0, 0, 0
        for name, source in sorted(node.documents(pattern).items(), key=lambda document: document[1]["logboom.commit"]):
            out.append(json.dumps({"create": {"_id": name.partition("/")[2]}}) + "\n" + json.dumps(source) + "\n")
            size, count = size + len(out[-1]), count + 1
            if size > 5_000_000:
                files = self.put_body(folder, files, out)
                out, size = [], 0
        self.put_body(folder, files, out)
        return folder, count

    @staticmethod
    def put_body(folder, number, lines):
        with open(os.path.join(folder, f"{number:04}"), "w") as f:
            f.writelines(lines)
        return number + 1

    # ------------------------------------------------------------------ several transfers

    def transfers(self):
        """Three partitions (filled before, `batch`) > one transfer and three > an OpenSearch that is faked to be free."""
        if not self.servers(kafka):
            return
        folder, _, raw = self.small_corpus()
        wanted = self.documents_in(folder)
        home = Home(self.binary, "logboom-bench-transfers-")
        try:
            broker = self.open_broker(home, ["group.initial.rebalance.delay.ms=3000"])
            home.env["LOGBOOM_TRANSPORT_PARTITION"] = "round_robin"
            self.filled(home, broker, "logs", "batch", folder, raw)
            rates, costs = {}, {}
            for count in (1, 3):
                rates[count], costs[count] = (statistics.median(column) for column in zip(*(
                    self.through_members(home, broker, wanted, count, turn) for turn in range(self.args.repeat))))
            limit = os.cpu_count() / min(costs.values())
            self.report("one transfer to three, free target", f"{rates[1] / 1e3:.0f} to {rates[3] / 1e3:.0f} k documents/s",
                        f"CPU of all: {costs[1] * 1e6:.1f} and {costs[3] * 1e6:.1f} us each; {os.cpu_count()} cores: {limit / 1e3:.0f} k/s",
                        f"{rates[3] / rates[1]:.2f}; of the limit {rates[1] / limit:.2f}, {rates[3] / limit:.2f}", ">= 1.8, or the limit")
        finally:
            home.close()

    def through_members(self, home, broker, wanted, count, turn):
        """Documents per second of so many new transfers of a new group, from the first documents to the last, and the CPU seconds of all that takes part."""
        target = subprocess.Popen([os.path.join(self.build, "bench", "elastic_target_bench")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        url = target.stdout.readline().strip()

        def stored():
            print(file=target.stdin, flush=True)
            return int(target.stdout.readline())

        def used():
            return sum(cpu_seconds(p.pid) for p in [*members, broker.process, target])

        members = []
        for n in range(count):
            data = os.path.join(home.root, f"member-{count}-{turn}-{n}")
            members.append(subprocess.Popen(
                [self.binary, "transfer", "--data", data, "--listen", f"127.0.0.1:{free_port()}", "--transport.brokers", broker.address, "--transfer.topics", "logs",
                 "--transfer.group", f"bench-{count}-{turn}", "--logs.kind", "elastic", "--elastic.url", url],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=home.env, start_new_session=True))
        home.running += members
        home.wait_until(lambda: time.sleep(0.01) or stored() > 0, "the first documents come", 60)
        first, began, before = stored(), time.monotonic(), used()
        home.wait_until(lambda: time.sleep(0.02) or stored() >= wanted, "all documents are there", 1200)
        rest = wanted - first
        figures = rest / (time.monotonic() - began), (used() - before) / rest
        for member in members:
            home.stop(member)
        target.stdin.close()
        target.wait()
        return figures

    # ------------------------------------------------------------------ latency

    def latency_kafka(self):
        """write > searchable over Kafka, 200 lines/s: into the embedded store, and into OpenSearch (refresh 1 s)."""
        if not self.servers(kafka, opensearch):
            return
        for target in ("embedded", "OpenSearch"):
            home = Home(self.binary, "logboom-bench-latency-")
            try:
                broker = self.open_broker(home)
                broker.admin("create", "ticks", PARTITIONS)
                node = self.open_node(home) if target == "OpenSearch" else None
                if node:
                    self.stored_in(home, node)
                agent = TopicAgent(home, "bench-ticks", os.path.join(home.root, "ticks"), broker, "ticks", "json")
                home.start("--transport.brokers", broker.address, "--transfer.topics", "ticks", command="transfer", listen=f"127.0.0.1:{free_port()}")
                agent.start()
                delays = sorted(self.ticks(home, agent.log("a.log"), node))
                self.report(f"write > searchable over Kafka, {target}", f"p50 {percentile(delays, 0.5):.0f} ms, p99 {percentile(delays, 0.99):.0f} ms, worst {delays[-1]:.0f} ms",
                            f"{len(delays)} lines", "", "p99 <= 1.5 s" if node else "p99 <= 300 ms")
            finally:
                home.close()

    def ticks(self, home, path, node, rate=200, seconds=20):
        """Milliseconds from writing each line until a search can find it."""
        written, seen, over = {}, {}, threading.Event()
        ask = (lambda: self.found(node, "ticks")) if node else (lambda: home.count("tick"))

        def look():
            while not over.is_set():
                have, now = ask(), time.monotonic()
                for n in range(len(seen), max(0, have)):
                    seen[n] = now
                time.sleep(0.005)

        with open(path, "ab", buffering=0) as f:
            f.write(b"tick 0 of the clock\n")
            home.wait_until(lambda: ask() >= 1, "the way is open", 60)
            watcher = threading.Thread(target=look, daemon=True)
            watcher.start()
            began = time.monotonic()
            for n in range(1, rate * seconds):
                time.sleep(max(0, began + n / rate - time.monotonic()))
                written[n] = time.monotonic()
                f.write(b"tick %d of the clock\n" % n)
        home.wait_until(lambda: len(seen) >= rate * seconds, "every line is found", 60)
        over.set()
        watcher.join()
        return [(seen[n] - written[n]) * 1000 for n in written]

    @staticmethod
    def found(node, topic):
        """Documents that anybody's search finds now."""
        try:
            return node.ask("GET", f"/logboom-{topic}-*/_count")["count"]
        except OSError:
            return 0
