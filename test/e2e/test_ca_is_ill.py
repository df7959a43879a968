"""The only CA is out of order when somebody wants a first certificate: the page says what is waited for, and it goes on by itself."""

import re

from fake_ca import FakeCa
from servers import until
from test_cli import Local
from world import World


def test_what_a_first_certificate_waits_for(tmp_path):
    def fake(made):
        return FakeCa(made.folder / "ca", address=made.address, http_port=made.nginx.http_port, dns=made.dns.forwarder)

    def breaker():
        return made.koshin.json("ca", "list")["cas"][0]["breaker"]

    def page(name):
        status, _, document = Local(made).ask("GET", f"/api/v1/sites/{name}/page")
        assert status == 200
        return document

    made = World(life=3600, make_ca=fake, acme={"timeout": "2 s"})
    try:
        assert made.site("yoi.jp").add().until_served().is_valid
        made.ca.say("stop")
        # Those whose own orders fail have a cause, by which it is known to be ill.
        for n in range(6):
            made.site(f"saki{n}.jp").add()
        until("the CA is known to be ill", lambda: breaker() != "closed", 60)
        site = made.site("ato.jp").add()
        shown = page(site.name)
        assert shown["site"]["state"] == "issuing" and shown["site"]["cause"] is None, shown["site"]
        # One whose own order failed there waits for the same.
        assert page("saki0.jp")["site"]["headline"]["en"].endswith("(waiting for the issuer of certificates)"), page("saki0.jp")["site"]
        lines = {line["row"]: line["text"] for line in shown["lines"]}
        assert shown["site"]["headline"]["ja"] == "ato.jp に鍵マークを付ける準備をしています(証明書の発行元の応答を待っています)"
        assert "waiting for the issuer" in shown["site"]["headline"]["en"]
        assert "発行する会社が" in lines["cause"]["ja"] and "お客さまの設定が原因ではありません" in lines["cause"]["ja"], lines
        assert re.search(r"not been answering as it should since \w+, \d+ \w+ \d{4} ", lines["cause"]["en"]), lines
        assert "the issuer is asked again" in lines["next_look"]["en"], lines
        made.ca.say("start")
        assert site.until_served(seconds=120).is_valid
        until("nothing is waited for", lambda: "waiting" not in page(site.name)["site"]["headline"]["en"], 20)
    finally:
        made.stop()
