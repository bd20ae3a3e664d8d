"""A server's data put back from a backup while its agents run on: what was stored since is sent again, every line is there once."""
import os
import shutil

from faults import faults
from fleet import Agent, Server
from oracle import Lines, append, oracle, read, wait_lines

FILES = ("a.log", "a.log.1", "b.log", "c.log")


def stored_and_backed_up(home):
    """A backup of a server, of whose agent's files more was stored since: longer ones, a rotated and a new one."""
    server = Server(home)
    server.start()
    agent, lines = Agent(server, "web-1"), Lines()
    append(agent.log("a.log"), lines.next(300))
    append(agent.log("b.log"), lines.next(100))
    agent.start()
    wait_lines(home, 400)
    backup = os.path.join(home.root, "backup")
    home.run("backup", backup)
    append(agent.log("a.log"), lines.next(300))
    append(agent.log("c.log"), lines.next(100))
    wait_lines(home, 800)
    os.rename(agent.log("a.log"), agent.log("a.log.1"))
    append(agent.log("a.log"), lines.next(60))
    wait_lines(home, 860)
    server.kill()
    return server, agent, lines, backup


def finish(home, server, agent, lines):
    server.start()
    wait_lines(home, len(lines.made))
    for name in FILES:
        append(agent.log(name), lines.next(5))
    wait_lines(home, len(lines.made))
    agent.stop()
    server.stop()
    oracle(home, lines.made, [read(agent.log(name)) for name in FILES])


@faults("A4", "S8")
def test_the_store_of_yesterday_is_put_back(home):
    """Only the stores come from the backup; what the server knows of its agents is newer: their quiet files are sent again, too."""
    server, agent, lines, backup = stored_and_backed_up(home)
    shutil.rmtree(os.path.join(home.data, "store"))
    shutil.copytree(os.path.join(backup, "store"), os.path.join(home.data, "store"))
    finish(home, server, agent, lines)


@faults("A4", "S8")
def test_a_backup_takes_the_place_of_a_server(home):
    """The whole data directory is lost, the backup is put there: agents keep their tokens, rules and files, and go on."""
    server, agent, lines, backup = stored_and_backed_up(home)
    shutil.rmtree(home.data)
    shutil.copytree(backup, home.data)
    finish(home, server, agent, lines)
