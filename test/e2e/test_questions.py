"""Answers to letters, as mail servers hand them over: questions for support, answers by mail, and letters that come back."""

import email.message
import email.mime.message
import email.mime.multipart
import email.mime.text
import email.policy

import pytest

from servers import until
from world import World


@pytest.fixture(scope="module")
def world():
    made = World(life=3600)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def site(world):
    """www has no record: its owner got a letter that says so."""
    made = world.site("shitsumon.jp", "www.shitsumon.jp", records=["shitsumon.jp"]).add()
    made.until_letter(1)
    return made


def mail(sender, letter, text, charset="utf-8", **headers):
    made = email.message.EmailMessage(policy=email.policy.SMTP)
    made["From"] = f"Hana <{sender}>"
    made["To"] = "koshin@host.example"
    made["Subject"] = "Re: " + letter.subject
    made["Message-ID"] = f"<{abs(hash(text))}@phone.example>"
    made["In-Reply-To"] = letter.message_id
    made["References"] = f"{letter.references} {letter.message_id}"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text, charset=charset, cte="7bit" if charset.startswith("iso") else "base64")
    return made.as_bytes().decode("ascii")


def receive(world, raw):
    return world.koshin.run("mail", "receive", stdin=raw)


def inbox(world, *more):
    return world.koshin.json("question", "list", *more)["questions"]


def test_an_answer_to_a_letter_becomes_a_question(world, site):
    letter = site.letters()[-1]
    raw = mail(site.owner, letter, "どの画面で直せばいいですか?\n\n> 引用", charset="iso-2022-jp")
    receive(world, raw)
    (row,) = inbox(world)
    assert (row["site"], row["writer"], row["state"]) == (site.name, site.owner, "open")
    assert row["cause"] == "dns.address.partly-missing" and row["subject"].startswith("Re: ")
    # Its mail server was not heard, and delivers it again.
    receive(world, raw)
    assert len(inbox(world)) == 1
    shown = world.koshin.json("question", "show", row["id"])
    assert shown["messages"][0]["text"] == "どの画面で直せばいいですか?\n\n> 引用"
    assert "www.shitsumon.jp" in shown["drafted"] and world.address in shown["drafted"], "the answer with the value to enter"
    said = world.koshin.run("question", "show", row["id"], "--lang", "ja").stdout
    assert "どの画面で直せばいいですか" in said and "回答の下書き" in said
    assert "question" in site.kinds()


def test_support_answers_and_the_thread_goes_on(world, site):
    (row,) = inbox(world)
    before = len(site.letters())
    world.koshin.run("question", "answer", row["id"], "--by", "Suzuki", stdin="お使いのDNSの画面です。\n2行目です。\n")
    answer = site.until_letter(before + 1)[-1]
    assert "お使いのDNSの画面です。\n2行目です。" in answer.text.replace("\r\n", "\n")
    assert answer.headers["in-reply-to"].endswith("@phone.example>"), "in the thread of the question"
    assert answer.subject.startswith("Re: ") and not answer.subject.startswith("Re: Re:")
    assert inbox(world) == []
    # And asks again, in answer to the answer.
    receive(world, mail(site.owner, answer, "ありがとう。もうひとつ。"))
    (again,) = inbox(world)
    assert again["id"] == row["id"] and len(world.koshin.json("question", "show", row["id"])["messages"]) == 3
    world.koshin.run("question", "close", row["id"])
    assert inbox(world) == [] and [q["id"] for q in inbox(world, "--all")] == [row["id"]]


def test_a_stranger_learns_nothing_of_a_site(world, site):
    """Message-IDs can be guessed; a question belongs to a site only where the letter went to its writer."""
    letter = site.letters()[0]
    receive(world, mail("mallory@evil.example", letter, "What is wrong with it?"))
    (row,) = inbox(world)
    assert row["site"] is None and row["cause"] is None
    shown = world.koshin.json("question", "show", row["id"])
    assert shown["drafted"] == "" and site.kinds().count("question") == 2
    world.koshin.run("question", "answer", row["id"], stdin="We do not know you.\n")
    (to_stranger,) = until("the answer is sent", lambda: world.mail.letters(to="mallory@evil.example"))
    assert "shitsumon" not in to_stranger.text


def test_a_letter_comes_back(world, site):
    letter = site.letters()[0]
    report = email.mime.multipart.MIMEMultipart("report", report_type="delivery-status")
    report["From"] = "MAILER-DAEMON@mx.example"
    report["Message-ID"] = "<bounce-1@mx.example>"
    report["Return-Path"] = "<>"
    report.attach(email.mime.text.MIMEText("I am sorry."))
    status = email.message.Message()
    status["Final-Recipient"] = f"rfc822; {site.owner}"
    status["Action"] = "failed"
    status["Status"] = "5.1.1"
    status["Diagnostic-Code"] = "smtp; 550 no such user"
    fields = email.message.Message()
    fields["Reporting-MTA"] = "dns; mx.example"
    part = email.mime.multipart.MIMEBase("message", "delivery-status")
    part.set_payload([fields, status])
    report.attach(part)
    report.attach(email.mime.message.MIMEMessage(email.message_from_bytes(letter.raw)))
    receive(world, report.as_string())
    came_back = [row for row in world.koshin.json("site", "history", site.name, "--letters")["letters"] if row["state"] == "bounced"]
    assert [row["message_id"] for row in came_back] == [letter.message_id.strip("<>")]
    assert came_back[0]["bounce"] == "5.1.1 550 no such user"
    assert "letter-bounced" in site.kinds() and inbox(world) == []


def test_nobody_is_answered_who_did_not_write(world, site):
    letter = site.letters()[0]
    receive(world, mail(site.owner, letter, "I am away until May.", Auto_Submitted="auto-replied"))
    assert inbox(world) == []


def test_what_a_mail_server_hears(world, site):
    """Rubbish is refused for good; while the daemon is away, it shall try again."""
    assert world.koshin.run("mail", "receive", stdin="no mail\n", status=65).stderr.strip() != ""
    letter = site.letters()[0]
    raw = mail(site.owner, letter, "Is anybody there?")
    world.koshin.stop()
    world.koshin.run("mail", "receive", stdin=raw, status=75)
    world.koshin.start()
    receive(world, raw)
    assert len(inbox(world)) == 1
    assert world.koshin.doctor()


def test_letters_have_a_page_too(site):
    message = email.message_from_bytes(site.letters()[0].raw, policy=email.policy.default)
    page = message.get_body(preferencelist=("html",)).get_content()
    assert "<table" in page and "<script" not in page and "src=" not in page
