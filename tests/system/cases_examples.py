"""What lies in examples/, run as it is, with the addresses and folders of the test in the place of those in the files."""
import json
import os
import re
import shlex
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "servers"))

import java_jobs
from cases_elastic import node_of
from cases_etcd import etcd_of
from cases_kafka import TopicAgent, Transfer, broker_of
from faults import long
from fleet import Agent, Server
from oracle import Lines, append, oracle, read, wait_lines, write
from product import check, free_port, need_server

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples")


def text_of(*names):
    with open(os.path.join(EXAMPLES, *names)) as f:
        return f.read()


def commands(folder):
    """The host (empty: there is one) and the words of each command in a README."""
    for block in re.findall(r"```\n(.*?)```", text_of(folder, "README.md"), re.S):
        for line in block.splitlines():
            host, _, command = line.rpartition("$ ") if re.match(r"[\w-]+\$ ", line) else ("", "", line)
            yield host, command


def put(home, folder, name, *swaps):
    """The example's file in the home's folder, and its path; each swap must have something to replace."""
    text = text_of(folder, name)
    for old, new in swaps:
        check(old in text, f"{folder}/{name} has no {old}")
        text = text.replace(old, new)
    path = os.path.join(home.root, name)
    write(path, text.encode())
    return path


def folders_of(home, *names):
    for name in names:
        os.makedirs(os.path.join(home.logs, name))


def access_line(n, status=200):
    return b'10.0.0.%d - - [20/Nov/2026:10:00:%02d +0000] "GET /item/%d HTTP/1.1" %d 512 "-" "curl/8"\n' % (n % 250, n % 60, n, status)


def test_example_one_machine(home):
    """examples/one-machine: two rules with topics, a multi-line group, a dropped line, a constant field; every command of its page."""
    folders_of(home, "nginx", "app")
    config = put(home, "one-machine", "logboom.yaml", ("/var/lib/logboom", home.data), ("/var/log", home.logs), ("127.0.0.1:7117", f"127.0.0.1:{free_port()}"))
    append(home.log("nginx/access.log"), b"".join(access_line(n) for n in range(20)) + b'10.0.0.1 - - [20/Nov/2026:10:01:00 +0000] "GET /healthz HTTP/1.1" 200 2 "-" "-"\n')
    append(home.log("app/app.log"), b"2026-11-20 10:00:00 ERROR no stock\n  at Shop.sell\n2026-11-20 10:00:01 INFO sold\n")
    said = []
    for _, command in commands("one-machine"):
        words = shlex.split(command.replace("logboom.yaml", config))[1:]
        if words[0] == "up":
            home.run("check", config)
            process = home.start("--config", config)
            wait_lines(home, 23)
        else:
            said.append(home.run(*words).stdout.decode())
    check(said[0].strip() == "20" and "at Shop.sell" in said[1] and "sold" not in said[1], f"the commands say {said}")
    check(home.count("service:shop") == 3, "the constant field is on every record")
    home.stop(process)


def test_example_few_hosts(home):
    """examples/few-hosts: server, enrolment, agent.yaml with the folders, rules put on the server; every command of its page."""
    folders_of(home, "nginx", "app")
    server = Server(home, listen="0.0.0.0")
    agent, lines = Agent(server, "web-1", folder=home.logs, token="made by enroll"), Lines()
    append(home.log("app/a.log"), lines.next(30))
    append(home.log("nginx/access.log"), lines.next(10))
    config = put(home, "few-hosts", "server.yaml", ("/var/lib/logboom", home.data), ("0.0.0.0:7117", f"0.0.0.0:{server.port}"))
    rules = put(home, "few-hosts", "rules.yaml", ("/var/log", home.logs))
    said = ""
    for host, command in commands("few-hosts"):
        if "lb_TOKEN" in command:
            printed = said.split()
            command = command.replace("server:7117", f"127.0.0.1:{server.port}").replace("lb_TOKEN", printed[3]).replace("FINGERPRINT", printed[5])
            agent.config = put(home, "few-hosts", "agent.yaml", ("server:7117", f"127.0.0.1:{server.port}"), ("FINGERPRINT", printed[5]), ("/var/log", home.logs))
        words = shlex.split(command.replace("server.yaml", config).replace("rules.yaml", rules))[1:]
        if words[0] == "server":
            home.run("check", config)
            server.start("--config", config)
        elif words[0] == "agent":
            home.run("check", agent.config, env=agent.env)
            agent.token = None
            agent.start()
            home.wait_until(lambda: b"web-1" in home.run("fleet").stdout, "the agent is there")
        else:
            if words[0] == "search":
                wait_lines(home, 40)
            said = home.run(*words, env=agent.env if host == "web-1" else home.env).stdout.decode()
    check(said.strip() == "40", f"the search counts {said}")
    agent.stop()
    server.stop()
    oracle(home, lines.made, [read(home.log("app/a.log")), read(home.log("nginx/access.log"))])


