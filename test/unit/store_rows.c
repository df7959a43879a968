/* Orders, certificates, letters, history, CAs, owners and lists in the store. */
#include "ports/store/people.h"
#include "ports/store/revocation.h"
#include "test/unit/store_try.h"

/* --- orders and certificates --- */

static void
orders_and_certificates(void **state)
{
	(void)state;
	struct store *s = new_store();
	int64_t site = new_site(s, two_names, 2), id = new_order(s, site, true), second = 0;
	struct order_row o, *open;
	size_t n = 0;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 1 << 20);
	/* P6: never two orders in flight for a site. */
	o = (struct order_row){
		.site_id = site, .names = two_names, .names_n = 2, .is_open = true
	};
	FAILS(store_order_put(s, &o, &second), ERR_EXISTS);
	struct order step = { .id = id,
		.phase = ORDER_FINALIZED,
		.url = STR("https://ca/o/1"),
		.finalize_url = STR("https://ca/f/1"),
		.certificate_url = STR("https://ca/c/1"),
		.replaces = STR("aki.serial"),
		.profile = STR("shortlived") };
	OK(s, store_order_save(s, &step, now));
	OK(s, store_order_load(s, id, &a, &o));
	SAME(o.id, id);
	SAME(o.site_id, site);
	SAME(o.ca_id, 0);
	assert_true(o.job == UINT64_MAX && o.is_open);
	SAME(o.phase, ORDER_FINALIZED);
	SAME_STR(o.url, step.url);
	SAME_STR(o.finalize_url, step.finalize_url);
	SAME_STR(o.certificate_url, step.certificate_url);
	SAME_STR(o.sealed_key, STR("sealed\0key"));
	SAME_STR(o.csr_der, STR("\x30\x00"));
	SAME_STR(o.replaces, STR("aki.serial"));
	SAME_STR(o.profile, STR("shortlived"));
	SAME(o.names_n, 2);
	SAME_STR(o.names[0], two_names[0]);
	SAME_STR(o.names[1], two_names[1]);
	SAME(o.created.s, now.s);
	OK(s, store_orders_open(s, &a, &open, &n));
	SAME(n, 1);
	SAME(open[0].id, id);
	OK(s, store_order_close(s, id, ORDER_RECEIVED, now));
	OK(s, store_orders_open(s, &a, &open, &n));
	SAME(n, 0);
	OK(s, store_order_load(s, id, &a, &o));
	assert_true(!o.is_open && o.phase == ORDER_RECEIVED);
	(void)new_order(s, site, true);
	step.id = 99;
	FAILS(store_order_save(s, &step, now), ERR_NOT_FOUND);
	FAILS(store_order_close(s, 99, ORDER_FAILED, now), ERR_NOT_FOUND);
	FAILS(store_order_load(s, 99, &a, &o), ERR_NOT_FOUND);
	struct str bad = STR("a b");
	FAILS(store_order_put(s,
		  &(struct order_row){ .site_id = site, .names = &bad, .names_n = 1 }, &second),
	    ERR_INVALID);
	struct certificate_row c = { .site_id = 99 };
	FAILS(store_certificate_put(s, &c, &second), ERR_CONFLICT);
	FAILS(store_certificate_load(s, 1, &a, &c), ERR_NOT_FOUND);
	assert_sound(s);
	store_close(&s);
}

