"""A person before the panel: Debian's Chromium, by keyboard or pointer, in a language, on a phone or a desktop."""

import base64
import json
import os
import pathlib
import re
import shutil
import tempfile

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from servers import Failed, until

ROOT = pathlib.Path(__file__).resolve().parents[3]
PANEL = ROOT / "build/panel"
AXE = ROOT / "panel/node_modules/axe-core/axe.min.js"
SIZES = {"phone": (360, 740), "desktop": (1200, 900)}
TABS_MAX = 120
MISPLACED = """
const seen = e => { for (let p = e; p; p = p.parentElement) { const s = getComputedStyle(p); if (s.visibility === "hidden" || s.clipPath !== "none") return false; } return true; };
const texts = [], wrong = [];
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let n; (n = walk.nextNode());) {
	const e = n.parentElement;
	if (!n.data.trim() || !e.checkVisibility() || !seen(e) || e.closest(".hidden, .skip, noscript, option")) continue;
	const range = document.createRange();
	range.selectNodeContents(n);
	for (const r of range.getClientRects()) if (r.width > 1 && r.height > 1) texts.push({ e, r, words: n.data.trim().slice(0, 60) });
}
for (const { e, r, words } of texts) {
	const scrolls = e.closest("nav, pre, textarea");
	if (!scrolls && (r.left < -1 || r.right > innerWidth + 1)) wrong.push("outside the screen: " + words);
	for (let box = e; box && box !== document.body && !scrolls; box = box.parentElement) {
		const s = getComputedStyle(box), b = box.getBoundingClientRect();
		if (s.overflowX !== "visible" && !(box instanceof SVGElement) && (r.right > b.right + 1 || r.left < b.left - 1 || r.bottom > b.bottom + 1)) wrong.push("cut off: " + words);
	}
}
for (let i = 0; i < texts.length; i++)
	for (let k = i + 1; k < texts.length; k++) {
		const a = texts[i].r, b = texts[k].r;
		const w = Math.min(a.right, b.right) - Math.max(a.left, b.left), h = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
		if (w > 2 && h > Math.min(a.height, b.height) / 2) wrong.push(`on each other: ${texts[i].words} / ${texts[k].words}`);
	}
return [...new Set(wrong)];
"""
# With window.isDeaf a page hears nothing of what is done elsewhere.
DEAF = """
window.EventSource = class { addEventListener() {} close() {} };
window.whole = window.fetch;
window.fetch = async (url, options) => {
	if (window.isDeaf && ["GET", undefined].includes(options?.method)) throw new TypeError("the connection is away");
	return window.whole(url, options);
};
"""
PASSWORD = "hana no iro wa"


def read_words():
    """{key: {"ja": …, "en": …}} of words/ui.txt and words/panel.txt; where both have a key, it is the panel that is looked at."""
    found = {}
    for file in ("ui.txt", "panel.txt"):
        for line in (ROOT / "words" / file).read_text().splitlines():
            if line.startswith("\t"):
                found[key][line[1:3]] = line[5:]
            elif line and not line.startswith("#"):
                key = line
                found.setdefault(key, {})
    return found


WORDS = read_words()


def said(key, lang, *values):
    """A text as the panel says it."""
    return re.sub(r"\{(\d)\}", lambda m: str(values[int(m[1])]), WORDS[key][lang])


def folder_for(world_folder):
    """The panel's files, where a process that gave up root can read them: the build's own folder may be closed to it."""
    copy = pathlib.Path(tempfile.mkdtemp(dir=world_folder)) / "panel"
    shutil.copytree(PANEL, copy)
    for one in (copy.parent, copy, copy / "assets"):
        one.chmod(0o755)
    return copy


