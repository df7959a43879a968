"""The stage of ./try: a page that lists who can sign in, where letters are, and what to try; its buttons change the world around koshin."""

import hmac
import html
import http.server
import secrets
import threading
import urllib.parse

from servers import free_port

PAGE = """<!doctype html><html lang="ja"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>koshin: try it</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.7 system-ui, sans-serif }} body {{ max-width: 46rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }} td, th {{ text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8884; vertical-align: top }}
button {{ font: inherit; padding: .3rem .9rem; min-width: 11rem; text-align: left }} .said {{ border-left: 4px solid #2a7; padding: .2rem 1rem; white-space: pre-wrap }}
</style>
<h1>koshin を試す <small>/ try koshin</small></h1>
{said}
<h2>ログイン <small>/ sign in</small></h2>
<p><a href="{panel}">{panel}</a></p>
<table><tr><th>だれ / who<th>メール / mail<th>パスワード / password</tr>{people}</table>
<p>届いたメール / letters: <a href="{mail}">{mail}</a></p>
<h2>やってみる <small>/ what to try</small></h2>
<p>証明書はここでは {minutes} 分で切れます。サイトのページを開いたまま押してみてください。<br>
Certificates live {minutes} minutes here. Keep the page of the site open and press.</p>
<form method="post"><input type="hidden" name="token" value="{token}"><table>{scenes}</table></form>
</html>"""


class Scene:
    def __init__(self, ja, en, expect, act):
        self.ja, self.en, self.expect, self.act = ja, en, expect, act


class Stage:
    """people: (who, mail, password); scenes: a Scene for each button."""

    def __init__(self, panel, mail, minutes, people, scenes):
        self.panel, self.mail, self.minutes, self.people, self.scenes = panel, mail, minutes, people, scenes
        self.port = free_port("127.0.0.1")
        self.token = secrets.token_urlsafe(16)
        self.said = ""
        self._lock = threading.Lock()
        stage = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(200 if self.path == "/" else 404)

            def do_POST(self):
                length = int(self.headers.get("Content-Length") or 0)
                form = urllib.parse.parse_qs(self.rfile.read(min(length, 10_000)).decode(errors="replace"))
                if not hmac.compare_digest(form.get("token", [""])[0].encode(), stage.token.encode()):
                    self.answer(403)
                    return
                number = form.get("scene", [""])[0]
                stage.play(int(number) if number.isdigit() else -1)
                self.send_response(303)
                self.send_header("Location", "/")
                self.end_headers()

            def answer(self, status):
                body = stage.page().encode() if status == 200 else b""
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"http://localhost:{self.port}/"

    def play(self, number):
        if not 0 <= number < len(self.scenes):
            return
        scene = self.scenes[number]
        with self._lock:
            try:
                scene.act()
                self.said = f"{scene.ja} / {scene.en}\n{scene.expect}"
            except Exception as error:  # whatever it was, the person at the page is told
                self.said = f"{scene.en}: {error}"

    def page(self):
        people = "".join(f"<tr><td>{html.escape(who)}<td>{html.escape(mail)}<td><code>{html.escape(password)}</code></tr>" for who, mail, password in self.people)
        scenes = "".join(
            f'<tr><td><button name="scene" value="{n}">{html.escape(s.ja)}<br><small>{html.escape(s.en)}</small></button><td>{html.escape(s.expect)}</tr>'
            for n, s in enumerate(self.scenes)
        )
        said = f'<p class="said">{html.escape(self.said)}</p>' if self.said else ""
        return PAGE.format(said=said, panel=html.escape(self.panel), mail=html.escape(self.mail), minutes=self.minutes, people=people, scenes=scenes, token=self.token)

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
