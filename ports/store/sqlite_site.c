#include "ports/store/query.h"
#include "ports/store/revocation.h"
#include <string.h>
#include "core/site_ca.h"
#include "core/site_plan.h"

enum { SIGHTING_COLUMNS = 8 };

/* --- which sites --- */

static enum err
read_ids(struct query *q, int64_t *ret, size_t max, size_t *ret_n)
{
	size_t n = 0;

	while (n < max && query_row(q))
		ret[n++] = query_id(q, "id");
	enum err e = query_finish(q);
	if (e == ERR_OK)
		*ret_n = n;
	return e;
}

enum err
store_unfinished(struct store *s, int64_t after_id, int64_t *ret, size_t max, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_SITE_UNFINISHED, NULL);

	query_bind_int(&q, "after_id", after_id);
	query_bind_int(&q, "max", (int64_t)max);
	return read_ids(&q, ret, max, ret_n);
}

/* --- loading --- */

static void
read_setting(struct query *q, bool is_draft, struct setting *ret)
{
	const char *source = is_draft ? "draft_source" : "source",
		   *coverage = is_draft ? "draft_coverage" : "coverage",
		   *key_type = is_draft ? "draft_key_type" : "key_type";
	struct str word = query_word(q, source);

	if (!source_of_name(word, &ret->source))
		query_corrupt(q, source, word);
	word = query_word(q, coverage);
	if (!coverage_of_name(word, &ret->coverage))
		query_corrupt(q, coverage, word);
	word = query_word(q, key_type);
	if (!key_type_of_name(word, &ret->key_type))
		query_corrupt(q, key_type, word);
	ret->redirect = query_bool(q, is_draft ? "draft_redirect" : "redirect");
	ret->hsts = query_bool(q, is_draft ? "draft_hsts" : "hsts");
	ret->takeover = query_bool(q, is_draft ? "draft_takeover" : "takeover");
	ret->root = query_text(q, is_draft ? "draft_root" : "root");
	ret->proxy = query_text(q, is_draft ? "draft_proxy" : "proxy");
	ret->profile = query_text(q, is_draft ? "draft_profile" : "profile");
}

static void
read_state(struct query *q, struct site *ret)
{
	ret->owner_id = query_id(q, "owner_id");
	struct str word = query_word(q, "doing");
	if (!doing_of_name(word, &ret->doing))
		query_corrupt(q, "doing", word);
	ret->doing_since = query_when(q, "doing_since");
	ret->job = query_u64(q, "job");
	ret->held.id = query_id(q, "held_id");
	ret->held.life.from = query_when(q, "held_from");
	ret->held.life.to = query_when(q, "held_to");
	query_fingerprint(q, "held_fingerprint", ret->held.fingerprint);
	ret->held.is_live = query_bool(q, "held_is_live");
	ret->held.is_own = query_bool(q, "held_is_own");
	ret->held.is_spread = query_bool(q, "held_is_spread");
	ret->order_id = query_id(q, "order_id");
	ret->order_failures = (unsigned)query_int(q, "order_failures", 0, UINT32_MAX);
	ret->retry_at = query_when(q, "retry_at");
	ret->retry_is_law = query_bool(q, "retry_is_law");
	ret->checked_at = query_when(q, "checked_at");
	ret->look_at = query_when(q, "look_at");
	ret->deploy_failures = (unsigned)query_int(q, "deploy_failures", 0, UINT32_MAX);
	ret->deploy_at = query_when(q, "deploy_at");
	ret->verify_failures = (unsigned)query_int(q, "verify_failures", 0, UINT32_MAX);
	ret->put_backs = (uint8_t)query_int(q, "put_backs", 0, UINT8_MAX);
	ret->applied.digest = query_u64(q, "applied_digest");
	ret->applied.redirect = (uint16_t)query_int(q, "applied_redirect", 0, 308);
	ret->applied.hsts = query_bool(q, "applied_hsts");
	ret->renewals_good = (unsigned)query_int(q, "renewals_good", 0, UINT32_MAX);
	ret->jitter = (uint32_t)query_int(q, "jitter", 0, UINT32_MAX);
	ret->asked_check = query_bool(q, "asked_check");
	ret->asked_renew = query_bool(q, "asked_renew");
	ret->is_removed = query_bool(q, "is_removed");
	ret->is_revoking = query_bool(q, "is_revoking");
	ret->story_open = query_bool(q, "story_open");
	ret->reminders_told = (uint8_t)query_int(q, "reminders_told", 0, UINT8_MAX);
	ret->expired_told = query_bool(q, "expired_told");
	ret->issued_told = query_bool(q, "issued_told");
	ret->letter_at = query_when(q, "letter_at");
	ret->wake = query_when(q, "wake");
	ret->clock.s = query_int(q, "clock_s", INT64_MIN, INT64_MAX);
	ret->ca_id = (uint8_t)query_int(q, "ca_id", 0, SITE_CAS_MAX);
	ret->left_ca_id = (uint8_t)query_int(q, "left_ca_id", 0, SITE_CAS_MAX);
	ret->left_at = query_when(q, "left_at");
	ret->left_is_law = query_bool(q, "left_is_law");
}

