"""Jars of servers from Maven Central."""
import os
import subprocess

MAVEN = ["mvn", "-q", "-B"]
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:"


def copy_jars(pom, folder):
    """Everything that a project needs to run."""
    subprocess.run([*MAVEN, "-f", pom, PLUGIN + "copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"], check=True)


def copy_jars_of(name, parts, work):
    """The same for parts ("group:artifact:version"), into work/libs."""
    wanted = "".join("<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>\n".format(*part.split(":")) for part in parts)
    pom = os.path.join(work, "pom.xml")
    with open(pom, "w") as f:
        f.write("<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\n<groupId>logboom.tests</groupId>"
                f"<artifactId>{name}</artifactId><version>1</version><dependencies>\n{wanted}</dependencies></project>\n")
    copy_jars(pom, os.path.join(work, "libs"))


def copy_artifact(artifact, folder):
    """One file, without what it needs."""
    subprocess.run([*MAVEN, PLUGIN + "copy", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"], check=True, cwd=folder)
