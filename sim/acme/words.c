#include "sim/acme/inside.h"
#include <stdio.h>
#include <string.h>

/*
 * What the fake CA is told, a line at a time: a word, and what follows it. The same words at the start and while it runs.
 * "#" begins a comment; a part in double quotes is one word.
 */

enum { LINE_WORDS = 16 };
#define MS_MAX ((int64_t)400 * 365 * 86400 * 1000)

struct line {
	struct fake *f;
	struct settings *s;
	struct str words[LINE_WORDS]; /* after the first one */
	size_t n;
	struct why *why; /* set when something other than the form is wrong */
};

void
settings_init(struct settings *s)
{
	static const struct profile profiles[] = {
		{ "classic", { 90 * 86400 }, { 30 * 86400 }, { 7 * 86400 }, { 7 * 86400 }, 100, true },
		{ "tlsserver", { 45 * 86400 }, { 7 * 3600 }, { 3600 }, { 8 * 3600 }, 25, false },
		{ "shortlived", { 160 * 3600 }, { 7 * 3600 }, { 3600 }, { 8 * 3600 }, 25, false },
	};

	memset(s, 0, sizeof *s);
	memcpy(s->profiles, profiles, sizeof profiles);
	s->profiles_n = sizeof profiles / sizeof *profiles;
	s->validate_port = 80;
	s->renewal_poll = SPAN_H(6);
	s->reuses_orders = true;
	s->grace_ms = 500;
	(void)snprintf(s->identity, sizeof s->identity, "fake-ca.example");
	(void)snprintf(s->terms, sizeof s->terms, "https://fake-ca.example/terms");
}

/* --- values --- */

static bool
copy(struct str from, char *to, size_t cap)
{
	if (str_eq(from, STR("none")))
		from.n = 0;
	if (from.n >= cap)
		return false;
	memcpy(to, from.p, from.n);
	to[from.n] = '\0';
	return true;
}

/* "90d", "160h", "10m", "3s", "250ms". */
static bool
read_ms(struct str s, int64_t *ret)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };

	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		struct str unit = str_of(units[i].unit);
		int64_t n;

		if (!str_ends(s, unit) || !str_to_int((struct str){ s.p, s.n - unit.n }, &n) || n < 0 || n > MS_MAX / units[i].ms)
			continue;
		*ret = n * units[i].ms;
		return true;
	}
	return false;
}

static bool
read_span(struct str s, struct span *ret)
{
	int64_t ms;

	if (!read_ms(s, &ms) || ms < 1000)
		return false;
	ret->s = ms / 1000;
	return true;
}

static bool
read_switch(struct str s, bool *ret)
{
	*ret = str_eq(s, STR("on"));
	return *ret || str_eq(s, STR("off"));
}

/* "50%": the number before this end. */
static bool
read_with(struct str s, struct str end, int64_t most, int64_t *ret)
{
	return str_ends(s, end) && str_to_int((struct str){ s.p, s.n - end.n }, ret) && *ret >= 0 && *ret <= most;
}

/* --- lines; false: not as the form says, or why is set --- */

static bool
say_life(struct line *l)
{
	return read_span(l->words[0], &l->s->profiles[0].life);
}

static struct profile *
profile_named(struct settings *s, struct str name)
{
	for (size_t i = 0; i < s->profiles_n; i++)
		if (str_eq(name, str_of(s->profiles[i].name)))
			return &s->profiles[i];
	return NULL;
}

static bool
say_profile(struct line *l)
{
	struct settings *s = l->s;
	struct profile *p = profile_named(s, l->words[0]);
	int64_t names;

	if (p == NULL) {
		if (s->profiles_n == PROFILES_MAX || !copy(l->words[0], s->profiles[s->profiles_n].name, WORD_BYTES))
			return false;
		p = &s->profiles[s->profiles_n++];
		struct profile like = s->profiles[0];
		memcpy(like.name, p->name, sizeof like.name);
		*p = like;
	}
	for (size_t i = 1; i < l->n; i += 2) {
		struct str key = l->words[i], value = i + 1 < l->n ? l->words[i + 1] : STR_NONE;

		if (str_eq(key, STR("names")) && str_to_int(value, &names) && names > 0 && names <= NAMES_MAX)
			p->names_max = (unsigned)names;
		else if (!(str_eq(key, STR("life")) && read_span(value, &p->life)) &&
			 !(str_eq(key, STR("reuse")) && read_span(value, &p->reuse)) &&
			 !(str_eq(key, STR("pending")) && read_span(value, &p->pending)) &&
			 !(str_eq(key, STR("order")) && read_span(value, &p->order)) &&
			 !(str_eq(key, STR("common-name")) && read_switch(value, &p->has_common_name)))
			return false;
	}
	return true;
}

