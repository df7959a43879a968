"""Bad input in every field of every form: empty, too long, of the wrong kind, in the wrong language, hostile. The error stands beside the field and above
the form, says what is wrong with which field, takes the reader there, and what was typed stays. The fields are those of the panel's source."""

import re

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from forms import fields
from screen import PASSWORD, Screen
from test_panel_account import code_of, fill
from test_panel_passkeys import register, with_authenticator

VIEWS = (("ja", "phone"), ("en", "desktop"))
RETRIED_S = 150  # an order that met the web server while it was being reloaded is tried again after a minute
UNSEEN = "a\u0007b"
SCRIPT = "\"><img src=x onerror='window.isHurt = true'>"


class Bad:
    """What is bad, by its name. asked: those that only the server can know."""

    def __init__(self, asked=None, **values):
        self.asked = asked or {}
        self.values = values


# What may stand in it is anything that people write in one line, or nothing.
LINE_64, LINE_100, LINE_253, LINE_254, LINE_1024 = (Bad(too_long="あ" * (n + 1), hostile=UNSEEN) for n in (64, 100, 253, 254, 1024))
NAME = Bad(empty=" ", too_long="あ" * 101, hostile=UNSEEN)
TEXT = Bad(empty="\n ", too_long="あ" * 20001, hostile=UNSEEN)
MAIL = Bad(empty="", too_long="a" * 244 + "@example.jp", wrong_kind="nobody", wrong_language="山田 太郎", hostile=SCRIPT + "@example.jp", two="a@example.jp,b@example.jp", twice="a@b@example.jp")
CODE = Bad(empty="", too_long="1" * 65, wrong_kind="12.34", wrong_language="一二三四五六", hostile="' OR 1=1 --", asked={"wrong": "AAAAA-AAAAA"})
OWN_PASSWORD = Bad(empty="", too_long="あ" * 342, asked={"wrong": "hana no iro wa utsurinikeri"})
SIGN_IN_PASSWORD = Bad(empty="", too_long="あ" * 342, asked={"wrong": "hana no iro wa utsurinikeri"})
NEW_PASSWORD = Bad(empty="", too_short="hana no i", too_long="あ" * 342, asked={"monotone": "あ" * 12})
FILE_PASSWORD = Bad(empty="", too_long="あ" * 342)
COUNTRY = Bad(too_long="JPN", wrong_kind="81", wrong_language="日本", hostile=SCRIPT)
# Empty is what both are, the files and what is pasted: the first of them says so.
PEM = Bad(too_long="A" * 65537, asked={"wrong_kind": "ssh-ed25519 AAAA", "wrong_language": "証明書をください", "hostile": f"-----BEGIN CERTIFICATE-----\n{SCRIPT}\n-----END CERTIFICATE-----\n"})
PEM_PASSWORD = Bad(too_long="A" * 257)
FILES = Bad(empty=[], too_long=[b"\1" * 70000], many=[b"\1", b"\2"], asked={"wrong_kind": [b"\x89PNG\r\n\x1a\n" + bytes(64)]})
TICK = Bad(empty=False)
SOME = Bad(empty=False)
CHOICE = None  # there is nothing but what is right: one is chosen always, or it is a switch
UNSHOWN = None  # for programs that keep passwords

BAD = {
    ("login LoginPage", "login.mail"): MAIL,
    ("login LoginPage", "login.password"): SIGN_IN_PASSWORD,
    ("login CodeForm", "login.code"): CODE,
    ("forgotten ForgottenPage", "login.mail"): MAIL,
    ("sites SitesPage", "sites.search"): LINE_253,
    ("audit Filter", "audit.who"): LINE_254,
    ("audit Filter", "audit.object"): LINE_1024,
    ("audit Filter", "audit.action"): LINE_64,
    ("site_support Ask", "ask.text"): TEXT,
    ("inbox QuestionPage", "inbox.answer"): TEXT,
    ("site_giving_up GivingUp", "giving-up"): CHOICE,
    ("site_giving_up GivingUp", "reason"): CHOICE,
    ("site_giving_up GivingUp", "read"): TICK,
    ("site_giving_up Export", "format"): CHOICE,
    ("site_giving_up Export", "export.password"): OWN_PASSWORD,
    ("site_giving_up Export", "export.file-password"): FILE_PASSWORD,
    ("site_own Requests", "own.organization"): LINE_64,
    ("site_own Requests", "own.locality"): LINE_64,
    ("site_own Requests", "own.state"): LINE_64,
    ("site_own Requests", "own.country"): COUNTRY,
    ("site_own Import", "files"): FILES,
    ("site_own Import", "own.text"): PEM,
    ("site_own Import", "own.password"): PEM_PASSWORD,
    ("site_own Import", "takeover"): CHOICE,
    ("site_settings CoverageChoice", "coverage"): CHOICE,
    ("account Language", "language"): CHOICE,
    ("account/password Password", "username"): UNSHOWN,
    ("account/password Password", "account.old"): OWN_PASSWORD,
    ("account/password Password", "account.new"): NEW_PASSWORD,
    ("account/passkeys New", "passkeys.name"): NAME,
    ("account/passkeys New", "account.password-again"): OWN_PASSWORD,
    ("account/passkeys End", "account.password-again"): OWN_PASSWORD,
    ("account/codes Begin", "account.password-again"): OWN_PASSWORD,
    ("account/codes WithCode", "login.code"): CODE,
    ("account/people Invite", "people.mail"): MAIL,
    ("account/people Invite", "people.name"): LINE_100,
    ("account/people Invite", "invitation-language"): CHOICE,
    ("account/tokens NewToken", "tokens.name"): NAME,
    ("account/tokens NewToken", "scopes"): SOME,
    ("account/tokens NewToken", "days"): CHOICE,
}

