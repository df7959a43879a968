"""What ./try runs once koshin is built: the story by itself (--once), or a small world to look at."""

import contextlib
import pathlib
import signal
import sys
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
PANEL = HERE.parent.parent / "build" / "panel"
sys.path[:0] = [str(HERE), str(HERE / "story")]

import player  # noqa: E402
import company  # noqa: E402
from daemon import rows_of  # noqa: E402
from servers import free_port, key_pem, make_certificate, pem  # noqa: E402
from stage import Button, Chapter, Stage  # noqa: E402
from world import World  # noqa: E402

SHOW_LIFE = 240  # seconds: long enough to read a page, short enough to see renewals


def once():
    """The story to its end. The exit status."""
    print(
        f"The story of koshin, on real servers: a CA (pebble), nginx, a name server (Knot) and a mail server.\n"
        f"Certificates live {player.LIFE} seconds here instead of {player.LIFE} days. The chapters go on side by side.\n"
    )
    lock = threading.Lock()

    def tell(story, at, text):
        with lock:
            print(f"{at:6.1f} s  {int(story.number):2d}  {text}")

    play = player.Player(player.chapters(), tell)
    play.launch()
    failed = []
    for name, story in play.stories.items():
        try:
            play.wait(name)
        except BaseException as error:  # whatever it was, the other chapters are told of all the same
            failed.append((story, error))
    try:
        play.finish()
    except BaseException as error:
        failed.append((None, error))
    print()
    bad = {id(story) for story, _ in failed}
    for story in play.stories.values():
        print(f"  {'FAILED' if id(story) in bad else 'well  '}  {int(story.number):2d}  {story.title}")
    for story, error in failed:
        print(f"\n{story.title if story else 'at the end'}:")
        traceback.print_exception(error, file=sys.stdout)
    seconds = time.monotonic() - play.begun
    told = len(play.stories)
    print(f"\n{told - len(bad - {id(None)})} of {told} chapters went as told, in {seconds:.0f} s")
    return 1 if failed else 0


CUSTOMER, OTHER, SUPPORT, OPERATOR = "tanaka@example.jp", "yamada@example.jp", "support@host.example", "operator@host.example"
PEOPLE = (
    (("お客様(田中さん)", "The customer (Tanaka)"), CUSTOMER, "sakura saku haru"),
    (("サポート担当", "Support"), SUPPORT, "koyoi no tsuki wa"),
    (("運用担当", "The operator"), OPERATOR, "fuyu no yoru no hoshi"),
    (("別のお客様(山田さん)", "Another customer (Yamada)"), OTHER, "hotaru no hikari"),
)


