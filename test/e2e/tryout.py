"""What ./try runs once koshin is built: the story by itself (--once), or a small world to look at."""

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
from servers import free_port, key_pem, make_certificate, pem  # noqa: E402
from stage import Scene, Stage  # noqa: E402
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


CUSTOMER, OTHER = "tanaka@example.jp", "yamada@example.jp"
PEOPLE = (
    ("お客様 / a customer", CUSTOMER, "sakura saku haru"),
    ("別のお客様 / another customer", OTHER, "hotaru no hikari"),
    ("サポート / support", "support@host.example", "koyoi no tsuki wa"),
    ("運用担当 / the operator", "operator@host.example", "fuyu no yoru no hoshi"),
)


def build_show(world):
    """Sites in different states, and the people who look after them."""
    good = world.site("hajime.jp", "www.hajime.jp", owner=CUSTOMER).add()
    world.site("日本語.jp", "www.日本語.jp", owner=CUSTOMER).add()
    world.site("hitotsu.jp", "www.hitotsu.jp", records=["hitotsu.jp"], owner=CUSTOMER).add()
    lost = world.site("wasure.jp", "www.wasure.jp", owner=CUSTOMER).add()
    draft = world.site("sitagaki.jp", "www.sitagaki.jp", owner=CUSTOMER).add()
    redirected = world.site("tensou.jp", "www.tensou.jp", owner=CUSTOMER).add()
    off = world.site("yasumi.jp", owner=CUSTOMER).add(coverage="single")
    world.site("tonari.jp", owner=OTHER).add(coverage="single")
    for site in (good, lost, draft, redirected, off):
        site.until_served()
    for name in lost.names:
        lost.point_elsewhere(name)
    world.koshin.run("site", "set", draft.name, "--draft", "--coverage", "single")
    world.koshin.run("site", "set", redirected.name, "--redirect", "on")
    world.koshin.run("site", "suspend", off.name)
    for (_, mail, password), role in zip(PEOPLE, ("owner", "owner", "support", "operator")):
        of = ("--owner", mail) if role == "owner" else ()
        world.koshin.run("user", "add", mail, "--role", role, *of)
        world.koshin.run("user", "password", mail, stdin=password + "\n")
    return good


def scenes_of(world, site):
    """What the buttons of the page do to the world around koshin."""
    run = world.koshin.run

    def point(where):
        for name in site.names:
            where(name)
        run("site", "start-over", site.name)

    def break_configuration():
        world.nginx.extra.write_text("rubbish\n")
        run("site", "start-over", site.name, "--new-certificate")

    def mend_configuration():
        world.nginx.extra.write_text("# nothing\n")
        run("site", "start-over", site.name)

    def lie():
        key, leaf = make_certificate("somebody else", None, None, list(site.names))
        (world.folder / "foreign.pem").write_bytes(pem(leaf))
        (world.folder / "foreign.key").write_bytes(key_pem(key))
        world.nginx.extra.write_text(
            f"server {{ listen {world.address}:{world.nginx.https_port} ssl; server_name {' '.join(site.names)};"
            f" ssl_certificate {world.folder}/foreign.pem; ssl_certificate_key {world.folder}/foreign.key; }}\n"
        )
        world.nginx.reload()

    def stop_lying():
        world.nginx.extra.write_text("# nothing\n")
        world.nginx.reload()

    return (
        Scene("更新を見る", "show me the renewal", f"{site.name}: a new certificate comes beside the old one, in seconds. / 数秒で、今の証明書の横に新しい証明書が届きます。", lambda: run("renew", site.name)),
        Scene("DNS を壊す", "break the DNS", f"{site.name} leads to another company's server: the page names the record and the right value; with the next renewal due, a letter. / ページが、直す行と正しい値を示します。次の更新の時期が来ると、メールも届きます。", lambda: point(site.point_elsewhere)),
        Scene("DNS を直す", "mend it", "The certificate is renewed by itself, and one letter says that all is well. / 証明書は自動で更新され、直ったことがメールで届きます。", lambda: point(site.point_here)),
        Scene("期限切れにする", "let it expire", f"{site.name} leads elsewhere until its certificate has ended ({SHOW_LIFE // 60} minutes at most); no order is spent meanwhile. / そのあいだ、認証局への申請は行いません。", lambda: point(site.point_elsewhere)),
        Scene("Web サーバーの設定を壊す", "break the web server's configuration", "The configuration is tested before it is used: visitors notice nothing, the operator is told. / 設定は使う前に試されるので、訪問者は何も気づきません。運用担当に知らせが行きます。", break_configuration),
        Scene("設定を直す", "mend the configuration", "What waited is put in place. / 待っていたものが設置されます。", mend_configuration),
        Scene("偽の証明書を置く", "serve somebody else's certificate", f"The next handshake at {site.name} sees it; the redirect lets go. / 次の確認で気づき、自動転送は自分から止まります。", lie),
        Scene("偽の証明書を外す", "take it away", "The page is green again by itself. / ページは自動で緑に戻ります。", stop_lying),
        Scene("はじめからやり直す", "start over", "The folk cure: the stored certificate is served on, the CA hears nothing. / 今の証明書で表示され続け、認証局には何も届きません。", lambda: run("site", "start-over", site.name)),
    )


def write_commands(world):
    """Short commands for a person: k runs koshin on this world, dns changes a record."""
    k = world.folder / "k"
    k.write_text(f'#!/bin/sh\nexec {world.koshin.binary} "$@" -c {world.koshin.config_file}\n')
    k.chmod(0o755)
    return k


def show():
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    port = free_port("127.0.0.1")
    panel = f"http://localhost:{port}/"
    world = World(
        life=SHOW_LIFE, draft={"tell_after": "60 s", "discard_after": "600 s"}, panel={"listen": [f"127.0.0.1:{port}"], "folder": str(PANEL)},
        panel_url=panel.rstrip("/"),
    )  # fmt: skip
    stage = None
    try:
        site = build_show(world)
        k = write_commands(world)
        stage = Stage(panel, world.mail.page, SHOW_LIFE // 60, PEOPLE, scenes_of(world, site))
        print(
            f"""
koshin runs, with eight sites. Certificates live {SHOW_LIFE // 60} minutes here: renewals are seen within two.

  open this     {stage.url}   who can sign in, and buttons that break and mend things
  the panel     {panel}

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
    finally:
        if stage:
            stage.stop()
        world.stop()


def main():
    sys.stdout.reconfigure(encoding="utf-8", line_buffering=True)
    if sys.argv[1:] == ["--once"]:
        return once()
    return show()


if __name__ == "__main__":
    sys.exit(main())
