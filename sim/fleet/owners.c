#include "sim/fleet/inside.h"
#include <string.h>

/* The owners: what they break, when they mend it, what they wish; and what probes see of their sites. */

enum { MINUTE_MS = 60000, YEAR_DAYS = 365, PER_THOUSAND = 1000, ALWAYS_KEPT_OUT = 30 };

static uint8_t *
pointing_of(const struct fleet *f, uint32_t n)
{
	return &f->pointing[f->sites[n].site.names - f->names];
}

bool
owners_lets_issue(const struct fleet *f, uint32_t n, size_t k, uint8_t ca)
{
	enum pointing p = pointing_of(f, n)[k];

	return p == POINTS_HERE || (ca == 0 && p == POINTS_CAA_RESERVE) || (ca == 1 && p == POINTS_CAA_FIRST);
}

bool
owners_can_validate(const struct fleet *f, uint32_t n, size_t k)
{
	for (uint8_t i = 0; i < f->cas_n; i++)
		if (owners_lets_issue(f, n, k, i))
			return true;
	return false;
}

/* That CAA keeps the reserve out is told to nobody as a fault. */
bool
owners_is_owners_fault(const struct fleet *f, uint32_t n, size_t k)
{
	return pointing_of(f, n)[k] != POINTS_HERE && pointing_of(f, n)[k] != POINTS_CAA_RESERVE;
}

/* --- what probes see --- */

static void
see_stranger(struct address_evidence *a, uint8_t family)
{
	*a = (struct address_evidence){ .ip = { .family = family, .bytes = { 198, 51, 100, 7 } },
		.http = { .result = HTTP_ANSWERED, .status = 404, .server = STR("elsewhere") },
		.tls = { .result = TLS_REFUSED } };
}

static void
see_ours(struct fleet *f, const struct fleet_site *s, struct address_evidence *a, bool is_verify)
{
	const struct server *w = &f->servers[s->server];
	bool is_down = w->down_ms > f->now_ms;

	*a = (struct address_evidence){
		.ip = { .family = 4, .bytes = { 203, 0, (uint8_t)(s->server / 250), (uint8_t)(s->server % 250 + 1) } },
		.is_ours = true,
		.tls = { .result = TLS_REFUSED },
	};
	if (!is_verify)
		a->http = is_down ? (struct http_evidence){ .result = HTTP_REFUSED }
				  : (struct http_evidence){ .result = HTTP_ANSWERED, .status = 200, .is_ours = true };
	if (is_down || s->live.serial == 0)
		return;
	a->tls.result = TLS_SHOWN;
	a->tls.chain_ok = true;
	a->tls.leaf = (struct certificate_info){ .not_before = s->live.life.from,
		.not_after = s->live.life.to,
		.serial = STR("01"),
		.issuer = STR("Simulated CA"),
		.names = f->leaf_names };
	memcpy(a->tls.leaf.fingerprint, &s->live.serial, sizeof s->live.serial);
	for (size_t i = 0; i < s->site.names_n; i++)
		a->tls.leaf.names_n += name_set_has(s->live.names, i);
}

static void
see_name(struct fleet *f, uint32_t n, size_t k, bool is_verify, struct name_evidence *e,
    struct address_evidence *a)
{
	static struct caa_record other = { 0, { "issue", 5 }, { "other-ca.example", 16 } };
	static struct caa_record reserve = { 0, { "issue", 5 }, { "b2.example", 10 } }, first = { 0, { "issue", 5 }, { "a1.example", 10 } };
	const struct fleet_site *s = &f->sites[n];
	enum pointing p = pointing_of(f, n)[k];