/* Every key of the site up to the newest one goes, and nothing of another site; what lives and is of a CA of ours is due to be revoked. */
static void
revocations(void **state)
{
	(void)state;
	struct store *s = new_store();
	struct str others[] = { STR("b.example") };
	int64_t site_id = new_site(s, two_names, 2), other = new_site(s, others, 1), ca_id = 0, n = 0, ids[4];
	struct ca_row ca = CA_ROW_NEW;
	struct certificate_row c;
	struct revocation_row *due, row;
	struct revoke r;
	struct order_row o;
	struct when at;
	size_t due_n = 0;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 1 << 20);
	ca.name = STR("a1");
	OK(s, store_ca_put(s, &ca, &ca_id));
	int64_t order = new_order(s, site_id, true);
	OK(s, store_order_close(s, order, ORDER_RECEIVED, now));
	/* Over; alive; the one that is held, bought; and one that comes after it. */
	for (int i = 0; i < 4; i++) {
		c = (struct certificate_row){ .site_id = site_id,
			.ca_id = i < 2 ? ca_id : 0,
			.is_own = i >= 2,
			.info = { .not_before = now, .not_after = when_plus(now, SPAN_D(i == 0 ? -1 : 30)), .serial = STR("1"), .names = two_names, .names_n = 2 },
			.chain_pem = STR("CHAIN"),
			.sealed_key = STR("sealed"),
			.created = now };
		OK(s, store_certificate_put(s, &c, &ids[i]));
	}
	c.site_id = other;
	int64_t foreign = 0;
	OK(s, store_certificate_put(s, &c, &foreign));
	const struct site site = { .id = site_id, .held = { .id = ids[2] } };
	FAILS(store_revocation_load(s, site_id, &a, &r), ERR_NOT_FOUND);
	OK(s, store_revocation_put(s, &site, REVOKE_KEY_COMPROMISE, STR("hana@a.example"), now));
	OK(s, store_revocation_put(s, &site, REVOKE_CESSATION, STR("again"), when_plus(now, SPAN_S(9))));
	OK(s, store_revocation_load(s, site_id, &a, &r));
	SAME_STR(r.by, STR("hana@a.example"));
	SAME(r.reason, REVOKE_KEY_COMPROMISE);
	SAME(r.asked_at.s, now.s);
	assert_true(r.is_own && !when_is_known(r.destroyed_at) && !when_is_known(r.next_try) && !when_is_known(r.revoked_at));
	SAME(r.ends.s, when_plus(now, SPAN_D(30)).s);
	/* Nothing is asked of the CA before the keys are gone. */
	OK(s, store_revocations_due(s, ca_id, when_plus(now, SPAN_D(9)), 8, &a, &due, &due_n));
	SAME(due_n, 0);
	OK(s, store_revocations_next(s, ca_id, now, &at));
	SAME(at.s, WHEN_NEVER.s);
	OK(s, store_begin(s));
	OK(s, store_revocation_destroy(s, site_id, ids[2], when_plus(now, SPAN_S(60))));
	OK(s, store_commit(s));
	OK(s, store_empty_log(s));
	for (int i = 0; i < 4; i++) {
		OK(s, store_certificate_load(s, ids[i], &a, &c));
		SAME(c.sealed_key.n > 0, i == 3);
		SAME_STR(c.chain_pem, STR("CHAIN"));
	}
	OK(s, store_certificate_load(s, foreign, &a, &c));
	SAME_STR(c.sealed_key, STR("sealed"));
	OK(s, store_order_load(s, order, &a, &o));
	SAME(o.sealed_key.n, 0);
	OK(s, store_revocation_load(s, site_id, &a, &r));
	SAME(r.destroyed_at.s, now.s + 60);
	assert_false(when_is_known(r.next_try));
	/* The one that is over needs no CA, the bought one has none. */
	OK(s, store_revocations_waiting(s, site_id, &n));
	SAME(n, 1);
	OK(s, store_revocations_next(s, ca_id, now, &at));
	SAME(at.s, now.s + 60);
	OK(s, store_revocations_due(s, ca_id, now, 8, &a, &due, &due_n));
	SAME(due_n, 0);
	OK(s, store_revocations_due(s, 99, at, 8, &a, &due, &due_n));
	SAME(due_n, 0);
	OK(s, store_revocations_due(s, ca_id, at, 8, &a, &due, &due_n));
	SAME(due_n, 1);
	SAME(due[0].certificate_id, ids[1]);
	SAME(due[0].site_id, site_id);
	SAME(due[0].reason, REVOKE_KEY_COMPROMISE);
	SAME(due[0].tries, 0);
	SAME_STR(due[0].chain_pem, STR("CHAIN"));
	row = due[0];
	row.reason = REVOKE_UNSPECIFIED;
	row.tries = 7;
	row.next_try = when_plus(now, SPAN_D(2));
	row.error = STR("busy");
	OK(s, store_revocation_save(s, &row));
	OK(s, store_revocation_find(s, ids[1], &a, &row));
	SAME(row.tries, 7);
	SAME(row.reason, REVOKE_UNSPECIFIED);
	OK(s, store_revocations_next(s, ca_id, now, &at));
	SAME(at.s, when_plus(now, SPAN_D(2)).s);
	row.revoked_at = now;
	OK(s, store_revocation_save(s, &row));
	OK(s, store_revocations_waiting(s, site_id, &n));
	SAME(n, 0);
	FAILS(store_revocation_find(s, ids[1], &a, &row), ERR_NOT_FOUND);
	row.certificate_id = 99;
	FAILS(store_revocation_save(s, &row), ERR_NOT_FOUND);
	assert_sound(s);
	store_close(&s);
}

