/* A failure at each statement and of each page: nothing is left behind, and the store goes on working. */
#include "test/unit/store_try.h"

/* --- a failure at each statement --- */

struct fault {
	int at, seen;
	char verb[64];
};

static enum err
fault(void *arg, const char *verb)
{
	struct fault *f = arg;

	if (++f->seen != f->at)
		return ERR_OK;
	(void)snprintf(f->verb, sizeof f->verb, "%s", verb);
	return ERR_IO;
}

/* A certificate has come: what the engine writes of it in one transaction. */
static enum err
issue(struct store *s, int64_t id, struct arena *a)
{
	struct certificate_row c = { .site_id = id,
		.info = { .not_before = now,
		    .not_after = when_plus(now, SPAN_D(90)),
		    .names = two_names,
		    .names_n = 2 },
		.chain_pem = STR("p"),
		.created = now };
	struct finding f = {
		.cause = CAUSE_DNS_CAA_FORBIDS, .subject = two_names[1], .next_look = now
	};
	struct order_row o = {
		.site_id = id, .names = two_names, .names_n = 2, .created = now, .is_open = true
	};
	static char chain[LIMIT_CHAIN_BYTES];
	struct site site;
	int64_t old, ignored;

	memset(chain, 'p', sizeof chain);
	c.chain_pem = (struct str){ chain, sizeof chain };

	memset(c.info.fingerprint, 9, FINGERPRINT_BYTES);
	enum err e = store_begin(s);
	if (e == ERR_OK)
		e = store_site_load(s, id, a, &site);
	if (e != ERR_OK)
		return e;
	old = site.order_id;
	e = store_order_close(s, old, ORDER_RECEIVED, now);
	if (e == ERR_OK)
		e = store_certificate_put(s, &c, &site.held.id);
	if (e == ERR_OK)
		e = store_order_put(s, &o, &site.order_id);
	site.names[0].is_held = true;
	site.names[1].served = (struct served){ .at = now, .is_ok = true, .not_after = now };
	site.findings = (struct finding_list){ .at = &f, .n = 1, .cap = 1 };
	site.draft.told_at = now;
	site.wake = when_plus(now, SPAN_D(1));
	if (e == ERR_OK)
		e = store_site_save(s, &site, now);
	if (e == ERR_OK)
		e = store_letter_put(s, &(struct letter_row){ .site_id = id,
					    .owner_id = site.owner_id,
					    .kind = LETTER_ISSUED,
					    .key = STR("1/issued/1"),
					    .next_try = now,
					    .sent_at = WHEN_UNKNOWN });
	if (e == ERR_OK)
		e = store_history_put(s,
		    &(struct history_row){ .site_id = id, .at = now, .kind = HISTORY_ISSUED });
	if (e == ERR_OK)
		e = store_wish_done(s, 1);
	if (e == ERR_OK)
		e = store_ca_put(s,
		    &(struct ca_row){ .name = STR("ca"), .breaker = BREAKER_CLOSED_FOREVER },
		    &ignored);
	if (e == ERR_OK)
		e = store_draft_discard(s, id);
	if (e == ERR_OK)
		e = store_unclassified_put(s, STR("t"), STR("x"), now);
	return e == ERR_OK ? store_commit(s) : e;
}

static struct store *
store_before_issue(int64_t *ret_id)
{
	struct store *s = new_store();
	struct finding f = {
		.cause = CAUSE_DNS_A_ELSEWHERE, .subject = two_names[0], .next_look = now
	};
	struct site site;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 1 << 20);
	*ret_id = new_site(s, two_names, 2);
	OK(s, store_draft_put(s, *ret_id,
		  &(struct draft){ .exists = true, .begun_at = now, .told_at = WHEN_UNKNOWN }));
	OK(s, store_wish_put(s, *ret_id, SITE_ASKED_RENEW, now));
	(void)new_certificate(s, *ret_id, 1);
	OK(s, store_site_load(s, *ret_id, &a, &site));
	site.doing = DOING_ORDER;
	site.order_id = new_order(s, *ret_id, true);
	site.findings = (struct finding_list){ .at = &f, .n = 1, .cap = 1 };
	OK(s, store_site_save(s, &site, now));
	return s;
}