/* What the CA says about the held certificate; written by its own verbs. */
static void
read_renewal(struct query *q, struct site *ret)
{
	struct renewal *r = &ret->renewal;

	r->start = query_when(q, "starts");
	r->end = query_when(q, "ends");
	r->at = query_when(q, "renew_at");
	r->is_told = r->at.s != WHEN_UNKNOWN.s;
	r->is_urgent = query_bool(q, "is_urgent");
	r->explanation = query_text(q, "explanation");
	r->polled_at = query_when(q, "polled_at");
	r->poll_at = query_when(q, "poll_at");
	r->failures = (unsigned)query_int(q, "poll_failures", 0, UINT32_MAX);
	ret->calendar.life.s = query_int(q, "calendar_life", 0, INT64_MAX);
	ret->calendar.since = query_when(q, "calendar_since");
}

static void
read_given_up(struct query *q, struct arena *a, struct site *ret)
{
	struct given_up g = { .at = query_when(q, "given_up_at") };

	g.by = query_text(q, "given_up_by");
	g.is_suspended = query_bool(q, "is_suspended");
	g.redirect = query_bool(q, "given_up_redirect");
	g.hsts = query_bool(q, "given_up_hsts");
	struct given_up *kept = when_is_known(g.at) ? arena_get(a, sizeof *kept) : NULL;
	if (kept != NULL)
		*kept = g;
	ret->given_up = kept;
}

static enum err
load_site(struct store *s, struct arena *a, struct site *ret)
{
	AUTO_QUERY q = query_start(s, SQL_SITE_LOAD, a);

	query_bind_int(&q, "id", ret->id);
	if (!query_row(&q)) {
		enum err e = query_finish(&q);

		return e == ERR_OK ? query_fail(s, ERR_NOT_FOUND, "there is no site %lld",
					 (long long)ret->id)
				   : e;
	}
	read_state(&q, ret);
	read_setting(&q, false, &ret->setting);
	read_renewal(&q, ret);
	read_given_up(&q, a, ret);
	ret->draft.exists = query_bool(&q, "has_draft");
	if (ret->draft.exists) {
		read_setting(&q, true, &ret->draft.setting);
		ret->draft.begun_at = query_when(&q, "begun_at");
		ret->draft.begun_by = query_text(&q, "begun_by");
		ret->draft.told_at = query_when(&q, "told_at");
		ret->draft.has_csr = query_bool(&q, "has_csr");
	} else {
		ret->draft.begun_at = ret->draft.told_at = WHEN_UNKNOWN;
	}
	return query_finish(&q);
}

static void
read_sighting(struct query *q, const char *const columns[SIGHTING_COLUMNS], struct sighting *ret)
{
	struct str *const texts[] = { &ret->nameservers, &ret->addresses, &ret->ours, &ret->caa, &ret->server, &ret->issuer,
		&ret->redirect };

	ret->at = query_when(q, columns[0]);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		*texts[i] = query_text(q, columns[i + 1]);
}

