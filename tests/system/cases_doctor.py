"""`logboom doctor` on real servers: each one that the configuration names is asked, and what is wrong with it is one line with what to do about
it; programs that start log the same."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "servers"))

import kafka
from cases_elastic import node_of
from cases_etcd import etcd_of
from cases_kafka import broker_of
from fleet import Agent, Server
from product import check, free_port, need_server


def doctor(home, text, code=0, env=None):
    path = os.path.join(home.root, "doctor.yaml")
    with open(path, "w") as f:
        f.write(text)
    return home.run("doctor", "--config", path, code=code, env=env).stdout.decode()


def says(said, verdict, *parts):
    """One line has this verdict and all of that."""
    check(any(line.startswith(verdict) and all(part in line for part in parts) for line in said.splitlines()),
          f"no line '{verdict}' with {parts} in:\n{said}")


def remedies(said):
    return [line.split("-> ", 1)[1] for line in said.splitlines() if "-> " in line]


def test_doctor_asks_etcd(home):
    """Each endpoint by itself: version, what it holds for this host, what cannot be used, who may not write; a dead one and one that is no etcd."""
    member, dead = etcd_of(home), free_port()
    text = "rules: {from: etcd}\netcd: {endpoints: [%s]}\nagent: {ip: 10.0.0.7}\n"
    said = doctor(home, text % f"'{member.url}'")
    says(said, "ok", f"etcd {member.url}", "answers; 3.", "no rules for 10.0.0.7 yet")
    says(said, "warn", "roots", "any file")
    check(any("collect.roots" in r for r in remedies(said)), f"roots are recommended:\n{said}")
    member.put("collect_log_10.0.0.7_conf", '[{"path": "/var/log/a.log", "topic": "web_log"}]')
    says(doctor(home, text % f"'{member.url}'"), "ok", "1 rule for 10.0.0.7")
    member.put("collect_log_10.0.0.7_conf", "[")
    says(doctor(home, text % f"'{member.url}'"), "warn", "not JSON")
    said = doctor(home, text % f"'127.0.0.1:{dead}', '{member.url}'", code=1)
    says(said, "BAD", f"etcd http://127.0.0.1:{dead}", "refused")
    says(said, "ok", f"etcd {member.url}", "answers")
    server = Server(home)
    server.start()
    says(doctor(home, text % f"'127.0.0.1:{server.port}'", code=1), "BAD", "does not answer as etcd's v3 gateway does")
    server.stop()


def test_doctor_asks_kafka(home):
    """Brokers, version, topics with their settings; topics that are not there, too small, soon forgotten, compacted; a broker that is down."""
    broker = broker_of(home)
    agent = f"transport: {{kind: kafka, brokers: ['{broker.address}']}}\ncollect:\n  items:\n    - {{path: /var/log/a.log, topic: web_log}}\n"
    said = doctor(home, agent)
    says(said, "ok", f"Kafka {broker.address}", "a cluster of one broker")
    says(said, "ok", "Kafka version", "4 or newer")
    says(said, "ok", "librdkafka", ".")
    says(said, "ok", "topic web_log", "brokers make it with the first message, with 3 partitions")
    broker.admin("create", "web_log", 2)  # which fails if doctor has made it
    said = doctor(home, agent)
    says(said, "ok", "topic web_log", "2 partitions, 1 replica, min.insync.replicas 1", "kept 7 days")
    says(said, "warn", "topic web_log", "one copy of each message")
    check(sorted(broker.admin("ends", "web_log")) == ["0 0", "1 0"], "doctor writes nothing")
    broker.admin("config", "web_log", "max.message.bytes=100000", "retention.ms=3600000", "cleanup.policy=compact", "min.insync.replicas=2")
    said = doctor(home, agent, code=1)
    says(said, "BAD", "topic web_log", "is compacted")
    says(said, "BAD", "topic web_log", "min.insync.replicas 2 with 1 replica: nothing can be written")
    says(said, "warn", "topic web_log", "takes messages up to 100000 bytes")
    broker.admin("config", "web_log", "max.message.bytes=300", "cleanup.policy=compact")
    said = doctor(home, agent, code=1)
    says(said, "BAD", "topic web_log", "takes messages up to 300 bytes")
    check(any("kafka-configs.sh" in r and "max.message.bytes=1048588" in r for r in remedies(said)), f"what to do:\n{said}")
    says(said, "warn", "topic web_log", "keeps messages for 3600 s")
    for role in ("agent", "transfer"):
        done = home.run(role, "--config", os.path.join(home.root, "doctor.yaml"), "--transfer.topics", "web_log", code=2)
        check(b"cannot use topic 'web_log': it is compacted" in done.stderr, f"{role} refuses: {done.stderr!r}")
    dead = f"127.0.0.1:{free_port()}"
    transfer = f"transport: {{brokers: ['{dead}', '{broker.address}']}}\ntransfer: {{topics: [web_log, never]}}\n"
    said = doctor(home, transfer, code=1)
    says(said, "BAD", f"Kafka {dead}", "Connection refused")
    says(said, "warn", "topic never", "it is waited for")
    says(said, "ok", f"Kafka {broker.address}", "answers")


def test_doctor_names_rights_and_sign_in(home):
    """A user of SASL/PLAIN: a wrong password, and topics it may not see, write or read; SCRAM names the versions of librdkafka that cannot."""
    need_server(kafka)
    broker = kafka.Broker(os.path.join(home.root, "kafka")).signed_in()
    broker.start()
    home.running.append(broker.process)
    broker.admin("create", "web_log", 1)
    password = os.path.join(home.root, "password")
    text = (f"transport: {{kind: kafka, brokers: ['{broker.guarded}'], sasl: %s, user: agent, password_file: {password}}}\n"
            "transfer: {topics: [web_log]}\ncollect:\n  items:\n    - {path: /var/log/a.log, topic: web_log}\n")
    with open(password, "w") as f:
        f.write("wrong\n")
    said = doctor(home, text % "PLAIN", code=1)
    says(said, "BAD", f"Kafka {broker.guarded}", "Authentication failed")
    check(any("transport.password_file" in r for r in remedies(said)), f"what to correct:\n{said}")
    said = doctor(home, text % "SCRAM-SHA-256", code=1)
    says(said, "warn" if "before 2.6.1" in said else "ok", "librdkafka", ".")
    says(said, "BAD", f"Kafka {broker.guarded}", "")
    with open(password, "w") as f:
        f.write("agent-secret\n")
    said = doctor(home, text % "PLAIN", code=1)
    says(said, "BAD", "topic web_log", "may not see it")
    check(any("--operation Describe" in r for r in remedies(said)), f"the right that is missing:\n{said}")
    broker.admin("allow", "web_log", "agent", "Describe")
    said = doctor(home, text % "PLAIN", code=1)
    says(said, "ok", "topic web_log", "settings are not shown to this user")
    says(said, "BAD", "topic web_log", "may not write to it")
    says(said, "BAD", "topic web_log", "may not read it")
    broker.admin("allow", "web_log", "agent", "Write", "Read", "Describe_Configs")
    says(doctor(home, text % "PLAIN"), "ok", "topic web_log", "1 partition,")
    check(broker.admin("ends", "web_log") == ["0 0"], "and nothing was written")


def test_doctor_asks_opensearch(home):
    """Version, health, clock, template, indices that are there, who may write; a node that is down, another's index, a template that wins, a
    read-only index, and one that is never refreshed. A transfer that starts says the same in its log."""
    node, broker = node_of(home), broker_of(home)
    text = f"logs: {{kind: elastic}}\nelastic: {{url: ['%s'], index: 'shop-{{topic}}-{{day}}'}}\ntransport: {{brokers: ['{broker.address}']}}\ntransfer: {{topics: [web]}}\n"
    said = doctor(home, text % node.url)
    says(said, "ok", f"node {node.url}", "OpenSearch 2.")
    says(said, "ok", "cluster clock", "as this host's")
    says(said, "ok", "template for web", "would be as it should")
    says(said, "ok", "indices shop-*-*", "none yet")
    says(said, "ok", "logboom.ledger", "not there yet")
    check(not [i for i in node.ask("GET", "/_all/_settings") if not i.startswith(".")], "doctor makes no index")
    node.ask("PUT", "/shop-web-2020.01.01", {"mappings": {"properties": {"message": {"type": "keyword"}, "@timestamp": {"type": "date"}}}})
    said = doctor(home, text % node.url, code=1)
    says(said, "BAD", "indices shop-*-*", "shop-web-2020.01.01", "message is keyword, not text")
    process = home.start("--config", os.path.join(home.root, "doctor.yaml"), command="transfer", listen=f"127.0.0.1:{free_port()}")
    home.wait_until(lambda: "message is keyword, not text" in home.up_log(), "the start says it, too")
    home.stop(process)
    node.ask("DELETE", "/shop-web-2020.01.01")
    says(doctor(home, text % node.url), "ok", "logboom.ledger", "may be written")
    node.ask("PUT", "/logboom.ledger/_settings", {"index.blocks.read_only_allow_delete": True})
    says(doctor(home, text % node.url, code=1), "BAD", "logboom.ledger", "may not be written", "block")
    node.ask("PUT", "/logboom.ledger/_settings", {"index.blocks.read_only_allow_delete": None})
    node.ask("PUT", "/_index_template/theirs", {"index_patterns": ["shop-*"], "priority": 9000, "template": {"mappings": {"properties": {"topic": {"type": "text"}}}}})
    said = doctor(home, text % node.url, code=1)
    says(said, "BAD", "template for web", "another template wins", "topic is text, not keyword")
    node.ask("DELETE", "/_index_template/theirs")
    node.ask("PUT", "/shop-web-2020.01.02", {"settings": {"index.refresh_interval": "-1"}})
    says(doctor(home, text % node.url, code=1), "warn", "indices shop-*-*", "refresh_interval of shop-web-2020.01.02 (-1)")
    dead = f"http://127.0.0.1:{free_port()}"
    says(doctor(home, text % dead, code=1), "BAD", f"node {dead}", "refused")
    server = Server(home)
    server.start()
    says(doctor(home, text % server.url, code=1), "BAD", f"node {server.url}", "")
    server.stop()


def test_doctor_asks_the_server(home):
    """An agent's server: its version, the pinned certificate, the token; a wrong pin, a revoked token, another's token, a dead server."""
    server = Server(home, listen="0.0.0.0")
    server.start()
    agent, other = Agent(server, "web-1"), Agent(server, "web-2")
    home.wait_until(lambda: re.search(r"sha256:\w{64}\s", home.up_log()), "the fingerprint is printed")
    pin = home.up_log().split("sha256:")[1].split()[0]
    text = f"agent: {{server: '{server.url}', token_file: '%s', tls_fingerprint: '%s'}}\nrules: {{from: server}}\n"
    said = doctor(home, text % (agent.token, pin), env=agent.env)
    says(said, "ok", f"server {server.url}", "answers; logboom 0.", "has not heard of this agent yet")
    says(said, "warn", "roots", "any file")
    with open(other.config, "a") as f:
        f.write(f"agent: {{tls_fingerprint: '{pin}'}}\n")
    other.start()
    home.wait_until(lambda: "web-2" in home.run("fleet").stdout.decode(), "the other one is there")
    says(doctor(home, text % (other.token, pin), env=other.env), "ok", "knows this agent")
    says(doctor(home, text % (agent.token, pin), code=1, env=other.env), "BAD", "does not take this host's token", "another agent")
    says(doctor(home, text % (agent.token, "0" * 64), code=1, env=agent.env), "BAD", f"server {server.url}", "not the server that is expected")
    with open(agent.token, "w") as f:
        f.write("lb_nobody\n")
    said = doctor(home, text % (agent.token, pin), code=1, env=agent.env)
    says(said, "BAD", "does not take this host's token")
    check(any("logboom token create --agent" in r for r in remedies(said)), f"what to do:\n{said}")
    says(doctor(home, text % (os.path.join(home.root, "none"), pin), code=1, env=agent.env), "BAD", "none")
    other.stop()
    server.stop()
    says(doctor(home, text % (agent.token, pin), code=1, env=agent.env), "BAD", f"server {server.url}", "refused")