class Show:
    """Sites in different states, the people who look after them, and what the buttons of the page do to the world around koshin."""

    def __init__(self, world, company):
        self.world, self.run = world, world.koshin.run
        self.company = company
        self.blocks = {}  # what somebody else wrote into the web server's configuration, by site
        self._add_sites()
        for (_, mail, password), role in zip(PEOPLE, ("owner", "support", "operator", "owner")):
            of = ("--owner", mail) if role == "owner" else ()
            self.run("user", "add", mail, "--role", role, *of)
            self.run("user", "password", mail, stdin=password + "\n")

    def _site(self, label, www=True, owner=CUSTOMER, records=None, **options):
        names = (f"{label}.jp", f"www.{label}.jp") if www else (f"{label}.jp",)
        return self.world.site(*names, owner=owner, records=records).add(coverage="multi" if www else "single", **options)

    def _add_sites(self):
        self.first = self._site("hajimete", source="none")
        self.well = self._site("hajime")
        self._site("日本語")
        self.alone = self._site("hitotsu", records=["hitotsu.jp"])
        self.away = self._site("wasure")
        self.ends = self._site("kigire")
        self.draft = self._site("sitagaki")
        self.redirected = self._site("tensou", redirect=True)
        self.foreign = self._site("nisemono", www=False)
        self.own = self._site("omochi", www=False, source="none")
        self._site("tonari", www=False, owner=OTHER)
        for site in (self.well, self.away, self.ends, self.draft, self.redirected, self.foreign):
            site.until_served()
        bought = self.world.folder / "bought.pem"
        bought.write_bytes(self.company.sell(list(self.own.names), company.now() - 355 * company.DAY, company.now() + 10 * company.DAY))
        self.run("cert", "import", self.own.name, bought)
        bought.unlink()
        self.run("site", "set", self.draft.name, "--draft", "--coverage", "single")
        self.away_now(self.away)
        self.let_end(self.ends)
        self.lie(self.foreign)

    # --- what happens to a site ---

    def away_now(self, site):
        for name in site.names:
            site.point_elsewhere(name)
        self.run("site", "start-over", site.name)

    def let_end(self, site):
        """A record that leads elsewhere is added, as in chapter 5: it stands against the renewal, and visitors are served by us until the end."""
        for name in site.names:
            self.world.dns.set(name, "AAAA", "::1")
        self.run("site", "start-over", site.name)

    def mend(self, site):
        for name in site.names:
            self.world.dns.remove(name, "AAAA")
            site.point_here(name)
        self.run("site", "start-over", site.name)

    def lie(self, site):
        key, leaf = make_certificate("somebody else", None, None, list(site.names))
        chain, secret = self.world.folder / f"{site.name}.pem", self.world.folder / f"{site.name}.key"
        chain.write_bytes(pem(leaf))
        secret.write_bytes(key_pem(key))
        listen = f"{self.world.address}:{self.world.nginx.https_port}"
        self._write(site.name, f"server {{ listen {listen} ssl; server_name {' '.join(site.names)}; ssl_certificate {chain}; ssl_certificate_key {secret}; }}")

    def stop_lying(self, site):
        self._write(site.name, "")

    def _write(self, about, block):
        self.blocks[about] = block
        self.world.nginx.extra.write_text("# nothing\n" + "".join(one + "\n" for one in self.blocks.values()))
        self.world.nginx.reload()

    def break_configuration(self):
        self.world.nginx.extra.write_text("rubbish\n")
        self.run("site", "start-over", self.well.name, "--new-certificate")

    def mend_configuration(self):
        self._write("", "")
        self.run("site", "start-over", self.well.name)

    # --- what the page asks ---

    def sites(self):
        """(the time, rows of name, pill in ja, pill in en)."""
        rows = rows_of(self.world.koshin.json("site", "list"))
        return f"{time.strftime('%H:%M:%S')}", [(row["name"], row["pill"]["ja"], row["pill"]["en"]) for row in rows]

    def link(self, mail):
        return self.run("user", "login-link", mail).stdout.split()[-1]