static void
certificate_archives_what_is_not_live(void **state)
{
	(void)state;
	struct store *s = new_store();
	int64_t site_id = new_site(s, two_names, 2), first = new_certificate(s, site_id, 1);
	struct certificate_row c, *rows;
	struct site site;
	size_t n;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 1 << 20);
	OK(s, store_certificate_load(s, first, &a, &c));
	SAME(c.info.not_before.s, now.s);
	SAME(c.info.not_after.s, now.s + 90 * 86400);
	SAME(c.info.fingerprint[31], 1);
	SAME_STR(c.info.serial, STR("0a"));
	SAME_STR(c.info.issuer, STR("Example CA"));
	SAME_STR(c.info.ari_id, STR("x.y"));
	SAME(c.info.names_n, 2);
	SAME_STR(c.info.names[1], two_names[1]);
	SAME_STR(c.chain_pem, STR("-----BEGIN"));
	SAME_STR(c.sealed_key, STR("k\0k"));
	SAME(c.created.s, now.s);
	assert_true(!c.is_archived && c.site_id == site_id && c.order_id == 0 && c.ca_id == 0);
	/* 1 is proven live, 2 is held and staged while 1 is still handed out, 3 comes. */
	OK(s, store_site_load(s, site_id, &a, &site));
	site.held = (struct held){ .id = first, .is_live = true, .life = { now, now } };
	memset(site.names[0].served.fingerprint, 1, FINGERPRINT_BYTES);
	OK(s, store_site_save(s, &site, now));
	int64_t second = new_certificate(s, site_id, 2);
	OK(s, store_certificate_load(s, first, &a, &c));
	assert_false(c.is_archived);
	site.held = (struct held){ .id = second, .life = { now, now } };
	OK(s, store_site_save(s, &site, now));
	int64_t third = new_certificate(s, site_id, 3);
	OK(s, store_certificates_of(s, site_id, &a, &rows, &n));
	SAME(n, 3);
	assert_true(rows[0].id == third && !rows[0].is_archived);
	assert_true(rows[1].id == second && rows[1].is_archived);
	assert_true(rows[2].id == first && !rows[2].is_archived);
	/* The held certificate has to exist. */
	site.held.id = 99;
	FAILS(store_site_save(s, &site, now), ERR_CONFLICT);
	assert_sound(s);
	store_close(&s);
}

/* --- letters, history, CAs, owners --- */

