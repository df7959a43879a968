#include "engine/inside.h"
#include "base/must.h"

/*
 * Renewal information (RFC 9773). Each held certificate has a date at which the CA is asked about it; a poll is a piece of work
 * of its own, which no order waits for and which waits for none. A site is stepped only when its renewal moves to another date,
 * so a fleet of a million is polled at 46 requests a second without one look at a site.
 */

enum {
	POLLS_AT_ONCE = 32,
	POLLS_A_SECOND = 200, /* Let's Encrypt takes 1,000; a backlog of a million is done in 83 minutes */
	POLL_LOST_S = 600,    /* an answer that is lost, with the process or on the way: asked again */
	UNWANTED_S = 86400,
};

static bool
is_offered(const struct engine_ca *ca)
{
	return ca->is_open && ca->row.has_renewal_info;
}

enum err
renewals_issued(struct engine *e, int64_t site_id, int64_t certificate_id, int64_t ca_id, const struct certificate_info *info)
{
	struct engine_ca *ca = account_ca(e, ca_id);
	const struct turn turn = site_turn(&e->turn, site_id);
	struct life life = { info->not_before, info->not_after };
	const struct renewal_row row = {
		.site_id = site_id,
		.certificate_id = certificate_id,
		.ca_id = ca_id,
		.renewal = { .polled_at = WHEN_UNKNOWN, .poll_at = renewal_first_poll(life, &turn) },
	};

	if (info->ari_id.n == 0 || ca == NULL)
		return store_renewal_drop(e->ports.store, site_id);
	ca->polls_at = when_min(ca->polls_at, row.renewal.poll_at);
	return store_renewal_put(e->ports.store, &row);
}

static enum err
put_poll(struct engine *e, const struct engine_ca *ca, const struct renewal_due *due)
{
	struct work *w = work_new(e, WORK_RENEWAL);

	if (w == NULL)
		return ERR_MEMORY;
	w->site_id = due->site_id;
	w->certificate_id = due->certificate_id;
	w->request = (struct acme_request){ .verb = ACME_RENEWAL_INFO, .ca_id = ca->row.id, .ari_id = arena_str(&w->arena, due->ari_id) };
	if (arena_failed(&w->arena)) {
		work_free(&w);
		return ERR_MEMORY;
	}
	e->polls.open++;
	e->polls.in_second++;
	queue_put(&e->acts, w);
	/* Not due again while it is under way. */
	return store_renewal_put_off(e->ports.store, due->site_id, when_plus(e->turn.now, SPAN_S(POLL_LOST_S)));
}

static size_t
room(struct engine *e)
{
	int64_t now_ms = clock_mono(&e->ports.clock).ms;

	if (now_ms - e->polls.second.ms >= 1000) {
		e->polls.second = (struct mono){ now_ms };
		e->polls.in_second = 0;
	}
	if (e->polls.open >= POLLS_AT_ONCE || e->polls.in_second >= POLLS_A_SECOND)
		return 0;
	size_t by_rate = POLLS_A_SECOND - e->polls.in_second, by_open = POLLS_AT_ONCE - e->polls.open;
	return by_rate < by_open ? by_rate : by_open;
}

static enum err
poll_ca(struct engine *e, struct engine_ca *ca)
{
	struct renewal_due *due;
	size_t n = 0, max;

	if (!is_offered(ca) || when_before(e->turn.now, ca->polls_at) || (max = room(e)) == 0)
		return ERR_OK;
	enum err err = store_renewals_due(e->ports.store, ca->row.id, e->turn.now, max, &e->arena, &due, &n);
	for (size_t i = 0; err == ERR_OK && i < n; i++)
		err = due[i].is_removed ? store_renewal_drop(e->ports.store, due[i].site_id)
		    : due[i].is_wanted	? put_poll(e, ca, &due[i])
					: store_renewal_put_off(e->ports.store, due[i].site_id,
					      when_plus(e->turn.now, SPAN_S(UNWANTED_S)));
	/* The next date is read once, not in each turn. */
	if (err == ERR_OK && n == max)
		ca->polls_at = e->turn.now;
	else if (err == ERR_OK)
		err = store_renewals_next(e->ports.store, ca->row.id, &ca->polls_at);
	return err;
}

enum err
renewals_turn(struct engine *e)
{
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < e->cas_n; i++)
		err = poll_ca(e, e->cas[i]);
	return err;
}

struct when
renewals_next(const struct engine *e)
{
	struct when at = WHEN_NEVER;

	for (size_t i = 0; e->polls.open < POLLS_AT_ONCE && i < e->cas_n; i++)
		if (is_offered(e->cas[i]))
			at = when_min(at, e->cas[i]->polls_at);
	return e->polls.in_second >= POLLS_A_SECOND ? when_max(at, when_plus(e->turn.now, SPAN_S(1))) : at;
}

/* What no window could be made of is the operator's to know: one line for each kind, and how often. */
static enum err
report(struct engine *e, const struct engine_ca *ca, enum renewal_oddity odd, const struct renewal_told *told)
{
	struct str words = arena_strf(&e->arena, "%.*s: %s", STR_ARG(ca->row.name), renewal_oddity_words(odd));

	engine_log(e, "renewal information: %.*s (%lld to %lld)", STR_ARG(words), (long long)told->start.s, (long long)told->end.s);
	return store_unclassified_put(e->ports.store, STR("ca.renewal-info"), words, e->turn.now);
}

enum err
renewals_answer(struct engine *e, const struct work *w)
{
	struct acme_answer *an = w->answer;
	struct renewal_row row;
	struct site s;

	must(e->polls.open > 0);
	e->polls.open--;
	enum err err = store_renewal_load(e->ports.store, w->site_id, &e->arena, &row);
	if (err == ERR_OK && row.certificate_id == w->certificate_id)
		err = store_site_load(e->ports.store, w->site_id, &e->arena, &s);
	if (err != ERR_OK && err != ERR_NOT_FOUND)
		return err;
	/* It was asked about a certificate that is not held any more. */
	struct engine_ca *ca = account_ca(e, w->request.ca_id);
	if (err == ERR_NOT_FOUND || ca == NULL || row.certificate_id != w->certificate_id || s.held.id != w->certificate_id) {
		e->late_answers++;
		return ERR_OK;
	}
	const struct turn turn = site_turn(&e->turn, w->site_id);
	const struct renewal_of of = { s.held.life, row.issued_at, site_table_renew_at(&s) };
	struct when before = site_renew_at(&s);
	bool was_urgent = row.renewal.is_told && row.renewal.is_urgent;
	if (an->err == ERR_OK) {
		an->renewal.retry_after = an->retry_after;
		enum renewal_oddity odd = renewal_take(&row.renewal, &an->renewal, &of, &turn);
		row.oddities += odd != RENEWAL_FINE;
		if (odd != RENEWAL_FINE && (err = report(e, ca, odd, &an->renewal)) != ERR_OK)
			return err;
	} else {
		renewal_miss(&row.renewal, an->retry_after, &of, &turn);
	}
	ca->polls_at = when_min(ca->polls_at, row.renewal.poll_at);
	err = store_renewal_put(e->ports.store, &row);
	s.renewal = row.renewal;
	const struct site_event ev = {
		.kind = SITE_RENEWAL_TOLD,
		.is_asked_early = !was_urgent && row.renewal.is_told && row.renewal.is_urgent,
		.retry_after = WHEN_UNKNOWN,
	};
	bool is_news = ev.is_asked_early || site_renew_at(&s).s != before.s;
	return err == ERR_OK && is_news ? engine_step_site(e, w->site_id, &ev) : err;
}
