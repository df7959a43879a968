"""The judges: pebble and the fake CA are asked for a name by real ACME, with a client that shares nothing with koshin. They look through a
resolver of their own at the same DNS, and at the same web servers."""

import concurrent.futures
import dataclasses
import threading

import acme_raw
import servers

ASKED_AT_ONCE = 24
OPEN = ("pending", "processing")


@dataclasses.dataclass(frozen=True)
class Verdict:
    has_passed: bool
    words: str  # of the refusal


class Judge:
    """One CA and one account with it; each thread has a connection of its own."""

    def __init__(self, ca, account):
        self.ca, self.account = ca, account
        self._here = threading.local()

    def _mine(self):
        if not hasattr(self._here, "account"):
            mine = acme_raw.Account.__new__(acme_raw.Account)
            mine.client, mine.key, mine.url = acme_raw.Client(self.ca.directory, self.ca.bundle), self.account.key, self.account.url
            self._here.account = mine
        return self._here.account

    def ask(self, name):
        account = self._mine()
        order = account.order(name)
        assert order.status == 201, order
        url = order.json["authorizations"][0]
        challenge = next((c for c in account.get(url).json["challenges"] if c["type"] == "http-01"), None)
        if challenge is None:
            return Verdict(False, "http-01 is not offered")
        account.post(challenge["url"], {})
        authorization = servers.until(
            f"{name} is judged", lambda: (a := account.get(url).json)["status"] not in OPEN and a, seconds=60, every=0.2
        )
        error = next((c["error"] for c in authorization["challenges"] if "error" in c), None)
        return Verdict(authorization["status"] == "valid", error["detail"] if error else "")


def ask_all(lab, rows, hopeful):
    """What each judge says: name -> judge -> verdict. `hopeful`: names that are expected to pass."""
    judges = {"pebble": Judge(lab.pebble, lab.account), "fake": Judge(lab.ca, lab.account_at(lab.ca))}

    def ask(pair):
        name, who = pair
        verdict = judges[who].ask(name)
        # pebble gives DNS two seconds, which a busy machine may need for something else.
        return judges[who].ask(name) if name in hopeful and "i/o timeout" in verdict.words else verdict

    pairs = [(row.name, who) for row in rows for who in judges]
    verdicts = {row.name: {} for row in rows}
    with concurrent.futures.ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        for (name, who), verdict in zip(pairs, pool.map(ask, pairs)):
            verdicts[name][who] = verdict
    return verdicts