static void
letters_wait_and_go(void **state)
{
	(void)state;
	struct store *s = new_store();
	int64_t site = new_site(s, two_names, 2);
	struct letter_row l = { .site_id = site,
		.owner_id = 1,
		.kind = LETTER_ACT,
		.key = STR("1/act/7"),
		.message_id = STR("<1@a>"),
		.to = STR("hana@a.example"),
		.subject = STR("件名"),
		.body = STR("b"),
		.message = STR("m\r\n"),
		.created = now,
		.next_try = now,
		.sent_at = WHEN_UNKNOWN },
			  *rows;
	struct when w;
	size_t n;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 1 << 20);
	OK(s, store_letters_next(s, &w));
	SAME(w.s, WHEN_NEVER.s);
	OK(s, store_letter_put(s, &l));
	/* The same key again is one letter, and the first one. */
	l.subject = STR("another");
	OK(s, store_letter_put(s, &l));
	OK(s, store_letters_due(s, now, 9, &a, &rows, &n));
	SAME(n, 1);
	SAME(rows[0].site_id, site);
	SAME(rows[0].owner_id, 1);
	SAME(rows[0].kind, LETTER_ACT);
	SAME_STR(rows[0].key, l.key);
	SAME_STR(rows[0].message_id, l.message_id);
	SAME_STR(rows[0].to, l.to);
	SAME_STR(rows[0].subject, STR("件名"));
	SAME_STR(rows[0].body, l.body);
	SAME_STR(rows[0].message, l.message);
	SAME(rows[0].created.s, now.s);
	SAME(rows[0].sent_at.s, WHEN_UNKNOWN.s);
	int64_t first = rows[0].id;
	OK(s, store_letter_failed(s, first, STR("451 later"), when_plus(now, SPAN_MIN(5))));
	OK(s, store_letters_due(s, now, 9, &a, &rows, &n));
	SAME(n, 0);
	OK(s, store_letters_next(s, &w));
	SAME(w.s, now.s + 300);
	OK(s, store_letters_due(s, w, 9, &a, &rows, &n));
	SAME(rows[0].tries, 1);
	SAME_STR(rows[0].error, STR("451 later"));
	OK(s, store_letter_sent(s, first, w));
	OK(s, store_letters_next(s, &w));
	SAME(w.s, WHEN_NEVER.s);
	FAILS(store_letter_failed(s, first, STR("late"), now), ERR_NOT_FOUND);
	/* Given up: never tried again, and known to be. */
	l.key = STR("1/act/8");
	OK(s, store_letter_put(s, &l));
	OK(s, store_letter_failed(s, first + 1, STR("550 no"), WHEN_NEVER));
	OK(s, store_letters_due(s, WHEN_NEVER, 9, &a, &rows, &n));
	SAME(n, 0);
	OK(s, store_letters_next(s, &w));
	SAME(w.s, WHEN_NEVER.s);
	OK(s, store_letters_of(s, site, &a, &rows, &n));
	SAME(n, 2);
	SAME(rows[0].next_try.s, WHEN_NEVER.s);
	SAME(rows[1].sent_at.s, now.s + 300);
	SAME(rows[1].tries, 2);
	FAILS(store_letter_sent(s, 99, now), ERR_NOT_FOUND);
	FAILS(store_letter_failed(s, first, STR(""), WHEN_UNKNOWN), ERR_INVALID);
	/* It did not arrive: told to its owner until it was read, and sent to the next person of the owner, once. */
	struct letter_passed passed;
	OK(s, store_letters_lost(s, 1, 9, &a, &rows, &n));
	SAME(n, 1);
	SAME(rows[0].id, first + 1);
	OK(s, store_letter_pass_on(s, first + 1, now, &a, &passed));
	SAME(passed.to.n, 0);
	int64_t person;
	OK(s, store_person_put(s, &(struct person_row){ .owner_id = 1, .mail = STR("HANA@a.example"), .lang = STR("ja"), .role = ROLE_OWNER, .created = now }, &person));
	OK(s, store_letter_pass_on(s, first + 1, now, &a, &passed));
	SAME(passed.to.n, 0);
	OK(s, store_person_put(s, &(struct person_row){ .owner_id = 1, .mail = STR("jiro@a.example"), .lang = STR("ja"), .role = ROLE_OWNER, .created = now }, &person));
	OK(s, store_letter_pass_on(s, first + 1, now, &a, &passed));
	SAME_STR(passed.to, STR("jiro@a.example"));
	SAME(passed.site_id, site);
	SAME(passed.kind, LETTER_ACT);
	OK(s, store_letter_pass_on(s, first + 1, now, &a, &passed));
	SAME(passed.to.n, 0);
	OK(s, store_letters_due(s, now, 9, &a, &rows, &n));
	SAME(n, 1);
	SAME_STR(rows[0].key, STR("1/act/8" LETTER_SECOND_KEY));
	SAME_STR(rows[0].message_id, STR(LETTER_SECOND_ID "<1@a>"));
	SAME_STR(rows[0].to, STR("jiro@a.example"));
	SAME_STR(rows[0].subject, STR("another"));
	SAME(rows[0].message.n, 0);
	/* A copy that comes back goes nowhere. */
	OK(s, store_letter_failed(s, rows[0].id, STR("550 no"), WHEN_NEVER));
	OK(s, store_letter_pass_on(s, rows[0].id, now, &a, &passed));
	SAME(passed.to.n, 0);
	FAILS(store_letter_read(s, first + 1, 2, now), ERR_NOT_FOUND);
	OK(s, store_letter_read(s, first + 1, 1, now));
	OK(s, store_letter_read(s, first + 1, 1, when_plus(now, SPAN_D(1))));
	OK(s, store_letters_lost(s, 1, 9, &a, &rows, &n));
	SAME(n, 1);
	l.key = STR("3");
	l.next_try = WHEN_UNKNOWN;
	FAILS(store_letter_put(s, &l), ERR_INVALID);
	l.next_try = now;
	l.message.n = LIMIT_LETTER_BYTES + 1;
	FAILS(store_letter_put(s, &l), ERR_TOO_LONG);
	l.key = STR("");
	FAILS(store_letter_put(s, &l), ERR_INVALID);
	assert_sound(s);
	store_close(&s);
}