static bool
say_eab(struct line *l)
{
	struct settings *s = l->s;

	if (s->eabs_n == EABS_MAX || !copy(l->words[0], s->eabs[s->eabs_n].kid, WORD_BYTES) ||
	    !copy(l->words[1], s->eabs[s->eabs_n].hmac, sizeof s->eabs[0].hmac))
		return false;
	s->eabs_n++;
	return true;
}

static bool
say_terms(struct line *l)
{
	return copy(l->words[0], l->s->terms, sizeof l->s->terms);
}

static bool
say_identity(struct line *l)
{
	return copy(l->words[0], l->s->identity, sizeof l->s->identity);
}

static bool
say_list(struct line *l)
{
	return copy(l->words[0], l->s->list, sizeof l->s->list);
}

static bool
say_portal(struct line *l)
{
	return copy(l->words[0], l->s->portal, sizeof l->s->portal);
}

static bool
say_validate(struct line *l)
{
	struct str where = l->words[1], port = where;
	int64_t n;
	size_t colon = where.n;

	if (str_eq(l->words[0], STR("at"))) {
		while (colon > 0 && where.p[colon - 1] != ':')
			colon--;
		if (colon < 2 || !copy((struct str){ where.p, colon - 1 }, l->s->validate_at, sizeof l->s->validate_at))
			return false;
		port = (struct str){ where.p + colon, where.n - colon };
	} else if (!str_eq(l->words[0], STR("port"))) {
		return false;
	}
	if (!str_to_int(port, &n) || n < 1 || n > 65535)
		return false;
	l->s->validate_port = (uint16_t)n;
	return true;
}

static bool
say_dns(struct line *l)
{
	return copy(l->words[0], l->s->forwarder, sizeof l->s->forwarder) && validation_use_dns(l->f, l->why) == ERR_OK;
}

static bool
say_validation(struct line *l)
{
	static const char *const modes[] = { "real", "stop", "skip" };
	size_t i = 0;

	while (i < 3 && !str_eq(l->words[0], str_of(modes[i])))
		i++;
	if (i == 3)
		return false;
	l->s->validation = (enum validation_mode)i;
	if (l->s->validation != VALIDATION_STOPPED)
		validation_resume(l->f);
	return true;
}

static bool
say_delay(struct line *l)
{
	int64_t *to = str_eq(l->words[0], STR("validation")) ? &l->s->validation_ms
		      : str_eq(l->words[0], STR("issue"))    ? &l->s->issue_ms
		      : str_eq(l->words[0], STR("answer"))   ? &l->s->answer_ms
							     : NULL;

	return to != NULL && read_ms(l->words[1], to);
}

static bool
say_poll_after(struct line *l)
{
	int64_t ms;

	if (!read_ms(l->words[0], &ms))
		return false;
	l->s->poll_after_s = ms / 1000;
	return true;
}

static bool
say_renewal(struct line *l)
{
	return str_eq(l->words[0], STR("poll")) && read_span(l->words[1], &l->s->renewal_poll);
}

static bool
say_window(struct line *l)
{
	static const char *const kinds[] = { "sane", "inverted", "past", "ahead", "2107", "rubbish" };

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (str_eq(l->words[0], str_of(kinds[i]))) {
			l->s->window = (enum absurd_window)i;
			return true;
		}
	return false;
}

static bool
say_incident(struct line *l)
{
	return read_switch(l->words[0], &l->s->is_incident);
}

static bool
say_override(struct line *l)
{
	return read_switch(l->words[0], &l->s->has_override);
}

static bool
say_reuse(struct line *l)
{
	return str_eq(l->words[0], STR("orders")) && read_switch(l->words[1], &l->s->reuses_orders);
}

static bool
say_limits(struct line *l)
{
	bool is_off = str_eq(l->words[0], STR("off"));

	if (!is_off && !str_eq(l->words[0], STR("letsencrypt")))
		return false;
	l->s->has_ceilings = !is_off;
	tokens_as_lets_encrypt(&l->f->limits);
	for (size_t i = 0; is_off && i < TOKENS_COUNT; i++)
		l->f->limits.rules[i].capacity = 0;
	return true;
}

static bool
say_limit(struct line *l)
{
	enum token_limit which = token_limit_of_name(l->words[0]);
	int64_t n, ms;

	if (which == TOKENS_COUNT || !str_to_int(l->words[1], &n) || n < 0 || n > 1000000000 ||
	    !str_eq(l->words[2], STR("per")) || !read_ms(l->words[3], &ms) || ms == 0)
		return false;
	l->f->limits.rules[which] = (struct token_rule){ (uint32_t)n, ms };
	return true;
}