def test_example_fleet(home):
    """examples/fleet: rules in etcd, an agent into Kafka, a transfer into OpenSearch, doctor before each; every command of its page. The saved
    objects of examples/dashboards are asked of the documents."""
    member, broker, node = etcd_of(home), broker_of(home), node_of(home)
    swaps = (("10.0.0.1:9092", broker.address),)
    agent, lines = TopicAgent(home, broker, "web-1", []), Lines()
    agent.config = put(home, "fleet", "agent.yaml", ("/var/lib/logboom-agent", agent.data), ("10.0.0.1:2379", member.url), ("/var/log/app", agent.logs), *swaps)
    transfer = put(home, "fleet", "transfer.yaml", ("/var/lib/logboom", home.data), ("http://10.0.0.1:9200", node.url),
                   ("127.0.0.1:7117", f"127.0.0.1:{free_port()}"), *swaps)
    append(agent.log("access.log"), b"".join(access_line(n, 500 if n % 5 == 0 else 200) for n in range(25)))
    append(agent.log("app.log"), lines.next(40).replace(b" INFO x line 7 ", b" ERROR x line 7 "))
    said = []
    for host, command in commands("fleet"):
        if host == "etcd":
            words = shlex.split(command.replace('"$(cat rules.json)"', "RULES"))
            member.put(words[2], text_of("fleet", "rules.json").replace("/var/log/app", agent.logs))
            continue
        words = shlex.split(command.replace("agent.yaml", agent.config).replace("transfer.yaml", transfer))[1:]
        if words[0] == "agent":
            agent.start()
        elif words[0] == "transfer":
            home.start(*words[1:], command="transfer")
            wait_lines(home, 65)
        else:
            said.append(home.run(*words, env=agent.env if host == "web-1" else home.env).stdout.decode())
    check("2 rules for 10.0.0.7" in said[0] and "topic app" in said[0] and "OpenSearch" in said[1], f"doctor says {said[:2]}")
    check(said[2].strip() == "25", f"the search counts {said[2]}")
    agent.stop()
    check_dashboards(node)


def check_dashboards(node):
    """The objects are whole: each reference has its object, each field its mapping, each chart an answer of the real index."""
    text = text_of("dashboards", "logboom.ndjson")
    made = subprocess.run([sys.executable, os.path.join(EXAMPLES, "dashboards", "make.py")], capture_output=True, text=True, check=True).stdout
    check(text == made, "logboom.ndjson is what make.py writes")
    objects = {o["id"]: o for o in map(json.loads, text.splitlines())}
    for each in objects.values():
        for reference in each["references"]:
            check(objects[reference["id"]]["type"] == reference["type"], f"{each['id']} refers to {reference}")
        for member in ("visState", "panelsJSON", "optionsJSON", "uiStateJSON"):
            json.loads(each["attributes"].get(member, "{}"))
        named = json.loads(each["attributes"].get("kibanaSavedObjectMeta", {}).get("searchSourceJSON", "{}")).get("indexRefName")
        check(named is None or named in [r["name"] for r in each["references"]], f"{each['id']}: {named}")
    [pattern] = [o["attributes"] for o in objects.values() if o["type"] == "index-pattern"]
    fields = node.ask("GET", f"/{pattern['title']}/_field_caps?fields=*")["fields"]
    check("date" in fields[pattern["timeFieldName"]], "the time field is a date")
    charts = [(o["id"], json.loads(o["attributes"]["visState"]), json.loads(o["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"]))
              for o in objects.values() if o["type"] == "visualization"]
    check(len(charts) == 4, f"{len(charts)} charts")
    for name, state, source in charts:
        check(ask_chart(node, pattern["title"], fields, state["aggs"], source["query"]["query"]), f"{name} shows nothing")
    for column in {c for o in objects.values() if o["type"] == "search" for c in o["attributes"]["columns"]}:
        check(column in fields, f"the column {column} is no field")