static void
read_memory(struct query *q, struct memory *ret)
{
	static const char *const good[SIGHTING_COLUMNS] = { "good_at", "good_nameservers", "good_addresses", "good_ours", "good_caa",
		"good_server", "good_issuer", "good_redirect" };
	static const char *const last[SIGHTING_COLUMNS] = { "last_at", "last_nameservers", "last_addresses", "last_ours", "last_caa",
		"last_server", "last_issuer", "last_redirect" };

	*ret = (struct memory){ .is_new = false };
	read_sighting(q, good, &ret->good);
	read_sighting(q, last, &ret->last);
}

static enum err
load_names(struct store *s, struct arena *a, struct site *ret)
{
	AUTO_QUERY q = query_start(s, SQL_SITE_LOAD_NAMES, a);
	size_t n = 0;

	query_bind_int(&q, "site_id", ret->id);
	query_bind_int(&q, "max", LIMIT_SITE_NAMES);
	while (query_row(&q)) {
		ret->names = query_grow(&q, ret->names, n, sizeof *ret->names);
		ret->memory = query_grow(&q, ret->memory, n, sizeof *ret->memory);
		if (ret->names == NULL || ret->memory == NULL)
			break;
		struct site_name *name = &ret->names[n++];

		name->id = query_id(&q, "id");
		name->name = query_text(&q, "name");
		name->is_wanted = query_bool(&q, "is_wanted");
		name->is_held = query_bool(&q, "is_held");
		name->passed_at = query_when(&q, "passed_at");
		name->refused_until = query_when(&q, "refused_until");
		name->validated_at = query_when(&q, "validated_at");
		name->caa_refuses = (uint32_t)query_int(&q, "caa_refuses", 0, UINT32_MAX);
		name->served.at = query_when(&q, "served_at");
		name->served.is_ok = query_bool(&q, "served_is_ok");
		name->served.is_held = query_bool(&q, "served_is_held");
		name->served.not_after = query_when(&q, "served_not_after");
		query_fingerprint(&q, "served_fingerprint", name->served.fingerprint);
		read_memory(&q, &ret->memory[n - 1]);
		ret->memory[n - 1].own_redirect = query_text(&q, "own_redirect");
	}
	ret->names_n = n;
	return query_finish(&q);
}

static enum err
load_findings(struct store *s, struct arena *a, struct site *ret)
{
	AUTO_QUERY q = query_start(s, SQL_SITE_LOAD_FINDINGS, a);
	struct finding_list *l = &ret->findings;

	query_bind_int(&q, "site_id", ret->id);
	while (query_row(&q)) {
		l->at = query_grow(&q, l->at, l->n, sizeof *l->at);
		if (l->at == NULL)
			break;
		struct finding *f = &l->at[l->n++];
		struct str word = query_word(&q, "cause");

		*f = (struct finding){ .cause = cause_of_id(word) };
		if (f->cause == CAUSE_NONE)
			query_corrupt(&q, "cause", word);
		f->subject = query_text(&q, "subject");
		f->seen = query_text(&q, "seen");
		f->wanted = query_text(&q, "wanted");
		f->copy = query_text(&q, "copy");
		f->company = query_text(&q, "company");
		f->evidence = query_text(&q, "evidence");
		word = query_word(&q, "acts");
		if (!actor_of_name(word, &f->acts))
			query_corrupt(&q, "acts", word);
		f->first_seen = query_when(&q, "first_seen");
		f->last_seen = query_when(&q, "last_seen");
		f->next_look = query_when(&q, "next_look");
		f->told_at = query_when(&q, "told_at");
		f->times_seen = (unsigned)query_int(&q, "times_seen", 0, UINT32_MAX);
		f->is_from_order = query_bool(&q, "is_from_order");
		f->mends = (unsigned)query_int(&q, "mends", 0, UINT32_MAX);
		f->mended_at = query_when(&q, "mended_at");
	}
	l->cap = l->n;
	return query_finish(&q);
}