# Sets the values of a form's fields, sends it as its button does, and tells what the screen says when the field that is looked at has the focus.
TRY = """
const [label, field, values, limit_ms, done] = arguments;
const labelled = words => [...document.querySelectorAll(".field label")].filter(l => l.innerText.trim() === words && l.checkVisibility()).map(l => document.getElementById(l.htmlFor))[0];
for (const [words, value] of values) {
	const to = labelled(words);
	const kind = to.tagName === "TEXTAREA" ? HTMLTextAreaElement : HTMLInputElement;
	Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(to, value);
	to.dispatchEvent(new Event("input", { bubbles: true }));
}
const looked = field ?? labelled(label);
const form = looked.closest("form");
document.activeElement.blur();
const begun = performance.now();
requestAnimationFrame(() => {
	const before = looked.value;
	form.querySelector("button:not([type=button])").click();
	(function look() {
		const more = document.getElementById(looked.getAttribute("aria-describedby") ?? "");
		const beside = more?.querySelector(".wrong") ?? (more?.matches(".wrong, .no") ? more : null);
		const above = [...form.querySelectorAll(".wrongs li")].map(li => [li.querySelector("a").innerText, li.innerText]);
		const isThere = document.activeElement === looked && beside && above.length > 0;
		if (!isThere && performance.now() - begun < limit_ms) return void setTimeout(look, 10);
		done({ is_there: Boolean(isThere), beside: beside?.innerText ?? "", above, before, after: looked.value, is_hurt: window.isHurt === true, text: form.innerText.slice(0, 2000) });
	})();
});
"""
COUNT_SENT = "if (!window.sent) { const ask = window.fetch; window.sent = [0]; window.fetch = (url, o) => { if (o?.method && o.method !== 'GET' && !url.endsWith('/check')) window.sent[0]++; return ask(url, o); }; }"


class Trial:
    """Bad values in the fields of one form, the others being good."""

    def __init__(self, screen, form, good, folder):
        self.screen, self.form, self.good, self.folder = screen, form, good, folder
        screen.run(COUNT_SENT)

    def _put_files(self, element, contents):
        self.screen.run("arguments[0].value = ''; arguments[0].dispatchEvent(new Event('change', {bubbles: true}))", element)
        paths = [self.folder / f"{i}.bin" for i, _ in enumerate(contents)]
        for path, content in zip(paths, contents):
            path.write_bytes(content)
        if paths:
            element.send_keys("\n".join(map(str, paths)))

    def _element(self, field):
        """What has a name instead of a label."""
        found = self.screen.driver.find_elements(By.CSS_SELECTOR, f"input[name={field}]")
        if field == "scopes":
            for one in found:
                if one.is_selected():
                    one.click()
            return found[0].find_element(By.XPATH, "ancestor::fieldset")
        return found[0]

    def field(self, field):
        bad = BAD[self.form, field]
        has_label = "." in field
        element = None if has_label else self._element(field)
        words = self.screen.word(field) if has_label else None
        for name, value in [*bad.values.items(), *bad.asked.items()]:
            where = f"{self.form}, {field}, {name} ({self.screen.lang})"
            others = [[self.screen.word(key), good] for key, good in self.good.items() if key != field]
            if isinstance(value, list):
                self._put_files(element, value)
            values = [*others, [words, value]] if has_label else others
            before = self.screen.run("return window.sent[0]")
            seen = self.screen.driver.execute_async_script(TRY, words, element, values, 10000)
            assert seen["is_there"], f"{where}: {seen}"
            assert len(seen["beside"]) >= 5, f"{where}: {seen}"
            assert len(seen["above"]) == 1 and seen["beside"] in seen["above"][0][1], f"{where}: {seen}"
            label = seen["above"][0][0]
            assert label and (not has_label or label == words), f"{where}: {seen}"
            assert seen["after"] == seen["before"], f"{where}: what was typed is gone: {seen}"
            if has_label and isinstance(value, str) and "\n" not in value:
                assert seen["after"] == value, f"{where}: what was typed is another: {seen}"
            assert not seen["is_hurt"], where
            assert self.screen.lang == "ja" or not re.search("[ぁ-んァ-ヶ]", "".join(seen["above"][0])), f"{where}: {seen}"
            sent = self.screen.run("return window.sent[0]") - before
            assert sent == (1 if name in bad.asked else 0), f"{where}: {sent} requests"
        return self

    def all(self):
        for form, field in BAD:
            if form == self.form and BAD[form, field] is not None:
                self.field(field)
        self.screen.driver.get_log("browser")  # what was refused by the server stands there, too
        if self.screen.lang == "ja":  # what axe finds, it finds in either language
            self.screen.judge()
        return self