static bool
say_unpause(struct line *l)
{
	map_fini(&l->f->paused);
	return true;
}

static bool
say_fault(struct line *l)
{
	struct fault f = { .kind = fault_of_word(l->words[0]), .at = AT_COUNT, .percent = 100, .times_left = -1, .seconds = 1 };
	int64_t n, ms;

	if (f.kind == FAULT_COUNT || l->s->faults_n == FAULTS_MAX)
		return false;
	for (size_t i = 1; i < l->n; i++) {
		if (str_eq(l->words[i], STR("at")) && i + 1 < l->n) {
			f.at = endpoint_of_word(l->words[++i]);
			if (f.at == AT_COUNT)
				return false;
		} else if (read_with(l->words[i], STR("%"), 100, &n)) {
			f.percent = (unsigned)n;
		} else if (read_with(l->words[i], STR("x"), INT32_MAX, &n)) {
			f.times_left = n;
		} else if (read_ms(l->words[i], &ms)) {
			f.seconds = ms / 1000;
		} else {
			return false;
		}
	}
	l->s->faults[l->s->faults_n++] = f;
	return true;
}

static bool
say_clear(struct line *l)
{
	struct settings *s = l->s;
	enum fault_kind kind = l->n > 0 ? fault_of_word(l->words[0]) : FAULT_COUNT;
	size_t kept = 0;

	if (l->n > 0 && kind == FAULT_COUNT)
		return false;
	for (size_t i = 0; i < s->faults_n; i++)
		if (l->n > 0 && s->faults[i].kind != kind)
			s->faults[kept++] = s->faults[i];
	s->faults_n = kept;
	if (l->n == 0) {
		memset(s->absurd_retry_after, 0, sizeof s->absurd_retry_after);
		s->window = WINDOW_SANE;
	}
	return true;
}

static bool
say_retry_after(struct line *l)
{
	enum endpoint at = endpoint_of_word(l->words[0]);

	return at != AT_COUNT && str_is_line(l->words[1]) &&
	       copy(l->words[1], l->s->absurd_retry_after[at], sizeof l->s->absurd_retry_after[at]);
}

/* In words that this CA never says by itself: those of others, and those of a rare state. */
static bool
say_refuse(struct line *l)
{
	enum endpoint at = endpoint_of_word(l->words[0]);
	struct problem_text p = { .status = 0 };
	int64_t status = 0;

	if (at == AT_COUNT)
		return false;
	if (l->n == 4 && (!str_to_int(l->words[1], &status) || status < 400 || status > 599 || !copy(l->words[2], p.type, sizeof p.type) ||
			     !str_is_line(l->words[3]) || !copy(l->words[3], p.detail, sizeof p.detail)))
		return false;
	if (l->n != 4 && (l->n != 2 || !str_eq(l->words[1], STR("none"))))
		return false;
	p.status = (int)status;
	l->s->refusals[at] = p;
	return true;
}

static bool
say_grace(struct line *l)
{
	return read_ms(l->words[0], &l->s->grace_ms);
}

static bool
say_seed(struct line *l)
{
	int64_t n;

	if (!str_to_int(l->words[0], &n) || n <= 0)
		return false;
	l->f->dice = (uint64_t)n;
	return true;
}

static bool
say_stop(struct line *l)
{
	l->f->is_down = true;
	httpd_stop(l->f->front);
	return true;
}

static bool
say_start(struct line *l)
{
	l->f->is_down = false;
	return httpd_start(l->f->front, l->why) == ERR_OK;
}

static bool
say_log(struct line *l)
{
	if (!str_eq(l->words[0], STR("clear")))
		return false;
	log_clear(l->f);
	return true;
}

