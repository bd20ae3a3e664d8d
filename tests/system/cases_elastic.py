"""Over a real OpenSearch node: Kafka > transfer > OpenSearch with everything killed on the way, and agents whose server stores there. What is
stored is counted in the node itself."""
import collections
import json
import os
import random
import re
import shlex
import shutil
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "servers"))

import opensearch
from cases_kafka import TopicAgent, Transfer, broker_of, kill_broker, lose_everything, restart_broker
from faults import faults, long
from oracle import Lines, api, append, oracle, read, wait_lines, write
from product import Failure, Home, check, need_server

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "fleet.md")
CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cases", "query_match.txt")


def node_of(home, settings=()):
    need_server(opensearch)
    node = opensearch.Node(os.path.join(home.root, "opensearch"), settings)
    node.start()
    home.running.append(node.process)
    return node


def store_in(home, node, index="logboom-{topic}-{day}"):
    """Every command of the home from here on has its store in the node."""
    home.env.update(LOGBOOM_LOGS_KIND="elastic", LOGBOOM_ELASTIC_URL=node.url, LOGBOOM_ELASTIC_INDEX=index)


def check_documents(node, pattern, lines):
    """The documents are these lines, each once, as anybody reads them."""
    documents = node.documents(pattern)
    have = collections.Counter(opensearch.text_of(d) + b"\n" for d in documents.values())
    missing, extra = collections.Counter(lines) - have, have - collections.Counter(lines)
    check(not missing and not extra, f"{len(lines)} lines, {len(documents)} documents: missing {sum(missing.values())} {list(missing)[:2]}, "
                                     f"too many {sum(extra.values())} {list(extra)[:2]}")
    check(node.count(pattern) == len(lines), f"_count says {node.count(pattern)}")


@faults("T1", "T9", "S12")
def test_agent_kafka_transfer_opensearch(home):
    """Two topics of an agent over Kafka into OpenSearch, while agent, transfer, broker and node are killed in turn: every line is one document,
    search, export and audit work on them."""
    broker, node = broker_of(home), node_of(home)
    store_in(home, node)
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
    transfer.kill()
    append(agent.log("web-a.log"), lines.next(2000))
    append(agent.log("app-a.log"), lines.next(2000))
    transfer.start()
    home.kill(node.process)
    append(agent.log("web-a.log"), lines.next(2000))
    agent.kill()
    agent.start()
    kill_broker(home, broker)
    restart_broker(home, broker)
    node.start()
    home.running.append(node.process)
    append(agent.log("web-b.log"), lines.next(1000))
    transfer.kill()
    transfer.start()
    wait_lines(home, len(lines.made))
    for each in (agent, *others):
        each.stop()
    transfer.stop()
    check_documents(node, "logboom-web-*,logboom-app-*", lines.made)
    oracle(home, lines.made, [read(agent.log(name)) for name in ("web-a.log", "web-b.log", "app-a.log")] + [read(o.log("web-a.log")) for o in others])


@long
@faults("T9")
def test_transfer_and_node_killed_over_and_over(home):
    """kill -9 of the transfer every second or two, of the node now and then, while lines come: every line is one document."""
    chance, broker, node = random.Random(11), broker_of(home), node_of(home)
    store_in(home, node)
    agent, lines = TopicAgent(home, broker, "web-1", ["web"]), Lines()
    transfer = Transfer(home, broker, ["web"])
    append(agent.log("web-a.log"), lines.next(500))
    agent.start()
    transfer.start()
    for number in range(30):
        append(agent.log("web-a.log"), lines.next(chance.randrange(500, 3000)))
        time.sleep(chance.random() * 2)
        if number % 4 == 3:
            home.kill(node.process)
            node.start()
            home.running.append(node.process)
        transfer.kill()
        transfer.start(wait=False)
    home.wait_until(lambda: home.answers(transfer.process), "the transfer answers")
    wait_lines(home, len(lines.made), seconds=300)
    agent.stop()
    transfer.stop()
    check_documents(node, "logboom-web-*", lines.made)
    oracle(home, lines.made, [read(agent.log("web-a.log"))])