def ask_chart(node, pattern, fields, aggs, query):
    """The buckets of the chart's first grouping, asked as a dashboard asks."""
    groups = [a for a in aggs if a["schema"] != "metric"]
    inner = None
    for agg in reversed(groups):
        field = agg["params"]["field"]
        check(all(kind["aggregatable"] for kind in fields[field].values()), f"{field} cannot be grouped by")
        one = {"date_histogram": {"field": field, "fixed_interval": "1m", "min_doc_count": 1}} if agg["type"] == "date_histogram" else {
            "terms": {"field": field, "size": agg["params"]["size"]}}
        inner = {"g": dict(one, **({"aggs": inner} if inner else {}))}
    # KQL "log.level: (error or fatal)", as the dashboards translate it.
    asked = {"match_all": {}} if not query else {"terms": {query.split(":")[0]: re.findall(r"\((.*)\)", query)[0].split(" or ")}}
    return node.ask("POST", f"/{pattern}/_search", {"size": 0, "query": asked, "aggs": inner})["aggregations"]["g"]["buckets"]


def job_of(name):
    example = java_jobs.JavaExample(name)
    need_server(example)
    return example


def started(home, name, command):
    log = os.path.join(home.root, f"{name}.log")
    with open(log, "ab") as f:
        process = subprocess.Popen(command, stdout=f, stderr=f, cwd=home.root, start_new_session=True)
    home.running.append(process)
    return process


def errors_in_topic(home):
    """A broker with a topic that holds records of two days and two minutes, some of them twice; the errors of each."""
    broker = broker_of(home)
    broker.admin("create", "web", 3)
    broker.admin("create", "errors_per_minute", 1)
    agent = TopicAgent(home, broker, "web-1", ["web"])
    made = [(20 + n % 2, 10 + n // 100, "ERROR" if n % 4 == 0 else "INFO", n) for n in range(200)]
    for name, part in (("web-a.log", made[:120]), ("web-b.log", made[120:])):
        append(agent.log(name), b"".join(b"2026-11-%02d 10:%02d:00 %s order %d\n" % (d, m, level.encode(), n) for d, m, level, n in part))
    agent.start()
    home.wait_until(lambda: sum(int(line.split()[1]) for line in broker.admin("ends", "web")) >= 200, "the records are in the topic", 300)
    agent.stop()
    # Sent again, as after a lost answer of the broker.
    agent.data += "-lost"
    agent.start()
    home.wait_until(lambda: sum(int(line.split()[1]) for line in broker.admin("ends", "web")) >= 400, "and once more", 300)
    agent.stop()
    return broker, made


@long
def test_example_storm(home):
    """examples/storm in Storm's local cluster: errors per minute of what an agent sent, messages that come twice counted once."""
    example = job_of("storm")
    broker, made = errors_in_topic(home)
    classes = os.path.join(home.root, "classes")
    example.compile(classes)
    keeper = java_jobs.ZooKeeper(example, os.path.join(home.root, "zookeeper"))
    started(home, "zookeeper", keeper.command)
    started(home, "storm", example.command(classes, "ErrorsPerMinute", broker.address, "web", "errors_per_minute", "--local", str(keeper.port)))
    wanted = {}
    for day, minute, level, _ in made:
        if level == "ERROR":
            key = f"2026-11-{day:02d}T10:{minute:02d} web"
            wanted[key] = wanted.get(key, 0) + 1

    def counted():
        last = {}
        for line in broker.admin("read", "errors_per_minute"):
            key, value = line.split("\t")
            last[key] = json.loads(value)["errors"]
        return last == wanted or (any(last.get(k, 0) > n for k, n in wanted.items()) and check(False, f"{last}, expected {wanted}"))

    home.wait_until(counted, f"the counts are {wanted}", 300)


@long
def test_example_hadoop(home):
    """examples/hadoop with Hadoop's local runner: totals per day, topic and level, messages that come twice counted once."""
    example = job_of("hadoop")
    broker, made = errors_in_topic(home)
    classes, out = os.path.join(home.root, "classes"), os.path.join(home.root, "daily")
    example.compile(classes)
    done = subprocess.run(example.command(classes, "DailyTotals", broker.address, "web", out), capture_output=True, text=True, cwd=home.root, timeout=300)
    check(done.returncode == 0, f"the job failed:\n{done.stderr[-3000:]}")
    totals = dict(line.rsplit("\t", 1) for name in os.listdir(out) if name.startswith("part-") for line in read(os.path.join(out, name)).decode().splitlines())
    wanted = {}
    for day, _, level, _ in made:
        key = f"2026-11-{day:02d}\tweb\t{level.lower()}"
        wanted[key] = wanted.get(key, 0) + 1
    check({k: int(v) for k, v in totals.items()} == wanted, f"{totals}, expected {wanted}")
