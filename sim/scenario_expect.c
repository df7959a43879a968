/* The statement "expect": what is held against what a scenario says. */
#include "core/own_redirect.h"
#include "core/view.h"
#include "ports/store/watch.h"
#include "sim/scenario_inside.h"

static bool
compare(struct str op, int64_t got, int64_t wanted)
{
	return str_eq(op, STR("==")) ? got == wanted
	    : str_eq(op, STR("<="))  ? got <= wanted
	    : str_eq(op, STR(">="))  ? got >= wanted
	    : str_eq(op, STR("<"))   ? got < wanted
	    : str_eq(op, STR(">"))   ? got > wanted
				     : str_eq(op, STR("!=")) && got != wanted;
}

enum err
scenario_expect_number(const struct player *p, const char *what, const struct words *w, size_t at, int64_t got)
{
	int64_t wanted;

	if (!str_to_int(word(w, at + 1), &wanted))
		return wrong(p, "a number", word(w, at + 1));
	if (compare(word(w, at), got, wanted))
		return ERR_OK;
	why_set(p->why, "%s:%zu: %s is %lld, expected %.*s %lld", p->file, p->line, what, (long long)got,
	    STR_ARG(word(w, at)), (long long)wanted);
	return ERR_MISMATCH;
}

enum err
scenario_expect_word(const struct player *p, const char *what, const struct words *w, size_t at, struct str got)
{
	bool is_equal = str_eq(got, word(w, at + 1)), is_wanted = is(w, at, "==");

	if (!is_wanted && !is(w, at, "!="))
		return wrong(p, "== or !=", word(w, at));
	if (is_equal == is_wanted)
		return ERR_OK;
	why_set(p->why, "%s:%zu: %s is %.*s, expected %.*s %.*s", p->file, p->line, what, STR_ARG(got), STR_ARG(word(w, at)),
	    STR_ARG(word(w, at + 1)));
	return ERR_MISMATCH;
}

/* expect letters h1 act == 1 */
static enum err
expect_letters(struct player *p, const struct words *w)
{
	int64_t count = 0;
	enum letter_kind kind;
	enum err err = ERR_OK;
	bool any = false;

	if (!letter_of_name(word(w, 3), &kind))
		return wrong(p, "a kind of letter", word(w, 3));
	for (size_t i = 0; err == ERR_OK && i < p->sites_n; i++) {
		AUTO_ARENA a = { .max = LIMIT_TURN_BYTES };
		struct letter_row *rows;
		size_t n = 0;

		if (!scenario_is_meant(p, i, word(w, 2)))
			continue;
		err = store_letters_of(p->sim->store, p->sites[i].id, &a, &rows, &n);
		for (size_t k = 0; err == ERR_OK && k < n; k++)
			count += rows[k].kind == kind && when_is_known(rows[k].sent_at);
		p->letters_claimed[i][kind] = any = true;
	}
	if (!any)
		return wrong(p, "a site of this scenario", word(w, 2));
	return err != ERR_OK ? err : expect_number(p, "the count of letters", w, 4, count);
}

/* expect count p* ok == 50: how many of these sites are in this state; or cause ID */
static enum err
expect_count(struct player *p, const struct words *w)
{
	bool is_cause = is(w, 3, "cause");
	size_t at = is_cause ? 4 : 3;
	int64_t count = 0;

	for (size_t i = 0; i < p->sites_n; i++) {
		AUTO_ARENA a = { .max = LIMIT_TURN_BYTES };
		struct site s;

		if (!scenario_is_meant(p, i, word(w, 2)))
			continue;
		enum err err = scenario_load(p, i, &a, &s);
		if (err != ERR_OK)
			return err;
		struct view v = view_of(&s, sim_now(p->sim));
		struct str got = !is_cause ? str_of(site_state_name(v.state)) : v.cause != NULL ? str_of(cause_row(v.cause->cause)->id) : STR_NONE;
		count += str_eq(got, word(w, at));
	}
	return expect_number(p, "the count of such sites", w, at + 1, count);
}

