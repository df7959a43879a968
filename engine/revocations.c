/*
 * Certificates that were given up for good. Their keys go with the step that drops them; the CA is asked afterwards, again and again
 * until it has confirmed, or refused, or the certificate has ended by itself. It is work of its own, which no order waits for.
 */
#include "engine/inside.h"
#include "base/must.h"
#include "ports/names/names.h"
#include "ports/store/revocation.h"

enum { EMPTY_AGAIN_S = 5 };

/* What the site's owner is told when it is over, whichever way. */
static enum err
tell(struct engine *e, int64_t site_id, int64_t certificate_id, const struct revoke *r)
{
	struct site s;
	struct owner_row owner;
	struct arena *a = &e->arena;
	enum err err = store_site_load(e->ports.store, site_id, a, &s);

	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	if (err == ERR_OK)
		err = store_owner_load(e->ports.store, s.owner_id, a, &owner);
	if (err != ERR_OK)
		return err;
	struct str key = arena_strf(a, "%lld/%s/%lld", (long long)site_id, letter_name(LETTER_REVOKED), (long long)certificate_id);
	const struct letter_out o = {
		.site_id = site_id,
		.owner_id = s.owner_id,
		.to = owner.mail,
		.key = key,
		.message_id = letters_message_id(e, arena_strf(a, "%lld.revoked.%lld", (long long)site_id, (long long)certificate_id)),
		.ctx = { .lang = lang_of(owner.lang.n > 0 ? owner.lang : str_of(e->config->language)),
		    .now = e->turn.now,
		    .zone = config_zone(e->config),
		    .site_name = names_for_people(s.names[0].name, a),
		    .view = view_of(&s, e->turn.now),
		    .panel_url = str_of(e->config->panel_url),
		    .for_people = names_for_people,
		    .registered_domain = names_registered_domain },
		.facts = { .kind = LETTER_REVOKED, .site = &s, .revocation = r, .for_people = names_for_people },
	};
	return letters_put(e, &o);
}

/* There may be something to ask, and there is a place for it. */
static void
look_again(struct engine *e)
{
	for (size_t i = 0; i < e->cas_n; i++)
		e->cas[i]->revokes_at = e->turn.now;
}

enum err
revocations_destroy(struct engine *e, const struct site *s, const struct site_effect *fx)
{
	struct revoke r;
	int64_t waiting = 0;
	enum err err = store_revocation_destroy(e->ports.store, s->id, fx->certificate_id, e->turn.now);

	e->empty_log_at = e->turn.now;
	look_again(e);
	if (err == ERR_OK)
		err = store_revocation_load(e->ports.store, s->id, &e->arena, &r);
	if (err == ERR_OK)
		err = store_revocations_waiting(e->ports.store, s->id, &waiting);
	/* There is nobody to wait for. */
	if (err == ERR_OK && waiting == 0)
		err = tell(e, s->id, fx->certificate_id, &r);
	return err;
}

static enum err
ask(struct engine *e, const struct engine_ca *ca, const struct revocation_row *row, int64_t *place)
{
	struct work *w = work_new(e, WORK_REVOKE);

	if (w == NULL)
		return ERR_MEMORY;
	w->certificate_id = row->certificate_id;
	w->request = (struct acme_request){ .verb = ACME_REVOKE,
		.ca_id = ca->row.id,
		.chain_pem = arena_str(&w->arena, row->chain_pem),
		.reason = revoke_reason_code(row->reason) };
	*place = row->certificate_id;
	queue_put(&e->acts, w);
	return ERR_OK;
}

static int64_t *
find_open(struct engine *e, int64_t certificate_id)
{
	for (size_t i = 0; i < REVOKES_AT_ONCE; i++)
		if (e->revokes_open[i] == certificate_id)
			return &e->revokes_open[i];
	return NULL;
}

static enum err
ask_ca(struct engine *e, struct engine_ca *ca)
{
	struct revocation_row *rows;
	size_t n = 0;

	if (!account_may_ask(ca) || breaker_is_blocked(&ca->row.breaker) || when_before(e->turn.now, ca->revokes_at))
		return ERR_OK;
	enum err err = store_revocations_due(e->ports.store, ca->row.id, e->turn.now, REVOKES_AT_ONCE, &e->arena, &rows, &n);
	for (size_t i = 0; err == ERR_OK && i < n; i++) {
		int64_t *place = find_open(e, 0);

		if (place != NULL && find_open(e, rows[i].certificate_id) == NULL)
			err = ask(e, ca, &rows[i], place);
	}
	/* While an answer is awaited it is looked at anew with that; else the next date is read once, not in each turn. */
	ca->revokes_at = WHEN_NEVER;
	return err == ERR_OK && n == 0 ? store_revocations_next(e->ports.store, ca->row.id, e->turn.now, &ca->revokes_at) : err;
}

