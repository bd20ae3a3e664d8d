"""Kafka brokers that ask who is there: users of SASL with and without TLS, wrong passwords, rights on topics; and the last Kafka with ZooKeeper."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "servers"))

import kafka
from cases_kafka import TopicAgent, Transfer, kill_broker, restart_broker
from faults import faults, long
from fleet import Server
from oracle import Lines, append, check_audit, check_lines, oracle, read, wait_lines
from product import Home, check, need_server


def old_broker_of(home, *mechanisms):
    """Kafka 3.9 with ZooKeeper, with a user "agent" of each mechanism."""
    need_server(kafka.WITH_ZOOKEEPER)
    broker = kafka.BrokerOfZooKeeper(os.path.join(home.root, "kafka"))
    if mechanisms:
        broker.signed_in(mechanisms)
    broker.start()
    home.running += broker.processes()
    for mechanism in mechanisms:
        broker.admin("user", "agent", mechanism, "agent-secret")
    return broker


class Door:
    """How a program comes to a broker: the address, and the words that say who it is. The password is in a file of its own."""

    def __init__(self, home, address, mechanism, ca=None, password="agent-secret"):
        self.address = address
        self.file = os.path.join(home.root, f"{mechanism}.password")
        self.words = ["--transport.sasl", mechanism, "--transport.user", "agent", "--transport.password_file", self.file]
        if ca:
            self.words += ["--transport.tls", "true", "--transport.tls_ca", ca]
        self.tell(password)

    def tell(self, password):
        with open(self.file, "w") as f:
            f.write(password + "\n")


def whole_way(home, broker, doors):
    """An agent per door and a transfer through the first one, while the broker is killed between: every line once."""
    agents = [TopicAgent(home, door, f"web-{n}", ["web"], "--transport.encoding", ("batch", "json")[n % 2], *door.words) for n, door in enumerate(doors)]
    transfer, lines = Transfer(home, doors[0], ["web"], *doors[0].words), Lines()
    for agent in agents:
        append(agent.log("web-a.log"), lines.next(500))
        agent.start()
    transfer.start()
    wait_lines(home, len(lines.made))
    kill_broker(home, broker)
    for agent in agents:
        append(agent.log("web-a.log"), lines.next(500))
    agents[0].kill()
    agents[0].start()
    restart_broker(home, broker)
    wait_lines(home, len(lines.made))
    transfer.kill()
    for agent in agents:
        append(agent.log("web-a.log"), lines.next(500))
    transfer.start()
    wait_lines(home, len(lines.made))
    for agent in agents:
        agent.stop()
    transfer.stop()
    oracle(home, lines.made, [read(agent.log("web-a.log")) for agent in agents])


class Open:
    """A door that asks nothing."""

    def __init__(self, broker):
        self.address, self.words = broker.address, []


@long
@faults("T1")
def test_the_last_kafka_with_zookeeper(home):
    broker = old_broker_of(home)
    whole_way(home, broker, [Open(broker), Open(broker)])


@long
def test_sign_in_with_scram(home):
    """SCRAM-SHA-256 in the clear, SCRAM-SHA-512 over TLS with an authority of its own."""
    broker = old_broker_of(home, "SCRAM-SHA-256", "SCRAM-SHA-512")
    for topic in ("web", "logboom.positions"):
        broker.admin("create", topic, 1)
        broker.admin("allow", topic, "agent", "ALL")
    whole_way(home, broker, [Door(home, broker.guarded, "SCRAM-SHA-256"), Door(home, broker.encrypted, "SCRAM-SHA-512", broker.ca)])


def guarded_broker_of(home):
    """Kafka 4 with a user "agent" of PLAIN who has no rights."""
    need_server(kafka)
    broker = kafka.Broker(os.path.join(home.root, "kafka")).signed_in()
    broker.start()
    home.running += broker.processes()
    return broker


def web_may_only_be_seen(home):
    """A broker, and the door of a user who may write and read the topic app; of web it may know that it is there."""
    broker = guarded_broker_of(home)
    for topic in ("web", "app"):
        broker.admin("create", topic, 1)
    broker.admin("allow", "app", "agent", "ALL")
    broker.admin("allow", "web", "agent", "DESCRIBE")
    door = Door(home, broker.guarded, "PLAIN")
    return broker, door


@faults("A19")
def test_rights_come_later(home):
    """A user who may not write a topic, and one who may not read it: each is one clear error, other topics flow as if nothing was, and all of it goes
    on by itself once the right is there."""
    broker, door = web_may_only_be_seen(home)
    agent, lines = TopicAgent(home, door, "web-1", ["web", "app"], *door.words), Lines()
    transfer = Transfer(home, door, ["web", "app"], *door.words)
    for topic in ("web", "app"):
        append(agent.log(f"{topic}-a.log"), lines.next(300))
    agent.start()
    transfer.start()
    home.wait_until(lambda: "cannot send to topic 'web': Broker: Topic authorization failed" in agent.said(), "the agent says it")
    for _ in range(10):
        append(agent.log("web-a.log"), lines.next(100))
        append(agent.log("app-a.log"), lines.next(1000))
        wait_lines(home, home.count() + 1)
    wait_lines(home, 10300)
    check(broker.admin("ends", "app") == ["0 10300"], "nothing of the other topic is sent twice")
    broker.admin("allow", "web", "agent", "WRITE")
    home.wait_until(lambda: broker.admin("ends", "web") == ["0 1300"], "it is written")
    broker.admin("allow", "web", "agent", "READ")
    wait_lines(home, len(lines.made))
    agent.stop()
    transfer.stop()
    said = agent.said().count("cannot send to topic 'web'")
    check(said == 1, f"said {said} times")
    oracle(home, lines.made, [read(agent.log(f"{topic}-a.log")) for topic in ("web", "app")])


def test_who_may_write_nothing_waits_quietly(home):
    """A user without any right to write: one error, a new attempt every few seconds and no more, and everything once the right is there."""
    broker = guarded_broker_of(home)
    broker.admin("create", "web", 1)
    door = Door(home, broker.guarded, "PLAIN")
    agent, lines = TopicAgent(home, door, "web-1", ["web"], *door.words), Lines()
    append(agent.log("web-a.log"), lines.next(100))
    agent.start()
    home.wait_until(lambda: "this user may write to no topic" in agent.said(), "it is said")
    began = cpu_seconds(agent.process)
    time.sleep(10)
    used = cpu_seconds(agent.process) - began
    check(used < 1, f"{used:.1f} CPU seconds in ten")
    broker.admin("allow", "web", "agent", "WRITE")
    home.wait_until(lambda: broker.admin("ends", "web") == ["0 100"], "it is written")
    agent.stop()
    check(agent.said().count("this user may write to no topic") == 1, agent.said())


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat") as f:
        return sum(map(int, f.read().rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")


def test_where_a_file_begins_is_decided_once(home):
    """Files that were there before their rule (start: end), of which nothing could be delivered when the agent is killed: it goes on where they
    ended when they were seen first, and the audit knows what was left out."""
    broker, door = web_may_only_be_seen(home)
    agent, lines, old = TopicAgent(home, door, "web-1", ["web"], *door.words), Lines(), Lines("old")
    with open(agent.config, "w") as f:
        f.write(f"transport: {{kind: kafka, brokers: ['{door.address}']}}\ncollect:\n  items:\n"
                f"    - {{path: {agent.logs}/*.log, topic: web, start: end}}\n")
    names = ["web-a.log", "web-b.log"]
    for name in names:
        append(agent.log(name), old.next(30_000))
    agent.start()
    home.wait_until(lambda: "cannot send to topic 'web'" in agent.said(), "nothing is delivered")
    noted = os.path.join(agent.data, "kafka.positions")
    home.wait_until(lambda: all(name.encode() in read(noted) for name in names), "both were seen")
    agent.kill()
    for name in names:
        append(agent.log(name), lines.next(100))
    agent.start()
    transfer = Transfer(home, broker, ["web"])
    transfer.start()
    broker.admin("allow", "web", "agent", "WRITE")
    wait_lines(home, len(lines.made))
    for name in names:
        append(agent.log(name), lines.next(100))
    wait_lines(home, len(lines.made))
    agent.stop()
    transfer.stop()
    check_lines(home, lines.made)
    check_audit(home)


def wrong_password(home, broker, mechanism):
    """A wrong password of agent and transfer: one clear error of each, in the log and wherever is asked; nothing is lost, and all goes on by itself
    once the file is mended."""
    for topic in ("web", "logboom.positions"):
        broker.admin("create", topic, 1)
        broker.admin("allow", topic, "agent", "ALL")
    door = Door(home, broker.guarded, mechanism, password="forgotten")
    server = Server(Home(home.binary))
    try:
        refused_and_mended(home, broker, door, server)
    finally:
        server.home.close()


def refused_and_mended(home, broker, door, server):
    server.start()
    reports = ["--agent.server", server.url, "--agent.token_file", server.token("agents")]
    agent, lines = TopicAgent(home, door, "web-1", ["web"], *door.words, *reports), Lines()
    transfer = Transfer(home, door, ["web"], *door.words)
    append(agent.log("web-a.log"), lines.next(300))
    agent.start()
    transfer.start()
    refused = "Authentication failed"

    def told(text):
        return refused in text and "check transport.user" in text

    home.wait_until(lambda: told(agent.said()) and told(home.up_log()), "the logs say it")
    home.wait_until(lambda: told(home.json("status")["pipeline"]["topics_problem"]), "and the status")
    home.wait_until(lambda: [told(a["problem"]) for a in server.home.json("fleet")] == [True], "and the fleet")
    append(agent.log("web-a.log"), lines.next(300))
    agent.kill()
    agent.start()
    append(agent.log("web-a.log"), lines.next(300))
    home.wait_until(lambda: len([1 for line in agent.said().splitlines() if told(line)]) >= 2, "the new one says it")
    for text, starts in ((agent.said(), 2), (home.up_log(), 1)):
        said = [line for line in text.splitlines() if refused in line]
        check(len([line for line in said if " error " in line]) <= 2 * starts and len(said) <= 3 * starts, "said too often:\n" + "\n".join(said))
    door.tell("agent-secret")
    wait_lines(home, len(lines.made))
    home.wait_until(lambda: home.json("status")["pipeline"]["topics_problem"] == "", "all is well")
    agent.stop()
    transfer.stop()
    server.stop()
    oracle(home, lines.made, [read(agent.log("web-a.log"))])


@faults("A19")
def test_a_password_is_mended(home):
    wrong_password(home, guarded_broker_of(home), "PLAIN")


@long
def test_a_password_of_scram_is_mended(home):
    wrong_password(home, old_broker_of(home, "SCRAM-SHA-256"), "SCRAM-SHA-256")