static void
history_pages(void **state)
{
	(void)state;
	struct store *s = new_store();
	int64_t site = new_site(s, two_names, 2);
	struct history_row *rows;
	size_t n;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 1 << 20);
	for (int i = 0; i < 20; i++)
		OK(s, store_history_put(
			  s, &(struct history_row){ .site_id = i % 2 == 0 ? site : 0,
				 .at = when_plus(now, SPAN_S(i)),
				 .kind = (enum history_kind)i,
				 .by = STR("koshin"),
				 .subject = two_names[0],
				 .detail = STR("d") }));
	OK(s, store_history(s, site, 0, 4, &a, &rows, &n));
	SAME(n, 4);
	SAME(rows[0].kind, 18);
	SAME(rows[0].at.s, now.s + 18);
	SAME(rows[0].site_id, site);
	SAME_STR(rows[0].by, STR("koshin"));
	SAME_STR(rows[0].subject, two_names[0]);
	SAME_STR(rows[0].detail, STR("d"));
	OK(s, store_history(s, site, rows[3].id, 100, &a, &rows, &n));
	SAME(n, 6);
	SAME(rows[0].kind, 10);
	OK(s, store_history(s, 0, 0, 100, &a, &rows, &n));
	SAME(n, 20);
	store_close(&s);
}

