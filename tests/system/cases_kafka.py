"""Over a real Kafka broker: agents > topics > transfer with the embedded store, with everything killed on the way."""
import os
import shutil
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "servers"))

import kafka
from faults import faults, long
from fleet import Agent
from oracle import Lines, append, check_audit, check_exports, check_lines, count_lines, oracle, read, wait_lines, write
from product import check, free_port, need_server


def broker_of(home):
    need_server(kafka)
    broker = kafka.Broker(os.path.join(home.root, "kafka"))
    broker.start()
    home.running.append(broker.process)
    return broker


def kill_broker(home, broker):
    home.kill(broker.process)


def restart_broker(home, broker):
    broker.start()
    home.running.append(broker.process)


class Transfer:
    """`logboom transfer` of some topics into the home's store; its page on a port of its own."""

    def __init__(self, home, broker, topics, *words):
        self.home, self.listen = home, f"127.0.0.1:{free_port()}"
        self.words = ["--transport.brokers", broker.address, "--transfer.topics", ",".join(topics), *words]
        self.process = None

    def start(self, wait=True):
        self.process = self.home.start(*self.words, command="transfer", listen=self.listen, wait=wait)

    def kill(self):
        self.home.kill(self.process)

    def stop(self):
        self.home.stop(self.process)


class TopicAgent(Agent):
    """An agent that sends to Kafka: one item per topic, for the files TOPIC-*.log of its folder."""

    def __init__(self, home, broker, name, topics, *words):
        self.topics, self.broker, self.words = topics, broker, words
        self.home, self.url = home, None
        super().__init__(self, name, token="none")

    def rules(self, folder):
        with open(self.config, "w") as f:
            f.write(f"transport: {{kind: kafka, brokers: ['{self.broker.address}']}}\ncollect:\n  items:\n")
            f.write("".join(f"    - {{path: {folder}/{topic}-*.log, topic: {topic}}}\n" for topic in self.topics))

    def command(self, *words):
        return [self.home.binary, "agent", "--data", self.data, "--config", self.config, *self.words, *words]


@faults("T1", "T9")
def test_agent_kafka_transfer(home):
    """Two topics of an agent over Kafka into the store, while agent, transfer and broker are killed in turn: every line once, audit clean."""
    broker = broker_of(home)
    agent, lines = TopicAgent(home, broker, "web-1", ["web", "app"], "--transport.encoding", "batch"), Lines()
    others = [TopicAgent(home, broker, f"web-{encoding}", ["web"], "--transport.encoding", encoding) for encoding in ("json", "line")]
    transfer = Transfer(home, broker, ["web", "app"])
    for other in others:
        append(other.log("web-a.log"), lines.next(300) + b"\n\r\n\xff\n")
        lines.made.append(b"\xff\n")
        other.start()
    append(agent.log("web-a.log"), lines.next(3000))
    append(agent.log("app-a.log"), lines.next(500))
    agent.start()
    transfer.start()
    wait_lines(home, 4102)
    agent.kill()
    append(agent.log("web-a.log"), lines.next(2000))
    agent.start()
    transfer.kill()
    append(agent.log("app-a.log"), lines.next(2000))
    transfer.start()
    kill_broker(home, broker)
    append(agent.log("web-a.log"), lines.next(2000))
    append(agent.log("web-b.log"), lines.next(1000))
    agent.kill()
    agent.start()
    restart_broker(home, broker)
    wait_lines(home, len(lines.made))
    for each in (agent, *others):
        each.stop()
    for host, what in (("web-1", b"agent.server"), ("", b"logboom fleet")):
        done = home.run("repair", "--host", host, code=None)
        check(done.returncode != 0 and what in done.stderr, f"what `repair --host '{host}'` needs: {done.stderr}")
    transfer.stop()
    oracle(home, lines.made, [read(agent.log(name)) for name in ("web-a.log", "web-b.log", "app-a.log")] + [read(o.log("web-a.log")) for o in others])


