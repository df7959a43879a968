#include "sim/scenario.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sim/scenario_inside.h"
#include "ports/store/revocation.h"

enum err
scenario_wrong(const struct player *p, const char *expected, struct str got)
{
	why_set(p->why, "%s:%zu: expected %s, got \"%.*s\"", p->file, p->line, expected, STR_ARG(got));
	return ERR_INVALID;
}

static enum err
cut(const struct player *p, struct str s, struct words *ret)
{
	ret->n = 0;
	for (s = str_trim(s); s.n > 0; s = str_trim(s)) {
		if (ret->n == WORDS_MAX)
			return wrong(p, "fewer words in one statement", s);
		if (s.p[0] == '"') {
			s.p++;
			s.n--;
			ret->at[ret->n++] = str_cut(&s, '"');
		} else {
			size_t n = 0;

			while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t')
				n++;
			ret->at[ret->n++] = (struct str){ s.p, n };
			s.p += n;
			s.n -= n;
		}
	}
	return ERR_OK;
}

bool
scenario_is(const struct words *w, size_t i, const char *word)
{
	return i < w->n && str_eq(w->at[i], str_of(word));
}

struct str
scenario_word(const struct words *w, size_t i)
{
	return i < w->n ? w->at[i] : STR("the end of the line");
}

/* "90d", "160h", "10m", "30s". */
enum err
scenario_read_span(const struct player *p, struct str s, struct span *ret)
{
	int64_t n;
	char unit = s.n > 1 ? s.p[s.n - 1] : '\0';
	int64_t factor = unit == 'd' ? 86400 : unit == 'h' ? 3600 : unit == 'm' ? 60 : unit == 's' ? 1 : 0;

	if (factor == 0 || !str_to_int((struct str){ s.p, s.n - 1 }, &n))
		return wrong(p, "a length of time such as 90d, 6h, 10m or 30s", s);
	*ret = SPAN_S(n * factor);
	return ERR_OK;
}

/* "2026-03-01T00:00Z" or "2026-03-01". */
enum err
scenario_read_date(const struct player *p, struct str s, struct when *ret)
{
	struct civil c = { 0 };
	struct str rest = s;
	int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0;
	bool is_fine = str_to_int(str_cut(&rest, '-'), &year) && str_to_int(str_cut(&rest, '-'), &month) &&
	    str_to_int(str_cut(&rest, 'T'), &day);

	if (is_fine && rest.n > 0)
		is_fine = str_to_int(str_cut(&rest, ':'), &hour) && str_to_int(str_cut(&rest, 'Z'), &minute);
	c = (struct civil){ (int)year, (int)month, (int)day, (int)hour, (int)minute, 0, 0 };
	*ret = is_fine ? when_of_civil(&c) : WHEN_UNKNOWN;
	return ret->s == WHEN_UNKNOWN.s ? wrong(p, "a date such as 2026-03-01T00:00Z", s) : ERR_OK;
}

enum err
scenario_site_of(const struct player *p, struct str w, size_t *ret)
{
	for (size_t i = 0; i < p->sites_n; i++)
		if (str_eq(w, str_of(p->sites[i].word))) {
			*ret = i;
			return ERR_OK;
		}
	return wrong(p, "a site of this scenario", w);
}

/* --- what is in the world --- */

static enum err
do_dns(struct player *p, const struct words *w)
{
	static const char *const types[] = { "A", "AAAA", "CAA", "CNAME" };
	bool is_removal = w->n > 0 && w->at[0].n > 0 && w->at[0].p[0] == '-';
	struct str name = is_removal ? (struct str){ w->at[0].p + 1, w->at[0].n - 1 } : word(w, 0);

	if (is(w, 0, "silent")) {
		struct span s;
		enum err err = read_span(p, word(w, 2), &s);

		p->sim->dns_silent_until_ms = p->sim->now_ms + s.s * 1000;
		return err;
	}
	for (size_t i = 0; i < 4; i++) {
		if (!is(w, 1, types[i]))
			continue;
		if (is_removal) {
			sim_dns_remove(p->sim, name, (enum sim_record_type)i);
			return ERR_OK;
		}
		return w->n == 3 ? sim_dns_put(p->sim, name, (enum sim_record_type)i, w->at[2]) : wrong(p, "a value", word(w, 2));
	}
	return wrong(p, "a record type: A, AAAA, CAA or CNAME", word(w, 1));
}