def test_fleet_page_over_kafka(home):
    """docs/fleet.md on Kafka and OpenSearch followed to the letter: its two files and every command."""
    broker, node = broker_of(home), node_of(home)
    agent, lines = TopicAgent(home, broker, "web-1", ["web_log"]), Lines()
    append(agent.log("a.log"), lines.next(50))
    with open(PAGE) as f:
        page = f.read()
    for name, text in re.findall(r"```yaml\n# (\S+)\n(.*?)```", page, re.S):
        text = text.replace("10.0.0.1:9092", broker.address).replace("http://10.0.0.1:9200", node.url).replace("/var/log/app", agent.logs)
        write(os.path.join(home.root, name), text.encode())
    commands = re.findall(r"^(agent|transfer)\$ (.+)$", page, re.M)
    check(len(commands) == 5, f"{len(commands)} commands on the page")
    said = []
    for host, command in commands:
        words = shlex.split(command.replace("http://10.0.0.1:9200", node.url))
        if words[1] == "agent":
            agent.config = os.path.join(home.root, "agent.yaml")
            agent.start()
        elif words[1] == "transfer":
            home.start(*words[2:], command="transfer")
            wait_lines(home, 50)
        elif words[0] == "curl":
            node.ask("POST", "/logboom-*/_refresh")
            said.append(node.ask("GET", words[-1].removeprefix(node.url))["count"])
        else:
            said.append(home.run(*words[1:]).stdout.decode())
    check(said[0].strip() == "50" and said[1] == 50, f"what the commands say: {said}")
    agent.stop()


def cases_of_matching():
    """Queries and texts of the cases of the matcher, bytes as they are."""
    queries, texts = [], []
    with open(CASES, encoding="utf-8", errors="surrogateescape") as f:
        for line in f:
            parts = line.rstrip("\n").split(" | ") if not line.startswith("#") else []
            if len(parts) != 3:
                continue
            plain = [urllib.parse.unquote_to_bytes(part.encode("utf-8", "surrogateescape")) for part in parts[:2]]
            queries.append(plain[0])
            if b"\n" not in plain[1] and plain[1].strip():
                texts.append(plain[1])
    return list(dict.fromkeys(queries)), list(dict.fromkeys(texts))


def made_up_queries(lines, count):
    """Words, phrases, parts, patterns, expressions and fields of what is stored, alone and joined."""
    chance, out = random.Random(7), []
    words = sorted({w for line in lines for w in re.findall(rb"[\w.\-/=:]{3,}", line)})

    def one():
        word, line = chance.choice(words), chance.choice(lines)
        begin = chance.randrange(max(1, len(line) - 30))
        part = line[begin:begin + chance.randrange(2, 25)].replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        kinds = [word, b'"' + part + b'"', b"*" + word[1:-1] + b"*", word[:3] + b"*", b"=" + word, b"/" + re.escape(word[:6]) + b".*/",
                 b"level:" + chance.choice([b"error", b">=warn", b"info"]), b"status:" + chance.choice([b">=400", b"200", b"[400 TO 499]"]),
                 b"file:*" + chance.choice([b"app-0", b"app-1", b"texts"]) + b"*", b"service:" + chance.choice([b"*", b"s*", b"shop"])]
        return chance.choice(kinds)

    for _ in range(count):
        shape = chance.randrange(5)
        out.append([one(), one() + b" " + one(), one() + b" OR " + one(), b"NOT " + one(), one() + b" NOT (" + one() + b" OR " + one() + b")"][shape])
    return out


def answer_of(home, query):
    """What a search says, without what differs by nature: costs, and the numbers of commits."""
    words = {"q": query, "limit": "all", "step": "1h", "values": "level,file,status,service", "progress": "false"}
    status, body = api(home, "/api/v1/search?" + urllib.parse.urlencode(words))
    if status != 200:
        return {"status": status}
    answer = {"rows": []}
    for frame in map(json.loads, body.splitlines()):
        if frame["type"] == "rows":
            answer["rows"] += [{k: v for k, v in row.items() if k != "commit"} for row in frame["rows"]]
        elif frame["type"] == "done":
            answer["done"] = frame["error"], *(frame["stats"][k] for k in ("records", "lines", "exact", "partial"))
        elif frame["type"] in ("histogram", "values"):
            answer[frame["type"]] = frame
    return answer


def compare_answers(one, other, query):
    a, b = answer_of(one, query), answer_of(other, query)
    if a == b:
        return
    rows = [(x, y) for x, y in zip(a.get("rows", []), b.get("rows", [])) if x != y]
    parts = [key for key in a if a[key] != b.get(key)]
    raise Failure(f"{query!r}: the stores differ in {parts}: {len(a.get('rows', []))} and {len(b.get('rows', []))} rows, first {rows[:1]}, "
                  f"{a.get('done')} {b.get('done')}, {a.get('values')} {b.get('values')}"[:3000])