/* expect served www.a.example == ok | expired | nothing; or: until > DATE */
static enum err
expect_served(struct player *p, const struct words *w)
{
	const struct sim_certificate *c = sim_served(p->sim, word(w, 2));
	struct when date, now = sim_now(p->sim);
	bool has_name = false;

	for (size_t i = 0; c != NULL && i < c->names_n; i++)
		has_name |= certificate_pattern_matches(str_of(c->names[i]), word(w, 2));
	if (!is(w, 3, "until"))
		return expect_word(p, "what is served", w, 3,
		    c == NULL				    ? STR("nothing")
			: !when_before(now, c->life.to)	    ? STR("expired")
			: has_name			    ? STR("ok")
							    : STR("other"));
	enum err err = scenario_read_date(p, word(w, 5), &date);
	if (err != ERR_OK)
		return err;
	if (c != NULL && compare(word(w, 4), c->life.to.s, date.s))
		return ERR_OK;
	why_set(p->why, "%s:%zu: the served certificate ends at %lld", p->file, p->line, c != NULL ? (long long)c->life.to.s : 0);
	return ERR_MISMATCH;
}

/* expect h1 renews by ca; renews before DATE; renews after DATE */
static enum err
expect_renewal(const struct player *p, const struct words *w, const struct site *s)
{
	struct when at = site_renew_at(s), date;

	if (is(w, 3, "by"))
		return expect_word(p, "why it is renewed", &(struct words){ .at = { STR("=="), word(w, 4) }, .n = 2 }, 0,
		    str_of(renew_why_name(site_renew_why(s))));
	enum err err = scenario_read_date(p, word(w, 4), &date);
	if (err != ERR_OK)
		return err;
	if (is(w, 3, "before") ? when_before(at, date) : is(w, 3, "after") && when_before(date, at))
		return ERR_OK;
	why_set(p->why, "%s:%zu: it is renewed at %lld, expected %.*s %lld", p->file, p->line, (long long)at.s, STR_ARG(word(w, 3)),
	    (long long)date.s);
	return ERR_MISMATCH;
}

static enum err
expect_keys(struct player *p, const struct words *w, const struct site *s)
{
	AUTO_ARENA a = { .max = LIMIT_TURN_BYTES };
	struct certificate_row *rows;
	size_t n = 0;
	int64_t keys = 0;
	enum err err = store_certificates_of(p->sim->store, s->id, &a, &rows, &n);

	for (size_t i = 0; err == ERR_OK && i < n; i++)
		keys += rows[i].sealed_key.n > 0;
	return err == ERR_OK ? expect_number(p, "the count of keys", w, 3, keys) : err;
}

static enum err
expect_site(struct player *p, const struct words *w)
{
	AUTO_ARENA a = { .max = LIMIT_TURN_BYTES };
	struct site s;
	size_t i;
	enum err err = scenario_site_of(p, word(w, 1), &i);

	if (err == ERR_OK)
		err = scenario_load(p, i, &a, &s);
	if (err != ERR_OK)
		return err;
	struct view v = view_of(&s, sim_now(p->sim));
	if (is(w, 2, "state"))
		return expect_word(p, "the state", w, 3, str_of(site_state_name(v.state)));
	if (is(w, 2, "cause"))
		return expect_word(p, "the cause", w, 3, v.cause != NULL ? str_of(cause_row(v.cause->cause)->id) : STR("none"));
	if (is(w, 2, "acts"))
		return expect_word(p, "who acts", w, 3, str_of(actor_name(v.acts)));
	if (is(w, 2, "renews"))
		return expect_renewal(p, w, &s);
	if (is(w, 2, "redirect"))
		return expect_number(p, "the redirect", w, 3, s.applied.redirect);
	if (is(w, 2, "own-redirect"))
		return expect_number(p, "the site's own redirect", w, 3, own_redirect_known(&s).n > 0);
	if (is(w, 2, "hsts"))
		return expect_number(p, "hsts", w, 3, s.applied.hsts);
	if (is(w, 2, "findings"))
		return expect_number(p, "the count of findings", w, 3, (int64_t)s.findings.n);
	if (is(w, 2, "keys"))
		return expect_keys(p, w, &s);
	if (is(w, 2, "draft"))
		return expect_number(p, "draft", w, 3, s.draft.exists);
	if (is(w, 2, "names")) {
		int64_t n = 0;

		for (size_t k = 0; k < s.names_n; k++)
			n += s.names[k].is_held;
		return expect_number(p, "the count of names in the certificate", w, 3, n);
	}
	for (size_t k = 0; k < s.names_n; k++)
		if (is(w, 2, "visitors") && str_eq(s.names[k].name, word(w, 3)))
			return expect_word(p, "what visitors get", w, 4,
			    str_of(visitors_name(view_visitors(&s, &s.names[k], sim_now(p->sim)))));
	return wrong(p, "state, cause, acts, redirect, own-redirect, hsts, findings, draft, names or visitors NAME", word(w, 2));
}