class Forms:
    def __init__(self, screen, folder):
        self.screen, self.folder, self.tried = screen, folder, set()

    def __call__(self, form, **good):
        """good: a value for each field that wants one, by the last word of its label's key."""
        keys = {key for at, key in BAD if at == form}
        by_word = {key.rsplit(".", 1)[-1].replace("-", "_"): key for key in keys}
        self.tried.add(form)
        return Trial(self.screen, form, {by_word[word]: value for word, value in good.items()}, self.folder).all()

    def choice(self, form, name):
        """One of them is chosen, and it stays so whatever is pressed."""
        found = self.screen.driver.find_elements(By.CSS_SELECTOR, f"[name={name}]")
        assert found, f"{form}: {name}"
        if found[0].tag_name == "select":
            assert len(Select(found[0]).all_selected_options) == 1
        elif found[0].get_attribute("type") == "radio":
            chosen = [one for one in found if one.is_selected()]
            for one in [*found, *chosen]:
                one.click()
                assert [each for each in found if each.is_selected()] == [one]
        else:
            assert found[0].get_attribute("type") == "checkbox"
        self.tried.add((form, name))


def test_every_field_is_in_the_table():
    """A field of the panel that is not in the table is not tried, and one that is there no more is not looked for."""
    assert fields() == set(BAD)


@pytest.fixture(scope="module")
def ground(panel):
    """What the forms stand on: a site that has a certificate and one that has none, with a question about the first."""

    class Ground:
        name, other = "warui.jp", "warui-ato.jp"

    site, owner = panel.owner(Ground.name, f"www.{Ground.name}", lang="ja", coverage="multi")
    panel.add(Ground.other, f"www.{Ground.other}", owner=owner, lang="ja", source="none", coverage="multi")
    panel.world.koshin.run("site", "set", Ground.name, "--source", "free")
    status, asked = panel.api.ask("question_ask", Ground.name, body={"text": SCRIPT})
    assert status == 201, asked
    Ground.question = asked["id"]
    for lang, _ in VIEWS:
        panel.person(f"owner-{lang}@{Ground.name}", "owner", lang, "--owner", owner)
        panel.person(f"warui-{lang}@host.example", "support", lang)
        panel.person(f"warui-op-{lang}@host.example", "operator", lang)
    site.until_served(seconds=RETRIED_S)
    site.until_state("ok")
    return Ground


def on_account(screen, forms):
    screen.press(screen.word("account.change"))
    forms("account/password Password", old=PASSWORD, new="itsu mo onaji hana")
    screen.press(screen.word("button.cancel"))
    with_authenticator(screen)
    screen.press(screen.word("passkeys.new"))
    forms("account/passkeys New", name="denwa", password_again=PASSWORD)
    screen.press(screen.word("button.cancel"))
    register(screen, "denwa")
    screen.press(screen.word("passkeys.end")).until_key("passkeys.end-more", "denwa")
    forms("account/passkeys End", password_again=PASSWORD)
    screen.press(screen.word("button.cancel"))
    screen.press(screen.word("people.invite"))
    forms("account/people Invite", mail="a@example.jp", name="a")
    forms.choice("account/people Invite", "invitation-language")
    screen.press(screen.word("button.cancel"))
    screen.press(screen.word("tokens.new")).until_key("tokens.scopes")
    forms.choice("account/tokens NewToken", "days")
    Trial(screen, "account/tokens NewToken", {}, forms.folder).field("tokens.name")
    Trial(screen, "account/tokens NewToken", {"tokens.name": "a"}, forms.folder).field("scopes")
    forms.tried.add("account/tokens NewToken")
    screen.judge().press(screen.word("button.cancel"))


