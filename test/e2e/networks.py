"""Networks of their own: two of the kernel's network namespaces, joined by one cable, and a packet filter in the far one. What is dropped
there is dropped without a word, as a firewall of a provider or a broken way on the Internet does it. No traffic leaves them, and they
are gone with the process that made them."""

import contextlib
import ctypes
import os
import subprocess
import threading

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)

NEEDS = "this test needs network namespaces: run it as root, in a container with CAP_SYS_ADMIN and CAP_NET_ADMIN"


def _call(function, *arguments):
    if function(*arguments) != 0:
        error = ctypes.get_errno()
        raise AssertionError(f"{NEEDS} ({function.__name__}: {os.strerror(error)})")


class Network:
    """A network namespace. Whoever is `inside` opens sockets there, and so do the processes and threads that are begun meanwhile."""

    def __init__(self):
        self.fd = None
        failure = []

        def make():  # a thread has a namespace of its own, and leaves it behind when it ends
            try:
                _call(_libc.unshare, CLONE_NEWNET)
                self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            except (AssertionError, OSError) as error:
                failure.append(error)

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if failure:
            raise failure[0]
        self.ip("link set lo up")

    @property
    def path(self):
        return f"/proc/{os.getpid()}/fd/{self.fd}"

    @contextlib.contextmanager
    def inside(self):
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _call(_libc.setns, self.fd, CLONE_NEWNET)
            try:
                yield self
            finally:
                _call(_libc.setns, before, CLONE_NEWNET)
        finally:
            os.close(before)

    def _run(self, argv, text=None):
        with self.inside():
            done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            raise AssertionError(f"{NEEDS} ({' '.join(argv)}: {done.stderr.strip()})")

    def ip(self, words):
        self._run(["ip", *words.split()])

    def join(self, other):
        """A cable from here to there; addresses of both are put on it."""
        self.ip(f"link add cable type veth peer name cable netns {other.path}")
        for end in (self, other):
            end.ip("link set cable up")

    def add(self, *addresses):
        """address/bits, of either family; the first one is what connections come from."""
        for address in addresses:
            self.ip(f"{'-6 ' if ':' in address else ''}addr add {address} dev cable{' nodad' if ':' in address else ''}")

    def may_bind_to_any(self):
        """Programs here may bind to addresses that are not theirs: so a server's own test of its configuration passes from here too."""
        with self.inside():
            for family in ("ipv4", "ipv6"):
                with open(f"/proc/sys/net/{family}/ip_nonlocal_bind", "w", encoding="ascii") as setting:
                    setting.write("1\n")

    def drop(self, rules):
        """What matches one of these rules is dropped: "in" (as it comes from the cable, in its pieces) or "out", and what
        nftables matches. They take the place of those of before."""
        chains = "".join(
            f"chain {side} {{ type filter hook {hook}; policy accept;\n{''.join(f'{rule} drop' + chr(10) for where, rule in rules if where == side)}}}\n"
            for side, hook in (("in", "prerouting priority raw"), ("out", "output priority raw"))
        )
        self._run(["nft", "-f", "-"], f"add table inet silence\ndelete table inet silence\ntable inet silence {{\n{chains}}}\n")

    def close(self):
        os.close(self.fd)
