"""The servers people have beside the usual ones of the tests: other versions of OpenSearch, Elasticsearch. All of it takes long."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "servers"))

import opensearch
from cases_doctor import doctor, says
from cases_elastic import check_documents, store_in
from cases_kafka import TopicAgent, Transfer, broker_of
from faults import long
from oracle import Lines, append, oracle, read, wait_lines
from product import Failure, NotRun, check


def another(home, name):
    """A node of that distribution ("elasticsearch-7.10.2")."""
    [distribution] = [d for d in opensearch.OTHERS if f"{d.name}-{d.version}" == name]
    if why := distribution.missing():
        raise Failure(why) if os.environ.get("CI") else NotRun(why)
    node = opensearch.Node(os.path.join(home.root, name), distribution=distribution)
    node.start()
    home.running.append(node.process)
    return node


def whole_way(home, node, said):
    """agent > Kafka > transfer > the node, with both killed: every line is one document; doctor, search, follow-up questions and audit work."""
    broker = broker_of(home)
    store_in(home, node)
    agent, lines = TopicAgent(home, broker, "web-1", ["web"]), Lines()
    transfer = Transfer(home, broker, ["web"])
    append(agent.log("web-a.log"), lines.next(500) + b"\n\r\n\xff\n" + "2026-11-20 10:00:00 ERROR Größe 日本 overflow\n".encode())
    lines.made += [b"\xff\n", "2026-11-20 10:00:00 ERROR Größe 日本 overflow\n".encode()]
    agent.start()
    transfer.start()
    wait_lines(home, len(lines.made))
    transfer.kill()
    append(agent.log("web-a.log"), lines.next(1500))
    transfer.start()
    home.kill(node.process)
    append(agent.log("web-b.log"), lines.next(500))
    node.start()
    home.running.append(node.process)
    wait_lines(home, len(lines.made), seconds=180)
    for query, count in (("größe", 1), ('"日本 overflow"', 1), ("level:error", 1), ("*verflo*", 1), ("/line 1[0-9]{2} of/", 100), ('"line 7 of"', 1)):
        found = home.count(query)
        check(found == count, f"{query}: {found}, expected {count}")
    agent.stop()
    transfer.stop()
    told = doctor(home, f"logs: {{kind: elastic}}\nelastic: {{url: ['{node.url}']}}\ntransfer: {{topics: [web]}}\n")
    says(told, "ok", f"node {node.url}", said)
    says(told, "ok", "indices logboom-*-*", "as they should be")
    check_documents(node, "logboom-web-*", lines.made)
    oracle(home, lines.made, [read(agent.log(name)) for name in ("web-a.log", "web-b.log")])


@long
def test_elasticsearch_7_10(home):
    """The whole way into Elasticsearch 7.10.2, the last one without its newer licence."""
    whole_way(home, another(home, "elasticsearch-7.10.2"), "Elasticsearch 7.10.2")


@long
def test_opensearch_1(home):
    """The whole way into OpenSearch 1.3."""
    whole_way(home, another(home, "opensearch-1.3.14"), "OpenSearch 1.3.14")