/* Somebody puts a certificate that ended long ago into the web server, by hand. */
static enum err
put_expired(struct player *p, struct sim_web *web, struct str name)
{
	struct sim_vhost *v = sim_vhost_of(web, name);
	struct sim_certificate *grown = realloc(p->sim->certificates, (p->sim->certificates_n + 1) * sizeof *grown);

	if (grown != NULL)
		p->sim->certificates = grown;
	if (v == NULL || grown == NULL)
		return wrong(p, "a name that this web server has", name);
	struct sim_certificate *c = &grown[p->sim->certificates_n];
	struct when now = sim_now(p->sim);
	*c = (struct sim_certificate){ .life = { when_minus(now, SPAN_D(100)), when_minus(now, SPAN_D(10)) }, .names_n = 1 };
	c->names = calloc(1, sizeof *c->names);
	if (c->names == NULL)
		return ERR_MEMORY;
	(void)snprintf(c->names[0], SIM_TEXT, "%.*s", STR_ARG(name));
	c->fingerprint[0] = 0xee;
	v->certificate = ++p->sim->certificates_n;
	return ERR_OK;
}

static enum err
do_web(struct player *p, struct str address, const struct words *w)
{
	struct sim_web *web = sim_web_at(p->sim, address);

	if (web == NULL) {
		enum err err = sim_web_put(p->sim, address, &web);

		if (err != ERR_OK || w->n == 0)
			return err;
	}
	if (is(w, 0, "config"))
		web->config_is_broken = is(w, 1, "broken");
	else if (is(w, 0, "disk"))
		web->disk_is_full = is(w, 1, "full");
	else if (is(w, 0, "keys"))
		web->misfits = is(w, 1, "lost") ? p->sim->certificates_n : is(w, 1, "broken") ? SIZE_MAX : 0;
	else if (is(w, 0, "down") || is(w, 0, "up"))
		web->is_down = is(w, 0, "down");
	else if (is(w, 0, "pages") && (is(w, 1, "forward") || is(w, 1, "stay")))
		web->forwards = is(w, 1, "forward");
	else if (is(w, 0, "shows") && is(w, 1, "expired"))
		return put_expired(p, web, word(w, 2));
	else if (is(w, 0, "mail") && (is(w, 1, "deaf") || is(w, 1, "hears")))
		web->mail_is_deaf = is(w, 1, "deaf");
	else if (w->n > 0)
		return wrong(p, "config, disk, keys, down, up, pages, shows or mail", word(w, 0));
	web->has_mail = web->has_mail || is(w, 0, "mail");
	return ERR_OK;
}

/* --- what people do --- */

static enum err
do_setting(const struct player *p, const struct words *w, struct setting *s)
{
	if (is(w, 0, "redirect"))
		s->redirect = is(w, 1, "on");
	else if (is(w, 0, "hsts"))
		s->hsts = is(w, 1, "on");
	else if (is(w, 0, "profile") && w->n == 2)
		s->profile = w->at[1];
	else if (is(w, 0, "source") && w->n == 2 && source_of_name(w->at[1], &s->source))
		return ERR_OK;
	else
		return wrong(p, "redirect, hsts, profile or source", word(w, 0));
	return ERR_OK;
}

