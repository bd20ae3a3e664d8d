#!/usr/bin/env python3
"""A real Elasticsearch 8 node on loopback for the tests, from the jars of Maven Central, once, kept outside the checkout. Its server is a named
module with the plugins in folders of their own; Elasticsearch8Parts.java stands for the modules that are in no registry.

usage: elasticsearch8.py fetch     gets what is missing (the set-up of `make test-long`)
"""
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import opensearch

HERE = os.path.dirname(os.path.abspath(__file__))
NETTY = ("transport-netty4-", "netty-", "elasticsearch-ssl-config-")


class Elasticsearch8(opensearch.Distribution):
    def __init__(self, version):
        super().__init__("elasticsearch", version, "org.elasticsearch",
                         [f"org.elasticsearch:elasticsearch:{version}", f"org.elasticsearch.plugin:transport-netty4:{version}"],
                         "elasticsearch8.py fetch")

    def command(self, root, share):
        return [*opensearch.JAVA, *share, "--module-path", os.path.join(self.cache, "lib"), "--add-modules",
                "org.elasticsearch.server,org.elasticsearch.preallocate,jdk.net", "-cp", self.launcher, "Elasticsearch8Node", self.cache,
                os.path.join(root, "config")]

    def build(self, work):
        """The tree of an installation: lib, and a folder for each module."""
        lib, modules = os.path.join(work, "lib"), os.path.join(work, "modules")
        os.rename(os.path.join(work, "libs"), lib)
        netty = os.path.join(modules, "transport-netty4")
        os.makedirs(netty)
        for jar in os.listdir(lib):
            if jar.startswith(NETTY):
                os.rename(os.path.join(lib, jar), os.path.join(netty, jar))
        self.describe(netty, "transport-netty4", "org.elasticsearch.transport.netty4.Netty4Plugin", "org.elasticsearch.transport.netty4")
        parts = os.path.join(modules, "logboom-tests")
        os.mkdir(parts)
        self.describe(parts, "logboom-tests", "Elasticsearch8Parts")
        jars = [os.path.join(lib, jar) for jar in os.listdir(lib)]
        for name, jar in (("Elasticsearch8Parts", os.path.join(parts, "parts.jar")), ("Elasticsearch8Node", os.path.join(work, "launcher.jar"))):
            opensearch.compile_into(["javac"], jars, os.path.join(HERE, name + ".java"), jar)
        shutil.rmtree(os.path.join(parts, "parts.jar.classes"))
        return [lib, modules]

    def describe(self, folder, name, of_class, of_module=""):
        lines = [f"name={name}", f"description={name}", f"version={self.version}", f"classname={of_class}", "java.version=17", f"elasticsearch.version={self.version}"]
        if of_module:
            lines.append(f"modulename={of_module}")
        with open(os.path.join(folder, "plugin-descriptor.properties"), "w") as f:
            f.write("\n".join(lines) + "\n")


VERSION_8 = Elasticsearch8("8.15.5")

if __name__ == "__main__":
    if sys.argv[1:] != ["fetch"]:
        sys.exit(__doc__)
    VERSION_8.fetch()
