"""Several transfers that share topics into one OpenSearch (a consumer group): killed, added, and paused past their session while lines come.
What is stored is counted in the node itself."""
import os
import random
import re
import signal
import threading
import time

from cases_elastic import check_documents, node_of, store_in
from cases_etcd import etcd_of
from cases_kafka import TopicAgent, broker_of
from cases_metrics import DATABASE, influx_of
from cases_metrics_fleet import TOPIC, check_points, message, points_of_influx, points_of_messages, say_samples, stored
from faults import faults, long
from fleet import Program, Server
from oracle import Lines, append, check_audit, oracle, read, write
from product import check, free_port

SESSION = 6  # seconds; the shortest a broker takes
TOPICS = ("web", "app")
INDICES = "logboom-web-*,logboom-app-*"


class Member(Program):
    """One of several transfers: a data directory, a page and a log of its own."""

    role = "transfer"

    def __init__(self, home, broker, name, topics=TOPICS, *words):
        super().__init__(home, name)
        self.words = ["--transport.brokers", broker.address, "--transfer.topics", ",".join(topics), "--transfer.session", f"{SESSION}s",
                      "--data", os.path.join(self.root, "data"), "--listen", f"127.0.0.1:{free_port()}", "--log-level", "debug", *words]

    def command(self, *words):
        return [self.home.binary, "transfer", *self.words, *words]

    def pause(self):
        os.kill(self.process.pid, signal.SIGSTOP)

    def wake(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def reads(self):
        """The partitions it reads, as its log says."""
        here = {}
        for topic, partition, what in re.findall(r"topic '(\w+)', partition (\d+): (read here|no longer read here|was given to another)", self.said()):
            here[topic, partition] = what == "read here"
        return {partition for partition, reads in here.items() if reads}


class Stream:
    """An agent of many files that are written to all the time, so that every partition has something under way."""

    def __init__(self, home, broker, files=12):
        self.agent, self.lines = TopicAgent(home, broker, "web-1", list(TOPICS), "--transport.encoding", "batch"), Lines()
        self.files = [self.agent.log(f"{TOPICS[n % 2]}-{n}.log") for n in range(files)]
        self.ending, self.thread = threading.Event(), threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.ending.is_set():
            for path in self.files:
                append(path, self.lines.next(7))
            self.ending.wait(0.1)

    def start(self):
        self.agent.start()
        self.thread.start()

    def stop(self):
        self.ending.set()
        self.thread.join()

    def contents(self):
        return [read(path) for path in self.files]


def wait_documents(home, node, count, seconds=600):
    home.wait_until(lambda: node.count(INDICES) >= count, f"{count} documents are there", seconds)


def finish(home, node, stream, members, others=()):
    stream.stop()
    expected = stream.lines.made + list(others)
    wait_documents(home, node, len(expected))
    stream.agent.stop()
    for member in members:
        member.stop()
    check_documents(node, INDICES, expected)
    oracle(home, expected, stream.contents())


def given(home, members, count):
    home.wait_until(lambda: all(len(member.reads()) >= count for member in members), f"each transfer reads {count} partitions")


@faults("T10")
def test_transfers_share_topics(home):
    """Two transfers on two topics of four and two partitions; one is killed, a third comes, one is paused past its session and waked, messages of others among
    the lines: every line is one document, the audit is clean."""
    broker, node = broker_of(home), node_of(home)
    store_in(home, node)
    broker.admin("create", "web", 4)
    broker.admin("create", "app", 2)
    stream = Stream(home, broker)
    one, two, three = (Member(home, broker, f"transfer-{n}") for n in (1, 2, 3))
    others = [b"said by somebody else %d\n" % n for n in range(300)]
    one.start()
    two.start()
    stream.start()
    given(home, (one, two), 1)
    broker.admin("say", "web", stdin=b"".join(others[:150]))
    one.kill()
    three.start()
    broker.admin("say", "web", stdin=b"".join(others[150:]))
    given(home, (three,), 1)
    two.pause()
    paused = time.monotonic()
    home.wait_until(lambda: len(three.reads()) == 6, "the partitions of the paused one are read by the other")
    one.start()
    home.wait_until(lambda: time.monotonic() > paused + SESSION + 1, "its session is over")
    two.wake()
    home.wait_until(lambda: "given to another transfer meanwhile" in two.said(), "the paused one sees that it has lost them")
    finish(home, node, stream, (one, two, three), others)


def test_transfers_and_agents_report(home):
    """An agent over Kafka and a transfer whose settings name a server are on its Fleet, the transfer with how far it is in each partition; where rules
    are in etcd the same is said there."""
    broker, member = broker_of(home), etcd_of(home)
    broker.admin("create", "web", 2)
    server, lines = Server(home), Lines()
    server.start()
    told = [("--agent.server", server.url, "--agent.token_file", server.token(name)) for name in ("web-1", "transfer")]
    agent = TopicAgent(home, broker, "web-1", ["web"], *told[0])
    transfer = Member(home, broker, "transfer", ("web",), *told[1], "--rules.from", "etcd", "--etcd.endpoints", member.url)
    append(agent.log("web-a.log"), lines.next(50))
    agent.start()
    transfer.start()

    def rows(*words):
        return {row["role"]: row for row in home.json("fleet", *words)}

    def all_stored(*words):
        row = rows(*words).get("transfer", {})
        return row and sum(t["stored"] or 0 for t in home.json("fleet", row["id"], *words)["topics"]) >= 50

    home.wait_until(all_stored, "the server knows that the transfer has stored everything")
    home.wait_until(lambda: rows().get("agent", {}).get("files") == 1 and rows()["agent"]["online"], "and what the agent collects")
    home.wait_until(lambda: rows()["transfer"]["lag_messages"] == 0, "and that the transfer has nothing left to read")
    shown = home.run("fleet", rows()["transfer"]["id"]).stdout.decode()
    check(re.search(r"^web +[01] +\d+ +\d+ +0$", shown, re.M), f"its partitions are shown:\n{shown}")
    write(os.path.join(home.root, "etcd.yaml"), f"rules: {{from: etcd}}\netcd: {{endpoints: ['{member.url}']}}\n".encode())
    in_etcd = ("--config", os.path.join(home.root, "etcd.yaml"))
    home.wait_until(lambda: rows(*in_etcd).get("transfer", {}).get("online"), "it is in etcd")
    agent.stop()
    transfer.stop()
    server.stop()


@faults("T11")
def test_a_shared_topic_is_made_anew_and_filled(home):
    """While no member of the group is there, the topic is deleted, made again and filled beyond what was read: the next member, another one, stores
    everything of it once."""
    broker, node = broker_of(home), node_of(home)
    store_in(home, node)
    broker.admin("create", "web", 1)
    agent, lines = TopicAgent(home, broker, "web-1", ["web"]), Lines()
    one, two = (Member(home, broker, name, ("web",)) for name in ("one", "two"))
    append(agent.log("web-a.log"), lines.next(100))
    agent.start()
    one.start()
    wait_documents(home, node, 100)
    one.stop()
    agent.stop()
    broker.admin("renew", "web", 1)
    append(agent.log("web-a.log"), lines.next(300))
    agent.start()
    home.wait_until(lambda: int(broker.admin("ends", "web")[0].split()[1]) >= 300, "the new topic is filled")
    two.start()
    wait_documents(home, node, 400)
    check("made anew" in two.said(), "the operator is told")
    agent.stop()
    two.stop()
    check_documents(node, INDICES, lines.made)
    oracle(home, lines.made, [read(agent.log("web-a.log"))])


def test_two_transfers_of_one_name(home):
    """A transfer is started again elsewhere under its name: the newer one goes on, the older one ends and says why."""
    broker, node = broker_of(home), node_of(home)
    store_in(home, node)
    stream = Stream(home, broker, files=3)
    old, new = (Member(home, broker, name, TOPICS, "--transfer.member", "transfer-a") for name in ("old", "new"))
    old.start()
    stream.start()
    given(home, (old,), 1)
    new.start()
    home.wait_until(lambda: old.process.poll() is not None, "the older one ends")
    check(old.process.returncode == 3 and "another transfer is 'transfer-a'" in old.said(), f"{old.process.returncode}: {old.said()[-1000:]}")
    home.running.remove(old.process)
    finish(home, node, stream, (new,))


def test_transfers_with_indices_of_their_own(home):
    """Two transfers of one cluster, each with topics and names of indices of its own: they share the ledger, and each one's audit proves both; a document
    that is missing is named by both."""
    broker, node, lines = broker_of(home), node_of(home), {topic: Lines(topic) for topic in TOPICS}
    store_in(home, node)
    agent = TopicAgent(home, broker, "web-1", list(TOPICS))
    members = [Member(home, broker, topic, (topic,), "--transfer.group", topic, "--elastic.index", f"of-{topic}" + more) for topic, more in zip(TOPICS, ("-{day}", ""))]
    for topic in TOPICS:
        append(agent.log(f"{topic}-a.log"), lines[topic].next(200))
    for program in (agent, *members):
        program.start()
    for topic in TOPICS:
        home.wait_until(lambda: node.count(f"of-{topic}*") == 200, f"the lines of {topic} are there")
    for program in (agent, *members):
        program.stop()
    for index in ("of-web-{day}", "of-app"):
        store_in(home, node, index)
        check_audit(home)
    name = next(iter(node.documents("of-app")))
    node.ask("DELETE", "/{}/_doc/{}?refresh=true".format(*name.split("/", 1)))
    for index in ("of-web-{day}", "of-app"):
        store_in(home, node, index)
        check("missing" in check_audit(home, code=1), "a document that is gone is named")


class SampleStream:
    """Samples of some hosts, one a host and second, all the time, over every partition of the topic."""

    def __init__(self, broker, hosts=12):
        self.broker, self.hosts, self.said = broker, hosts, []
        self.second = int(time.time()) // 10 * 10 - 36_000
        self.ending, self.thread = threading.Event(), threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.ending.is_set():
            self.say()
            self.ending.wait(0.2)

    def say(self):
        self.second += 10
        fresh = [message(f"web-{host}", self.second, "load", {"load1": host + self.second % 977 / 4}) for host in range(self.hosts)]
        say_samples(self.broker, fresh)
        self.said += fresh

    def start(self):
        self.thread.start()

    def stop(self):
        self.ending.set()
        self.thread.join()


@faults("T10", "M1")
def test_transfers_share_samples(home):
    """Logs into OpenSearch and samples into InfluxDB by transfers that share both topics, one killed, one added, one paused past its session and waked: every
    line is one document, every sample one point, and who begins again reads no sample that is stored."""
    broker, node, server = broker_of(home), node_of(home), influx_of(home)
    store_in(home, node)
    for topic, partitions in (("web", 3), ("app", 2), (TOPIC, 4)):
        broker.admin("create", topic, partitions)
    influx = ("--metrics_store.kind", "influxdb", "--metrics_store.url", server.url, "--metrics_store.database", DATABASE)
    stream, samples = Stream(home, broker, files=6), SampleStream(broker)
    one, two, three = (Member(home, broker, f"transfer-{n}", (*TOPICS, TOPIC), *influx) for n in (1, 2, 3))
    one.start()
    two.start()
    stream.start()
    samples.start()
    given(home, (one, two), 1)
    home.wait_until(lambda: stored(server) > 100, "samples are in InfluxDB")
    one.kill()
    three.start()
    given(home, (three,), 1)
    two.pause()
    paused, before = time.monotonic(), three.reads()
    home.wait_until(lambda: three.reads() > before, "the partitions of the paused one are read by the other")
    one.start()
    home.wait_until(lambda: time.monotonic() > paused + SESSION + 1, "its session is over")
    two.wake()
    home.wait_until(lambda: "given to another transfer meanwhile" in two.said(), "the paused one sees that it has lost them")
    samples.stop()
    home.wait_until(lambda: stored(server) >= len(samples.said), "every sample is in InfluxDB")
    finish(home, node, stream, (one, two, three))
    check_points(points_of_influx(server), points_of_messages(samples.said))
    server.query(f'DROP DATABASE "{DATABASE}"')
    read = len(samples.said)
    two.start()
    samples.say()
    home.wait_until(lambda: stored(server) >= samples.hosts, "the next samples are in InfluxDB")
    two.stop()
    check_points(points_of_influx(server), points_of_messages(samples.said[read:]))


@long
@faults("T10")
def test_transfers_come_and_go(home):
    """Three transfers, one of them killed, stopped, paused or started at random every second or two while lines come: every line is one document."""
    chance, broker, node = random.Random(5), broker_of(home), node_of(home)
    store_in(home, node)
    broker.admin("create", "web", 5)
    broker.admin("create", "app", 3)
    stream, members = Stream(home, broker), [Member(home, broker, f"transfer-{n}") for n in range(3)]
    stream.start()
    paused = {}
    for _ in range(40):
        member = chance.choice(members)
        if member in paused:
            member.wake()
            del paused[member]
        elif member.process is None or member.process.poll() is not None:
            member.start()
        else:
            what = chance.choice(["kill", "stop", "pause", "pause"])
            if what == "pause":
                paused[member] = True
            getattr(member, what)()
        time.sleep(chance.uniform(0.2, 4))
    for member in members:
        if member in paused:
            member.wake()
        elif member.process is None or member.process.poll() is not None:
            member.start()
    finish(home, node, stream, members)