	*e = (struct name_evidence){ .name = s->site.names[k].name,
		.a_status = DNS_OK,
		.aaaa_status = DNS_OK,
		.caa_status = DNS_OK,
		.registered_domain = s->site.names[0].name,
		.registered_status = DNS_OK,
		.ttl_s = 300,
		.addresses = a };
	if (f->resolver_ms > f->now_ms || f->companies[s->company].silent_ms > f->now_ms) {
		e->a_status = e->aaaa_status = e->caa_status = e->registered_status =
		    f->resolver_ms > f->now_ms ? DNS_LOCAL : DNS_TIMEOUT;
		return;
	}
	switch (p) {
	case POINTS_NOWHERE:
		e->a_status = e->aaaa_status = DNS_NXDOMAIN;
		return;
	case POINTS_BOGUS:
		e->a_status = e->aaaa_status = DNS_BOGUS;
		e->why_bogus = STR("DNSKEY missing");
		return;
	case POINTS_ELSEWHERE:
		see_stranger(&a[e->addresses_n++], 4);
		return;
	case POINTS_BOTH:
		see_stranger(&a[1], 4);
		break;
	case POINTS_V6_AWAY:
		see_stranger(&a[1], 6);
		break;
	case POINTS_CAA:
	case POINTS_CAA_FIRST:
	case POINTS_CAA_RESERVE:
		e->caa = p == POINTS_CAA ? &other : p == POINTS_CAA_FIRST ? &reserve : &first;
		e->caa_n = 1;
		e->caa_at = s->site.names[0].name;
		break;
	case POINTS_HERE:
	case POINTS_COUNT:
		break;
	}
	see_ours(f, s, &a[0], is_verify);
	e->addresses_n = p == POINTS_BOTH || p == POINTS_V6_AWAY ? 2 : 1;
}

/* The common case: where the last look at this place showed a site in order, only what is this site's own is written. */
static bool
see_plain(struct fleet *f, uint32_t n, size_t k, size_t place)
{
	const struct fleet_site *s = &f->sites[n];
	struct name_evidence *e = &f->name_evidence[place];
	struct address_evidence *a = f->addresses_seen[place];

	if (!f->is_plain[place] || pointing_of(f, n)[k] != POINTS_HERE)
		return false;
	e->name = s->site.names[k].name;
	e->registered_domain = s->site.names[0].name;
	a->ip.bytes[2] = (uint8_t)(s->server / 250);
	a->ip.bytes[3] = (uint8_t)(s->server % 250 + 1);
	a->tls.leaf.not_before = s->live.life.from;
	a->tls.leaf.not_after = s->live.life.to;
	a->tls.leaf.names_n = (size_t)__builtin_popcountll(s->live.names.bits);
	memcpy(a->tls.leaf.fingerprint, &s->live.serial, sizeof s->live.serial);
	return true;
}

static bool
is_world_plain(const struct fleet *f, const struct fleet_site *s)
{
	return s->live.serial != 0 && f->resolver_ms <= f->now_ms && f->companies[s->company].silent_ms <= f->now_ms &&
	       f->servers[s->server].down_ms <= f->now_ms;
}

bool
owners_is_in_order(const struct fleet *f, uint32_t n)
{
	const struct fleet_site *s = &f->sites[n];
	const uint8_t *pointing = pointing_of(f, n);

	for (size_t k = 0; k < s->site.names_n; k++)
		if (pointing[k] != POINTS_HERE)
			return false;
	return s->live.serial == s->site.held.id && is_world_plain(f, s);
}

const struct evidence *
owners_look(struct fleet *f, uint32_t n, enum look look)
{
	bool is_verify = look == LOOK_VERIFY;
	const struct fleet_site *s = &f->sites[n];
	struct evidence *e = &f->evidence;
	bool is_plain = look == LOOK_ALL && is_world_plain(f, s);
	size_t leaf = 0;

	*e = (struct evidence){ .at = fleet_wall(f),
		.has_dns = !is_verify,
		.has_http = look == LOOK_ALL,
		.has_tls = look != LOOK_DNS,
		.resolver_works = f->resolver_ms <= f->now_ms,
		.names = f->name_evidence };
	for (size_t k = 0; k < s->site.names_n; k++) {
		const struct site_name *name = &s->site.names[k];

		if (name_set_has(s->live.names, k))
			f->leaf_names[leaf++] = name->name;
		if (!name->is_wanted || (is_verify && !name->is_held))
			continue;
		size_t place = e->names_n++;
		if (is_plain && see_plain(f, n, k, place))
			continue;
		see_name(f, n, k, is_verify, &e->names[place], f->addresses_seen[place]);
		f->is_plain[place] = is_plain && pointing_of(f, n)[k] == POINTS_HERE;
	}
	return e;
}