/* What the engine asserts of every site it works on; a row of a damaged store is refused here instead. */
static enum err
judge(struct store *s, const struct site *site)
{
	const char *wrong = NULL;

	if (site->names_n == 0 || !site->names[0].is_wanted)
		wrong = "has no name";
	else if (site->order_id != 0 && site->doing != DOING_ORDER)
		wrong = "has an open order and does not wait for it";
	else if (site->applied.redirect != 0 &&
		 (site->held.id == 0 ||
		     (site->applied.redirect != 307 && site->applied.redirect != 308)))
		wrong = "has a redirect that cannot be";
	else if (site->held.is_own && site->held.id == 0)
		wrong = "has an own certificate that is none";
	else if (site->applied.hsts && site->applied.redirect != 308)
		wrong = "has HSTS without the lasting redirect";
	for (size_t i = 0; i < site->findings.n; i++)
		if (!when_is_known(site->findings.at[i].next_look))
			wrong = "has a finding without a next look";
	if (wrong == NULL)
		return ERR_OK;
	return query_fail(s, ERR_CORRUPT, "site %lld %s", (long long)site->id, wrong);
}

/* Of a site that was given up and holds nothing: was it revoked? */
static enum err
load_revocation(struct store *s, struct arena *a, struct site *ret)
{
	struct revoke r, *kept = arena_get(a, sizeof *kept);
	struct given_up *g = arena_get(a, sizeof *g);
	enum err e = store_revocation_load(s, ret->id, a, &r);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	if (kept == NULL || g == NULL)
		return ERR_MEMORY;
	*kept = r;
	*g = *ret->given_up;
	g->revocation = kept;
	ret->given_up = g;
	return ERR_OK;
}

enum err
store_site_load(struct store *s, int64_t id, struct arena *a, struct site *ret)
{
	struct site site = { .id = id };
	struct bracket b;
	enum err e = bracket_begin(s, true, &b);

	if (e != ERR_OK)
		return e;
	e = load_site(s, a, &site);
	if (e == ERR_OK)
		e = load_names(s, a, &site);
	if (e == ERR_OK)
		e = load_findings(s, a, &site);
	if (e == ERR_OK && site.setting.source == SOURCE_NONE && site.held.id == 0 && site.given_up != NULL)
		e = load_revocation(s, a, &site);
	if (e == ERR_OK)
		e = judge(s, &site);
	e = bracket_end(s, &b, e);
	if (e == ERR_OK)
		*ret = site;
	return e;
}

/* --- saving --- */