static const struct {
	const char *word;
	bool (*say)(struct line *l);
	size_t least, most;
	bool needs_server; /* means something only while it runs */
	const char *form;
} words[] = {
	{ "life", say_life, 1, 1, false, "life 90d" },
	{ "profile", say_profile, 1, 11, false, "profile NAME [life 45d] [reuse 7h] [pending 1h] [order 8h] [names 25] [common-name on]" },
	{ "eab", say_eab, 2, 2, false, "eab KEY-ID HMAC-KEY-IN-BASE64URL" },
	{ "terms", say_terms, 1, 1, false, "terms URL, or terms none" },
	{ "identity", say_identity, 1, 1, false, "identity NAME-FOR-CAA" },
	{ "list", say_list, 1, 1, false, "list URL, or list none" },
	{ "portal", say_portal, 1, 1, false, "portal URL, or portal none" },
	{ "validate", say_validate, 2, 2, false, "validate at ADDRESS:PORT, or validate port PORT" },
	{ "dns", say_dns, 1, 1, false, "dns ADDRESS@PORT, or dns none" },
	{ "validation", say_validation, 1, 1, false, "validation real, stop or skip" },
	{ "delay", say_delay, 2, 2, false, "delay validation|issue|answer 5s" },
	{ "poll-after", say_poll_after, 1, 1, false, "poll-after 3s" },
	{ "renewal", say_renewal, 2, 2, false, "renewal poll 6h" },
	{ "window", say_window, 1, 1, false, "window sane|inverted|past|ahead|2107|rubbish" },
	{ "incident", say_incident, 1, 1, false, "incident on|off" },
	{ "override", say_override, 1, 1, false, "override on|off" },
	{ "reuse", say_reuse, 2, 2, false, "reuse orders on|off" },
	{ "limits", say_limits, 1, 1, false, "limits letsencrypt|off" },
	{ "limit", say_limit, 4, 4, false, "limit new-accounts|new-orders|domain|exact-set|failures|failures-in-a-row 300 per 3h" },
	{ "unpause", say_unpause, 0, 0, false, "unpause" },
	{ "fault", say_fault, 1, 6, false, "fault KIND [at ENDPOINT] [50%] [3x] [10s]; doc/fake-ca.md has the kinds" },
	{ "clear", say_clear, 0, 1, false, "clear [KIND-OF-FAULT]" },
	{ "retry-after", say_retry_after, 2, 2, false, "retry-after ENDPOINT \"TEXT\", or none" },
	{ "refuse", say_refuse, 2, 4, false, "refuse ENDPOINT STATUS TYPE \"TEXT\", or refuse ENDPOINT none" },
	{ "grace", say_grace, 1, 1, false, "grace 500ms" },
	{ "seed", say_seed, 1, 1, false, "seed 7" },
	{ "stop", say_stop, 0, 0, true, "stop" },
	{ "start", say_start, 0, 0, true, "start" },
	{ "log", say_log, 1, 1, false, "log clear" },
};

static bool
split(struct str text, struct str *ret_first, struct line *l)
{
	for (text = str_trim(text); text.n > 0 && text.p[0] != '#'; text = str_trim(text)) {
		struct str word;

		if (text.p[0] == '"' || text.p[0] == '\'') {
			char quote = text.p[0];

			text = (struct str){ text.p + 1, text.n - 1 };
			if (memchr(text.p, quote, text.n) == NULL)
				return false;
			word = str_cut(&text, quote);
		} else {
			size_t n = 0;

			while (n < text.n && text.p[n] != ' ' && text.p[n] != '\t')
				n++;
			word = (struct str){ text.p, n };
			text = (struct str){ text.p + n, text.n - n };
		}
		if (ret_first->n == 0)
			*ret_first = word;
		else if (l->n < LINE_WORDS)
			l->words[l->n++] = word;
		else
			return false;
	}
	return true;
}

static bool
say_line(struct fake *f, struct str text, unsigned number, struct why *why)
{
	struct line l = { .f = f, .s = &f->set, .why = why };
	struct str first = STR_NONE;
	size_t i = 0;

	if (!split(text, &first, &l)) {
		why_set(why, "line %u: expected at most %d words, and a second quotation mark for each", number, LINE_WORDS);
		return false;
	}
	if (first.n == 0)
		return true;
	while (i < sizeof words / sizeof *words && !str_eq(first, str_of(words[i].word)))
		i++;
	if (i == sizeof words / sizeof *words) {
		why_set(why, "line %u: \"%.*s\" is no word of the fake CA; doc/fake-ca.md has them all", number,
		    (int)(first.n < 80 ? first.n : 80), first.p);
		return false;
	}
	if (words[i].needs_server && f->front == NULL) {
		why_set(why, "line %u: \"%s\" is said while it runs", number, words[i].word);
		return false;
	}
	if (l.n >= words[i].least && l.n <= words[i].most && words[i].say(&l))
		return true;
	if (why->text[0] == '\0')
		why_set(why, "line %u: expected: %s", number, words[i].form);
	return false;
}

enum err
fake_say(struct fake *f, struct str lines, struct why *why)
{
	why->text[0] = '\0';
	for (unsigned number = 1; lines.n > 0; number++)
		if (!say_line(f, str_cut(&lines, '\n'), number, why))
			return ERR_INVALID;
	return ERR_OK;
}
