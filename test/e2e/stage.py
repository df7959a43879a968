"""The stage of ./try: a page, in Japanese and in English, that lists who can sign in, how the sites are, and what to try, chapter by chapter. Its
buttons change the world around koshin, never koshin's own store. Beside it a company that sells certificates, for what an owner orders there."""

import hmac
import html
import http.server
import secrets
import threading
import urllib.parse

from servers import free_port

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: light-dark(#555, #bbb); --link: light-dark(#0a58ca, #8ab4ff); font: 16px/1.7 "Hiragino Sans", "Noto Sans JP", "Noto Sans CJK JP", "Yu Gothic UI", system-ui, sans-serif }
body { max-width: 60rem; margin: 0 auto; padding: 16px; background: light-dark(#fff, #15181c); color: light-dark(#1b1f24, #e8eaed) } a { color: var(--link) } * { box-sizing: border-box }
header { display: flex; justify-content: space-between; align-items: baseline; gap: 16px; flex-wrap: wrap } h1 { font-size: 28px; margin: 8px 0 } h2 { font-size: 20px; margin: 40px 0 8px } h3 { font-size: 16px; margin: 0 }
p { margin: 8px 0; max-width: 70ch } ul { list-style: none; padding: 0; margin: 16px 0; display: grid; gap: 12px } .wide { grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)) }
li { border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px } .soft { color: var(--soft); font-size: 14px } code, pre { overflow-wrap: anywhere; white-space: pre-wrap; font-size: 14px } pre { border: 1px solid var(--line); border-radius: 8px; padding: 12px }
button { font: inherit; font-weight: 600; padding: 6px 16px; margin: 4px 8px 4px 0; min-height: 44px; border: 1px solid var(--link); border-radius: 8px; background: none; color: var(--link); cursor: pointer } button:hover { background: var(--line) }
button:focus-visible, a:focus-visible, textarea:focus-visible { outline: 3px solid var(--link); outline-offset: 2px } .said { border-left: 4px solid var(--link); padding: 4px 16px }
.state { font-weight: 600 } textarea { width: 100%; min-height: 14rem; font: 14px/1.5 monospace }
"""
WORDS = {
    "title": ("koshin を試す", "Try koshin"),
    "intro": (
        "この 1 台のマシンの中で、本物の認証局のプログラム、Web サーバー、DNS サーバー、メールサーバーが動いています。証明書(鍵マークを出すためのもの)は、ふつうは 90 日のところ、ここでは {minutes} 分で終わります。そのため、更新も期限切れも数分で見られます。作り物の状態はありません。",
        "A real certificate authority's program, web server, name server and mail server run on this one machine. A certificate (what makes the lock appear) usually lives 90 days; here it lives {minutes} minutes, so renewals and expiries are seen within minutes. Nothing is faked.",
    ),
    "people": ("ログインする人", "Who can sign in"),
    "sign-in": ("この人としてログイン", "Sign in as this person"),
    "password": ("パスワード", "Password"),
    "panel": ("管理画面を開く", "Open the panel"),
    "letters": ("届いたメールを見る", "Read the letters"),
    "company": ("証明書を売る会社", "The company that sells certificates"),
    "sites": ("いまのサイトの状態", "The sites as they are now"),
    "sites-now": ("{time} の時点です。", "As of {time}."),
    "reload": ("読み込み直す", "Load again"),
    "chapters": ("やってみる", "What to try"),
    "chapters-how": (
        "まずお客様としてログインし、サイトの画面を別のタブで開いたまま、ボタンを押してください。画面は自動で変わります。",
        "Sign in as the customer first, keep the page of the site open in another tab, and press. That page changes by itself.",
    ),
    "open": ("{site} の画面を開く", "Open the page of {site}"),
    "failed": ("うまくいきませんでした", "That went wrong"),
    "company-how": (
        "サイトの画面で作った申請の文面(CSR)を貼り付けると、証明書が返ってきます。本物の会社のように、中間証明書は別に渡します。",
        "Paste the request (CSR) that the page of a site made, and get a certificate. The intermediate certificate is handed over separately, as real companies do.",
    ),
    "request": ("申請の文面(CSR)", "The request (CSR)"),
    "order": ("証明書を買う", "Buy the certificate"),
    "leaf": ("証明書", "The certificate"),
    "middle": ("中間証明書", "The intermediate certificate"),
    "not-csr": ("これは申請の文面(CSR)として読めません。「-----BEGIN CERTIFICATE REQUEST-----」から最後の行まで、全部を貼り付けてください。", "This cannot be read as a request (CSR). Paste all of it, from “-----BEGIN CERTIFICATE REQUEST-----” to the last line."),
    "back": ("戻る", "Back"),
    "other": ("English", "日本語"),
}
LANGS = ("ja", "en")
BODY_MAX = 20_000


class Button:
    """said, expect: (ja, en); act changes the world."""

    def __init__(self, said, expect, act):
        self.said, self.expect, self.act = said, expect, act


class Chapter:
    """A chapter of the story: its title and what to do, in both languages, the site it is about, and the buttons that move it on."""

    def __init__(self, number, title, what, site, *buttons):
        self.number, self.title, self.what, self.site, self.buttons = number, title, what, site, buttons


class Stage:
    """people: ((who in ja, in en), mail, password); sites(): rows (name, pill in ja, in en), as they are now; link(mail): a link that signs somebody in."""

    def __init__(self, panel, mail, minutes, people, chapters, sites, link, company):
        self.panel, self.mail, self.minutes = panel, mail, minutes
        self.people, self.chapters, self.sites, self.link, self.company = people, chapters, sites, link, company
        self.buttons = [button for chapter in chapters for button in chapter.buttons]
        self.port = free_port("127.0.0.1")
        self.token = secrets.token_urlsafe(16)
        self.said = {}  # language -> what the last button did
        self._lock = threading.Lock()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), handler_for(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"http://localhost:{self.port}/"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    # --- what a button does ---

    def play(self, number):
        with self._lock:
            button = self.buttons[number]
            try:
                button.act()
                self.said = {lang: (button.said[n], button.expect[n]) for n, lang in enumerate(LANGS)}
            except Exception as error:  # whatever it was, the person at the page is told
                self.said = {lang: (WORDS["failed"][n], str(error)) for n, lang in enumerate(LANGS)}

    # --- pages ---

    def page(self, lang):
        n = LANGS.index(lang)
        e = html.escape

        def say(key, **values):
            return e(WORDS[key][n].format(**values))

        def press(name, value, label, target=""):
            return f'<button name="{name}" value="{value}" formtarget="{target}">{e(label)}</button>'

        said = f'<div class="said" role="status"><h3>{e(self.said[lang][0])}</h3><p>{e(self.said[lang][1])}</p></div>' if self.said else ""
        people = "".join(
            f'<li><h3>{e(who[n])}</h3><p class="soft">{e(mail)}<br>{say("password")}: <code>{e(password)}</code></p>{press("person", number, WORDS["sign-in"][n], "_blank")}</li>'
            for number, (who, mail, password) in enumerate(self.people)
        )
        time, rows = self.sites()
        sites = "".join(f'<li><a href="{e(self.panel)}sites/{e(row[0])}" target="_blank">{e(row[0])}</a><br><span class="state">{e(row[1 + n])}</span></li>' for row in rows)
        number = iter(range(len(self.buttons)))
        chapters = "".join(
            f'<li><h3>{c.number}. {e(c.title[n])}</h3><p>{e(c.what[n])}</p>'
            + (f'<p><a href="{e(self.panel)}sites/{e(c.site)}" target="_blank">{say("open", site=c.site)}</a></p>' if c.site else "")
            + "".join(press("button", next(number), button.said[n]) for button in c.buttons)
            + "</li>"
            for c in self.chapters
        )
        return self._frame(
            lang,
            "/" if lang == "en" else "/en",
            f"""<p>{say("intro", minutes=self.minutes)}</p>{said}
<p><a href="{e(self.panel)}" target="_blank">{say("panel")}</a> ・ <a href="{e(self.mail)}" target="_blank">{say("letters")}</a> ・ <a href="/company?{lang}" target="_blank">{say("company")}</a></p>
<form method="post" action="?{lang}"><input type="hidden" name="token" value="{self.token}">
<h2>{say("people")}</h2><ul class="wide">{people}</ul>
<h2>{say("sites")}</h2><p class="soft">{say("sites-now", time=time)} <a href="">{say("reload")}</a></p><ul class="wide">{sites}</ul>
<h2>{say("chapters")}</h2><p>{say("chapters-how")}</p><ul>{chapters}</ul></form>""",
        )

    def shop(self, lang, request=None):
        """The company's counter; request: what was pasted."""
        n = LANGS.index(lang)
        sold = ""
        if request is not None:
            try:
                leaf, middle = self.company.answer(request)
                sold = f'<h2>{WORDS["leaf"][n]}</h2><pre>{html.escape(leaf)}</pre><h2>{WORDS["middle"][n]}</h2><pre>{html.escape(middle)}</pre>'
            except ValueError:
                sold = f'<p class="said" role="alert">{WORDS["not-csr"][n]}</p>'
        return self._frame(
            lang,
            "/company?ja" if lang == "en" else "/company?en",
            f"""<h2>{WORDS["company"][n]}</h2><p>{WORDS["company-how"][n]}</p>{sold}
<form method="post" action="/company?{lang}"><input type="hidden" name="token" value="{self.token}"><p><label for="r">{WORDS["request"][n]}</label></p>
<textarea id="r" name="request" spellcheck="false">{html.escape(request or "")}</textarea><button>{WORDS["order"][n]}</button></form>
<p><a href="{"/" if lang == "ja" else "/en"}">{WORDS["back"][n]}</a></p>""",
        )

    @staticmethod
    def _frame(lang, other, body):
        n = LANGS.index(lang)
        return (
            f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{WORDS["title"][n]}</title><style>{STYLE}</style>'
            f'<header><h1>{WORDS["title"][n]}</h1><a href="{other}" lang="{LANGS[1 - n]}">{WORDS["other"][n]}</a></header><main>{body}</main></html>'
        )


def handler_for(stage):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            path, _, lang = self.path.partition("?")
            lang = "en" if lang == "en" or path == "/en" else "ja"
            pages = {"/": stage.page, "/en": stage.page, "/company": stage.shop}
            self.answer(pages[path](lang)) if path in pages else self.answer("", 404)

        def do_POST(self):
            length = self.headers.get("Content-Length", "")
            body = self.rfile.read(min(int(length), BODY_MAX)) if length.isdigit() else b""
            form = {key: values[0] for key, values in urllib.parse.parse_qs(body.decode(errors="replace")).items()}
            path, _, lang = self.path.partition("?")
            lang = "en" if lang == "en" else "ja"
            if not hmac.compare_digest(form.get("token", "").encode(), stage.token.encode()):
                self.answer("", 403)
            elif path == "/company":
                self.answer(stage.shop(lang, form.get("request", "")))
            elif (person := number_of(form.get("person"), stage.people)) is not None:
                self.go(f"{stage.link(stage.people[person][1])}&lang={lang}")
            else:
                button = number_of(form.get("button"), stage.buttons)
                if button is not None:
                    stage.play(button)
                self.go("/en" if lang == "en" else "/")

        def go(self, where):
            self.send_response(303)
            self.send_header("Location", where)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def answer(self, text, status=200):
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler


def number_of(text, things):
    """The number that a form carries, if it is that of one of these things."""
    return int(text) if text and text in map(str, range(len(things))) else None