@long
@faults("T8")
def test_brokers_of_a_cluster_are_killed(home):
    """Three brokers, each killed once while agents write and a transfer reads: lines flow on over the other two, every line once."""
    need_server(kafka)
    cluster = kafka.Cluster(os.path.join(home.root, "kafka"))
    cluster.start()
    home.running += [broker.process for broker in cluster.brokers]
    cluster.admin("create", "web", 3)
    agents = [TopicAgent(home, cluster, f"web-{encoding}", ["web"], "--transport.encoding", encoding) for encoding in ("batch", "json")]
    transfer, lines = Transfer(home, cluster, ["web"]), Lines()
    transfer.start()

    def write_more():
        for agent in agents:
            for file in range(6):
                append(agent.log(f"web-{file}.log"), lines.next(200))

    write_more()
    for agent in agents:
        agent.start()
    wait_lines(home, len(lines.made))
    for broker in cluster.brokers:
        write_more()
        kill_broker(home, broker)
        write_more()
        wait_lines(home, len(lines.made))  # without it
        restart_broker(home, broker)
        write_more()
        wait_lines(home, len(lines.made))
    for agent in agents:
        agent.stop()
    transfer.stop()
    oracle(home, lines.made, [read(agent.log(f"web-{file}.log")) for agent in agents for file in range(6)])


@faults("T10")
def test_partitions_are_added(home):
    """A topic grows from 3 to 7 partitions while agents write and a transfer reads: found live, every line once, each file's lines in order."""
    broker = broker_of(home)
    broker.admin("create", "web", 3)
    agents = [TopicAgent(home, broker, f"web-{n}", ["web"]) for n in range(4)]
    transfer, lines = Transfer(home, broker, ["web"]), Lines()
    transfer.start()
    for agent in agents:
        append(agent.log("web-a.log"), lines.next(200))
        agent.start()
    wait_lines(home, len(lines.made))
    broker.admin("partitions", "web", 7)

    def write_until_used():
        # A file's lines go where its name's hash says: other files each time, or all of them may fall on the old partitions.
        for agent in agents:
            append(agent.log(f"web-{len(lines.made)}.log"), lines.next(50))
        return sum(int(line.split()[1]) > 0 for line in broker.admin("ends", "web")[0:7] if int(line.split()[0]) >= 3) > 0

    home.wait_until(write_until_used, "the new partitions are written to", 300)
    wait_lines(home, len(lines.made), seconds=300)
    transfer.kill()
    transfer.start()
    append(agents[0].log("web-a.log"), lines.next(100))
    wait_lines(home, len(lines.made), seconds=300)
    for agent in agents:
        agent.stop()
    transfer.stop()
    oracle(home, lines.made, [read(os.path.join(a.logs, name)) for a in agents for name in os.listdir(a.logs)])


# Of one record and another.
NEW = [b"2026-11-20 11:00:00 INFO line 0 of the new ones\n", b"  and more of it\n", b"2026-11-20 11:00:02 INFO line 9 of them\n"]


@faults("C5", "A4")
def test_the_rule_changes_between_a_crash_and_the_replay(home):
    """An agent dies and loses its data, its rule gets other patterns and another grouping of lines, and everything is sent once more: what was stored
    first stays, nothing is there twice, the new patterns hold for new lines."""
    broker = broker_of(home)
    for encoding in ("json", "batch"):
        broker.admin("create", f"web-{encoding}", 1)
    agents = [TopicAgent(home, broker, f"agent-{encoding}", [f"web-{encoding}"], "--transport.encoding", encoding) for encoding in ("json", "batch")]
    transfer, lines = Transfer(home, broker, ["web-json", "web-batch"]), Lines()
    transfer.start()
    for agent in agents:
        append(agent.log(f"{agent.topics[0]}-a.log"), lines.next(400))
        agent.start()
    wait_lines(home, len(lines.made))
    for agent in agents:
        agent.kill()
        shutil.rmtree(agent.data)
        append(agent.log(f"{agent.topics[0]}-a.log"), b"".join(NEW) + b"2026-11-20 11:00:03 INFO line 7 of the test, left out\n")
        with open(agent.config, "w") as f:
            f.write(f"transport: {{kind: kafka, brokers: ['{broker.address}']}}\ncollect:\n  items:\n    - path: {agent.logs}/*.log\n"
                    f"      topic: {agent.topics[0]}\n      exclude: ['line .*7 of the test']\n      multiline: {{start: '^2026'}}\n")
    if broker.has("logboom.positions"):  # or they would go on where they were
        broker.admin("delete", "logboom.positions")
        home.wait_until(lambda: not broker.has("logboom.positions"), "the positions are gone")
    for agent in agents:
        agent.start()
    wait_lines(home, len(lines.made) + 2 * len(NEW))
    for agent in agents:
        agent.stop()
    transfer.stop()
    check_lines(home, lines.made + 2 * NEW)
    check_audit(home)