static void
cas_owners_heartbeats(void **state)
{
	(void)state;
	struct store *s = new_store();
	struct ca_row ca = { .name = STR("le"),
		.directory = STR("https://ca/dir"),
		.contact = STR("ops@a.example"),
		.bundle = STR("/b.pem"),
		.preferred_issuer = STR("ISRG"),
		.sealed_key = STR("k\0"),
		.thumbprint = STR("t"),
		.account_url = STR("https://ca/a/1"),
		.eab_kid = STR("kid"),
		.eab_sealed_hmac = STR("\0h"),
		.caa_identity = STR("ca.example"),
		.terms = STR("https://ca/terms"),
		.breaker = { .failures = 3, .ill_since = WHEN_UNKNOWN, .not_before = WHEN_UNKNOWN, .probed_at = WHEN_UNKNOWN, .blocked_at = WHEN_UNKNOWN },
		.is_added = true,
		.is_used = true,
		.position = 1,
		.error = STR("e"),
		.profiles = STR("classic shortlived"),
		.caa_identities = STR("ca.example b.example"),
		.has_renewal_info = true,
		.eab_required = true,
		.key_change = STR("https://ca/k"),
		.directory_at = { 1 },
		.next_sealed_key = STR("n\0"),
		.next_thumbprint = STR("nt"),
		.rolled_at = { 2 },
		.canary_at = { 3 },
		.canary_done_at = { 4 },
		.canary_ok_at = { 5 },
		.canary_error = STR("ce") },
		      *cas;
	int64_t first = 0, again = 0, other = 0;
	size_t n;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 1 << 20);
	OK(s, store_ca_put(s, &ca, &first));
	ca.breaker = (struct breaker){ UINT32_MAX, { 7 }, now, { 8 }, { 9 } };
	OK(s, store_ca_put(s, &ca, &again));
	SAME(again, first);
	OK(s,
	    store_ca_put(s,
		&(struct ca_row){ .name = STR("other"), .breaker = BREAKER_CLOSED_FOREVER }, &other));
	assert_int_not_equal(other, first);
	OK(s, store_cas(s, &a, &cas, &n));
	SAME(n, 2);
	SAME_STR(cas[0].name, ca.name);
	SAME_STR(cas[0].directory, ca.directory);
	SAME_STR(cas[0].contact, ca.contact);
	SAME_STR(cas[0].bundle, ca.bundle);
	SAME_STR(cas[0].preferred_issuer, ca.preferred_issuer);
	SAME_STR(cas[0].sealed_key, ca.sealed_key);
	SAME_STR(cas[0].thumbprint, ca.thumbprint);
	SAME_STR(cas[0].account_url, ca.account_url);
	SAME_STR(cas[0].eab_kid, ca.eab_kid);
	SAME_STR(cas[0].eab_sealed_hmac, ca.eab_sealed_hmac);
	SAME_STR(cas[0].caa_identity, ca.caa_identity);
	SAME_STR(cas[0].terms, ca.terms);
	SAME(cas[0].breaker.not_before.s, now.s);
	SAME(cas[0].breaker.failures, UINT32_MAX);
	SAME(cas[0].breaker.ill_since.s, 7);
	SAME(cas[0].breaker.probed_at.s, 8);
	SAME(cas[0].breaker.blocked_at.s, 9);
	SAME(cas[0].is_added && cas[0].is_used && cas[0].has_renewal_info && cas[0].eab_required, true);
	SAME(cas[0].position, 1);
	SAME_STR(cas[0].error, ca.error);
	SAME_STR(cas[0].profiles, ca.profiles);
	SAME_STR(cas[0].caa_identities, ca.caa_identities);
	SAME_STR(cas[0].key_change, ca.key_change);
	SAME_STR(cas[0].next_sealed_key, ca.next_sealed_key);
	SAME_STR(cas[0].next_thumbprint, ca.next_thumbprint);
	SAME_STR(cas[0].canary_error, ca.canary_error);
	SAME(cas[0].directory_at.s, 1);
	SAME(cas[0].rolled_at.s, 2);
	SAME(cas[0].canary_at.s, 3);
	SAME(cas[0].canary_done_at.s, 4);
	SAME(cas[0].canary_ok_at.s, 5);
	SAME(cas[0].rollover_asked.s, WHEN_UNKNOWN.s);
	SAME(cas[0].unblock_asked.s, WHEN_UNKNOWN.s);
	SAME(cas[1].breaker.not_before.s, WHEN_UNKNOWN.s);
	SAME(cas[1].is_used, false);

	/* The wish to roll over is the web's; what the engine writes does not touch it. */
	int64_t mark = 0, later = 0;
	OK(s, store_ca_mark(s, &mark));
	OK(s, store_ca_ask_rollover(s, STR("le"), now));
	OK(s, store_ca_put(s, &ca, &again));
	OK(s, store_cas(s, &a, &cas, &n));
	SAME(cas[0].rollover_asked.s, now.s);
	OK(s, store_ca_mark(s, &later));
	assert_int_not_equal(mark, later);
	OK(s, store_ca_rollover_taken(s, first));
	OK(s, store_ca_mark(s, &later));
	SAME(mark, later);
	FAILS(store_ca_ask_rollover(s, STR("nobody"), now), ERR_NOT_FOUND);
	/* And so is the word that a block is lifted. */
	OK(s, store_ca_ask_unblock(s, STR("le"), now));
	OK(s, store_ca_put(s, &ca, &again));
	OK(s, store_cas(s, &a, &cas, &n));
	SAME(cas[0].unblock_asked.s, now.s);
	OK(s, store_ca_mark(s, &later));
	assert_int_not_equal(mark, later);
	OK(s, store_ca_unblock_taken(s, first));
	OK(s, store_ca_mark(s, &later));
	SAME(mark, later);
	FAILS(store_ca_ask_unblock(s, STR("nobody"), now), ERR_NOT_FOUND);

	struct str thumbprint;
	OK(s, store_token_put(s, STR("tok"), STR("t1"), now));
	OK(s, store_token_put(s, STR("tok"), STR("t2"), now));
	OK(s, store_token_find(s, STR("tok"), &a, &thumbprint));
	SAME_STR(thumbprint, STR("t2"));
	FAILS(store_token_find(s, STR("other"), &a, &thumbprint), ERR_NOT_FOUND);
	FAILS(store_token_put(s, STR(""), STR("t"), now), ERR_INVALID);
	OK(s, store_token_put(s, STR("young"), STR("t3"), when_plus(now, SPAN_D(8))));
	FAILS(store_token_find(s, STR("tok"), &a, &thumbprint), ERR_NOT_FOUND);
	for (int i = 3; i <= 31; i++) {
		ca.name = arena_strf(&a, "ca-%d", i);
		OK(s, store_ca_put(s, &ca, &other));
	}
	ca.name = STR("one too many");
	FAILS(store_ca_put(s, &ca, &other), ERR_FULL);
	FAILS(store_ca_put(s, &(struct ca_row){ 0 }, &other), ERR_INVALID);

	struct owner_row o;
	OK(s, store_owner_put(s,
		  &(struct owner_row){ .mail = STR("Hana@a.example"), .lang = STR("ja") }, now,
		  &first));
	OK(s, store_owner_put(
		  s, &(struct owner_row){ .mail = STR("hana@a.example") }, now, &again));
	SAME(again, first);
	OK(s, store_owner_load(s, first, &a, &o));
	SAME(o.id, first);
	SAME_STR(o.mail, STR("Hana@a.example"));
	SAME_STR(o.lang, STR("ja"));
	FAILS(store_owner_load(s, 99, &a, &o), ERR_NOT_FOUND);
	FAILS(store_owner_put(s, &(struct owner_row){ 0 }, now, &first), ERR_INVALID);
	FAILS(store_owner_put(s, &(struct owner_row){ .mail = STR("x@y"), .lang = STR("tlh") },
		  now, &first),
	    ERR_INVALID);

	struct heartbeat_row *beats;
	OK(s, store_heartbeat_put(s, STR("web"), 7, now));
	OK(s, store_heartbeat_put(s, STR("engine"), 8, now));
	OK(s, store_heartbeat_put(s, STR("web"), 9, when_plus(now, SPAN_S(60))));
	OK(s, store_heartbeats(s, &a, &beats, &n));
	SAME(n, 2);
	SAME_STR(beats[1].process, STR("web"));
	SAME(beats[1].pid, 9);
	SAME(beats[1].at.s, now.s + 60);
	store_close(&s);
}

