"""Stores that earlier versions wrote are opened and answer as they did (tests/golden/)."""
import glob
import json
import os
import tarfile

from faults import faults
from golden import FOLDER, answers, version_written
from oracle import append, count_lines
from product import check


@faults("S13")
def test_every_format_that_was_written_opens(home):
    """A store of each version: exports by their SHA-256, counts of queries and the audit are those of then, read and written by this program; then it takes new lines."""
    stores = sorted(glob.glob(os.path.join(FOLDER, "store-*.tar.xz")))
    check(any(path.endswith(f"store-{version_written()}.tar.xz") for path in stores), f"version {version_written()} of the format has no golden store: see tests/golden/README.md")
    data = home.data
    for path in stores:
        new = home.log(os.path.basename(path) + ".new")
        home.data = os.path.join(data, os.path.basename(path))
        os.makedirs(home.data)
        with tarfile.open(path) as tar:
            tar.extractall(home.data)
        with open(os.path.join(home.data, "expected.json")) as f:
            expected = json.load(f)
        compare(expected, answers(home), "opened for reading")
        append(new, b"a newcomer\n")
        home.run("import", new)
        check(count_lines(home, "newcomer") == 1, "it takes new lines")
        found = answers(home)
        found["exports"].pop(os.path.basename(new) + " 0 logs")
        found["counts"][""] -= 1
        compare(expected, found, "after an import")


def compare(expected, found, when):
    for part, wanted in expected.items():
        check(found[part] == wanted, f"{when}: {part} are {found[part]}, were {wanted}")