enum err
revocations_turn(struct engine *e)
{
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < e->cas_n; i++)
		err = ask_ca(e, e->cas[i]);
	return err;
}

struct when
revocations_next(const struct engine *e)
{
	struct when at = WHEN_NEVER;

	for (size_t i = 0; i < e->cas_n; i++)
		if (account_may_ask(e->cas[i]) && !breaker_is_blocked(&e->cas[i]->row.breaker))
			at = when_min(at, e->cas[i]->revokes_at);
	return at;
}

static enum err
put_history(struct engine *e, int64_t site_id, enum history_kind kind, struct str detail)
{
	const struct history_row line = {
		.site_id = site_id, .at = e->turn.now, .kind = kind, .by = STR("koshin"), .detail = detail
	};

	return store_history_put(e->ports.store, &line);
}

/* Nothing of the site is waited for any more: its history and its owner are told. */
static enum err
end(struct engine *e, const struct revocation_row *row, enum revoke_next next)
{
	struct revoke r;
	int64_t waiting = 0;
	enum err err = store_revocations_waiting(e->ports.store, row->site_id, &waiting);

	if (err == ERR_OK && waiting == 0)
		err = put_history(e, row->site_id, next == REVOKE_IS_DONE ? HISTORY_REVOKED : HISTORY_REVOKE_REFUSED, row->error);
	if (err == ERR_OK)
		err = store_revocation_load(e->ports.store, row->site_id, &e->arena, &r);
	return err == ERR_OK && waiting == 0 ? tell(e, row->site_id, row->certificate_id, &r) : err;
}

/* A refusal is the operator's to know: nothing of ours will change it. */
static enum err
report(struct engine *e, const struct acme_answer *an)
{
	struct str words = arena_strf(&e->arena, "%.*s: %.*s", STR_ARG(an->problem.type), STR_ARG(an->problem.detail));

	engine_log(e, "a certificate could not be revoked: %.*s", STR_ARG(words));
	return store_unclassified_put(e->ports.store, STR("ca.revoke"), words, e->turn.now);
}

enum err
revocations_answer(struct engine *e, const struct work *w)
{
	struct acme_answer *an = w->answer;
	struct revocation_row row;
	struct when at;
	struct engine_ca *ca = account_ca(e, w->request.ca_id);
	int64_t *place = find_open(e, w->certificate_id);
	enum err err = store_revocation_find(e->ports.store, w->certificate_id, &e->arena, &row);

	must(place != NULL);
	*place = 0;
	look_again(e);
	if (err == ERR_NOT_FOUND) {
		e->late_answers++;
		return ERR_OK;
	}
	if (err == ERR_OK && ca != NULL && str_eq(an->problem.type, STR("accountDoesNotExist")))
		err = account_forgotten(e, ca->row.id);
	if (err != ERR_OK)
		return err;
	const struct revoke r = { .reason = row.reason };
	enum revoke_next next = revocation_next(&r, an, row.tries, &e->turn, &at);
	row.tries++;
	row.error = an->err == ERR_OK ? STR_NONE : an->problem.detail.n > 0 ? an->problem.detail : an->detail;
	if (next == REVOKE_IS_DONE)
		row.revoked_at = e->turn.now;
	if (next == REVOKE_AGAIN || next == REVOKE_AGAIN_PLAINLY)
		row.next_try = at;
	if (next == REVOKE_AGAIN_PLAINLY)
		row.reason = REVOKE_UNSPECIFIED;
	err = store_revocation_save(e->ports.store, &row);
	if (err == ERR_OK && next == REVOKE_GIVEN_UP)
		err = report(e, an);
	return err == ERR_OK && !when_is_known(row.next_try) ? end(e, &row, next) : err;
}

void
revocations_empty_log(struct engine *e)
{
	if (when_before(e->turn.now, e->empty_log_at))
		return;
	/* Somebody reads just now, or the disk is at fault, which the next commit says as well. */
	bool is_done = store_empty_log(e->ports.store) == ERR_OK;

	e->empty_log_at = is_done ? WHEN_NEVER : when_plus(e->turn.now, SPAN_S(EMPTY_AGAIN_S));
}