def lose_everything(home, broker):
    """Files of two agents are stored; the agents lose their data and their positions in Kafka while the files grow, and send everything again with
    prefix marks at other places. Each line is there once, and the audit finds nothing."""
    agents = [TopicAgent(home, broker, f"agent-{encoding}", ["web"], "--transport.encoding", encoding) for encoding in ("json", "batch")]
    transfer, lines = Transfer(home, broker, ["web"]), Lines()
    transfer.start()
    for agent in agents:
        append(agent.log("web-a.log"), lines.next(400))
        agent.start()
    wait_lines(home, 800)
    for agent in agents:
        agent.kill()
        shutil.rmtree(agent.data)
        append(agent.log("web-a.log"), lines.next(50))
    if broker.has("logboom.positions"):
        broker.admin("delete", "logboom.positions")
        home.wait_until(lambda: not broker.has("logboom.positions"), "the positions are gone")
    for agent in agents:
        agent.start()
    wait_lines(home, 900)
    for agent in agents:
        append(agent.log("web-a.log"), lines.next(20))
    wait_lines(home, 940)
    for agent in agents:
        agent.stop()
    transfer.stop()
    oracle(home, lines.made, [read(agent.log("web-a.log")) for agent in agents])


@faults("A4")
def test_agents_that_lost_everything_while_files_grew(home):
    lose_everything(home, broker_of(home))


@faults("A4")
def test_an_agent_that_lost_its_data_goes_on_from_the_topic(home):
    """The data directory of an agent is lost after its file was truncated: the positions in the topic `logboom.positions` say which epoch it was in
    and how far, so that nothing is taken for something else and nothing is sent again from the beginning."""
    broker = broker_of(home)
    agent, transfer, lines = TopicAgent(home, broker, "web-1", ["web"]), Transfer(home, broker, ["web"]), Lines()
    transfer.start()
    append(agent.log("web-a.log"), lines.next(300))
    agent.start()
    wait_lines(home, 300)
    write(agent.log("web-a.log"), lines.next(100))  # truncated, another content
    wait_lines(home, 400)
    agent.stop()
    before = sum(int(line.split()[1]) for line in broker.admin("ends", "web"))
    shutil.rmtree(agent.data)
    append(agent.log("web-a.log"), lines.next(50))
    agent.start()
    wait_lines(home, 450)
    agent.stop()
    transfer.stop()
    sent = sum(int(line.split()[1]) for line in broker.admin("ends", "web")) - before
    check(50 <= sent <= 60, f"{sent} messages for 50 new lines")
    oracle(home, lines.made, [b"".join(lines.made[:300]), b"".join(lines.made[300:])])


def test_items_choose_partition_and_encoding(home):
    """Two items of one agent for one topic: each goes to its own partition in its own encoding; both are stored."""
    broker = broker_of(home)
    broker.admin("create", "web", 3)
    agent, transfer, lines = TopicAgent(home, broker, "web-1", ["web"]), Transfer(home, broker, ["web"]), Lines()
    with open(agent.config, "w") as f:
        f.write(f"transport: {{kind: kafka, brokers: ['{broker.address}']}}\ncollect:\n  items:\n"
                f"    - {{path: {agent.logs}/a.log, topic: web, partition: 2, encoding: line}}\n"
                f"    - {{path: {agent.logs}/b.log, topic: web, partition: 1, encoding: batch}}\n")
    for name in ("a.log", "b.log"):
        append(agent.log(name), lines.next(100))
    transfer.start()
    agent.start()
    wait_lines(home, 200)
    ends = dict(map(int, line.split()) for line in broker.admin("ends", "web"))
    check(ends[0] == 0 and ends[2] == 100 and 0 < ends[1] < 100, f"messages in partitions: {ends}")
    agent.stop()
    transfer.stop()
    oracle(home, lines.made, [read(agent.log(name)) for name in ("a.log", "b.log")])