static enum err
save_state(struct store *s, const struct site *site)
{
	AUTO_QUERY q = query_start(s, SQL_SITE_SAVE, NULL);
	query_bind_word(&q, "doing", doing_name(site->doing));
	query_bind_when(&q, "doing_since", site->doing_since);
	query_bind_u64(&q, "job", site->job);
	query_bind_id(&q, "held_id", site->held.id);
	query_bind_when(&q, "held_from", site->held.life.from);
	query_bind_when(&q, "held_to", site->held.life.to);
	query_bind_blob(&q, "held_fingerprint", site->held.fingerprint, FINGERPRINT_BYTES);
	query_bind_int(&q, "held_is_live", site->held.is_live);
	query_bind_int(&q, "held_is_own", site->held.is_own);
	query_bind_int(&q, "held_is_spread", site->held.is_spread);
	query_bind_id(&q, "order_id", site->order_id);
	query_bind_int(&q, "order_failures", site->order_failures);
	query_bind_when(&q, "retry_at", site->retry_at);
	query_bind_int(&q, "retry_is_law", site->retry_is_law);
	query_bind_when(&q, "checked_at", site->checked_at);
	query_bind_when(&q, "look_at", site->look_at);
	query_bind_int(&q, "deploy_failures", site->deploy_failures);
	query_bind_when(&q, "deploy_at", site->deploy_at);
	query_bind_int(&q, "verify_failures", site->verify_failures);
	query_bind_int(&q, "put_backs", site->put_backs);
	query_bind_u64(&q, "applied_digest", site->applied.digest);
	query_bind_int(&q, "applied_redirect", site->applied.redirect);
	query_bind_int(&q, "applied_hsts", site->applied.hsts);
	query_bind_int(&q, "renewals_good", site->renewals_good);
	query_bind_int(&q, "jitter", site->jitter);
	query_bind_int(&q, "asked_check", site->asked_check);
	query_bind_int(&q, "asked_renew", site->asked_renew);
	query_bind_int(&q, "is_removed", site->is_removed);
	query_bind_int(&q, "is_revoking", site->is_revoking);
	query_bind_int(&q, "story_open", site->story_open);
	query_bind_int(&q, "reminders_told", site->reminders_told);
	query_bind_int(&q, "expired_told", site->expired_told);
	query_bind_int(&q, "issued_told", site->issued_told);
	query_bind_when(&q, "letter_at", site->letter_at);
	query_bind_when(&q, "wake", site->wake);
	query_bind_int(&q, "clock_s", site->clock.s);
	bool is_in_lane = plan_waits_in_lane(site, site->wake);
	query_bind_word(&q, "lane", is_in_lane ? lane_name(plan_lane(site, site->wake)) : "");
	query_bind_int(&q, "lane_draws", is_in_lane && plan_draws(site, site->wake));
	query_bind_when(&q, "late_at", plan_late_at(site));
	query_bind_id(&q, "ca_id", site->ca_id);
	query_bind_id(&q, "left_ca_id", site->left_ca_id);
	query_bind_when(&q, "left_at", site->left_at);
	query_bind_int(&q, "left_is_law", site->left_is_law);
	query_bind_int(&q, "id", site->id);
	enum err e = query_write(&q);
	if (e == ERR_OK && sqlite3_changes(s->db) == 0)
		return query_fail(
		    s, ERR_NOT_FOUND, "there is no site %lld", (long long)site->id);
	return e;
}

static enum err
save_name(struct store *s, const struct site *site, size_t i)
{
	const struct site_name *n = &site->names[i];
	AUTO_QUERY q = query_start(s, SQL_SITE_SAVE_NAME, NULL);

	query_bind_int(&q, "is_held", n->is_held);
	query_bind_when(&q, "passed_at", n->passed_at);
	query_bind_when(&q, "refused_until", n->refused_until);
	query_bind_when(&q, "validated_at", n->validated_at);
	query_bind_int(&q, "caa_refuses", n->caa_refuses);
	query_bind_text(&q, "own_redirect", site->memory != NULL ? site->memory[i].own_redirect : STR_NONE);
	query_bind_int(&q, "is_removed", site->is_removed);
	query_bind_int(&q, "id", n->id);
	query_bind_int(&q, "site_id", site->id);
	return query_write(&q);
}

static enum err
save_served(struct store *s, const struct site_name *n)
{
	static const uint8_t none[FINGERPRINT_BYTES];
	const struct served *v = &n->served;
	bool is_unknown = v->at.s == WHEN_UNKNOWN.s && v->not_after.s == WHEN_UNKNOWN.s &&
			  !v->is_ok && !v->is_held &&
			  memcmp(v->fingerprint, none, sizeof none) == 0;
	AUTO_QUERY q =
	    query_start(s, is_unknown ? SQL_SITE_FORGET_SERVED : SQL_SITE_SAVE_SERVED, NULL);

	query_bind_int(&q, "name_id", n->id);
	if (!is_unknown) {
		query_bind_when(&q, "at", v->at);
		query_bind_int(&q, "is_ok", v->is_ok);
		query_bind_int(&q, "is_held", v->is_held);
		query_bind_when(&q, "not_after", v->not_after);
		query_bind_blob(&q, "fingerprint", v->fingerprint, FINGERPRINT_BYTES);
	}
	return query_write(&q);
}