/* Calls fn for each statement between braces. */
static enum err
each(struct player *p, struct str block, enum err (*fn)(struct player *p, const struct words *w, void *arg), void *arg)
{
	while (block.n > 0) {
		struct words w;
		enum err err = cut(p, str_cut(&block, ';'), &w);

		if (err == ERR_OK && w.n > 0)
			err = fn(p, &w, arg);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

struct new_site {
	struct setting setting;
	struct str mail, names[SIM_NAMES];
	size_t names_n;
};

static void
split_names(struct str list, struct new_site *n)
{
	while (list.n > 0 && n->names_n < SIM_NAMES)
		n->names[n->names_n++] = str_cut(&list, ',');
}

static enum err
add_field(struct player *p, const struct words *w, void *arg)
{
	struct new_site *n = arg;

	if (is(w, 0, "owner"))
		n->mail = word(w, 1);
	else if (is(w, 0, "names"))
		split_names(word(w, 1), n);
	else
		return do_setting(p, w, &n->setting);
	return ERR_OK;
}

static enum err
do_site(struct player *p, struct str id, struct str block)
{
	struct new_site *n = calloc(1, sizeof *n);
	enum err err = n == NULL ? ERR_MEMORY : ERR_OK;

	if (err == ERR_OK && (p->sites_n == SITES_MAX || id.n >= sizeof p->sites[0].word))
		err = wrong(p, "fewer sites, with short words", id);
	if (err == ERR_OK) {
		n->setting = (struct setting){ .source = SOURCE_FREE, .root = STR("/srv/www") };
		n->mail = STR("owner@example.jp");
		err = each(p, block, add_field, n);
	}
	if (err == ERR_OK) {
		(void)snprintf(p->sites[p->sites_n].word, sizeof p->sites[0].word, "%.*s", STR_ARG(id));
		err = sim_site_add(p->sim, n->mail, &n->setting, n->names, n->names_n, &p->sites[p->sites_n].id);
		p->sites_n += err == ERR_OK;
	}
	free(n);
	return err;
}

/* sites p 60 192.0.2.10 %.example.jp — p1 to p60, the number in place of %, with their records. */
static enum err
do_sites(struct player *p, const struct words *w)
{
	int64_t n;
	struct str pattern = word(w, 4);
	size_t at = str_find(pattern, STR("%"));

	if (!str_to_int(word(w, 2), &n) || n < 1 || n > SITES_MAX || at == SIZE_MAX)
		return wrong(p, "sites WORD NUMBER ADDRESS NAME-WITH-%", word(w, 2));
	for (int64_t i = 1; i <= n; i++) {
		char id[SIM_TEXT], name[SIM_TEXT], block[2 * SIM_TEXT + 32];

		(void)snprintf(id, sizeof id, "%.*s%lld", STR_ARG(word(w, 1)), (long long)i);
		(void)snprintf(name, sizeof name, "%.*s%lld%.*s", (int)at, pattern.p, (long long)i, (int)(pattern.n - at - 1),
		    pattern.p + at + 1);
		(void)snprintf(block, sizeof block, "names %s ; owner %s@example.jp", name, id);
		enum err err = sim_dns_put(p->sim, str_of(name), SIM_A, word(w, 3));
		if (err == ERR_OK)
			err = do_site(p, str_of(id), str_of(block));
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

/* A site's word, or "p*": all that begin so. */
bool
scenario_is_meant(const struct player *p, size_t i, struct str pattern)
{
	struct str id = str_of(p->sites[i].word);

	if (pattern.n == 0 || pattern.p[pattern.n - 1] != '*')
		return str_eq(id, pattern);
	return str_starts(id, (struct str){ pattern.p, pattern.n - 1 });
}

/* Loads the site's facts; the caller's arena holds them. */
enum err
scenario_load(const struct player *p, size_t i, struct arena *a, struct site *ret)
{
	return store_site_load(p->sim->store, p->sites[i].id, a, ret);
}

struct change {
	struct setting setting;
	bool is_draft_end, is_apply;
};

static enum err
change_field(struct player *p, const struct words *w, void *arg)
{
	struct change *c = arg;

	c->is_apply = is(w, 0, "apply");
	c->is_draft_end = c->is_apply || is(w, 0, "discard");
	return c->is_draft_end ? ERR_OK : do_setting(p, w, &c->setting);
}

static enum err
write_change(struct player *p, size_t i, bool is_draft, const struct change *c, const struct site *s)
{
	struct draft d = { .exists = true, .setting = c->setting, .begun_at = sim_now(p->sim), .begun_by = STR("owner"),
		.told_at = WHEN_UNKNOWN };
	int64_t id = p->sites[i].id;

	if (is_draft && !c->is_draft_end)
		return store_draft_put(p->sim->store, id, &d);
	enum err err = is_draft ? store_draft_discard(p->sim->store, id) : ERR_OK;
	if (err == ERR_OK && (!is_draft || c->is_apply))
		err = store_setting_put(p->sim->store, id, is_draft ? &s->draft.setting : &c->setting);
	return err != ERR_OK || (is_draft && !c->is_apply) ? err
							   : store_wish_put(p->sim->store, id, SITE_CHANGED, sim_now(p->sim));
}

static enum err
do_change(struct player *p, struct str id, struct str block, bool is_draft)
{
	AUTO_ARENA a = { .max = LIMIT_TURN_BYTES };
	struct change c = { 0 };
	struct site s;
	size_t i;
	enum err err = scenario_site_of(p, id, &i);

	if (err == ERR_OK)
		err = scenario_load(p, i, &a, &s);
	if (err != ERR_OK)
		return err;
	c.setting = s.setting;
	err = each(p, block, change_field, &c);
	if (err == ERR_OK)
		err = store_begin(p->sim->store);
	if (err != ERR_OK)
		return err;
	err = write_change(p, i, is_draft, &c, &s);
	if (err == ERR_OK)
		err = store_commit(p->sim->store);
	if (err != ERR_OK)
		store_abandon(p->sim->store);
	return err;
}

/* The owner brings a certificate of another issuer, for the names of the site: it is stored as the web process stores it. */
static enum err
put_own(struct player *p, const struct site *s, struct span life, bool takeover)
{
	struct sim_certificate *grown = realloc(p->sim->certificates, (p->sim->certificates_n + 1) * sizeof *grown);
	struct str names[SIM_NAMES];
	struct setting setting = s->setting;
	char chain[SIM_TEXT];
	int64_t id;

	if (grown == NULL)
		return ERR_MEMORY;
	p->sim->certificates = grown;
	struct sim_certificate *c = &grown[p->sim->certificates_n];
	struct certificate_row row = { .site_id = s->id, .is_own = true, .created = sim_now(p->sim), .sealed_key = STR("bought") };
	*c = (struct sim_certificate){ .life = { sim_now(p->sim), when_plus(sim_now(p->sim), life) },
		.names = calloc(SIM_NAMES, sizeof *c->names) };
	if (c->names == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < s->names_n && c->names_n < SIM_NAMES; i++) {
		names[c->names_n] = s->names[i].name;
		(void)snprintf(c->names[c->names_n++], SIM_TEXT, "%.*s", STR_ARG(s->names[i].name));
	}
	c->fingerprint[0] = 0x0e;
	c->fingerprint[1] = (uint8_t)++p->sim->certificates_n;
	(void)snprintf(chain, sizeof chain, "SIM-CERTIFICATE %zu", p->sim->certificates_n);
	row.chain_pem = str_of(chain);
	row.info = (struct certificate_info){ .not_before = c->life.from, .not_after = c->life.to, .serial = STR("0e"), .issuer = STR("Seller"),
		.names = names, .names_n = c->names_n };
	memcpy(row.info.fingerprint, c->fingerprint, sizeof c->fingerprint);
	setting.source = SOURCE_OWN;
	setting.takeover = takeover;
	enum err err = store_certificate_put(p->sim->store, &row, &id);
	if (err == ERR_OK)
		err = store_setting_put(p->sim->store, s->id, &setting);
	return err == ERR_OK ? store_wish_put(p->sim->store, s->id, SITE_IMPORTED, sim_now(p->sim)) : err;
}

/* own h1 365d takeover */
static enum err
do_own(struct player *p, const struct words *w)
{
	AUTO_ARENA a = { .max = LIMIT_TURN_BYTES };
	struct site s;
	struct span life;
	size_t i;
	enum err err = scenario_site_of(p, word(w, 1), &i);

	if (err == ERR_OK)
		err = scenario_read_span(p, word(w, 2), &life);
	if (err == ERR_OK)
		err = scenario_load(p, i, &a, &s);
	if (err == ERR_OK)
		err = store_begin(p->sim->store);
	if (err != ERR_OK)
		return err;
	err = put_own(p, &s, life, is(w, 3, "takeover"));
	if (err == ERR_OK)
		err = store_commit(p->sim->store);
	if (err != ERR_OK)
		store_abandon(p->sim->store);
	return err;
}

/* As the web process stores it: what the site holds is to go, and nothing is wanted any more. */
static enum err
put_revocation(struct player *p, size_t i)
{
	AUTO_ARENA a = { .max = LIMIT_TURN_BYTES };
	struct site s;
	enum err err = scenario_load(p, i, &a, &s);

	if (err != ERR_OK)
		return err;
	const struct given_up before = { .at = sim_now(p->sim), .by = STR("owner"), .redirect = s.setting.redirect, .hsts = s.setting.hsts };
	struct setting setting = s.setting;
	setting.source = SOURCE_NONE;
	setting.redirect = setting.hsts = false;
	err = store_revocation_put(p->sim->store, &s, REVOKE_CESSATION, STR("owner"), sim_now(p->sim));
	if (err == ERR_OK)
		err = store_given_up_put(p->sim->store, s.id, &before);
	return err == ERR_OK ? store_setting_put(p->sim->store, s.id, &setting) : err;
}

/* As the web process stores it: nothing is renewed any more, what is held stays; our redirect is off, or goes on until the end. */
static enum err
put_given_up(struct player *p, size_t i, bool is_stop)
{
	AUTO_ARENA a = { .max = LIMIT_TURN_BYTES };
	struct site s;
	enum err err = scenario_load(p, i, &a, &s);

	if (err != ERR_OK)
		return err;
	const struct given_up before = { .at = sim_now(p->sim), .by = STR("owner"), .redirect = s.setting.redirect, .hsts = s.setting.hsts };
	struct setting setting = s.setting;
	setting.source = SOURCE_NONE;
	setting.redirect = setting.redirect && is_stop;
	setting.hsts = setting.hsts && is_stop;
	err = store_given_up_put(p->sim->store, s.id, &before);
	if (err == ERR_OK && !is_stop && s.applied.redirect != 0)
		err = store_wish_put(p->sim->store, s.id, SITE_ASKED_CHECK, sim_now(p->sim));
	return err == ERR_OK ? store_setting_put(p->sim->store, s.id, &setting) : err;
}

static enum err
do_ask(struct player *p, const struct words *w)
{
	size_t i;

	if (is(w, 1, "ca") && is(w, 3, "rollover"))
		return store_ca_ask_rollover(p->sim->store, word(w, 2), sim_now(p->sim));
	if (is(w, 1, "ca") && is(w, 3, "unblock"))
		return store_ca_ask_unblock(p->sim->store, word(w, 2), sim_now(p->sim));
	enum err err = scenario_site_of(p, word(w, 1), &i);
	enum site_event_kind kind = is(w, 2, "renew") ? SITE_ASKED_RENEW : is(w, 2, "remove") ? SITE_REMOVED
	    : is(w, 2, "resume") ? SITE_RESUMED : is(w, 2, "revoke") ? SITE_REVOKED
	    : is(w, 2, "stop") || is(w, 2, "off") ? SITE_CHANGED : SITE_ASKED_CHECK;

	if (err == ERR_OK)
		err = store_begin(p->sim->store);
	if (err == ERR_OK && kind == SITE_REVOKED)
		err = put_revocation(p, i);
	if (err == ERR_OK && kind == SITE_CHANGED)
		err = put_given_up(p, i, is(w, 2, "stop"));
	if (err == ERR_OK)
		err = store_wish_put(p->sim->store, p->sites[i].id, kind, sim_now(p->sim));
	return err == ERR_OK ? store_commit(p->sim->store) : err;
}

/* --- the file --- */

static enum err
do_clock(struct player *p, const struct words *w)
{
	struct when start;
	int64_t seed = 1;
	enum err err = scenario_read_date(p, word(w, 1), &start);

	if (err == ERR_OK && is(w, 2, "seed") && !str_to_int(word(w, 3), &seed))
		err = wrong(p, "a number", word(w, 3));
	if (err == ERR_OK && p->sim != NULL)
		err = wrong(p, "one clock, before everything else", word(w, 0));
	if (err == ERR_OK)
		err = sim_new(start, (uint64_t)seed, p->hooks == NULL ? NULL : p->hooks->like, &p->sim);
	if (err == ERR_OK && p->hooks != NULL && p->hooks->before != NULL)
		p->hooks->before(p->sim, p->hooks->arg);
	return err;
}

static enum err
dns_statement(struct player *p, const struct words *w, void *arg)
{
	(void)arg;
	return do_dns(p, w);
}

static enum err
ca_statement(struct player *p, const struct words *w, void *arg)
{
	return scenario_do_ca(p, arg, w);
}

/* A CA that is new joins the configuration, behind the others: koshin is started anew with it. */
static enum err
do_ca_line(struct player *p, struct str name, struct str block)
{
	struct sim_ca *ca = sim_ca_of(p->sim, name);
	enum err err = ERR_OK;

	if (ca == NULL) {
		ca = sim_ca_add(p->sim, name);
		err = ca != NULL ? sim_crash(p->sim) : wrong(p, "no more than 4 CAs, with short words", name);
	}
	return err == ERR_OK ? each(p, block, ca_statement, ca) : err;
}

static enum err
zone_statement(struct player *p, const struct words *w, void *arg)
{
	static const char *const says[] = { "fine", "refuses", "silent", "mute" };
	struct sim_zone *z = arg;

	for (size_t i = 0; i < sizeof says / sizeof *says; i++)
		if (is(w, 0, says[i])) {
			z->says = (enum sim_zone_says)i;
			return ERR_OK;
		}
	if (!is(w, 0, "delay"))
		return wrong(p, "fine, refuses, silent, mute or delay", word(w, 0));
	struct span s;
	enum err err = read_span(p, word(w, 1), &s);
	if (err == ERR_OK)
		z->delay_ms = s.s * 1000;
	return err;
}

/* A zone that is new is ours from now on: koshin is started anew with it. */
static enum err
do_zone_line(struct player *p, struct str name, struct str block)
{
	struct sim_zone *z = sim_zone_of(p->sim, name);
	enum err err = ERR_OK;

	if (z == NULL) {
		z = sim_zone_add(p->sim, name);
		err = z != NULL ? sim_crash(p->sim) : wrong(p, "no more than 4 zones, with short names", name);
	}
	return err == ERR_OK ? each(p, block, zone_statement, z) : err;
}

static enum err
web_statement(struct player *p, const struct words *w, void *arg)
{
	return do_web(p, *(const struct str *)arg, w);
}

static enum err
do_simple(struct player *p, const struct words *w)
{
	struct span s = SPAN_S(0);
	enum err err = ERR_OK;

	if (is(w, 0, "pass")) {
		err = read_span(p, word(w, 1), &s);
		return err != ERR_OK ? err : sim_pass(p->sim, s, p->why);
	}
	if (is(w, 0, "expect"))
		return scenario_do_expect(p, w);
	if (is(w, 0, "own"))
		return do_own(p, w);
	if (is(w, 0, "ask"))
		return do_ask(p, w);
	if (is(w, 0, "sites"))
		return do_sites(p, w);
	if (is(w, 0, "crash"))
		return sim_crash(p->sim);
	if (is(w, 0, "clock-step")) {
		err = read_span(p, word(w, 1), &s);
		p->sim->clock_step_s += s.s;
		return err;
	}
	if (is(w, 0, "network") || is(w, 0, "resolver")) {
		err = read_span(p, word(w, 3), &s);
		int64_t until_ms = p->sim->now_ms + s.s * 1000;

		*(is(w, 0, "network") ? &p->sim->network_down_until_ms : &p->sim->resolver_down_until_ms) = until_ms;
		/* Without a way out there is neither CA nor mail server. */
		if (is(w, 0, "network"))
			p->sim->mail_down_until_ms = until_ms;
		for (size_t i = 0; is(w, 0, "network") && i < p->sim->cas_n; i++)
			p->sim->cas[i].faults.silent_until_ms = until_ms;
		return err;
	}
	if (is(w, 0, "mail")) {
		err = read_span(p, word(w, 3), &s);
		p->sim->mail_down_until_ms = p->sim->now_ms + s.s * 1000;
		return err;
	}
	return wrong(p, "a statement (see doc/scenarios.md)", word(w, 0));
}

static enum err
do_line(struct player *p, struct str line)
{
	struct str block = line, head = str_cut(&block, '{');
	struct words w;
	enum err err = cut(p, head, &w);

	if (err != ERR_OK || w.n == 0)
		return err;
	block = str_cut(&block, '}');
	if (is(&w, 0, "clock"))
		return do_clock(p, &w);
	if (p->sim == NULL)
		return wrong(p, "clock before everything else", w.at[0]);
	if (is(&w, 0, "dns"))
		return each(p, block, dns_statement, NULL);
	if (is(&w, 0, "ca"))
		return do_ca_line(p, w.n > 1 ? w.at[1] : STR("a1"), block);
	if (is(&w, 0, "zone"))
		return do_zone_line(p, word(&w, 1), block);
	if (is(&w, 0, "config"))
		return each(p, block, scenario_do_config, NULL);
	if (is(&w, 0, "web")) {
		struct words none = { .n = 0 };
		struct str address = word(&w, 1);

		return block.n > 0 ? each(p, block, web_statement, &address) : do_web(p, address, &none);
	}
	if (is(&w, 0, "site"))
		return do_site(p, word(&w, 1), block);
	if (is(&w, 0, "set"))
		return do_change(p, word(&w, 1), block, false);
	if (is(&w, 0, "draft"))
		return do_change(p, word(&w, 1), block, true);
	return do_simple(p, &w);
}

/* Whatever happened has been spoken of: a letter or an order too many is a failure too. */
static enum err
check_end(const struct player *p)
{
	for (size_t i = 0; i < p->sites_n; i++) {
		AUTO_ARENA a = { .max = LIMIT_TURN_BYTES };
		struct letter_row *rows;
		size_t n;
		enum err err = store_letters_of(p->sim->store, p->sites[i].id, &a, &rows, &n);

		for (size_t k = 0; err == ERR_OK && k < n; k++)
			if (!p->letters_claimed[i][rows[k].kind]) {
				why_set(p->why, "%s: at the end: the letter \"%s\" to %s was not spoken of", p->file,
				    letter_name(rows[k].kind), p->sites[i].word);
				return ERR_MISMATCH;
			}
		if (err != ERR_OK)
			return err;
	}
	if (!p->orders_spoken_of || p->orders_claimed != sim_orders_placed(p->sim)) {
		why_set(p->why, "%s: at the end: %u orders were placed, %u were spoken of", p->file, sim_orders_placed(p->sim),
		    p->orders_claimed);
		return ERR_MISMATCH;
	}
	/* No challenge was answered for another account than the one that asked for it. */
	if (p->sim->wrong_answers > 0) {
		why_set(p->why, "%s: at the end: %u challenges were answered for another account", p->file, p->sim->wrong_answers);
		return ERR_MISMATCH;
	}
	/* A letter may be repeated, under its Message-ID, once for each death of the engine (P7). */
	if (p->sim->letters_sent_twice > p->sim->generation) {
		why_set(p->why, "%s: at the end: %u letters were sent twice", p->file, p->sim->letters_sent_twice);
		return ERR_MISMATCH;
	}
	return ERR_OK;
}

enum err
scenario_play_with(struct str text, const char *file, const struct scenario_hooks *hooks, struct why *why,
    struct buf *ret_words)
{
	struct player p = { .file = file, .why = why, .hooks = hooks };
	enum err err = ERR_OK;

	while (text.n > 0 && err == ERR_OK) {
		struct str line = str_cut(&text, '\n');

		p.line++;
		/* A comment runs to the end of the line. */
		line = str_trim(str_cut(&line, '#'));
		if (str_starts(line, STR("scenario ")))
			buf_put_str(ret_words, str_trim((struct str){ line.p + 9, line.n - 9 }));
		else if (line.n > 0)
			err = do_line(&p, line);
	}
	if (err == ERR_OK && p.sim == NULL)
		err = wrong(&p, "a clock", STR("an empty scenario"));
	if (err == ERR_OK)
		err = check_end(&p);
	if (p.sim != NULL && hooks != NULL && hooks->after != NULL)
		hooks->after(p.sim, hooks->arg);
	if (err != ERR_OK && why != NULL && why->text[0] == '\0')
		why_set(why, "%s:%zu: %s", file, p.line, err_words(err));
	sim_free(&p.sim);
	return err;
}

enum err
scenario_play(struct str text, const char *file, struct why *why, struct buf *ret_words)
{
	return scenario_play_with(text, file, NULL, why, ret_words);
}