static void
fault_at_each_statement(void **state)
{
	(void)state;
	int64_t id;
	struct store *s = store_before_issue(&id);
	AUTO_BUF before = { .max = 0 }, after = { .max = 0 };
	enum err e = ERR_IO;
	int n = 0;

	dump(s, &before);
	while (e != ERR_OK) {
		struct fault f = { .at = ++n };
		AUTO_ARENA a = { .max = 0 };

		arena_init(&a, 1 << 20);
		store_set_fault(s, fault, &f);
		e = issue(s, id, &a);
		store_set_fault(s, NULL, NULL);
		if (e == ERR_OK) {
			assert_int_equal(f.seen, n - 1);
			break;
		}
		SAME(e, ERR_IO);
		assert_non_null(strstr(store_words(s), f.verb));
		/* The half that was done cannot be committed. */
		if (s->is_begun && strcmp(f.verb, "commit") != 0)
			FAILS(store_commit(s), ERR_STORE);
		store_abandon(s);
		dump(s, &after);
		if (!str_eq(buf_str(&after), buf_str(&before)))
			fail_msg(
			    "a fault at statement %d (%s) left something behind", n, f.verb);
		buf_fini(&after);
		assert_sound(s);
	}
	assert_true(n > 15);
	dump(s, &after);
	assert_false(str_eq(buf_str(&after), buf_str(&before)));
	SAME(number(s, "SELECT count(*) FROM letter"), 1);
	SAME(number(s, "SELECT count(*) FROM draft"), 0);
	assert_sound(s);
	store_close(&s);
}

/* The same with SQLite's own failure: the store may not grow. It rolls back by itself then. */
static void
full_disk_at_each_page(void **state)
{
	(void)state;
	int64_t id;
	struct store *s = store_before_issue(&id);
	int64_t pages = number(s, "PRAGMA page_count"), failures = 0;
	AUTO_BUF before = { .max = 0 }, after = { .max = 0 };
	enum err e = ERR_DISK_FULL;
	char sql[64];

	dump(s, &before);
	for (int64_t more = 0; e != ERR_OK && more < 100; more++) {
		AUTO_ARENA a = { .max = 0 };

		arena_init(&a, 1 << 20);
		(void)snprintf(
		    sql, sizeof sql, "PRAGMA max_page_count = %lld", (long long)(pages + more));
		SAME(number(s, sql), pages + more);
		e = issue(s, id, &a);
		if (e == ERR_OK)
			break;
		SAME(e, ERR_DISK_FULL);
		failures++;
		store_abandon(s);
		dump(s, &after);
		SAME_STR(buf_str(&after), buf_str(&before));
		buf_fini(&after);
		assert_sound(s);
	}
	SAME(e, ERR_OK);
	assert_true(failures > 0);
	after = (struct buf){ 0 };
	store_close(&s);
}

/* A verb of several statements, without a transaction of the caller, is all or nothing too. */
static void
fault_in_single_verbs(void **state)
{
	(void)state;
	for (int n = 1;; n++) {
		struct store *s = new_store();
		struct setting g = free_setting();
		struct fault f = { .at = n };
		int64_t id = 0, other = 0, owner = new_owner(s);
		AUTO_BUF before = { .max = 0 }, after = { .max = 0 };

		dump(s, &before);
		store_set_fault(s, fault, &f);
		enum err e = store_site_add(s, owner, &g, two_names, 2, now, &id, &other);
		store_set_fault(s, NULL, NULL);
		dump(s, &after);
		SAME(str_eq(buf_str(&before), buf_str(&after)), e != ERR_OK);
		if (e == ERR_OK)
			assert_int_equal(n, 11); /* begin, site, setting, names (3), listing (3), commit */
		else
			OK(s, store_begin(s)); /* it goes on working */
		store_close(&s);
		if (e == ERR_OK)
			return;
		SAME(e, ERR_IO);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fault_at_each_statement),
		cmocka_unit_test(full_disk_at_each_page),
		cmocka_unit_test(fault_in_single_verbs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