def chapters_of(show):
    """STORY, for the page."""
    well, ends, away, tensou = show.well.name, show.ends.name, show.away.name, show.redirected.name
    mend = ("直す", "mend it")
    mended = ("DNS の行を元に戻しました。数十秒で証明書が自動で更新され、直ったことがメールで届きます。", "The records are as they were. Within a minute the certificate is renewed by itself, and a letter says that all is well.")
    return (
        Chapter(1, ("はじめての証明書", "First certificate"), ("お客様としてログインし、無料SSLを設定します。ボタンを 1 回押すだけです。途中で画面を閉じてもかまいません。", "As the customer, set up free SSL: one button. Leaving the page changes nothing."), show.first.name),
        Chapter(
            2, ("静かな更新", "The quiet renewal"), ("何もしなくても、2 分あまりごとに更新されます。待たずに見るには、ボタンを押してください。", "It happens by itself every few minutes. Press to see it without waiting."), well,
            Button(("更新を見る", "show me the renewal"), ("今の証明書の横に新しい証明書を取り、入れ替えます。サイトの「これまでとこれから」に出ます。", "A new certificate comes beside the old one and takes its place. The page's history shows it."), lambda: show.run("renew", well)),
        ),
        Chapter(3, ("途中の設定", "The abandoned draft"), ("途中で止めた設定があります。更新のじゃまはしません。続けるか捨てるかを選べます。1 分後に、メールが 1 通届きます。", "A setting was begun and left. Renewal does not even look at it. Go on with it or discard it; after a minute one letter comes."), show.draft.name),
        Chapter(
            4, ("www の登録がない", "www has no record"), ("www のない名前だけが安全で、www には登録すべき行が表示されます。", "The name without www is safe; the page shows the record that www lacks."), show.alone.name,
            Button(("www の行を登録する", "add the record of www"), ("だれも何も押さなくても、www が証明書に入ります。", "Nobody presses anything: www is added to the certificate."), lambda: show.alone.point_here(show.alone.names[1])),
        ),
        Chapter(
            5, ("読まれないメール、期限切れ(5 と 6)", "The ignored letter, and the end (5 and 6)"),
            (f"余分な行(AAAA レコード)のために更新できません。メールが届き、{SHOW_LIFE // 60} 分ほどで本当に期限が切れます。直すと、すぐに元へ戻ります。", f"An extra record (AAAA) stands against the renewal. Letters come, and in about {SHOW_LIFE // 60} minutes the certificate really ends. Mend it, and all is well within a minute."), ends,
            Button(mend, mended, lambda: show.mend(show.ends)),
            Button(("期限切れにする", "let it expire"), (f"AAAA レコードを足しました。長くても {SHOW_LIFE // 60} 分で期限が切れます。それまで、訪問者には鍵マークが表示されています。", f"An AAAA record was added. The certificate ends in {SHOW_LIFE // 60} minutes at most; until then visitors see the lock."), lambda: show.let_end(show.ends)),
        ),
        Chapter(
            7, ("消して、やり直す", "The folk cure"), ("サイトの画面で「無料SSLをやめる」「元に戻す」「はじめからやり直す」を試してください。訪問者には、ずっと鍵マークが表示されます。", "On the page, stop free SSL, take that back, start over. Visitors see the lock throughout."), well,
            Button(("はじめからやり直す", "start over"), ("今の証明書をそのまま設置し直しました。認証局への申請はしていません。", "The stored certificate is put in place again. The CA hears nothing."), lambda: show.run("site", "start-over", well)),
        ),
        Chapter(
            8, ("自動転送", "The redirect"), ("http:// で開いた人を https:// へ送ります。正しい証明書が表示されなくなると、自分から止まります。", "It sends visitors to https://, and lets go by itself when no valid certificate is served."), tensou,
            Button(("別の証明書に差し替える", "put another certificate there"), ("数秒から数十秒で気づき、転送を止めます。", "It is noticed within seconds, and the redirect lets go."), lambda: show.lie(show.redirected)),
            Button(mend, ("確認がすむと、転送も自動で戻ります。", "Once that is seen, the redirect comes back by itself."), lambda: show.stop_lying(show.redirected)),
        ),
        Chapter(
            9, ("別のサーバーを向いている", "Points elsewhere"), ("DNS が何と答え、何と答えるべきかが表示されます。そのまま 3 分ほどたつと、「別の会社で運用中」になります。", "The page shows what DNS answers and what it should. After about three minutes so, the site counts as moved away."), away,
            Button(mend, mended, lambda: show.mend(show.away)),
            Button(("DNS を壊す", "break the DNS"), ("すべての名前が、別のサーバーを向きました。", "All names now lead to another server."), lambda: show.away_now(show.away)),
        ),
        Chapter(
            12, ("Web サーバーの設定が壊れた", "The web server's configuration is broken"), ("運用担当としてログインして、知らせを見てください。訪問者は何も気づきません。", "Sign in as the operator and look at the alarms. Visitors notice nothing."), well,
            Button(("設定を壊す", "break the configuration"), ("新しい証明書は、設定が直るまで待ちます。今の証明書はそのままです。", "The new certificate waits until it is mended. The one in use stays."), show.break_configuration),
            Button(mend, ("待っていた証明書が設置されます。", "What waited is put in place."), show.mend_configuration),
        ),
        Chapter(13, ("自分で買った証明書", "An own certificate"), ("あと 10 日で終わる証明書が入っています。画面で申請の文面(CSR)を作り、「証明書を売る会社」で買って、貼り付けてください。中間証明書をわざと忘れてみてください。", "The certificate that is there ends in 10 days. Make a request (CSR) on the page, buy at the company that sells certificates, paste it. Forget the intermediate certificate on purpose."), show.own.name),
        Chapter(14, ("質問する", "A question"), ("お客様として、サイトの画面から質問してください。次にサポート担当としてログインすると、原因と回答の下書きができています。", "Ask on the page as the customer. Then sign in as support: the cause and a drafted answer are there."), ends),
        Chapter(
            23, ("うそをつく Web サーバー", "The lying server"), ("だれかが別の証明書を置いたので、訪問者には警告が出ています。画面もそう言います。", "Somebody put another certificate there. Visitors see a warning, and the page says so."), show.foreign.name,
            Button(mend, ("次の確認で気づき、正常に戻ります。", "The next look sees it, and the page is green again."), lambda: show.stop_lying(show.foreign)),
        ),
    )


