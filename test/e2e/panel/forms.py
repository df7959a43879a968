"""Every form of the panel and every field of each, read from the panel's source, so that a test over all of them can forget none."""

import re

from screen import ROOT

PAGES = ROOT / "panel/src/pages"
SHOWN_ONLY = {"gallery.tsx"}  # components in each of their states
# Parts of a form that stand in a function of their own; what is in nobody's form is a field of its own.
PARTS = {"Files": "Import", "OwnPassword": None}
TAG = re.compile(r"<(Field|OwnPassword|Tick|input|select|textarea)\b")
NAMES = {
    "Field": re.compile(r'<Field\b[^>]*?\blabel=\{t\("([^"]+)"\)'),
    "OwnPassword": re.compile("<(OwnPassword)"),
    None: re.compile(r'<\w+\b[^>]*?\bname="([^"]+)"'),
}
FUNCTION = re.compile(r"^(?:export )?function (\w+)\(", re.M)


def _functions(file):
    """(name, source) of each function of a page."""
    text = file.read_text()
    begins = [*FUNCTION.finditer(text)]
    for one, after in zip(begins, [*begins[1:], None]):
        yield one[1], text[one.start() : after.start() if after else len(text)]


def _everywhere():
    for file in sorted(PAGES.rglob("*.tsx")):
        if file.name not in SHOWN_ONLY:
            for function, source in _functions(file):
                yield f"{file.relative_to(PAGES).with_suffix('')} {PARTS.get(function, function)}", function, source


def fields():
    """{(form, field)}: a form is its page and its function, a field its label's key, or its name where it has no label of its own."""
    found = set()
    for form, function, source in _everywhere():
        for tag in TAG.finditer(source):
            pattern = NAMES.get(tag[1], NAMES[None])
            name = pattern.match(source, tag.start())
            assert name, f"{form}: a field without a label that is known, or without a name: {source[tag.start() : tag.start() + 80]}"
            if function not in PARTS or PARTS[function]:
                found.add((form, "account.password-again" if tag[1] == "OwnPassword" else name[1]))
    return found


def forms():
    """Each that has a button to send it."""
    return {form for form, _, source in _everywhere() if re.search(r"<Form\b", source)}
