"""What one look at a name costs: DNS, every name server, the challenge over HTTP, the handshake.

The laboratory of the tests (test/e2e/lab), with the few names that are needed here. Against it, the same questions by hand: `dig` for
each record and each name server, `openssl s_client` for the handshake, one after the other, as somebody would type them.
"""

import collections
import contextlib
import json
import resource
import socket
import ssl
import statistics
import subprocess
import threading
import time

import servers
from figures import ROOT, CannotMeasure, Goal, line
from ground import resident_mib
from lab import laboratory, webs
from lab.table import Row

LOOKS = 20
SITES = 500  # of two names each: as many as the engine has open at one time (LIMIT_CHECKS_OPEN)
DEADLINE_S = 10
TIMEOUT_S = 3
SHAKES_AFTER_S = 2

HEALTHY = Goal(150.0, "who presses a button takes an answer that comes within a sixth of a second for immediate")
DEAD = Goal(DEADLINE_S + 0.05, "a check ends at its deadline, whatever is not there; 50 ms for the machine to notice")
BESIDE = Goal(TIMEOUT_S + 0.1, "a page or a list that does not come makes no look longer than a dead address would; 100 ms for DNS before it")
MEMORY = Goal(64.0, "the smallest machines on sale have 512 MiB; no process takes more than an eighth of that")

ROWS = (
    Row("well.jp", "nginx of ours", tls={"ours": "right"}),
    Row("full.jp", "lets nobody in", zone=("@ A {full}",)),
    Row("deaf.jp", "no name server answers", ns=("deaf",)),
    Row("slow.jp", "slow to shake hands, and its page never comes", zone=("@ A {twin}",)),
    Row("many.jp", "every name below it", zone=("@ A {ours}", "* A {ours}")),
)