def write_commands(world):
    """A short command for a person: k runs koshin on this world."""
    k = world.folder / "k"
    k.write_text(f'#!/bin/sh\nexec {world.koshin.binary} "$@" -c {world.koshin.config_file}\n')
    k.chmod(0o755)
    return k


@contextlib.contextmanager
def opened(panel_files=PANEL):
    """(the show, its stage), and the end of all of it."""
    port = free_port("127.0.0.1")
    panel = f"http://localhost:{port}/"
    with contextlib.ExitStack() as ends:
        world = World(
            life=SHOW_LIFE, draft={"tell_after": "60 s", "discard_after": "600 s"}, panel={"listen": [f"127.0.0.1:{port}"], "folder": str(panel_files)},
            panel_url=panel.rstrip("/"), start=False,
        )  # fmt: skip
        ends.callback(world.stop)
        seller = company.Company()
        with open(world.ca.roots, "ab") as roots:  # browsers know it
            roots.write(b"\n" + pem(seller.root))
        world.koshin.start()
        show = Show(world, seller)
        stage = Stage(panel, world.mail.page, SHOW_LIFE // 60, PEOPLE, chapters_of(show), show.sites, show.link, seller)
        ends.callback(stage.stop)
        yield show, stage


def show_world():
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    with opened() as (show, stage):
        world = show.world
        k = write_commands(world)
        print(
            f"""
koshin runs, with sites in every state. Certificates live {SHOW_LIFE // 60} minutes here: renewals are seen within two.

  open this     {stage.url}   who can sign in, what to try, and buttons that break and mend things
  the panel     {stage.panel}

  look at       {k} site list
                {k} site show wasure.jp          its DNS leads elsewhere now: the next look names it, within half a minute
                {k} site show hitotsu.jp         www has no record: the certificate came all the same
                {k} site show sitagaki.jp        a draft was begun and left
                {k} site history hajime.jp
                {k} check www.hitotsu.jp         the diagnosis
                {k} doctor                       the promises, checked on this store
                {k} causes --lang ja             everything that can be wrong, in plain words
  letters       {world.mail.page}   what the owners get, as they get it
  metrics       http://{world.address}:{world.koshin.web_port}/metrics
  as a visitor  openssl s_client -connect {world.address}:{world.nginx.https_port} -servername hajime.jp -CAfile {world.ca.roots} </dev/null
  try           {k} site set hajime.jp --redirect on
                echo rubbish >>{world.nginx.extra}      then: {k} renew hajime.jp --wait
                kill -9 any of these: {' '.join(str(pid) for pid in world.koshin.children().values())}
  logs          {world.folder}/koshin/koshin-1.log

Ctrl-C ends it and takes everything away.
"""
        )
        while not stop.wait(1):
            if not world.koshin.process.alive():
                print(world.koshin.logs())
                print("koshin serve has ended by itself")
                return 1
        print("\nending")
        return 0


def main():
    sys.stdout.reconfigure(encoding="utf-8", line_buffering=True)
    if sys.argv[1:] == ["--once"]:
        return once()
    return show_world()


if __name__ == "__main__":
    sys.exit(main())