/* --- what they do --- */

static void
put_next(struct fleet *f, uint32_t n)
{
	const struct fleet_plan *p = f->plan;
	uint32_t rate = p->owner_faults + p->wishes + p->drafts;

	if (rate == 0)
		return;
	/* Anything between nothing and twice the mean. */
	int64_t mean_ms = FLEET_DAY_MS * YEAR_DAYS * PER_THOUSAND / rate;
	int64_t after_ms = (int64_t)(fleet_random(&f->world_seed) % (uint64_t)(2 * mean_ms));
	if (f->now_ms + after_ms < f->calm_ms)
		fleet_put(f, after_ms, EV_OWNER, n, 0, 0);
}

static void
put_mend(struct fleet *f, uint32_t n)
{
	uint64_t *random = &f->world_seed;
	int64_t after_ms = 0;

	switch ((enum habit)f->sites[n].habit) {
	case MENDS_QUICKLY:
		after_ms = (5 + (int64_t)fleet_below(random, 475)) * MINUTE_MS;
		break;
	case MENDS_LATE:
		after_ms = 2 * FLEET_DAY_MS + (int64_t)fleet_below(random, 25 * 1440) * MINUTE_MS;
		break;
	case MENDS_NEVER:
		return;
	}
	fleet_put(f, after_ms, EV_MEND, n, 0, 0);
}

static void
point_all(struct fleet *f, uint32_t n, enum pointing p)
{
	for (size_t k = 0; k < f->sites[n].site.names_n; k++)
		pointing_of(f, n)[k] = (uint8_t)p;
}

static void
break_something(struct fleet *f, uint32_t n)
{
	uint64_t *random = &f->world_seed;
	uint32_t roll = fleet_below(random, 100);
	size_t last = f->sites[n].site.names_n - 1, one = fleet_below(random, (uint32_t)last + 1);

	if (f->sites[n].watched.has_fault)
		return;
	if (roll < 25)
		pointing_of(f, n)[last] = POINTS_NOWHERE;
	else if (roll < 40)
		point_all(f, n, POINTS_NOWHERE);
	else if (roll < 55)
		point_all(f, n, POINTS_ELSEWHERE);
	else if (roll < 65)
		pointing_of(f, n)[one] = POINTS_BOTH;
	else if (roll < 75)
		pointing_of(f, n)[one] = POINTS_V6_AWAY;
	else if (roll < 90)
		point_all(f, n, f->cas_n == 1 || roll < 79 ? POINTS_CAA : roll < 82 ? POINTS_CAA_FIRST : POINTS_CAA_RESERVE);
	else
		point_all(f, n, POINTS_BOGUS);
	watch_caa(f, n);
	watch_pointing(f, n);
	put_mend(f, n);
}

void
owners_mend(struct fleet *f, uint32_t n)
{
	if (pointing_of(f, n)[0] != POINTS_HERE)
		watch_caa(f, n);
	point_all(f, n, POINTS_HERE);
	watch_pointing(f, n);
}

/* A wish stands in the store until a step took it: an engine that dies over it finds it again. */
static void
wish(struct fleet *f, uint32_t n, enum site_event_kind kind)
{
	const struct site_event ev = { .kind = kind, .retry_after = WHEN_UNKNOWN };
	struct fleet_site *s = &f->sites[n];
	bool was_ordering = s->site.doing == DOING_ORDER;

	if (f->is_down || !node_event(f, n, &ev)) {
		fleet_put(f, 5000, EV_OWNER, n, (uint32_t)kind + 1, 0);
		return;
	}
	if (kind == SITE_ASKED_RENEW && was_ordering)
		fleet_mark(f, FLEET_MARK_WISH_KEPT);
}

