/* A site with two names and a certificate of some age, and one finding: for tests of what its page says. */
#include "core/page.h"
#include "words/words.h"

static const struct when now = { 1800000000 };
static const struct policy policy = { .ca_not_before = { INT64_MIN }, .draft_discard_after = { (int64_t)30 * 86400 } }; /* INT64_MIN: unknown */

struct fixture {
	struct site site;
	struct site_name names[2];
	struct finding finding;
};

/* Holds a certificate of 90 days for both names that is so many days old, and has been looked at an hour ago. */
static void
begin(struct fixture *f, int days)
{
	struct when end = when_plus(now, SPAN_D(90 - days));

	memset(f, 0, sizeof *f);
	for (size_t i = 0; i < 2; i++)
		f->names[i] = (struct site_name){ .id = (int64_t)i + 1,
			.name = i == 0 ? STR("a.example") : STR("www.a.example"),
			.is_wanted = true,
			.is_held = true,
			.passed_at = when_minus(now, SPAN_H(1)),
			.refused_until = WHEN_UNKNOWN,
			.validated_at = WHEN_UNKNOWN,
			.served = { .at = now, .is_ok = days < 90, .is_held = true, .not_after = end } };
	f->site = (struct site){ .id = 7,
		.setting = { .source = SOURCE_FREE },
		.names = f->names,
		.names_n = 2,
		.retry_at = WHEN_UNKNOWN,
		.checked_at = when_minus(now, SPAN_H(1)),
		.look_at = when_plus(now, SPAN_H(23)),
		.deploy_at = WHEN_UNKNOWN,
		.letter_at = WHEN_UNKNOWN,
		.wake = when_plus(now, SPAN_H(23)),
		.jitter = 0x80000000U,
		.held = { .id = 3, .is_live = true, .life = { when_minus(now, SPAN_D(days)), end } } };
}

static void
find(struct fixture *f, enum cause c, struct str subject)
{
	f->finding = (struct finding){ .cause = c,
		.subject = subject,
		.seen = STR("198.51.100.5"),
		.wanted = STR("192.0.2.10"),
		.copy = STR("192.0.2.10"),
		.acts = cause_row(c)->acts,
		.first_seen = when_minus(now, SPAN_H(1)),
		.last_seen = now,
		.next_look = when_plus(now, SPAN_H(1)),
		.told_at = WHEN_UNKNOWN,
		.times_seen = 2 };
	f->site.findings = (struct finding_list){ .at = &f->finding, .n = 1, .cap = 1 };
}
