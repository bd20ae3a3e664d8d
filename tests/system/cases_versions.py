"""The servers people have beside the usual ones of the tests: other versions of OpenSearch, Elasticsearch. All of it takes long."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "servers"))

import elasticsearch8
import opensearch
import opensearch3
import secured
from cases_doctor import doctor, says
from cases_elastic import check_documents, store_in, stores_answer_alike
from cases_kafka import TopicAgent, Transfer, broker_of
from faults import long
from oracle import Lines, append, oracle, read, wait_lines
from product import check, need_server


OTHERS = [*opensearch.OTHERS, opensearch3.VERSION_3, elasticsearch8.VERSION_8]


def another(home, name):
    """A node of that distribution ("elasticsearch-7.10.2")."""
    [distribution] = [d for d in OTHERS if f"{d.name}-{d.version}" == name]
    need_server(distribution)
    node = opensearch.Node(os.path.join(home.root, name), distribution=distribution)
    node.start()
    home.running.append(node.process)
    return node


def whole_way(home, node, said, broker=None):
    """agent > Kafka > transfer > the node, with both killed: every line is one document; doctor, search, follow-up questions and audit work."""
    broker = broker or broker_of(home)
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
    wait_lines(home, len(lines.made), seconds=300)
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


INDEX_RIGHTS = ["create_index", "read", "write", "indices:admin/get", "indices:admin/mappings/get", "indices:admin/mapping/put", "indices:monitor/settings/get",
                "indices:admin/refresh*", "indices:monitor/stats"]


@long
def test_opensearch_with_its_security_plugin(home):
    """TLS with an authority of its own, and a user with just the rights that are needed: the whole way; without the authority, with a wrong
    password, and as a user who may only read, doctor and the transfer's log say why, collecting waits, and nothing is lost."""
    need_server(secured.DISTRIBUTION)
    node = secured.SecuredNode(os.path.join(home.root, "opensearch"))
    node.start()
    home.running.append(node.process)
    node.user("logboom", "Rain-falls-on-7-roofs", ["indices:admin/index_template/*", "cluster:monitor/main", "cluster:monitor/health", "cluster:monitor/nodes/stats",
                                                   "indices:data/write/bulk", "indices:data/read/mget", "indices:data/read/scroll", "indices:data/read/scroll/clear"],
              [(["logboom-*", "logboom.ledger"], INDEX_RIGHTS)])
    node.user("reader", "Snow-lies-on-7-roofs", ["cluster:monitor/main"], [(["logboom-*"], ["read"])])
    text = "logs: {kind: elastic}\nelastic: {url: ['%s'], user: %s, password: %s%s}\ntransfer: {topics: [web]}\n"
    ca = f", tls_ca: '{node.ca}'"
    says(doctor(home, text % (node.url, "logboom", "Rain-falls-on-7-roofs", ""), code=1), "BAD", f"node {node.url}", "authority")
    says(doctor(home, text % (node.url, "logboom", "wrong", ca), code=1), "BAD", f"node {node.url}", "status 401")
    said = doctor(home, text % (node.url, "reader", "Snow-lies-on-7-roofs", ca), code=1)
    says(said, "ok", f"node {node.url}", "OpenSearch 2.19.4")
    says(said, "BAD", "template for web", "403")
    home.env.update(LOGBOOM_ELASTIC_USER="logboom", LOGBOOM_ELASTIC_PASSWORD="wrong", LOGBOOM_ELASTIC_TLS_CA=node.ca)
    store_in(home, node)
    broker = broker_of(home)
    Transfer(home, broker, ["web"]).start(wait=False)
    home.wait_until(lambda: "status 401" in home.up_log() and "elastic.user" in home.up_log(), "the start says that the password is wrong")
    home.env.update(LOGBOOM_ELASTIC_PASSWORD="Rain-falls-on-7-roofs")
    whole_way(home, node, "OpenSearch 2.19.4", broker)


@long
def test_elasticsearch_7_10(home):
    """The whole way into Elasticsearch 7.10.2, the last one without its newer licence."""
    whole_way(home, another(home, "elasticsearch-7.10.2"), "Elasticsearch 7.10.2")


@long
def test_elasticsearch_7_10_answers_as_the_embedded_store(home):
    stores_answer_alike(home, another(home, "elasticsearch-7.10.2"))


@long
def test_elasticsearch_8(home):
    """The whole way into Elasticsearch 8.15; what its modules would do that are in no registry is in Elasticsearch8Parts.java."""
    whole_way(home, another(home, "elasticsearch-8.15.5"), "Elasticsearch 8.15.5")


@long
def test_elasticsearch_8_answers_as_the_embedded_store(home):
    stores_answer_alike(home, another(home, "elasticsearch-8.15.5"))


@long
def test_opensearch_1(home):
    """The whole way into OpenSearch 1.3."""
    whole_way(home, another(home, "opensearch-1.3.14"), "OpenSearch 1.3.14")


@long
def test_opensearch_1_answers_as_the_embedded_store(home):
    stores_answer_alike(home, another(home, "opensearch-1.3.14"))


@long
def test_opensearch_3(home):
    """The whole way into OpenSearch 3.3 on Java 21."""
    whole_way(home, another(home, "opensearch-3.3.0"), "OpenSearch 3.3.0")


@long
def test_opensearch_3_answers_as_the_embedded_store(home):
    stores_answer_alike(home, another(home, "opensearch-3.3.0"))
