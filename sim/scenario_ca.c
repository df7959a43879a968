#include "sim/scenario_inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/breaker.h"

/* renewal on; with a bad window: inverted, past, late, none; replace: every certificate of before is to be replaced now. */
static enum err
set_renewal(struct player *p, struct str what)
{
	static const char *const windows[] = { "on", "inverted", "past", "late", "none" };

	p->sim->ca_has_renewal = !str_eq(what, STR("off"));
	if (str_eq(what, STR("replace")))
		p->sim->ca_replace_before = (struct when){ p->sim->now_ms / 1000 };
	for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
		if (str_eq(what, str_of(windows[i]))) {
			p->sim->ca_window = (enum sim_window)i;
			return ERR_OK;
		}
	return str_eq(what, STR("off")) || str_eq(what, STR("replace"))
		   ? ERR_OK
		   : wrong(p, "renewal on, off, replace, inverted, past, late or none", what);
}

/* profile shortlived 160h: what the CA offers beside its ordinary life. */
static enum err
put_profile(struct player *p, const struct words *w)
{
	struct sim *s = p->sim;

	if (s->ca_profiles_n == sizeof s->ca_profiles / sizeof *s->ca_profiles || word(w, 1).n >= sizeof s->ca_profiles->name)
		return wrong(p, "fewer profiles, with short names", word(w, 1));
	(void)snprintf(s->ca_profiles[s->ca_profiles_n].name, sizeof s->ca_profiles->name, "%.*s", STR_ARG(word(w, 1)));
	return read_span(p, word(w, 2), &s->ca_profiles[s->ca_profiles_n++].life);
}

/* ca { limits letsencrypt [unknown] ; others 45 example.jp ; pause www.example.jp ; unpause www.example.jp } */
static enum err
do_limits(struct player *p, const struct words *w)
{
	char **limits = &p->sim->config.cas[0].limits;
	int64_t n;
	enum err err = ERR_OK;

	if (is(w, 0, "pause") || is(w, 0, "unpause"))
		return sim_limits_pause(p->sim, word(w, 1), is(w, 0, "pause"));
	if (is(w, 0, "others"))
		return str_to_int(word(w, 1), &n) ? sim_limits_others(p->sim, n, word(w, 2)) : wrong(p, "a number", word(w, 1));
	err = sim_limits_set(p->sim, word(w, 1));
	if (err == ERR_INVALID)
		return wrong(p, "letsencrypt, letsencrypt-staging or none", word(w, 1));
	/* Read by the engine in its first turn. */
	if (err == ERR_OK && !is(w, 2, "unknown")) {
		free(*limits);
		*limits = strndup(w->at[1].p, w->at[1].n);
	}
	return err;
}

/* revoke example.jp: the certificate that is served there stands on its issuer's list from now on. */
static enum err
revoke(struct player *p, struct str name)
{
	const struct sim_certificate *c = sim_served(p->sim, name);

	if (c == NULL)
		return wrong(p, "a name that a certificate is served for", name);
	p->sim->certificates[c - p->sim->certificates].is_revoked = true;
	return ERR_OK;
}