static enum err
save_sighting(struct store *s, int64_t name_id, const struct sighting *seen, bool is_good)
{
	AUTO_QUERY q = query_start(s, SQL_SITE_SAVE_SIGHTING, NULL);

	query_bind_int(&q, "name_id", name_id);
	query_bind_int(&q, "is_good", is_good);
	query_bind_when(&q, "at", seen->at);
	query_bind_text(&q, "nameservers", seen->nameservers);
	query_bind_text(&q, "addresses", seen->addresses);
	query_bind_text(&q, "ours", seen->ours);
	query_bind_text(&q, "caa", seen->caa);
	query_bind_text(&q, "server", seen->server);
	query_bind_text(&q, "issuer", seen->issuer);
	query_bind_text(&q, "redirect", seen->redirect);
	return query_write(&q);
}

static enum err
forget_sighting(struct store *s, int64_t name_id)
{
	AUTO_QUERY q = query_start(s, SQL_SITE_FORGET_SIGHTING, NULL);

	query_bind_int(&q, "name_id", name_id);
	return query_write(&q);
}

/* The good one as it is; of what came after it, the last. */
static enum err
save_memory(struct store *s, int64_t name_id, const struct memory *m)
{
	if (!m->is_new)
		return ERR_OK;
	if (when_is_known(m->last.at))
		return save_sighting(s, name_id, &m->last, false);
	enum err e = save_sighting(s, name_id, &m->good, true);
	return e != ERR_OK ? e : forget_sighting(s, name_id);
}

static enum err
save_draft(struct store *s, const struct site *site)
{
	AUTO_QUERY q = query_start(s, SQL_SITE_SAVE_DRAFT, NULL);

	query_bind_when(&q, "begun_at", site->draft.begun_at);
	query_bind_when(&q, "told_at", site->draft.told_at);
	query_bind_int(&q, "site_id", site->id);
	return query_write(&q);
}

static enum err
close_finding(struct store *s, int64_t id, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_FINDING_GONE, NULL);

	query_bind_when(&q, "now", now);
	query_bind_int(&q, "id", id);
	return query_write(&q);
}

static bool
is_in(const struct finding_list *l, struct str subject, struct str cause)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->at[i].subject, subject) &&
		    str_eq(str_of(cause_row(l->at[i].cause)->id), cause))
			return true;
	return false;
}

/* Findings that are open in the store and not in the list any more are closed; the rows are kept. */
static enum err
close_findings(struct store *s, const struct site *site, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_FINDING_OPEN, NULL);
	enum err e = ERR_OK;

	query_bind_int(&q, "site_id", site->id);
	while (e == ERR_OK && query_row(&q)) {
		int64_t id = query_id(&q, "id");
		struct str subject = query_word(&q, "subject"), cause = query_word(&q, "cause");

		if (!is_in(&site->findings, subject, cause))
			e = close_finding(s, id, now);
	}
	return e != ERR_OK ? e : query_finish(&q);
}

static enum err
save_finding(struct store *s, const struct site *site, size_t position)
{
	const struct finding *f = &site->findings.at[position];
	AUTO_QUERY q = query_start(s, SQL_FINDING_SAVE, NULL);

	query_bind_int(&q, "site_id", site->id);
	query_bind_text(&q, "subject", f->subject);
	query_bind_word(&q, "cause", cause_row(f->cause)->id);
	query_bind_int(&q, "position", (int64_t)position);
	query_bind_text(&q, "seen", f->seen);
	query_bind_text(&q, "wanted", f->wanted);
	query_bind_text(&q, "copy", f->copy);
	query_bind_text(&q, "company", f->company);
	query_bind_text(&q, "evidence", f->evidence);
	query_bind_word(&q, "acts", actor_name(f->acts));
	query_bind_when(&q, "first_seen", f->first_seen);
	query_bind_when(&q, "last_seen", f->last_seen);
	query_bind_when(&q, "next_look", f->next_look);
	query_bind_when(&q, "told_at", f->told_at);
	query_bind_int(&q, "times_seen", f->times_seen);
	query_bind_int(&q, "is_from_order", f->is_from_order);
	query_bind_int(&q, "mends", f->mends);
	query_bind_when(&q, "mended_at", f->mended_at);
	return query_write(&q);
}