def test_a_topic_takes_small_messages_only(home):
    """A topic with a small max.message.bytes: fewer messages go together and larger ones in parts, in every encoding; each byte is stored once. The
    other topic does not notice."""
    broker = broker_of(home)
    for topic in ("web", "app"):
        broker.admin("create", topic, 1)
    broker.admin("config", "web", "max.message.bytes=20000")
    agents = [TopicAgent(home, broker, f"web-{encoding}", ["web", "app"], "--transport.encoding", encoding) for encoding in ("json", "line", "batch")]
    transfer, lines, large = Transfer(home, broker, ["web", "app"]), Lines(), os.urandom(150_000).hex().encode() + b"\n"
    transfer.start()
    for agent in agents:
        append(agent.log("web-a.log"), lines.next(3000) + large + lines.next(3000))
        append(agent.log("app-a.log"), lines.next(1000) + large)
        agent.start()
    home.wait_until(lambda: home.count("of the test") == len(lines.made), "every line is stored")
    for agent in agents:
        append(agent.log("web-a.log"), lines.next(10))
    home.wait_until(lambda: home.count("of the test") == len(lines.made), "every line is stored")
    for agent in agents:
        agent.stop()
    transfer.stop()
    check_lines(home, lines.made, '"of the test"')
    check_exports(home, [read(agent.log(f"{topic}-a.log")) for agent in agents for topic in ("web", "app")])
    check_audit(home)


@faults("T13", "T11")
def test_messages_that_cannot_be_read(home):
    """Messages of others, messages with our header that hold something else, and a topic that is deleted and made again: lines of others are stored,
    what cannot be read is in quarantine with its bytes, the flow goes on, and the audit says what is wrong."""
    broker = broker_of(home)
    broker.admin("create", "web", 1)
    agent, transfer, lines = TopicAgent(home, broker, "web-1", ["web"]), Transfer(home, broker, ["web"]), Lines()
    append(agent.log("web-a.log"), lines.next(100))
    agent.start()
    transfer.start()
    others = [b"a line by somebody else %d\n" % n for n in range(20)]
    broker.admin("say", "web", stdin=b"".join(others))
    wait_lines(home, 120)
    broker.admin("say", "web", "batch", stdin=b"garbage\n")
    broker.admin("say", "web", "sample-of-the-future", stdin=b"unknown\n")
    append(agent.log("web-a.log"), lines.next(30))
    wait_lines(home, 150)
    said = check_audit(home, code=1)
    check(said.count("quarantined") >= 2 and "kafka://web/0" in said, f"the audit names what cannot be read:\n{said}")
    transfer.stop()
    agent.stop()
    broker.admin("renew", "web", 1)
    append(agent.log("web-a.log"), lines.next(10))
    agent.start()
    transfer.start()
    wait_lines(home, 160)
    home.wait_until(lambda: "made anew" in home.up_log(), "the operator is told")
    agent.stop()
    transfer.stop()
    check_lines(home, lines.made + others)