def on_codes(screen, forms):
    """Two steps are set up on the way. The code that is the key's, to sign in with."""
    screen.press(screen.word("codes.begin")).until_key("account.password-again")
    forms("account/codes Begin", password_again=PASSWORD)
    fill(screen, "account.password-again", PASSWORD).submit()
    screen.until_key("codes.step-scan")
    forms("account/codes WithCode")
    secret = screen.driver.find_element(By.CSS_SELECTOR, ".todo code").text.replace(" ", "")
    # As a Japanese keyboard types it.
    fill(screen, "login.code", code_of(secret).translate({ord("0") + i: ord("０") + i for i in range(10)})).submit()
    screen.until_key("codes.keep").press(screen.word("codes.kept")).until_key("codes.on")


def on_site(screen, forms, ground):
    screen.open(f"/sites/{ground.name}").until_key("ask.title").until_there()
    forms("site_support Ask")
    screen.press(screen.word("export.title")).press(screen.word("export.p12")).until_key("export.file-password")
    forms("site_giving_up Export", password=PASSWORD, file_password="a")
    forms.choice("site_giving_up Export", "format")
    screen.press(screen.word("giving-up.title")).press(screen.word("giving-up.destroy")).until_key("giving-up.reason")
    forms("site_giving_up GivingUp")
    forms.choice("site_giving_up GivingUp", "reason")
    forms.choice("site_giving_up GivingUp", "giving-up")
    screen.press(screen.word("own.title")).until_key("own.csr-title").until_there()
    forms("site_own Requests", organization="", locality="", state="", country="JP")
    forms.choice("site_own Import", "takeover")
    for field, good in (("own.text", {}), ("files", {"own.text": ""}), ("own.password", {"own.text": "x"})):
        Trial(screen, "site_own Import", good, forms.folder).field(field)
    forms.tried.add("site_own Import")
    screen.driver.get_log("browser")
    screen.judge()
    screen.open(f"/sites/{ground.other}").until_key("set-up.title")
    forms.choice("site_settings CoverageChoice", "coverage")


def signed_out(screen):
    screen.press(screen.word("frame.sign-out")).until_key("login.begin")
    return screen.open("/login").until_key("login.mail")


@pytest.mark.parametrize("lang, size", VIEWS)
def test_bad_input(panel, ground, tmp_path, lang, size):
    owner, support, operator = f"owner-{lang}@{ground.name}", f"warui-{lang}@host.example", f"warui-op-{lang}@host.example"
    with Screen(panel.port, lang, size) as screen:
        forms = Forms(screen, tmp_path)
        screen.open("/login").until_key("login.mail")
        forms("login LoginPage", mail=support, password=PASSWORD)
        screen.open("/forgotten").until_key("forgotten.more")
        forms("forgotten ForgottenPage")
        screen.sign_in(owner, PASSWORD).open("/sites").until_key("sites.search").until_there()
        forms("sites SitesPage")
        on_site(screen, forms, ground)
        screen.open("/account").until_key("people.title").until_there()
        on_account(screen, forms)
        forms.choice("account Language", "language")
        screen = signed_out(screen).sign_in(operator, PASSWORD).open("/audit").until_key("audit.look").until_there()
        forms("audit Filter", who="", object="", action="")
        signed_out(screen).sign_in(support, PASSWORD).open(f"/questions/{ground.question}").until_key("inbox.answer").until_there()
        forms("inbox QuestionPage")
        assert SCRIPT in screen.text(), "what was asked is shown as it was typed"
        screen.open("/account").until_key("codes.begin")
        on_codes(screen, forms)
        # With the mail address as a Japanese keyboard types it.
        signed_out(screen)
        fill(screen, "login.mail", support.replace("@", "＠").replace(".", "．"))
        fill(screen, "login.password", PASSWORD).submit()
        screen.until_key("login.code-hint")
        forms("login CodeForm")
        wanted = {form for (form, field), bad in BAD.items() if bad} | {at for at, bad in BAD.items() if bad is None and at[1] != "username"}
        assert forms.tried == wanted