static void
unclassified_keeps_the_newest(void **state)
{
	(void)state;
	struct store *s = new_store();
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 1 << 20);
	OK(s, store_begin(s));
	for (int i = 0; i < LIMIT_UNCLASSIFIED_ROWS + 5; i++)
		OK(s, store_unclassified_put(s, STR("malformed"), arena_strf(&a, "text %d", i),
			  when_plus(now, SPAN_S(i))));
	OK(s, store_unclassified_put(
		  s, STR("malformed"), STR("text 500"), when_plus(now, SPAN_D(1))));
	OK(s, store_commit(s));
	SAME(number(s, "SELECT count(*) FROM unclassified"), LIMIT_UNCLASSIFIED_ROWS);
	SAME(number(s, "SELECT count(*) FROM unclassified WHERE text = 'text 4'"), 0);
	SAME(number(s, "SELECT times_seen FROM unclassified WHERE text = 'text 500'"), 2);
	struct unclassified_row *rows;
	size_t n;
	OK(s, store_unclassified_list(s, 3, &a, &rows, &n));
	SAME(n, 3);
	SAME_STR(rows[0].text, STR("text 500"));
	SAME(rows[0].times_seen, 2);
	SAME(rows[0].last_seen.s, now.s + 86400);
	SAME(rows[0].first_seen.s, now.s + 500);
	OK(s, store_unclassified_put(s, STR("connection"), STR("c"), when_plus(now, SPAN_D(2))));
	OK(s, store_unclassified_count(s, &a, &rows, &n));
	SAME(n, 2);
	SAME_STR(rows[0].type, STR("connection"));
	SAME(rows[0].times_seen, 1);
	SAME(rows[1].times_seen, LIMIT_UNCLASSIFIED_ROWS);
	static char big[LIMIT_EVIDENCE_BYTES + 1];
	FAILS(store_unclassified_put(s, STR("t"), (struct str){ big, sizeof big }, now),
	    ERR_TOO_LONG);
	store_close(&s);
}