static void
begin_draft(struct fleet *f, uint32_t n)
{
	struct draft *d = &f->sites[n].site.draft;
	uint64_t *random = &f->world_seed;

	if (d->exists) {
		/* The owner made up his mind. */
		d->exists = false;
		return;
	}
	*d = (struct draft){ .exists = true,
		.setting = f->sites[n].site.setting,
		.begun_at = fleet_wall(f),
		.begun_by = STR("owner"),
		.told_at = WHEN_UNKNOWN,
		.has_csr = fleet_below(random, 2) == 0 };
	d->setting.source = fleet_below(random, 2) == 0 ? SOURCE_OWN : SOURCE_NONE;
}

/* Somebody puts into the web server what was there a year ago. */
static void
put_old_certificate(struct fleet *f, uint32_t n)
{
	struct live_set *l = &f->sites[n].live;

	if (l->serial == 0)
		return;
	l->serial = -(int64_t)n - 1;
	l->life = (struct life){ { f->now_ms / 1000 - 400 * 86400 }, { f->now_ms / 1000 - 310 * 86400 } };
	watch_live(f, n);
}

static void
wish_something(struct fleet *f, uint32_t n)
{
	uint64_t *random = &f->world_seed;
	struct fleet_site *s = &f->sites[n];
	uint32_t roll = fleet_below(random, 100);

	/* Who presses the button while something is to be mended would meet a limit of the name, which is not in here. */
	if (roll < 40 || (roll < 75 && s->watched.has_fault)) {
		wish(f, n, SITE_ASKED_CHECK);
	} else if (roll < 75) {
		s->watched.wish_s = fleet_s(f, f->now_ms);
		wish(f, n, SITE_ASKED_RENEW);
		/* Impatience: again, while the order is under way. */
		if (roll >= 65)
			fleet_put(f, 1000 + fleet_below(random, 2000), EV_OWNER, n, SITE_ASKED_RENEW + 1, 0);
	} else if (roll < 90) {
		s->site.setting.redirect = !s->site.setting.redirect;
		s->site.setting.hsts = s->site.setting.redirect && roll < 80;
		wish(f, n, SITE_CHANGED);
	} else if (roll < 98) {
		put_old_certificate(f, n);
	} else {
		fleet_mark(f, FLEET_MARK_REMOVED);
		wish(f, n, roll == 98 ? SITE_ASKED_RENEW : SITE_REMOVED);
		if (roll == 98)
			fleet_put(f, 1000 + fleet_below(random, 2000), EV_OWNER, n, SITE_REMOVED + 1, 0);
	}
}

void
owners_event(struct fleet *f, const struct fleet_event *ev)
{
	const struct fleet_plan *p = f->plan;
	uint32_t n = ev->site, roll = fleet_below(&f->world_seed, p->owner_faults + p->wishes + p->drafts);

	if (f->sites[n].site.is_removed)
		return;
	quiet_end(f, n);
	if (ev->arg > 0) {
		wish(f, n, (enum site_event_kind)(ev->arg - 1));
		return;
	}
	if (roll < p->owner_faults)
		break_something(f, n);
	else if (roll < p->owner_faults + p->wishes)
		wish_something(f, n);
	else
		begin_draft(f, n);
	put_next(f, n);
}

void
owners_begin(struct fleet *f, uint32_t n)
{
	struct fleet_site *s = &f->sites[n];
	bool has_www = s->site.names_n > 1;

	if (has_www && fleet_below(&f->world_seed, 100) < f->plan->www_missing_percent) {
		pointing_of(f, n)[1] = POINTS_NOWHERE;
		put_mend(f, n);
	}
	/* Who wrote its CAA record when there was one CA. */
	if (f->cas_n > 1 && n % ALWAYS_KEPT_OUT == 0)
		point_all(f, n, POINTS_CAA_RESERVE);
	watch_pointing(f, n);
	put_next(f, n);
}