def stores_answer_alike(home, node):
    """The same data in the embedded store and in the node: several hundred queries give the same rows, counts, histograms and values; so do
    contexts and names of fields."""
    queries, texts = cases_of_matching()
    home.run("generate", home.log("made"), "--format", "mixed", "--files", "4", "--bytes", "80KB", "--seed", "5", "--quiet")
    json_texts = [t for t in texts if t.startswith(b"{")]
    write(home.log("texts.log"), b"2026-11-20 10:00:00 INFO begin\n" + b"".join(t + b"\n\n" for t in texts if not t.startswith(b"{")))
    write(home.log("json.log"), b'{"@timestamp":"2026-11-20T10:00:00Z","level":"warn"}\n' * 20 + b"".join(t + b"\n" for t in json_texts))
    made = [line for name in ("made/app-0.log", "made/app-1.log", "texts.log", "json.log") for line in read(home.log(name)).splitlines() if line]
    other = Home(home.binary)
    try:
        other.env["LOGBOOM_AGENT_KEY_FILE"] = home.env["LOGBOOM_AGENT_KEY_FILE"]
        store_in(other, node)
        for each in (home, other):
            each.run("import", home.logs)
        node.ask("POST", "/logboom-*/_refresh")
        for each in (home, other):
            each.start(command="server")
        for query in [b"", *queries, *made_up_queries(made, 150)]:
            compare_answers(home, other, query)
        rows = answer_of(home, b"")["rows"]
        for row in random.Random(3).sample(rows, 20):
            target = f"/api/v1/context?source={row['source']}&epoch={row['epoch']}&offset={row['offset']}&before=3&after=4"
            contexts = [re.sub(rb'"commit":[^,]*,', b"", api(each, target)[1]) for each in (home, other)]
            check(contexts[0] == contexts[1], f"{target}:\n{contexts[0][:1000]}\n{contexts[1][:1000]}")
        names = [api(each, "/api/v1/fields?q=")[1] for each in (home, other)]
        check(names[0] == names[1], f"names of fields: {names}")
    finally:
        for process in list(other.running):
            other.kill(process)
        other.close()


def test_both_stores_answer_alike(home):
    """What a search says does not depend on where the lines are: the embedded store or OpenSearch."""
    stores_answer_alike(home, node_of(home))


@long
def test_many_long_lines_do_not_exhaust_the_node(home):
    """A node of half a gigabyte with hundreds of megabytes of long lines behind short ones: all of them are found, exported and audited, in
    answers it has the memory for."""
    node = node_of(home)
    store_in(home, node)
    short = b"".join(b"short %d\n" % i for i in range(2000))
    long_lines = b"".join(b"long %d " % i + b'xyz \x01"' * 150_000 + b"\n" for i in range(200))
    write(home.log("a.log"), short + long_lines)
    home.run("import", home.logs)
    for query, count in (("short", 2000), ("xyz", 200)):
        found = home.run("search", "--limit", "all", "-o", "ndjson", query).stdout.count(b"\n")
        check(found == count, f"{query}: {found} lines found, expected {count}")
    home.run("audit")
    check("OutOfMemoryError" not in node.said(), "the node ran out of memory")


def test_the_ledger_deleted_by_hand(home):
    """Its index is deleted while a server writes: what comes later is stored once, and the index that is made anew is one that can be read."""
    node = node_of(home)
    store_in(home, node)
    lines = Lines()
    write(home.log("a.log"), lines.next(100))
    home.start(home.logs)
    wait_lines(home, 100)
    node.ask("DELETE", "/logboom.ledger")
    append(home.log("a.log"), lines.next(100))
    wait_lines(home, 200)
    check_documents(node, "logboom-*-*", lines.made)
    made = node.ask("GET", "/logboom.ledger/_mapping")["logboom.ledger"]["mappings"]["properties"]
    check(made["key"]["type"] == "keyword", f"the mapping of the ledger: {made}")
    said = home.run("audit", code=None)
    check(b"the ledger does not say so" in said.stdout, f"what the audit says: {said.stdout} {said.stderr}")


@faults("S12")
def test_the_cluster_comes_back_empty(home):
    """Its data is lost while a server writes to it and stands idle: indices and ledger are made anew as they should be, what comes later is stored
    once, and the audit names what is gone."""
    node = node_of(home)
    store_in(home, node)
    lines, later = Lines(), Lines("later")
    write(home.log("a.log"), lines.next(100))
    write(home.log("idle.log"), later.next(10))
    home.start(home.logs)
    wait_lines(home, 110)
    home.kill(node.process)
    shutil.rmtree(os.path.join(node.root, "data"))
    append(home.log("a.log"), lines.next(100))
    node.start()
    home.running.append(node.process)
    wait_lines(home, 100)
    append(home.log("idle.log"), later.next(10))
    wait_lines(home, 110)
    check_documents(node, "logboom-*-*", lines.made[100:] + later.made[10:])
    for index, field in (("logboom.ledger", "key"), ("logboom-logs-*", "topic")):
        for name, made in node.ask("GET", f"/{index}/_mapping").items():
            check(made["mappings"]["properties"][field]["type"] == "keyword", f"the mapping of {name}: {made}")
    said = home.run("audit", code=1).stdout.decode()
    check(len([line for line in said.splitlines() if line.startswith("FINDING") and "missing" in line]) == 2, f"what the audit says: {said}")


@faults("A4")
def test_agents_that_lost_everything_while_files_grew(home):
    node = node_of(home)
    store_in(home, node)
    lose_everything(home, broker_of(home))