static void
lists_page_by_first_name(void **state)
{
	(void)state;
	static const char *const firsts[] = { "c.example", "a.example", "b.example" };
	struct store *s = new_store();
	struct store_listed *rows;
	int64_t ids[3];
	size_t n;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < 3; i++) {
		struct str names[] = { str_of(firsts[i]), arena_strf(&a, "www.%s", firsts[i]) };

		ids[i] = new_site(s, names, 2);
	}
	struct store_list all = STORE_LIST_ALL, by_search = STORE_LIST_ALL, by_standing = STORE_LIST_ALL;
	OK(s, store_sites(s, &all, 2, &a, &rows, &n));
	SAME(n, 2);
	SAME(rows[0].id, ids[1]);
	SAME_STR(rows[1].name, STR("b.example"));
	all.after = rows[1].cursor;
	OK(s, store_sites(s, &all, 2, &a, &rows, &n));
	SAME(n, 1);
	SAME(rows[0].id, ids[0]);
	by_search.search = STR("WWW.B");
	OK(s, store_sites(s, &by_search, 9, &a, &rows, &n));
	SAME(n, 1);
	SAME(rows[0].id, ids[2]);
	SAME_STR(rows[0].name, STR("b.example"));
	by_standing.standing = SITE_STANDING_PROGRESS;
	OK(s, store_sites(s, &by_standing, 9, &a, &rows, &n));
	SAME(n, 3);
	struct site site;
	OK(s, store_site_load(s, ids[1], &a, &site));
	site.is_removed = true;
	OK(s, store_site_save(s, &site, now));
	all.after = STR_NONE;
	OK(s, store_sites(s, &all, 9, &a, &rows, &n));
	SAME(n, 2);
	by_search.search = STR("example");
	OK(s, store_sites(s, &by_search, 9, &a, &rows, &n));
	SAME(n, 2);
	store_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_and_certificates),
		cmocka_unit_test(revocations),
		cmocka_unit_test(certificate_archives_what_is_not_live),
		cmocka_unit_test(letters_wait_and_go),
		cmocka_unit_test(history_pages),
		cmocka_unit_test(cas_owners_heartbeats),
		cmocka_unit_test(unclassified_keeps_the_newest),
		cmocka_unit_test(lists_page_by_first_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