@faults("T13")
def test_transactions_and_tombstones_of_others(home):
    """Other producers write in transactions: what was committed is stored, what was aborted is not, and neither control records nor messages without
    a value are gaps; before and after a restart of the transfer."""
    broker = broker_of(home)
    broker.admin("create", "web", 1)
    agent, transfer, lines = TopicAgent(home, broker, "web-1", ["web"]), Transfer(home, broker, ["web"]), Lines()
    others = []

    def say(number):
        append(agent.log("web-a.log"), lines.next(100))
        committed = [b"committed %d of %d\n" % (n, number) for n in range(10)]
        broker.admin("transaction", "web", "commit", stdin=b"".join(committed))
        broker.admin("transaction", "web", "abort", stdin=b"".join(b"aborted %d of %d\n" % (n, number) for n in range(10)))
        broker.admin("tombstones", "web", 3)
        others.extend(committed)

    agent.start()
    transfer.start()
    say(1)
    wait_lines(home, len(lines.made) + len(others), '"of the test" OR committed')
    transfer.kill()
    say(2)
    transfer.start()
    wait_lines(home, len(lines.made) + len(others), '"of the test" OR committed')
    agent.stop()
    transfer.stop()
    check_lines(home, lines.made + others, '"of the test" OR committed')
    check(count_lines(home, "aborted", code=1) == 0, "what was aborted is stored")
    check_audit(home)


def test_a_store_of_yesterday(home):
    """The data directory of a transfer comes back from an old backup: it goes on at the offsets of its own store, and everything is there once."""
    broker = broker_of(home)
    agent, transfer, lines = TopicAgent(home, broker, "web-1", ["web"]), Transfer(home, broker, ["web"]), Lines()
    append(agent.log("web-a.log"), lines.next(300))
    agent.start()
    transfer.start()
    wait_lines(home, len(lines.made))
    transfer.stop()
    shutil.copytree(home.data, home.data + ".backup")
    for name in ("web-a.log", "web-b.log"):
        append(agent.log(name), lines.next(300))
    transfer.start()
    wait_lines(home, len(lines.made))
    transfer.kill()
    shutil.rmtree(home.data)
    os.rename(home.data + ".backup", home.data)
    append(agent.log("web-a.log"), lines.next(50))
    transfer.start()
    wait_lines(home, len(lines.made))
    agent.stop()
    transfer.stop()
    oracle(home, lines.made, [read(agent.log(name)) for name in ("web-a.log", "web-b.log")])


@faults("T11")
def test_a_topic_is_made_anew_under_everybody(home):
    """A topic whose messages are all stored is deleted and made again while agent and transfer run: both go on by themselves, nothing is lost or
    there twice, and the other topic does not notice."""
    broker = broker_of(home)
    for topic in ("web", "app"):
        broker.admin("create", topic, 2)
    agent, transfer, lines = TopicAgent(home, broker, "web-1", ["web", "app"]), Transfer(home, broker, ["web", "app"]), Lines()
    transfer.start()
    agent.start()
    names = [f"{topic}-{n}.log" for topic in ("web", "app") for n in range(4)]

    def write_all(count):
        for name in names:
            append(agent.log(name), lines.next(count))
        wait_lines(home, len(lines.made))

    write_all(100)
    broker.admin("renew", "web", 2)
    write_all(10)
    write_all(100)
    agent.stop()
    transfer.stop()
    oracle(home, lines.made, [read(agent.log(name)) for name in names])


@faults("T11")
def test_a_topic_is_made_anew_and_filled_before_anybody_looks(home):
    """While the transfer is down its topic is deleted and made again, and holds more messages than were read, as many, or one less: nothing of the
    agent's file is missing or there twice, and of messages of others those of both topics are stored."""
    broker = broker_of(home)
    broker.admin("create", "web", 1)
    agent, transfer, lines, others = TopicAgent(home, broker, "web-1", ["web"]), Transfer(home, broker, ["web"]), Lines(), []

    def end():
        return int(broker.admin("ends", "web")[0].split()[1])

    def say(text):
        others.append(text)
        broker.admin("say", "web", stdin=text)

    def check_all(round):
        wait_lines(home, len(lines.made) + len(others))
        home.wait_until(lambda: home.up_log().count("made anew") == round, f"the operator is told of life {round}")

    append(agent.log("web-a.log"), lines.next(100))
    agent.start()
    transfer.start()
    wait_lines(home, 100)
    say(b"a line by somebody else\n")
    check_all(0)
    for round, more in ((1, 200), (2, 0), (3, -1)):
        transfer.stop()
        agent.stop()
        read_to = end()
        broker.admin("renew", "web", 1)
        say(b"a line by somebody else, of life %d\n" % round)
        append(agent.log("web-a.log"), lines.next(read_to + more - end()))
        agent.start()
        home.wait_until(lambda: end() >= read_to + more, "the new topic is filled")
        check(end() == read_to + more, f"it holds {end()} messages, {read_to} were read")
        transfer.start()
        check_all(round)
        transfer.stop()
        transfer.start()
        say(b"a line by somebody else behind life %d\n" % round)
        check_all(round)  # known again: nothing is said twice
    agent.stop()
    transfer.stop()
    check_lines(home, lines.made + others)


