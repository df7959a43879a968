"""The servers that the other tests stand on, by themselves."""

import smtplib
import time

import dns.message
import dns.query
import pytest

from mailbox_server import Mailbox
from servers import Dns, Elsewhere, Failed, Nginx, Pebble, handshake, http_get, make_certificate, new_address, until
from servers import key_pem, pem


def ask(server, name, rtype):
    answer = dns.query.udp(dns.message.make_query(name, rtype), server.address, port=server.port, timeout=2)
    return answer.rcode(), sorted(str(record) for rrset in answer.answer for record in rrset)


def test_dns_changes_live(tmp_path):
    server = Dns(tmp_path, new_address())
    try:
        server.add_zone("example.jp")
        assert ask(server, "example.jp", "A") == (0, [])
        server.set("example.jp", "A", "192.0.2.1", "192.0.2.2")
        assert ask(server, "example.jp", "A") == (0, ["192.0.2.1", "192.0.2.2"])
        server.remove("example.jp", "A")
        assert ask(server, "example.jp", "A") == (0, [])
        assert ask(server, "nobody.jp", "A")[0] == 3
        assert ask(server, "jp", "CAA") == (0, [])
    finally:
        server.stop()


def test_ca_web_server_and_visitor(tmp_path):
    tmp_path.chmod(0o711)
    address = new_address()
    nginx = Nginx(tmp_path, address)
    names = Dns(tmp_path, address)
    ca = Pebble(tmp_path, address, names.endpoint, nginx.http_port, nginx.https_port, 120)
    try:
        assert "BEGIN CERTIFICATE" in ca.roots.read_text()
        assert ca.issued() == 0
        with pytest.raises(OSError):
            handshake("example.jp", address, nginx.https_port, ca.roots)
        assert http_get("example.jp", address, nginx.http_port)[0] == 404
        key, leaf = make_certificate("self-signed", None, None, ["example.jp"])
        (tmp_path / "x.pem").write_bytes(pem(leaf))
        (tmp_path / "x.key").write_bytes(key_pem(key))
        nginx.extra.write_text(
            f"server {{ listen {address}:{nginx.https_port} ssl; server_name example.jp;"
            f" ssl_certificate {tmp_path}/x.pem; ssl_certificate_key {tmp_path}/x.key; }}\n"
        )
        nginx.reload()
        shown = until("the handshake", lambda: handshake("example.jp", address, nginx.https_port, ca.roots))
        assert shown.names == ["example.jp"]
        assert not shown.is_valid and "self" in shown.error
    finally:
        for server in (ca, names, nginx):
            server.stop()


def test_mail_is_kept_refused_and_shown(tmp_path):
    box = Mailbox(tmp_path, new_address())
    try:
        box.refuse("gone@example.jp")
        with smtplib.SMTP(box.address, box.smtp_port, timeout=5) as client:
            client.sendmail("k@host.example", ["a@example.jp"], "Subject: <b>one</b>\r\nMessage-ID: <1@x>\r\n\r\n.dot\r\n")
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                client.sendmail("k@host.example", ["gone@example.jp"], "Subject: two\r\n\r\n")
        letter = box.wait_for("the letter", lambda x: x.to == "a@example.jp")
        assert (letter.message_id, letter.text.strip()) == ("<1@x>", ".dot")
        status, _, body = http_get("localhost", box.address, box.page_port)
        assert status == 200 and b"&lt;b&gt;one" in body
        assert b".dot" in http_get("localhost", box.address, box.page_port, "/1")[2]
        with pytest.raises(Failed):
            box.wait_for("no letter", lambda x: x.to == "gone@example.jp", seconds=0.1)
    finally:
        box.stop()


def test_another_company_answers_nothing_of_ours(tmp_path):
    nginx = Nginx(tmp_path, new_address())
    other = Elsewhere(tmp_path, nginx.http_port)
    try:
        assert http_get("x.example", other.address, nginx.http_port)[0] == 404
    finally:
        other.stop()
        nginx.stop()


def test_what_does_not_come_is_said():
    begun = time.monotonic()
    with pytest.raises(Failed, match="rain: not within 0.2 s"):
        until("rain", lambda: False, 0.2)
    assert time.monotonic() - begun < 2