/* expect alarm own.fleet.failing == 1: does this cause stand for the operator? */
static enum err
expect_alarm(struct player *p, const struct words *w)
{
	AUTO_ARENA a = { .max = LIMIT_TURN_BYTES };
	struct watch_facts f = { 0 };
	bool stands = false;
	enum cause c = cause_of_id(word(w, 2));

	if (c == CAUSE_NONE)
		return wrong(p, "the id of a cause", word(w, 2));
	enum err err = store_watched(p->sim->store, sim_now(p->sim), SPAN_MIN(15), &a, &f);
	for (size_t i = 0; err == ERR_OK && i < f.causes_n; i++)
		stands |= f.causes[i].cause == c;
	return err != ERR_OK ? err : expect_number(p, "the alarm", w, 3, stands);
}

enum err
scenario_do_expect(struct player *p, const struct words *w)
{
	if (is(w, 1, "letters"))
		return expect_letters(p, w);
	if (is(w, 1, "count"))
		return expect_count(p, w);
	if (is(w, 1, "served"))
		return expect_served(p, w);
	struct sim_ca *one = sim_ca_of(p->sim, word(w, 2));
	if (is(w, 1, "orders") && one != NULL)
		return expect_number(p, "the count of orders there", w, 3, one->orders_placed);
	if (is(w, 1, "issued") && one != NULL)
		return expect_number(p, "the count of certificates from there", w, 3, one->issued);
	if (is(w, 1, "alarm"))
		return expect_alarm(p, w);
	if (is(w, 1, "orders")) {
		p->orders_spoken_of = true;
		p->orders_claimed = sim_orders_placed(p->sim);
		return expect_number(p, "the count of orders", w, 2, p->orders_claimed);
	}
	if (is(w, 1, "issued"))
		return expect_number(p, "the count of certificates", w, 2, sim_issued(p->sim));
	if (is(w, 1, "asked") && one != NULL)
		return expect_number(p, "the count of new orders that it was asked for", w, 3, one->orders_asked);
	if (is(w, 1, "checks"))
		return expect_number(p, "the count of checks", w, 2, p->sim->checks);
	if (is(w, 1, "polls"))
		return expect_number(p, "the count of questions for renewal information", w, 2, p->sim->polls);
	if (is(w, 1, "replaced"))
		return expect_number(p, "the count of replaced certificates", w, 2, p->sim->replaced);
	if (is(w, 1, "refused"))
		return expect_number(p, "the count of refusals by a limit", w, 2, p->sim->refused);
	if (is(w, 1, "revoked"))
		return expect_number(p, "the count of revoked certificates", w, 2, p->sim->revoked);
	if (is(w, 1, "deactivated"))
		return expect_number(p, "the count of authorizations given back", w, 2, p->sim->deactivated);
	if (is(w, 1, "reloads")) {
		int64_t n = 0;

		for (size_t i = 0; i < p->sim->webs_n; i++)
			n += p->sim->webs[i].reloads;
		return expect_number(p, "the count of reloads", w, 2, n);
	}
	struct sim_zone *zone = is(w, 1, "zone") ? sim_zone_of(p->sim, word(w, 2)) : NULL;
	if (zone != NULL)
		return expect_number(p, "the count of its updates", w, 4, is(w, 3, "added") ? zone->added : zone->asked);
	if (is(w, 1, "ca"))
		return scenario_expect_ca(p, w);
	if (is(w, 1, "restarts"))
		return expect_number(p, "the count of restarts", w, 2, p->sim->crashes);
	return expect_site(p, w);
}