@faults("T11")
def test_a_topic_is_made_anew_and_filled_under_a_transfer(home):
    """The transfer runs, and is not given the processor while its topic comes back, deleted first and then with the whole cluster empty, each time
    with more messages of others than were read: all of them are stored, and the operator is told."""
    broker = broker_of(home)
    broker.admin("create", "web", 1)
    transfer, others = Transfer(home, broker, ["web"]), []

    def say(life, count):
        lines = [b"line %d of life %d\n" % (n, life) for n in range(count)]
        others.extend(lines)
        broker.admin("say", "web", stdin=b"".join(lines))

    def go_on(life):
        os.kill(transfer.process.pid, signal.SIGCONT)
        wait_lines(home, len(others), "life")
        home.wait_until(lambda: home.up_log().count("made anew") == life - 1, f"the operator is told of life {life}")

    transfer.start()
    say(1, 100)
    wait_lines(home, len(others), "life")
    broker.admin("delete", "web")
    home.wait_until(lambda: "does not exist" in home.up_log(), "the transfer knows that it is gone")
    home.freeze(transfer.process)
    broker.admin("create", "web", 1)
    say(2, 150)
    go_on(2)
    home.freeze(transfer.process)
    kill_broker(home, broker)
    shutil.rmtree(os.path.join(broker.root, "data"))
    broker.format()
    restart_broker(home, broker)
    broker.admin("create", "web", 1)
    say(3, 200)
    go_on(3)
    say(3, 1)  # known by now
    wait_lines(home, len(others), "life")
    transfer.stop()
    check_lines(home, others, "life")
    check(home.up_log().count("made anew") == 2, "nothing is said twice")


@faults("T12")
def test_retention_ate_what_was_not_read(home):
    """Messages are gone before the transfer came to them: an alarm, and gaps of the partition and of the file that the audit names; everything
    else once."""
    broker = broker_of(home)
    broker.admin("create", "web", 1)
    agent, transfer, lines = TopicAgent(home, broker, "web-1", ["web"]), Transfer(home, broker, ["web"]), Lines()
    append(agent.log("web-a.log"), lines.next(100))
    agent.start()
    transfer.start()
    wait_lines(home, 100)
    transfer.stop()
    append(agent.log("web-a.log"), lines.next(300))
    home.wait_until(lambda: broker.admin("ends", "web") == ["0 400"], "the lines are in the topic")
    broker.admin("truncate", "web")
    append(agent.log("web-a.log"), lines.next(50))
    transfer.start()
    wait_lines(home, 150)
    home.wait_until(lambda: "ERROR" in home.up_log() or " error " in home.up_log(), "the operator is told")
    agent.stop()
    transfer.stop()
    check_lines(home, lines.made[:100] + lines.made[400:])
    said = check_audit(home, code=1)
    check("web-a.log" in said and "kafka://web/0" in said, f"the audit names the file and the partition:\n{said}")


@long
def test_acks_1_is_unproved(home):
    """With acks=1 everything arrives, but the audit says that nothing proves it."""
    broker = broker_of(home)
    agent, lines = TopicAgent(home, broker, "web-1", ["web"], "--transport.acks", "1"), Lines()
    transfer = Transfer(home, broker, ["web"])
    transfer.start()
    append(agent.log("web-a.log"), lines.next(100))
    agent.start()
    wait_lines(home, 100)
    agent.stop()
    transfer.stop()
    check("unproved" in check_audit(home, code=1), "the audit names what is unproved")
