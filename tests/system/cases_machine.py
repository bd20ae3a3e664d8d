"""The machine under the program: power cuts, failing write-back, kill at each system call, failing malloc, small limits."""
import contextlib
import os
import random
import shutil
import signal
import subprocess
import time

from faults import faults, long
from oracle import Lines, append, check_audit, count_lines, exports, oracle, read, stored_lines, wait_lines, write
from product import Failure, NotRun, check, tool

# What changes files. The n-th of each is where the program is killed.
WRITES = ("pwrite64", "fdatasync,fsync", "rename,renameat,renameat2", "unlink,unlinkat", "ftruncate", "openat")


def fresh(home):
    shutil.rmtree(home.data, ignore_errors=True)


def killed_at(home, calls, n):
    """An import that is killed at the n-th of the calls; False when it ended before."""
    done = subprocess.run([tool("strace"), "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={calls}:signal=KILL:when={n}",
                           home.binary, "--data", home.data, "import", home.log("a.log"), home.log("b.log")], env=home.env, capture_output=True, timeout=120)
    return done.returncode != 0


def kill_at_calls(home, numbers):
    one, two = Lines("one"), Lines("two")
    write(home.log("a.log"), one.next(400))
    write(home.log("b.log"), two.next(7000))
    contents = [read(home.log("a.log")), read(home.log("b.log"))]
    kills = 0
    for calls in WRITES:
        for n in numbers:
            fresh(home)
            if not killed_at(home, calls, n):
                break
            kills += 1
            home.run("import", home.log("a.log"), home.log("b.log"))
            try:
                oracle(home, one.made + two.made, contents)
            except Failure as failure:
                raise Failure(f"killed at call {n} of {calls}: {failure}") from None
    return kills


@faults("A2")
def test_killed_at_some_system_calls(home):
    """Killed at the 1st, 2nd, 3rd, 5th, ... call that changes a file: the next import finishes, nothing missing, nothing twice."""
    kills = kill_at_calls(home, (1, 2, 3, 5, 8, 13, 21, 34))
    check(kills >= 15, f"only {kills} kills")


@long
@faults("A2", "S1")
def test_killed_at_each_system_call(home):
    """The same at every call until none is left."""
    kills = kill_at_calls(home, range(1, 100_000))
    check(kills >= 40, f"only {kills} kills")


@faults("A11")
def test_deleted_while_down(home):
    """A file is appended to and deleted while the program is down: a gap with cause and range, the other lines stay."""
    lines, path = Lines(), home.log("a.log")
    append(path, lines.next(20))
    up = home.start(home.logs)
    wait_lines(home, 20)
    home.stop(up)
    size = os.path.getsize(path)
    kept = list(lines.made)
    up = home.start(home.logs)               # learns of the growth, is killed before it can read all of it
    home.freeze(up)
    append(path, lines.next(20))
    home.kill(up)
    os.unlink(path)
    up = home.start(home.logs)
    home.wait_until(lambda: home.caught_up(), "it comes to rest")
    time.sleep(1)
    home.stop(up)
    check(sorted(stored_lines(home))[:20] == sorted(kept), "the lines of before are there")
    audit = home.run("audit", code=None)
    if len(stored_lines(home)) == 20 and audit.returncode == 0:
        check(home.json("sources")[0]["position"] == size, "nothing of the lost bytes was ever seen: the ledger ends where the program stood")
    else:
        check(b"vanished" in audit.stdout, f"the gap is named: {audit.stdout!r}")


@contextlib.contextmanager
def cgroup_of(megabytes):
    """A memory cgroup (either version); gives what puts a child into it."""
    for base, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
        if os.path.exists(os.path.join(base, "memory.limit_in_bytes" if "memory" in base else "cgroup.controllers")):
            break
    else:
        raise NotRun("there is no memory cgroup")
    path = os.path.join(base, f"logboom-test-{os.getpid()}")
    try:
        os.mkdir(path)
        write(os.path.join(path, limit), str(megabytes << 20).encode())
    except OSError as error:
        raise NotRun(f"cannot make a memory cgroup: {error}") from None
    try:
        yield path
    finally:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                os.rmdir(path)
                break
            except OSError:
                time.sleep(0.1)


@faults("A20")
def test_memory_cgroup(home):
    """64 MB for the whole process, page cache of its own included, and 60 MB of logs: it is not killed, nothing is lost."""
    for n in range(3):
        home.run("generate", os.path.join(home.logs, str(n)), "--format", "app", "--bytes", "20MB", "--seed", str(n), "--quiet")
    paths = [home.log(f"{n}/app-0.log") for n in range(3)]
    with cgroup_of(64) as group:
        up = home.start(home.logs, "--limits.memory", "16MB", "--logs.query_memory", "8MiB",
                        wrap=["sh", "-c", f"echo $$ > {group}/cgroup.procs && exec \"$@\"", "sh"])
        wait_lines(home, sum(read(p).count(b"\n") for p in paths), seconds=300)
        home.wait_until(home.caught_up, "everything is durable")
        home.stop(up)
    lines = [line + b"\n" for p in paths for line in read(p).split(b"\n")[:-1]]
    check(count_lines(home) == len(lines), "each line once")
    have = exports(home)
    check(all(read(p) in have for p in paths), "the exports are byte-equal")
    check_audit(home)


