"""A mail server that keeps what it gets: letters as files, readable as messages, and as a plain web page."""

import asyncio
import email
import email.policy
import html
import pathlib
import threading
import urllib.parse

from servers import Failed, free_port


class Letter:
    def __init__(self, number, to, raw):
        self.number = number
        self.to = to
        self.raw = raw
        message = email.message_from_bytes(raw, policy=email.policy.default)
        self.message_id = str(message["Message-ID"])
        self.references = str(message["References"] or "")
        self.subject = str(message["Subject"])
        self.sender = str(message["From"])
        self.date = str(message["Date"])
        self.headers = {name.lower(): str(value) for name, value in message.items()}
        part = message.get_body(preferencelist=("plain",))
        self.text = part.get_content() if part is not None else ""

    def __repr__(self):
        return f"<letter {self.number} to {self.to}: {self.subject}>"


class Mailbox:
    """SMTP (RFC 5321, the minimum) and the page, in a thread of its own."""

    def __init__(self, folder, address):
        self.folder = pathlib.Path(folder) / "mail"
        self.folder.mkdir()
        self.address = address
        self.smtp_port = free_port(address)
        self.page_port = free_port(address)
        self._letters = []
        self._arrived = threading.Condition()
        self._refused = {}  # address -> the answer it gets
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        if not ready.wait(10):
            raise Failed("the mail server did not start")

    @property
    def url(self):
        return f"smtp://{self.address}:{self.smtp_port}"

    @property
    def page(self):
        return f"http://{self.address}:{self.page_port}/"

    def refuse(self, to, answer="550 5.1.1 no such mailbox"):
        self._refused[to] = answer

    def letters(self, to=None, about=None):
        """What came, oldest first; about: a word in subject or text."""
        with self._arrived:
            return [
                letter
                for letter in self._letters
                if (to is None or letter.to == to)
                and (about is None or about in letter.subject or about in letter.text)
            ]

    def wait_for(self, what, choose, seconds=30.0):
        """The first letter for which choose(letter) is true, now or within this time."""
        with self._arrived:
            found = self._arrived.wait_for(lambda: [x for x in self._letters if choose(x)], seconds)
            if not found:
                raise Failed(f"{what}: no such letter within {seconds:g} s; there are {self._letters}")
            return found[0]

    def stop(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    # --- the thread ---

    def _run(self, ready):
        asyncio.set_event_loop(self._loop)
        for serve, port in ((self._smtp, self.smtp_port), (self._http, self.page_port)):
            self._loop.run_until_complete(asyncio.start_server(serve, self.address, port, limit=2**20))
        ready.set()
        self._loop.run_forever()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _smtp(self, reader, writer):
        def say(line):
            writer.write(line.encode() + b"\r\n")

        to = []
        try:
            say("220 mail.example ready")
            while line := await reader.readline():
                words = line.decode("latin-1").strip()
                verb = words.split(" ")[0].upper()
                if verb == "EHLO":
                    say("250-mail.example\r\n250-8BITMIME\r\n250 SIZE 1000000")
                elif verb in ("HELO", "NOOP", "RSET"):
                    to = []
                    say("250 ok")
                elif verb == "MAIL":
                    to = []
                    say("250 ok")
                elif verb == "RCPT":
                    address = words[words.index("<") + 1 : words.index(">")]
                    if address in self._refused:
                        say(self._refused[address])
                    else:
                        to.append(address)
                        say("250 ok")
                elif verb == "DATA" and to:
                    say("354 go on")
                    lines = []
                    while (data := await reader.readline()) not in (b".\r\n", b""):
                        lines.append(data[1:] if data.startswith(b".") else data)
                    # RFC 5321, 4.1.1.4: without the line of one dot the client has handed over nothing.
                    if data == b"":
                        break
                    self._keep(to, b"".join(lines))
                    say("250 kept")
                elif verb == "QUIT":
                    say("221 bye")
                    break
                else:
                    say("503 not now")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            writer.close()

    def _keep(self, recipients, raw):
        with self._arrived:
            for to in recipients:
                number = len(self._letters) + 1
                (self.folder / f"{number:04d}.eml").write_bytes(raw)
                self._letters.append(Letter(number, to, raw))
            self._arrived.notify_all()

    async def _http(self, reader, writer):
        try:
            request = (await reader.readline()).decode("latin-1").split(" ")
            while (await reader.readline()) not in (b"\r\n", b""):
                pass
            path = urllib.parse.unquote(request[1]) if len(request) > 1 else "/"
            body = self._page(path).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n"
                b"Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n"
                b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
            )
            await writer.drain()
        except (ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    def _page(self, path):
        with self._arrived:
            letters = list(self._letters)
        number = path.strip("/")
        if number.isdigit() and 0 < int(number) <= len(letters):
            letter = letters[int(number) - 1]
            content = (
                f'<p><a href="/">all letters</a></p><h1>{html.escape(letter.subject)}</h1>'
                f"<p>to {html.escape(letter.to)}, {html.escape(letter.date)}</p><pre>{html.escape(letter.text)}</pre>"
            )
        else:
            rows = "".join(
                f'<tr><td>{html.escape(x.date)}</td><td>{html.escape(x.to)}</td>'
                f'<td><a href="/{x.number}">{html.escape(x.subject)}</a></td></tr>'
                for x in reversed(letters)
            )
            content = f"<h1>Letters ({len(letters)})</h1><table>{rows}</table>"
        return (
            '<!doctype html><html lang="ja"><meta charset="utf-8"><title>Letters</title>'
            '<meta name="viewport" content="width=device-width">'
            "<style>body{font:16px/1.6 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
            "td{padding:.3em 1em .3em 0}pre{white-space:pre-wrap;font:inherit}</style>" + content
        )