class Screen:
    def __init__(self, port, lang="ja", size="desktop", is_dark=False):
        self.base = f"http://localhost:{port}"
        self.lang = lang
        self.profile = tempfile.mkdtemp(prefix="koshin-chromium-")
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        arguments = "--headless=new --disable-gpu --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars"
        for argument in (*arguments.split(), f"--user-data-dir={self.profile}", *(["--no-sandbox"] if os.geteuid() == 0 else [])):
            options.add_argument(argument)
        options.add_experimental_option("prefs", {"intl.accept_languages": "ja" if lang == "ja" else "en-GB"})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_script_timeout(30)
        # Every page has axe at hand and reads it when it is judged: half a megabyte is handed over once, not for each page.
        self.before_each_page(f"window.readAxe = () => {{ {AXE.read_text()} }};")
        self.resize(size).darken(is_dark)

    def resize(self, size):
        width, height = SIZES[size]
        self._tell("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=size == "phone")
        return self

    def darken(self, is_dark=True):
        self._tell("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}])
        return self

    def forget(self):
        """As if nobody had been here: the next person begins at the door."""
        self.driver.get(self.base + "/favicon.svg")
        self.driver.delete_all_cookies()
        return self

    def before_each_page(self, script):
        """Of the tab that is looked at."""
        self._tell("Page.addScriptToEvaluateOnNewDocument", source=script)
        return self

    def _tell(self, command, **parameters):
        self.driver.execute_cdp_cmd(command, parameters)

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def word(self, key, *values):
        return said(key, self.lang, *values)

    # --- looking ---

    def open(self, path):
        return self.open_at(self.base + path)

    def open_at(self, url):
        self.driver.get(url)
        return self

    def text(self):
        try:
            return self.driver.find_element(By.TAG_NAME, "body").text
        except WebDriverException:
            return ""  # between two pages

    def until_text(self, text, seconds=30):
        try:
            until(f"the screen says {text!r}", lambda: text in self.text(), seconds, 0.1)
        except Failed as failed:
            raise Failed(f"{failed}; at {self.driver.current_url} it says {self.text()[:1500]!r}") from None
        return self

    def until_key(self, key, *values, seconds=30):
        return self.until_text(self.word(key, *values), seconds)

    def until_there(self, seconds=30):
        """Until everything that the page asks the API for has come."""
        until("the page is there", lambda: self.run("return document.querySelector('h1') !== null && document.querySelector('.wait') === null") is True, seconds, 0.1)
        return self

    def run(self, script, *values):
        return self.driver.execute_script(script, *values)

    def judge(self, is_one_language=True):
        """What holds on every screen: axe finds nothing, nothing is cut off, nothing is left in the other language."""
        self.run("if (!('axe' in window)) readAxe()")
        found = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run().then(r => done(r.violations.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 160))])))"
        )
        assert found == [], json.dumps(found, indent=1, ensure_ascii=False)
        misplaced = self.run(MISPLACED)
        assert misplaced == [], f"{self.driver.current_url}: {misplaced}"
        wide = self.run("return [document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1], f"{self.driver.current_url} is {wide[0]} wide on a screen of {wide[1]}"
        if is_one_language and self.lang == "en":
            rest = self.run("const b = document.body.cloneNode(true); b.querySelectorAll('[lang=ja], pre, noscript').forEach(e => e.remove()); return b.textContent")
            assert not re.search("[ぁ-んァ-ヶ]", rest), re.findall(".{0,20}[ぁ-んァ-ヶ].{0,20}", rest)
        bad = [line for line in self.driver.get_log("browser") if line["level"] == "SEVERE" and "status of 401" not in line["message"]]
        assert bad == [], bad
        return self

    def judge_twice(self, **more):
        """In light and in dark."""
        self.judge(**more).darken().judge(**more)
        return self.darken(False)

    def photo(self, path, is_wide=False):
        """The whole page; is_wide: also what stands beside the screen."""
        size = self.run("return [document.documentElement[arguments[0]], document.documentElement.scrollHeight]", "scrollWidth" if is_wide else "clientWidth")
        clip = {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        pathlib.Path(path).write_bytes(base64.b64decode(shot["data"]))

    # --- doing ---

    def keys(self, *keys):
        self.driver.switch_to.active_element.send_keys(*keys)

    def focused(self):
        """What a screen reader says of the element that has the focus: label, aria-label or its own text."""
        return self.run(
            "const e = document.activeElement; return [...(e.labels || [])].map(l => l.innerText).join(' ') || e.getAttribute('aria-label') || e.innerText || ''"
        )

    def tab_to(self, words):
        """By the Tab key alone; what has the focus must be seen to have it."""
        for _ in range(TABS_MAX):
            self.keys(Keys.TAB)
            if words in self.focused() and self.run("return document.activeElement !== document.body && document.activeElement.tagName !== 'MAIN'"):
                outline = self.run("return getComputedStyle(document.activeElement).outlineStyle")
                assert outline != "none", f"{words}: no outline shows the focus"
                return self
        raise AssertionError(f"Tab does not reach {words!r}: {self.text()}")

    def press(self, words):
        """With a pointer: the button, link or choice of these words."""
        def look():
            try:
                for element in self.driver.find_elements(By.CSS_SELECTOR, "button, a, summary, .choices label, label.row"):
                    if element.text.strip() == words:
                        element.click()
                        return True
            except StaleElementReferenceException:
                pass  # the page has just been drawn anew
            return False

        until(f"there is {words!r} to press", look, 20, 0.1)
        return self

    def sign_in(self, mail, password):
        """By keyboard."""
        self.open("/login").until_key("login.mail")
        self.tab_to(self.word("login.mail")).keys(mail)
        self.tab_to(self.word("login.password")).keys(password, Keys.ENTER)
        return self.until_key("frame.sign-out")

