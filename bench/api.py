"""1,000,000 sites, four operators at once: what a search, a filter, a page and a site cost. bench/api.c fills the store and asks."""

import tempfile

from figures import Goal, line, program, run

SITES, FEW = 1_000_000, 10_000
QUESTIONS = (
    "search_rare", "search_common", "search_short", "search_mail", "search_japanese", "search_and_show", "show_owner", "show_progress",
    "show_fine", "by_cause", "by_owner", "page", "site", "overview", "alarms", "letters", "audit", "audit_who", "audit_site", "status",
)  # fmt: skip

ALL = Goal(50.0, "an answer within the time that a person takes for none; the 99th of a hundred is what people remember")
FORESEEN = Goal(15.0, "the watchdog goes through all sites in parts, one each minute: the whole is a small share of an hour of one core")


def measure():
    with tempfile.TemporaryDirectory(prefix="koshin-api-") as few_folder, tempfile.TemporaryDirectory(prefix="koshin-api-") as folder:
        few = run(program("api"), FEW, few_folder)
        many = run(program("api"), SITES, folder, timeout=3600)
    against = f"with {FEW} sites"
    for name in ("all", *QUESTIONS):
        yield line(f"api.{name}.p99", many[f"{name}_p99_ms"], "ms", against, few[f"{name}_p99_ms"], ALL)
    yield line("api.all.p50", many["all_p50_ms"], "ms", against, few["all_p50_ms"], None)
    yield line("api.forecast", many["forecast_s"], "s", against, few["forecast_s"], FORESEEN)
    yield line("api.fill", many["fill_s"], "s", against, few["fill_s"], None)