def cut_power(home, image, rng, lines, rounds):
    """Stops the program at random moments, copies the image as the disk is then, and goes on from the copy."""
    for n in range(rounds):
        up = home.start(home.logs)
        for _ in range(rng.randint(1, 12)):
            append(home.log(f"f{rng.randrange(3)}.log"), lines.next(rng.randint(1, 400)))
            time.sleep(rng.uniform(0, 0.08))
        acknowledged = home.count()
        home.freeze(up)
        shutil.copyfile(image, image + ".cut")
        home.kill(up)
        home.unmount(home.data)
        os.rename(image + ".cut", image)
        home.mount_image(image, home.data)
        check(count_lines(home, code=None) >= max(acknowledged, 0), f"round {n}: {acknowledged} lines were acknowledged, {count_lines(home, code=None)} are left after the cut")


@faults("S3", "A3")
def test_power_cuts(home):
    """The store lies on ext4 in an image; its copy at a random moment is the disk after a power cut. What was acknowledged is there, the rest is read again."""
    image, lines, rng = os.path.join(home.root, "disk.img"), Lines(), random.Random(5)
    home.image(image, 200 << 20, home.data)
    cut_power(home, image, rng, lines, 4)
    finish(home, lines)


@long
@faults("S3", "A3")
def test_many_power_cuts(home):
    """The same forty times, one after the other on the same store."""
    image, lines, rng = os.path.join(home.root, "disk.img"), Lines(), random.Random(6)
    home.image(image, 200 << 20, home.data)
    cut_power(home, image, rng, lines, 40)
    finish(home, lines)


def finish(home, lines):
    up = home.start(home.logs)
    wait_lines(home, len(lines.made), seconds=300)
    home.wait_until(home.caught_up, "everything is durable")
    home.stop(up)
    oracle(home, lines.made, [read(home.log(n)) for n in sorted(os.listdir(home.logs))])


@faults("S5")
def test_write_back_fails(home):
    """The image under the store lies on a tmpfs that is too small for it: writes succeed and the write-back fails. Nothing acknowledged is lost, and it goes on when the disk is whole again."""
    outer, lines = os.path.join(home.root, "outer"), Lines()
    home.mount_tmpfs(outer, "size=12m,mode=700")
    image = os.path.join(outer, "disk.img")
    home.image(image, 200 << 20, home.data)
    up = home.start(home.logs, "--logs.retention.size", "0")
    append(home.log("f0.log"), lines.next(200))
    wait_lines(home, 200)
    rng = random.Random(9)
    noise = b"".join(b"2026-11-20 10:00:00 INFO noise %s\n" % rng.randbytes(60).hex().encode() for _ in range(300_000))
    write(home.log("noise.log"), noise)
    home.wait_until(lambda: up.poll() is not None or "rror" in home.up_log() or "acknowledges nothing" in home.up_log(), "the failing disk is noticed", 300)
    acknowledged = home.count('"of the test"')
    home.kill(up)
    home.unmount(home.data)
    home.remount_tmpfs(outer, "size=400m")
    subprocess.run(["fsck.ext4", "-p", "-f", image], capture_output=True)
    home.mount_image(image, home.data)          # what the kernel had only in memory is gone
    check(count_lines(home, '"of the test"', code=None) >= max(acknowledged, 0), "what was acknowledged is there")
    up = home.start(home.logs, "--logs.retention.size", "0")
    append(home.log("f0.log"), lines.next(50))
    wait_lines(home, 250, '"of the test"', 300)
    wait_lines(home, 250 + 300_000, seconds=300)
    home.wait_until(home.caught_up, "everything is durable")
    home.stop(up)
    check(sorted(stored_lines(home, '"of the test"')) == sorted(lines.made), "each line once")
    check(home.export(home.log("noise.log")) == noise, "the export is byte-equal")
    check_audit(home)


@contextlib.contextmanager
def inotify_limit(name, value):
    """Of this user; put back at the end."""
    path = f"/proc/sys/fs/inotify/{name}"
    before = read(path)
    try:
        write(path, str(value).encode())
    except OSError as error:
        raise NotRun(f"cannot change {path}: {error}") from None
    try:
        yield
    finally:
        write(path, before)


def grow_in_many_folders(home, folders):
    lines = Lines()
    for n in range(folders):
        os.mkdir(home.log(f"d{n}"))
        write(home.log(f"d{n}/a.log"), lines.next(2))
    up = home.start(home.logs)
    wait_lines(home, len(lines.made), seconds=300)
    for _ in range(3):
        for n in range(folders):
            append(home.log(f"d{n}/a.log"), lines.next(1))
    wait_lines(home, len(lines.made), seconds=300)
    return lines, up