enum err
store_site_save(struct store *s, const struct site *site, struct when now)
{
	struct bracket b;
	enum err e = bracket_begin(s, false, &b);

	if (e != ERR_OK)
		return e;
	e = save_state(s, site);
	for (size_t i = 0; i < site->names_n && e == ERR_OK; i++) {
		e = save_name(s, site, i);
		if (e == ERR_OK)
			e = save_served(s, &site->names[i]);
		if (e == ERR_OK && site->memory != NULL)
			e = save_memory(s, site->names[i].id, &site->memory[i]);
	}
	if (e == ERR_OK && site->draft.exists)
		e = save_draft(s, site);
	if (e == ERR_OK)
		e = close_findings(s, site, now);
	for (size_t i = 0; i < site->findings.n && e == ERR_OK; i++)
		e = save_finding(s, site, i);
	if (e == ERR_OK)
		e = listing_save(s, site);
	return bracket_end(s, &b, e);
}

enum err
store_draft_discard(struct store *s, int64_t site_id)
{
	AUTO_QUERY q = query_start(s, SQL_DRAFT_DISCARD, NULL);

	query_bind_int(&q, "site_id", site_id);
	return query_write(&q);
}

enum err
store_source_put(struct store *s, int64_t site_id, enum source source)
{
	AUTO_QUERY q = query_start(s, SQL_SOURCE_PUT, NULL);

	query_bind_word(&q, "source", source_name(source));
	query_bind_int(&q, "site_id", site_id);
	return query_write(&q);
}

/* --- wishes --- */

static const struct {
	enum site_event_kind kind;
	const char *word;
} wishes[] = {
	{ SITE_ASKED_CHECK, "check" },
	{ SITE_ASKED_RENEW, "renew" },
	{ SITE_CHANGED, "changed" },
	{ SITE_REMOVED, "removed" },
	{ SITE_RESUMED, "resumed" },
	{ SITE_IMPORTED, "imported" },
	{ SITE_REVOKED, "revoked" },
};
enum { WISHES_N = sizeof wishes / sizeof *wishes };

enum err
store_wish_put(struct store *s, int64_t site_id, enum site_event_kind kind, struct when now)
{
	size_t i = 0;

	while (i < WISHES_N && wishes[i].kind != kind)
		i++;
	if (i == WISHES_N)
		return query_fail(
		    s, ERR_INVALID, "this event is nothing that a person can wish");
	AUTO_QUERY q = query_start(s, SQL_WISH_PUT, NULL);
	query_bind_int(&q, "site_id", site_id);
	query_bind_word(&q, "kind", wishes[i].word);
	query_bind_when(&q, "at", now);
	return query_write(&q);
}

enum err
store_wishes(struct store *s, struct wish *ret, size_t max, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_WISHES, NULL);
	size_t n = 0;

	query_bind_int(&q, "max", (int64_t)max);
	while (n < max && query_row(&q)) {
		struct wish w = { .id = query_id(&q, "id") };
		w.site_id = query_id(&q, "site_id");
		struct str word = query_word(&q, "kind");
		size_t i = 0;

		while (i < WISHES_N && !str_eq(word, str_of(wishes[i].word)))
			i++;
		if (i == WISHES_N)
			query_corrupt(&q, "kind", word);
		else
			w.kind = wishes[i].kind;
		ret[n++] = w;
	}
	enum err e = query_finish(&q);
	if (e == ERR_OK)
		*ret_n = n;
	return e;
}

enum err
store_wish_done(struct store *s, int64_t id)
{
	AUTO_QUERY q = query_start(s, SQL_WISH_DONE, NULL);

	query_bind_int(&q, "id", id);
	return query_write(&q);
}
