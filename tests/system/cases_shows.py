"""The whole of a fleet at once, as issue and pages show it: hosts in network namespaces with addresses of their own, rules in etcd, Kafka between,
transfers into OpenSearch, and a server for a host without Kafka."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "servers"))

import etcd
import kafka
import opensearch
from cases_etcd import AGENT_INI, IniAgent, item
from cases_fleet import fleet_of
from fleet import Agent, Server
from oracle import Lines, append, check_audit, check_lines, wait_lines
from product import Home, check, free_port, need_server, tool
from wire import Host


class World:
    """Two hosts, and on this machine etcd and Kafka that both can reach, and OpenSearch."""

    def __init__(self, home):
        for server in (etcd, kafka, opensearch):
            need_server(server)
        self.home, self.hosts = home, [Host(home), Host(home)]
        gateways = [host.gateway for host in self.hosts]
        self.etcd = etcd.Etcd(os.path.join(home.root, "etcd"), (free_port(), free_port()))
        self.etcd.also_on = gateways
        home.running.append(self.etcd.start())
        self.broker = kafka.Broker(os.path.join(home.root, "kafka")).also_on(*gateways)
        self.broker.start()
        home.running.append(self.broker.process)
        self.node = opensearch.Node(os.path.join(home.root, "opensearch"))
        self.node.start()
        home.running.append(self.node.process)

    def close(self):
        for host in self.hosts:
            host.close()


def agent_ini(world, host):
    """The contract's file, with this host's way to the servers."""
    return AGENT_INI.replace("10.0.0.1:9092,10.0.0.2:9092", world.broker.at[host.gateway]).replace(
        "10.0.0.1:2379,10.0.0.2:2379", f"{host.gateway}:{world.etcd.port}")


def transfer_of(home, world, topic, text):
    """A transfer on a data directory of its own; `text` is its configuration."""
    own = Home(home.binary, "logboom-test-transfer-")
    path = os.path.join(own.root, "logtransfer.ini" if text.startswith("[") else "transfer.yaml")
    with open(path, "w") as f:
        f.write(text)
    own.config = path
    own.process = own.start("--config", path, command="transfer", listen=f"127.0.0.1:{free_port()}")
    # An INI file begins at the newest message: what is written before it has looked is not for it.
    world.broker.admin("create", topic, 3)
    return own


def test_a_fleet_of_two_hosts(home):
    """A rule put into etcd under a host's IP: its lines are in the topic as they are, in the index as many as wc -l counts, in logboom search, and
    the audit is clean; a second host enrols with the server and takes its rules from there; both are seen, and a cut cable loses nothing."""
    world, others = World(home), []
    try:
        one, two = world.hosts
        web = transfer_of(home, world, "web_log", f"[kafka]\naddress = {world.broker.address}\ntopic = web_log\nstart_at = earliest\n[es]\naddress = {world.node.url}\nindex = web\n")
        app = transfer_of(home, world, "app", f"transport: {{brokers: ['{world.broker.address}']}}\ntransfer: {{topics: [app]}}\nlogs: {{kind: elastic}}\n"
                                              f"elastic: {{url: ['{world.node.url}'], index: web}}\n")
        others = [web, app]
        agent, lines, more = IniAgent(home, agent_ini(world, one)), Lines(), Lines("app")
        agent.wrap = one.wrap
        append(agent.log("old.log"), b"written before the agent was there\n")
        agent.start()
        home.wait_until(lambda: world.etcd.keys("/logboom/hosts/") == [f"/logboom/hosts/{one.ip}"], "the host says that it is there, under its own IP")
        began = time.monotonic()
        items = [item(agent.log("access.log"), start="beginning"), item(agent.log("app*.log"), topic="app", start="beginning")]
        subprocess.run([tool("etcdctl"), "--endpoints", world.etcd.url, "put", f"collect_log_{one.ip}_conf", json.dumps(items)], check=True, stdout=subprocess.DEVNULL)
        append(agent.log("access.log"), lines.next(100))
        append(agent.log("app-1.log"), more.next(50))
        wait_lines(web, 100, "topic:web_log")
        wait_lines(app, 50, "topic:app")
        print(f"    put > searchable: {time.monotonic() - began:.1f} s", flush=True)
        one.cut()
        append(agent.log("access.log"), lines.next(100))
        append(agent.log("app-1.log"), more.next(50))
        one.mend()
        one.run("ip", "route", "replace", "default", "via", one.gateway)
        wait_lines(web, 200, "topic:web_log", seconds=300)
        wait_lines(app, 100, "topic:app", seconds=300)
        topic = subprocess.run([tool("kcat"), "-C", "-b", world.broker.address, "-t", "web_log", "-o", "beginning", "-e", "-q"], check=True, capture_output=True)
        check(set(topic.stdout.splitlines(True)) == set(lines.made), "anybody reads the lines as they are")
        with open(agent.log("access.log"), "rb") as f:
            wc = sum(1 for _ in f)
        counted = world.node.count("web", {"term": {"topic": "web_log"}})
        check(counted == wc == 200 and world.node.count("web") == 300, f"{counted} documents, wc -l {wc}")
        for transfer, made in ((web, lines.made), (app, more.made)):
            check(int(transfer.run("search", "--all", "--count-lines", "--quiet", "--config", transfer.config, "topic:" + ("app" if transfer is app else "web_log")).stdout)
                  == len(made), "logboom search finds them")
            transfer.run("audit", "--config", transfer.config)
        second_host(home, two)
        agent.stop()
    finally:
        for transfer in others:
            transfer.close()
        world.close()


def second_host(home, host):
    """What docs/fleet.md shows first: a server, a token, a host that enrols by its pinned address, rules from the server."""
    server = Server(home, listen="0.0.0.0")
    server.start()
    agent, lines = Agent(server, "web-2", token="made by enroll"), Lines("two")
    agent.wrap = host.wrap
    os.unlink(agent.config)
    printed = home.run("token", "create", "--agent").stdout.decode().split()
    words = ["enroll", f"https://{host.gateway}:{server.port}", printed[3], "--tls-fingerprint", printed[5]]
    home.run(*words, env=agent.env, wrap=host.wrap)
    agent.token = None
    agent.start()
    home.wait_until(lambda: fleet_of(home).get("web-2", {}).get("online"), "the second host is there")
    append(agent.log("a.log"), lines.next(30))
    append(agent.log("b.err"), lines.next(5))
    home.run("rules", "add", agent.log("*.log"), "--host", "web-2")
    wait_lines(home, 30)
    home.run("rules", "add", agent.log("*.err"), "--topic", "errors", "--hosts", "web-*")
    wait_lines(home, 35)
    host.cut()
    append(agent.log("a.log"), lines.next(20))
    host.mend()
    host.run("ip", "route", "replace", "default", "via", host.gateway)
    wait_lines(home, 55, seconds=300)
    shown = lambda: fleet_of(home)["web-2"]
    home.wait_until(lambda: shown()["files"] == 2 and shown()["rules_applied"] == shown()["rules_desired"] == 2, "the fleet shows its files and rules")
    check_lines(home, lines.made)
    check_audit(home)
    agent.stop()
    server.stop()