@faults("A19")
def test_inotify_watches_used_up(home):
    """Fewer watches than folders: it says so, and reads the others by looking."""
    with inotify_limit("max_user_watches", 20):
        lines, up = grow_in_many_folders(home, 60)
        check("inotify" in home.up_log() or "watch" in home.up_log(), f"it says so: {home.up_log()[-500:]!r}")
        home.stop(up)
    oracle(home, lines.made)


@faults("A19")
def test_inotify_queue_overflows(home):
    """A queue of two events while 200 files rotate: what was missed is found by looking."""
    with inotify_limit("max_queued_events", 2):
        lines = Lines()
        for n in range(200):
            write(home.log(f"f{n}.log"), lines.next(2))
        up = home.start(home.logs)
        wait_lines(home, len(lines.made), seconds=300)
        for n in range(200):
            append(home.log(f"f{n}.log"), lines.next(1))
            os.rename(home.log(f"f{n}.log"), home.log(f"f{n}.log.1"))
            write(home.log(f"f{n}.log"), lines.next(1))
        wait_lines(home, len(lines.made), seconds=300)
        home.stop(up)
    oracle(home, lines.made)


@faults("A19")
def test_descriptors_are_asked_for(home):
    """The soft limit of descriptors is raised to what the system allows."""
    up = home.start(home.logs, wrap=("prlimit", "--nofile=256:4096"))
    with open(f"/proc/{up.pid}/limits") as f:
        [row] = [line.split() for line in f if line.startswith("Max open files")]
    check(row[3] == "4096", f"all are asked for: {row}")
    home.stop(up)


@faults("A19")
def test_fewer_descriptors_than_files(home):
    """300 files that grow and are rotated, 96 descriptors for the whole program, host metrics on: every line comes."""
    files = [Lines(tag=f"f{n}") for n in range(300)]
    up = home.start(home.logs, wrap=("prlimit", "--nofile=96:96"))
    for turn in range(6):
        for n, lines in enumerate(files):
            append(home.log(f"f{n}.log"), lines.next(2))
        for n in range(0, 300, 3):
            if turn % 2:
                os.rename(home.log(f"f{n}.log"), home.log(f"f{n}.log.{turn}"))
    wait_lines(home, sum(len(lines.made) for lines in files), seconds=300)
    home.stop(up)
    oracle(home, [line for lines in files for line in lines.made])


SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <errno.h>
#include <unistd.h>
/* The n-th malloc of more than LEAST bytes after the file FAIL_WHEN exists gives nothing. */
static atomic_long left = -1;
static void *(*real)(size_t);
void *malloc(size_t size) {
  if (!real) real = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
  if (size >= 256) {
    if (atomic_load(&left) < 0 && access(getenv("FAIL_WHEN") ? getenv("FAIL_WHEN") : "/nonexistent", F_OK) == 0) atomic_store(&left, atol(getenv("FAIL_AT")));
    if (atomic_load(&left) > 0 && atomic_fetch_sub(&left, 1) == 1) { errno = ENOMEM; return 0; }
  }
  return real(size);
}
"""


def failing_malloc(home, numbers):
    """Requests and lines while the n-th malloc fails. The program lives and serves on, or ends by itself (abort, never a crash), and after its next start no line
    is lost or repeated. Returns where it ended."""
    source, shim, trigger = (os.path.join(home.root, name) for name in ("shim.c", "shim.so", "now"))
    write(source, SHIM.encode())
    if subprocess.run([tool("cc"), "-O1", "-shared", "-fPIC", "-o", shim, source, "-ldl"], capture_output=True).returncode != 0:
        raise NotRun("the shim does not compile")
    lines, died = Lines(), []
    append(home.log("a.log"), lines.next(3000))
    for n in numbers:
        if os.path.exists(trigger):
            os.unlink(trigger)
        up = home.start(home.logs, env=dict(home.env, LD_PRELOAD=shim, FAIL_WHEN=trigger, FAIL_AT=str(n)))
        wait_lines(home, len(lines.made))
        write(trigger, b"")
        for query in ("line", "of the test", "/l.ne 1/"):
            home.count(query)
        append(home.log("a.log"), lines.next(20))
        time.sleep(0.1)
        # Dying takes a moment in which nobody is answered.
        home.wait_until(lambda: up.poll() is not None or home.count() >= 0, f"after the malloc number {n} it answers, or has ended")
        if up.poll() is not None:
            check(up.returncode == -signal.SIGABRT, f"at the malloc number {n} it ended with {up.returncode}:\n{home.up_log()[-2000:]}")
            died.append(n)
            home.running.remove(up)
            continue
        home.kill(up)
    finish(home, lines)
    return died


@faults("Q4")
def test_malloc_fails_now_and_then(home):
    """A few places at which a malloc fails while requests are answered and lines are stored."""
    failing_malloc(home, (1, 2, 5, 11, 19))


@long
@faults("Q4")
def test_malloc_fails(home):
    """The n-th malloc fails, n = 1 to 60: the program ends at a few of them only."""
    died = failing_malloc(home, range(1, 61))
    check(len(died) <= 12, f"it ended at the malloc number: {died}")