enum err
scenario_do_ca(struct player *p, struct sim_ca *ca, const struct words *w)
{
	struct sim_ca_faults *f = &ca->faults;
	struct {
		const char *word;
		int64_t *until_ms;
	} faults[] = {
		{ "down", &f->down_until_ms },
		{ "silent", &f->silent_until_ms },
		{ "rubbish", &f->rubbish_until_ms },
		{ "limit", &f->limit_until_ms },
		{ "internal", &f->internal_until_ms },
		{ "refuses", &f->refuse_until_ms },
		{ "renewal-down", &f->renewal_until_ms },
		{ "nonce", &f->nonce_until_ms },
		{ "paused", &f->paused_until_ms },
		{ "blocked", &f->blocked_until_ms },
		{ "mute", &f->mute_until_ms },
	};
	struct span s;
	enum err err = ERR_OK;

	if (is(w, 0, "life")) {
		err = read_span(p, word(w, 1), &ca->life);
		return err;
	}
	if (is(w, 0, "renewal"))
		return set_renewal(p, word(w, 1));
	if (is(w, 0, "revoke"))
		return revoke(p, word(w, 1));
	if (is(w, 0, "profile"))
		return put_profile(p, w);
	if (is(w, 0, "validation")) {
		err = read_span(p, word(w, 1), &s);
		ca->validation_delay_ms = s.s * 1000;
		return err;
	}
	if (is(w, 0, "limits") || is(w, 0, "others") || is(w, 0, "pause") || is(w, 0, "unpause"))
		return do_limits(p, w);
	if (is(w, 0, "delay")) {
		err = read_span(p, word(w, 1), &s);
		ca->delay_ms = s.s * 1000;
		return err;
	}
	if (is(w, 0, "fine")) {
		*f = (struct sim_ca_faults){ 0 };
		return ERR_OK;
	}
	if (is(w, 0, "key-change")) {
		ca->has_key_change = is(w, 1, "on");
		return ERR_OK;
	}
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		if (is(w, 0, faults[i].word)) {
			err = read_span(p, word(w, 2), &s);
			*faults[i].until_ms = p->sim->now_ms + s.s * 1000;
			return err;
		}
	return wrong(p, "life, validation, delay, fine, key-change, or a fault of the CA", word(w, 0));
}

/* expect ca a1 breaker == open; rehearsal == ok | failed | none; rollover == none | asked | running; keys == N */
enum err
scenario_expect_ca(struct player *p, const struct words *w)
{
	static const char *const states[] = { "closed", "open", "half-open" };
	AUTO_ARENA a = { .max = LIMIT_TURN_BYTES };
	const struct sim_ca *ca = sim_ca_of(p->sim, word(w, 2));
	struct ca_row *rows, *r = NULL;
	size_t n = 0;
	enum err err = store_cas(p->sim->store, &a, &rows, &n);

	for (size_t i = 0; err == ERR_OK && i < n; i++)
		if (str_eq(rows[i].name, word(w, 2)))
			r = &rows[i];
	if (err != ERR_OK || r == NULL || ca == NULL)
		return err != ERR_OK ? err : wrong(p, "a CA of this scenario", word(w, 2));
	if (is(w, 3, "breaker"))
		return expect_word(p, "the breaker", w, 4, str_of(states[breaker_state(&r->breaker, sim_now(p->sim))]));
	if (is(w, 3, "rehearsal"))
		return expect_word(p, "the rehearsal", w, 4,
		    !when_is_known(r->canary_done_at) ? STR("none") : r->canary_error.n == 0 ? STR("ok") : STR("failed"));
	if (is(w, 3, "rollover"))
		return expect_word(p, "the rollover", w, 4,
		    r->next_sealed_key.n > 0 ? STR("running") : when_is_known(r->rollover_asked) ? STR("asked") : STR("none"));
	if (is(w, 3, "rolled"))
		return expect_number(p, "whether it has rolled over", w, 4, when_is_known(r->rolled_at));
	if (is(w, 3, "key"))
		return expect_word(p, "the account's key", w, 4, str_eq(r->sealed_key, str_of(ca->key)) ? STR("known") : STR("unknown"));
	if (is(w, 3, "wrong-keys"))
		return expect_number(p, "the count of requests with a wrong key", w, 4, ca->wrong_keys);
	return wrong(p, "breaker, rehearsal, rollover, rolled, key or wrong-keys", word(w, 3));
}

/* config { canary NAME ; canary-every 7d ; reserve-after 1h } */
enum err
scenario_do_config(struct player *p, const struct words *w, void *arg)
{
	struct config *c = &p->sim->config;

	(void)arg;
	if (is(w, 0, "reserve-after")) {
		enum err err = read_span(p, word(w, 1), &c->acme.reserve_after);

		return err == ERR_OK ? sim_crash(p->sim) : err; /* it is read at the start */
	}
	if (is(w, 0, "canary-every"))
		return read_span(p, word(w, 1), &c->acme.canary_every);
	if (!is(w, 0, "canary") || w->n != 2)
		return wrong(p, "reserve-after, canary or canary-every", word(w, 0));
	free(c->acme.canary);
	c->acme.canary = strndup(w->at[1].p, w->at[1].n);
	return c->acme.canary != NULL ? ERR_OK : ERR_MEMORY;
}
