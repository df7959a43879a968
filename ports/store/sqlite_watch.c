#include "ports/store/query.h"
#include "ports/store/watch.h"

enum { DAY_S = 86400, EXAMPLE_BYTES = 300 };

static const char *const learned_words[LEARNED_COUNT] = { "dns", "probe", "ca" };

enum err
store_learned_put(struct store *s, enum learned what, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_LEARNED_PUT, NULL);

	query_bind_word(&q, "what", learned_words[what]);
	query_bind_when(&q, "at", now);
	return query_write(&q);
}

enum err
store_condition_put(struct store *s, enum cause c, struct str words, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_CONDITION_PUT, NULL);

	query_bind_word(&q, "cause", cause_row(c)->id);
	query_bind_text(&q, "words", words);
	query_bind_when(&q, "now", now);
	return query_write(&q);
}

enum err
store_condition_end(struct store *s, enum cause c)
{
	AUTO_QUERY q = query_start(s, SQL_CONDITION_END, NULL);

	query_bind_word(&q, "cause", cause_row(c)->id);
	return query_write(&q);
}

enum err
store_heartbeat_of(struct store *s, struct str process, struct when *ret)
{
	AUTO_QUERY q = query_start(s, SQL_WATCH_HEARTBEAT, NULL);
	struct when at = WHEN_UNKNOWN;

	query_bind_text(&q, "process", process);
	if (query_row(&q))
		at = query_when(&q, "at");
	enum err e = query_finish(&q);
	if (e == ERR_OK)
		*ret = at;
	return e;
}

/* --- reading --- */

static enum err
read_number(struct store *s, enum sql id, int64_t *ret)
{
	AUTO_QUERY q = query_start(s, id, NULL);

	if (query_row(&q))
		*ret = query_int(&q, "n", 0, INT64_MAX);
	return query_finish(&q);
}

static enum err
read_due(struct store *s, struct when by, struct watch_facts *f)
{
	AUTO_QUERY q = query_start(s, SQL_WATCH_DUE, NULL);

	query_bind_when(&q, "by", by);
	if (query_row(&q))
		f->due = query_int(&q, "n", 0, INT64_MAX);
	return query_finish(&q);
}

static enum err
read_oldest(struct store *s, struct watch_facts *f)
{
	AUTO_QUERY q = query_start(s, SQL_WATCH_OLDEST, NULL);

	if (query_row(&q))
		f->oldest_due = query_when(&q, "wake");
	return query_finish(&q);
}

static enum err
read_learned(struct store *s, struct watch_facts *f)
{
	AUTO_QUERY q = query_start(s, SQL_LEARNED, NULL);
	struct when *to[LEARNED_COUNT] = { &f->dns_at, &f->probe_at, &f->ca_at };

	while (query_row(&q)) {
		struct str what = query_word(&q, "what");
		size_t i = 0;

		while (i < LEARNED_COUNT && !str_eq(what, str_of(learned_words[i])))
			i++;
		struct when at = query_when(&q, "at");
		if (i < LEARNED_COUNT)
			*to[i] = at;
	}
	return query_finish(&q);
}

static enum err
count_until(struct store *s, struct when by, int64_t *ret)
{
	AUTO_QUERY q = query_start(s, SQL_COUNT_ENDING, NULL);

	query_bind_when(&q, "by", by);
	if (query_row(&q))
		*ret = query_int(&q, "n", 0, INT64_MAX);
	return query_finish(&q);
}

enum err
store_days_left(struct store *s, struct when now, int64_t ret[WATCH_DAYS])
{
	int64_t before = 0, all = 0;
	struct bracket b;
	enum err e = bracket_begin(s, true, &b);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < WATCH_DAYS - 1 && e == ERR_OK; i++) {
		int64_t n = 0;

		e = count_until(s, when_plus(now, SPAN_S((int64_t)watch_days[i] * DAY_S)), &n);
		ret[i] = n - before;
		before = n;
	}
	if (e == ERR_OK)
		e = read_number(s, SQL_COUNT_HELD, &all);
	ret[WATCH_DAYS - 1] = all - before;
	return bracket_end(s, &b, e);
}

/* "example.jp: 198.51.100.5", or the first line of the evidence. */
static struct str
words_of(struct arena *a, struct str subject, struct str seen, struct str evidence)
{
	struct str rest = evidence, what = seen.n > 0 ? seen : str_cut(&rest, '\n');

	if (what.n > EXAMPLE_BYTES)
		what.n = EXAMPLE_BYTES;
	return what.n == 0 ? subject : arena_strf(a, "%.*s: %.*s", STR_ARG(subject), STR_ARG(what));
}

static enum err
read_example(struct store *s, int64_t id, struct arena *a, struct watch_cause *ret)
{
	AUTO_QUERY q = query_start(s, SQL_WATCH_EXAMPLE, a);

	query_bind_int(&q, "id", id);
	if (query_row(&q)) {
		struct str subject = query_text(&q, "subject"), seen = query_text(&q, "seen");

		ret->words = words_of(a, subject, seen, query_text(&q, "evidence"));
	}
	return query_finish(&q);
}

struct list {
	struct watch_cause *at;
	int64_t *example;
	size_t n;
};