def cpu_ms():
    """Of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1000


def wall_ms(*argv):
    begun = time.monotonic()
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return (time.monotonic() - begun) * 1000, done


def look_by_hand(lab, name):
    """Milliseconds of `dig` and `openssl s_client`, asking what a check asks."""
    def dig(server, *words):
        took, done = wall_ms("dig", "+tries=1", "+time=5", "-p", lab.dns_port, f"@{lab.at[server]}", *words)
        if done.returncode != 0:
            raise CannotMeasure(f"dig {' '.join(words)}: {done.stdout}{done.stderr}")
        return took

    names = sum(dig("resolver", name, rtype) for rtype in ("A", "AAAA", "CAA"))
    names += dig("above", name, "NS")
    names += sum(dig(server, name, rtype) for server in ("first", "second") for rtype in ("A", "AAAA", "CAA"))
    there = f"{lab.at['ours']}:{lab.https_port}"
    shown, done = wall_ms("openssl", "s_client", "-connect", there, "-servername", name, "-CAfile", lab.folder / "roots.pem", "-brief")
    if "Verification: OK" not in done.stdout + done.stderr:
        raise CannotMeasure(f"openssl s_client: {done.stdout}{done.stderr}")
    return names, shown


class Driver:
    """test/peer/probe_driver: the real probe in one process, a job for each line."""

    def __init__(self, lab, timeout_s, deadline_s):
        program = ROOT / "build" / "test" / "peer" / "probe_driver"
        if subprocess.run(["make", "-s", program.relative_to(ROOT)], cwd=ROOT, stdin=subprocess.DEVNULL).returncode != 0:
            raise CannotMeasure("the driver of the probe could not be built")
        options = [
            "--ours", lab.at["ours"], "--ours", lab.at["twin"], "--allow", lab.allowed[0], "--forwarder", lab.resolver.forwarder, "--anchor", lab.anchor,
            "--roots", lab.folder / "roots.pem", "--http", lab.http_port, "--https", lab.https_port, "--thumbprint", lab.thumbprint,
            "--timeout", timeout_s * 1000, "--deadline", deadline_s * 1000,
        ]  # fmt: skip
        self.child = subprocess.Popen(
            [program, *map(str, options)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def ask(self, *jobs):
        """The answers to jobs, each a list of names; all under way at once."""
        self.child.stdin.write("".join(f"dns,http,tls {' '.join(names)}\n" for names in jobs))
        self.child.stdin.flush()
        return [json.loads(self.child.stdout.readline()) for _ in jobs]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.child.stdin.close()
        self.child.wait(60)


def measure_one(lab):
    config = lab.koshin.config_file
    times, digs, shows, cpu, cpu_by_hand = [], [], [], 0.0, 0.0
    for _ in range(LOOKS):
        begun = cpu_ms()
        took, done = wall_ms(lab.koshin.binary, "check", "well.jp", "--json", "-c", config)
        if done.returncode != 0:
            raise CannotMeasure(f"koshin check: {done.stdout}{done.stderr}")
        times.append(took)
        between = cpu_ms()
        cpu += between - begun
        names, shown = look_by_hand(lab, "well.jp")
        digs.append(names)
        shows.append(shown)
        cpu_by_hand += cpu_ms() - between
    by_hand = statistics.median(digs) + statistics.median(shows)
    yield line("check.healthy", statistics.median(times), "ms", "dig and openssl s_client by hand", by_hand, HEALTHY)
    yield line("check.healthy.best", min(times), "ms", "the best by hand", min(digs) + min(shows), None)
    yield line("check.cpu", cpu / LOOKS, "ms", "by hand", cpu_by_hand / LOOKS, None)
    yield line("check.dig", statistics.median(digs), "ms", "openssl s_client", statistics.median(shows), None)


def measure_many(driver):
    jobs = [(f"s{n}.many.jp", f"www.s{n}.many.jp") for n in range(SITES)]
    one = driver.ask(jobs[0])[0]["ms"] / 1000
    small = resident_mib(driver.child.pid)
    begun = time.monotonic()
    answers = driver.ask(*jobs)
    took = time.monotonic() - begun
    seen = collections.Counter((n["a"], n["addresses"][0]["http"]["result"] if n["addresses"] else None) for a in answers for n in a["names"])
    if set(seen) != {("OK", "ANSWERED")}:
        raise CannotMeasure(f"of {2 * SITES} names not all were well: {dict(seen)}")
    yield line("check.memory", resident_mib(driver.child.pid), "MiB", "after one site of two names", small, MEMORY)
    yield line("check.many", took, "s", f"{2 * SITES} names; one site of two", one, None)


def measure_dead(driver):
    """Where nobody lets one in, and where no name server answers."""
    for figure, name in (("check.dead.address", "full.jp"), ("check.dead.names", "deaf.jp")):
        took = driver.ask((name,))[0]["ms"] / 1000
        yield line(figure, took, "s", "its deadline", DEADLINE_S, DEAD)


class Slow:
    """Shakes hands after SHAKES_AFTER_S, takes the request for the page, and never answers. Its certificate names a list that is not to be had."""

    def __init__(self, lab):
        key, chain = lab.authority.make("slow.jp", "on no list")
        (lab.authority.lists / "slow.jp.crl").unlink(missing_ok=True)
        files = [lab.folder / f"slow.{end}" for end in ("pem", "key")]
        for file, content in zip(files, (b"".join(servers.pem(c) for c in chain), servers.key_pem(key))):
            file.write_bytes(content)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*files)
        self.end = threading.Event()
        self.listener = socket.create_server((lab.at["twin"], lab.https_port))
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError), connection:
            self.end.wait(SHAKES_AFTER_S)
            with self.context.wrap_socket(connection, server_side=True) as tls:
                tls.recv(4096)
                self.end.wait(60)

    def stop(self):
        self.end.set()
        self.listener.close()


def measure_beside(lab, driver):
    """What is asked after the handshake has no time of its own."""
    slow = Slow(lab)
    try:
        answer = driver.ask(("slow.jp",))[0]
    finally:
        slow.stop()
    (address,) = answer["names"][0]["addresses"]
    if address["tls"]["result"] != "SHOWN" or not address["home"]["http"]["result"].startswith("TIMEOUT"):
        raise CannotMeasure(f"the slow one has not kept its page to itself: {address}")
    yield line("check.slow.page", answer["ms"] / 1000, "s", "the limit of one question", TIMEOUT_S, BESIDE)


def measure():
    lab = laboratory.Laboratory(ROWS)
    try:
        # Names below many.jp show a certificate too, as those of sites do.
        shows = webs.nginx_server(lab, "ours", ".many.jp", lab.certificate(ROWS[4], "right"), "ssl")
        lab.nginx.extra.write_text(lab.nginx.extra.read_text() + shows)
        lab.nginx.reload()
        servers.until("nginx has reloaded", lambda: servers.handshake("www.many.jp", lab.at["ours"], lab.https_port, lab.folder / "roots.pem"))
        yield from measure_one(lab)
        with Driver(lab, DEADLINE_S, DEADLINE_S) as driver:
            yield from measure_dead(driver)
        with Driver(lab, TIMEOUT_S, DEADLINE_S) as driver:
            yield from measure_beside(lab, driver)
        # One resolver and one nginx for all of them, on the same cores: nobody is cut off for their sake.
        with Driver(lab, 60, 180) as driver:
            yield from measure_many(driver)
    finally:
        lab.stop()