static enum err
read_findings(struct store *s, struct list *l)
{
	AUTO_QUERY q = query_start(s, SQL_WATCH_CAUSES, NULL);

	while (query_row(&q)) {
		enum cause c = cause_of_id(query_word(&q, "cause"));
		int64_t n = query_int(&q, "n", 0, INT64_MAX), example = query_id(&q, "example");

		/* A damaged word is the doctor's. */
		if (c == CAUSE_NONE || cause_row(c)->severity != SEVERITY_ALARM || l->n == CAUSE_COUNT)
			continue;
		l->example[l->n] = example;
		l->at[l->n++] = (struct watch_cause){ .cause = c, .sites = n };
	}
	return query_finish(&q);
}

static enum err
read_conditions(struct store *s, struct arena *a, struct list *l)
{
	AUTO_QUERY q = query_start(s, SQL_CONDITIONS, a);

	while (query_row(&q)) {
		enum cause c = cause_of_id(query_word(&q, "cause"));
		struct str words = query_text(&q, "words");

		if (c == CAUSE_NONE || l->n == (size_t)2 * CAUSE_COUNT)
			continue;
		l->example[l->n] = 0;
		l->at[l->n++] = (struct watch_cause){ .cause = c, .words = words };
	}
	return query_finish(&q);
}

static enum err
read_causes(struct store *s, struct arena *a, struct watch_facts *f)
{
	size_t cap = (size_t)2 * CAUSE_COUNT;
	struct list l = { arena_get(a, cap * sizeof *l.at), arena_get(a, cap * sizeof *l.example), 0 };
	enum err e = l.at == NULL || l.example == NULL ? ERR_MEMORY : read_findings(s, &l);

	for (size_t i = 0; e == ERR_OK && i < l.n; i++)
		e = read_example(s, l.example[i], a, &l.at[i]);
	if (e == ERR_OK)
		e = read_conditions(s, a, &l);
	f->causes = l.at;
	f->causes_n = l.n;
	return e;
}

enum err
store_watched(
    struct store *s, struct when now, struct span late_after, struct arena *a, struct watch_facts *ret)
{
	struct watch_facts f = *ret;
	struct bracket b;
	int64_t failures = 0;
	enum err e = bracket_begin(s, true, &b);

	if (e != ERR_OK)
		return e;
	f.dns_at = f.probe_at = f.ca_at = WHEN_UNKNOWN;
	f.oldest_due = WHEN_NEVER;
	e = store_heartbeat_of(s, STR("engine"), &f.engine_at);
	if (e == ERR_OK)
		e = read_number(s, SQL_COUNT_SITES, &f.sites);
	if (e == ERR_OK)
		e = read_due(s, when_minus(now, late_after), &f);
	if (e == ERR_OK)
		e = read_oldest(s, &f);
	if (e == ERR_OK)
		e = read_learned(s, &f);
	if (e == ERR_OK)
		e = read_number(s, SQL_WATCH_CA_FAILURES, &failures);
	if (e == ERR_OK)
		e = store_days_left(s, now, f.days_left);
	if (e == ERR_OK)
		e = read_causes(s, a, &f);
	e = bracket_end(s, &b, e);
	if (e != ERR_OK)
		return e;
	f.ca_failures = failures > UINT16_MAX ? UINT16_MAX : (unsigned)failures;
	f.has_store = true;
	*ret = f;
	return ERR_OK;
}

/* --- many sites at once --- */

static enum err
read_bursts(struct store *s, struct when now, struct arena *a, struct mass_burst **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_WATCH_BURSTS, a);
	struct mass_burst *rows = NULL;
	size_t n = 0;

	query_bind_when(&q, "since", when_minus(now, SPAN_S(MASS_KEPT_S)));
	query_bind_int(&q, "bucket", MASS_BUCKET_S);
	query_bind_int(&q, "least", MASS_LEAST);
	while (query_row(&q)) {
		enum cause c = cause_of_id(query_word(&q, "cause"));
		int64_t owners = query_int(&q, "n", 0, INT64_MAX);

		if (c == CAUSE_NONE)
			continue;
		rows = query_grow(&q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		rows[n++] = (struct mass_burst){ c, owners };
	}
	*ret = rows;
	*ret_n = n;
	return query_finish(&q);
}

enum err
store_bursts(struct store *s, struct when now, struct arena *a, struct mass_burst **ret, size_t *ret_n, int64_t *ret_sites)
{
	enum err e = read_number(s, SQL_COUNT_SITES, ret_sites);

	return e != ERR_OK ? e : read_bursts(s, now, a, ret, ret_n);
}

/* --- samples --- */

static void
read_sample(struct query *q, struct store_sample *ret)
{
	ret->name_id = query_id(q, "id");
	ret->name = query_text(q, "name");
	query_fingerprint(q, "fingerprint", ret->fingerprint);
}

enum err
store_samples(struct store *s, int64_t after_id, size_t max, struct arena *a,
    struct store_sample **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_WATCH_SAMPLES, a);
	struct store_sample *rows = NULL;
	size_t n = 0;

	query_bind_int(&q, "after", after_id);
	query_bind_int(&q, "max", (int64_t)max);
	while (query_row(&q)) {
		rows = query_grow(&q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		read_sample(&q, &rows[n++]);
	}
	enum err e = query_finish(&q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}

enum err
store_sample(struct store *s, int64_t name_id, struct arena *a, struct store_sample *ret)
{
	AUTO_QUERY q = query_start(s, SQL_WATCH_SAMPLE, a);
	bool is_there;

	query_bind_int(&q, "id", name_id);
	is_there = query_row(&q);
	if (is_there)
		read_sample(&q, ret);
	enum err e = query_finish(&q);
	return e == ERR_OK && !is_there ? ERR_NOT_FOUND : e;
}
