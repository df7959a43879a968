/* Counts; what the doctor says of a store that is not sound; rows that are refused; statements and their indexes. */
#include "test/unit/store_try.h"

/* --- counts, doctor --- */

static void
counts(void **state)
{
	(void)state;
	static const int ends_h[] = { -1, 12, 48, 144, 300, 2000 };
	struct store *s = new_store();
	struct finding f[] = { { .cause = CAUSE_DNS_A_ELSEWHERE, .next_look = now },
		{ .cause = CAUSE_SERVED_EXPIRED, .next_look = now } };
	struct store_counts c;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < 6; i++) {
		struct str name = arena_strf(&a, "s%zu.example", i);
		int64_t id = new_site(s, &name, 1);
		struct site site;

		OK(s, store_site_load(s, id, &a, &site));
		site.held = (struct held){ .id = new_certificate(s, id, (uint8_t)i),
			.life = { now, when_plus(now, SPAN_H(ends_h[i])) } };
		site.wake = when_plus(now, SPAN_S(i < 2 ? -3600 : i == 2 ? -60 : 60));
		site.findings = (struct finding_list){ .at = f, .n = i < 2 ? 2 : 1 };
		f[0].subject = f[1].subject = name;
		site.is_removed = i == 5;
		if (i == 5)
			site.findings.n = 0;
		OK(s, store_site_save(s, &site, now));
		(void)new_order(s, id, i < 3);
		OK(s, store_letter_put(s, &(struct letter_row){ .site_id = id,
					      .key = name,
					      .created = now,
					      .next_try = i == 0 ? WHEN_NEVER : now,
					      .sent_at = i == 1 ? now : WHEN_UNKNOWN }));
	}
	OK(s, store_count(s, now, &c));
	SAME(c.sites, 5);
	SAME(c.certificates_held, 5);
	SAME(c.orders_open, 3);
	SAME(c.letters_waiting, 4);
	SAME(c.letters_given_up, 1);
	SAME(c.sites_overdue, 2);
	static const int64_t within[] = { 1, 2, 3, 4, 5 };
	for (size_t i = 0; i < 5; i++)
		SAME(c.ending_within_d[i], within[i]);
	SAME(c.findings_open, 7);
	SAME(c.causes_n, 2);
	for (size_t i = 0; i < 2; i++)
		SAME(c.causes[i].n, c.causes[i].cause == CAUSE_DNS_A_ELSEWHERE ? 5 : 2);
	store_close(&s);
}

#define NEW_CA \
	"INSERT INTO ca (id, name, directory, contact, bundle, preferred_issuer, sealed_key, thumbprint, " \
	"account_url, eab_kid, eab_sealed_hmac, caa_identity, terms, failures) " \
	"VALUES (1, 'a', '', '', '', '', x'', '', '', '', x'', '', '', 0);"

static void
verify_names_each_fault(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int line;
		const char *sql, *wanted;
	} rows[] = {
		{ "two open orders", __LINE__,
		    "DROP INDEX orders_open; UPDATE orders SET is_open = 1",
		    "site 1 has 2 open orders: 1,2\n" },
		{ "no wake", __LINE__, "UPDATE site SET wake = NULL",
		    "site 1 wants free SSL and has no date for its next step\n" },
		{ "never wakes", __LINE__, "UPDATE site SET wake = 9223372036854775807",
		    "site 1 wants free SSL and has no date for its next step\n" },
		{ "held is missing", __LINE__, "UPDATE site SET held_id = 77 WHERE id = 1",
		    "a row of site (1) refers to a row of certificate that does not exist\n"
		    "site 1 holds certificate 77, which does not exist\n" },
		{ "held is another's", __LINE__, "UPDATE certificate SET site_id = 2",
		    "site 1 holds certificate 1, which is of site 2\n" },
		{ "order is another's", __LINE__,
		    "UPDATE site SET doing = 'order', order_id = 1; UPDATE orders SET site_id "
		    "= 2",
		    "site 1 waits for order 1, which is of site 2\n" },
		{ "letter without a date", __LINE__, "UPDATE letter SET next_try = NULL",
		    "letter 1 (k) waits and has no date for its next try\n" },
		{ "finding without a look", __LINE__, "UPDATE finding SET next_look = NULL",
		    "site 1 has the finding dns.a.elsewhere (a.example) and no date of the "
		    "next look\n" },
		{ "name twice", __LINE__,
		    "DROP INDEX name_taken; UPDATE name SET name = 'a.example' WHERE site_id = "
		    "2",
		    "the name a.example is wanted in 2 sites: 1,2\n" },
		{ "no first name", __LINE__,
		    "UPDATE name SET position = 5 WHERE position = 0 AND site_id = 1",
		    "site 1 has no name that it goes by\n" },
		{ "no setting", __LINE__, "DELETE FROM setting WHERE site_id = 2",
		    "site 2 has no setting\n" },
		{ "budget that counts wrong", __LINE__,
		    NEW_CA "INSERT INTO budget VALUES (1, 'new-orders', '', 0, 0, 0, 2, 0, 0)",
		    "the limit new-orders of \"\" counts 2 as held, and 0 are drawn\n" },
		{ "budget drawn by nobody", __LINE__,
		    NEW_CA "INSERT INTO budget VALUES (1, 'certificates-per-domain', 'a.example', 0, 0, 0, 1, 0, 0);"
		    "INSERT INTO budget_draw VALUES (1, 1, 'certificates-per-domain', 'a.example')",
		    "site 1 holds a part of the limit certificates-per-domain of \"a.example\" and has no order\n" },
		{ "unknown cause", __LINE__, "UPDATE finding SET cause = 'no.such'",
		    "the cause \"no.such\" is in no table of this version\n" },
		{ "unknown actor", __LINE__, "UPDATE finding SET acts = 'cat'",
		    "the actor \"cat\" is in no table of this version\n" },
		{ "unknown letter", __LINE__, "UPDATE letter SET kind = 'love'",
		    "the letter \"love\" is in no table of this version\n" },
		{ "unknown history", __LINE__, "UPDATE history SET kind = 'x'",
		    "the history \"x\" is in no table of this version\n" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct store *s = new_store();
		struct str other = STR("b.example");
		int64_t id = new_site(s, two_names, 2);
		struct finding f = { .cause = CAUSE_DNS_A_ELSEWHERE,
			.subject = two_names[0],
			.next_look = now };
		struct site site;
		AUTO_ARENA a = { .max = 0 };
		AUTO_BUF lines = { .max = 0 };

		arena_init(&a, 1 << 20);
		buf_init(&lines, 65536);
		(void)new_site(s, &other, 1);
		(void)new_order(s, id, false);
		(void)new_order(s, id, false);
		OK(s, store_site_load(s, id, &a, &site));
		site.held = (struct held){ .id = new_certificate(s, id, 1) };
		site.findings = (struct finding_list){ .at = &f, .n = 1, .cap = 1 };
		OK(s, store_site_save(s, &site, now));
		struct setting off = { .source = SOURCE_NONE };
		OK(s, store_setting_put(s, 2, &off));
		OK(s, store_letter_put(s, &(struct letter_row){ .site_id = id,
					      .key = STR("k"),
					      .next_try = now,
					      .sent_at = WHEN_UNKNOWN }));
		OK(s, store_history_put(s, &(struct history_row){ .site_id = id, .at = now }));
		assert_sound(s);
		run(s, "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON");
		run(s, rows[i].sql);
		OK(s, store_verify(s, &lines));
		if (!str_eq(buf_str(&lines), str_of(rows[i].wanted)))
			fail_msg("%s:%d: %s: got\n%.*s", __FILE__, rows[i].line, rows[i].name,
			    (int)lines.n, lines.n == 0 ? "" : lines.p);
		store_close(&s);
	}
}

static void
damaged_rows_are_refused(void **state)
{
	(void)state;
	static const char *const damages[] = {
		"UPDATE site SET doing = 'dance'",
		"UPDATE setting SET source = 'x'",
		"UPDATE setting SET coverage = 'x'",
		"UPDATE setting SET key_type = 'x'",
		"UPDATE site SET held_fingerprint = x'00'",
		"UPDATE site SET jitter = -1",
		"UPDATE site SET reminders_told = 256",
		"UPDATE site SET asked_check = 2",
		"UPDATE site SET order_id = 1",
		"UPDATE site SET applied_redirect = 308",
		"UPDATE site SET applied_redirect = 301, held_id = 1",
		"UPDATE site SET applied_hsts = 1",
		"UPDATE name SET is_wanted = 0",
		"UPDATE finding SET cause = 'x'",
		"UPDATE finding SET acts = 'x'",
		"UPDATE finding SET next_look = NULL",
		"UPDATE finding SET times_seen = -1",
		"UPDATE served SET fingerprint = x''",
	};
	for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
		struct store *s = new_store();
		struct finding f = { .cause = CAUSE_DNS_A_ELSEWHERE,
			.subject = two_names[0],
			.next_look = now };
		struct site site, kept;
		int64_t id = new_site(s, two_names, 2);
		AUTO_ARENA a = { .max = 0 };

		arena_init(&a, 1 << 20);
		OK(s, store_site_load(s, id, &a, &site));
		site.findings = (struct finding_list){ .at = &f, .n = 1, .cap = 1 };
		site.names[0].served.at = now;
		OK(s, store_site_save(s, &site, now));
		run(s, "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON");
		run(s, damages[i]);
		memset(&site, 0x5a, sizeof site);
		memcpy(&kept, &site, sizeof site);
		enum err e = store_site_load(s, id, &a, &site);
		if (e != ERR_CORRUPT)
			fail_msg("%s: got %s", damages[i], err_name(e));
		assert_memory_equal(&site, &kept, sizeof site); /* untouched unless OK */
		store_close(&s);
	}
	/* The same for the other rows that have words. */
	struct store *s = new_store();
	int64_t id = new_site(s, two_names, 2), order = new_order(s, id, true);
	struct order_row o, *orders;
	struct letter_row *letters;
	struct history_row *lines;
	struct wish w[2];
	size_t n;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 1 << 20);
	OK(s, store_letter_put(s, &(struct letter_row){ .site_id = id,
				      .key = STR("k"),
				      .next_try = now,
				      .sent_at = WHEN_UNKNOWN }));
	OK(s, store_history_put(s, &(struct history_row){ .site_id = id, .at = now }));
	OK(s, store_wish_put(s, id, SITE_CHANGED, now));
	run(s, "PRAGMA ignore_check_constraints = ON; UPDATE orders SET phase = 'x'; UPDATE "
	       "letter SET kind = 'x';"
	       "UPDATE history SET kind = 'x'; UPDATE wish SET kind = 'x'");
	FAILS(store_order_load(s, order, &a, &o), ERR_CORRUPT);
	FAILS(store_orders_open(s, &a, &orders, &n), ERR_CORRUPT);
	FAILS(store_letters_due(s, now, 9, &a, &letters, &n), ERR_CORRUPT);
	FAILS(store_history(s, id, 0, 9, &a, &lines, &n), ERR_CORRUPT);
	FAILS(store_wishes(s, w, 2, &n), ERR_CORRUPT);
	assert_non_null(strstr(store_words(s), "\"x\""));
	store_close(&s);
}

static void
arena_that_is_full(void **state)
{
	(void)state;
	struct store *s = new_store();
	int64_t id = new_site(s, two_names, 2);
	size_t max = 0;
	enum err e = ERR_MEMORY;

	for (; e == ERR_MEMORY && max < 1 << 16; max += 16) {
		struct site site;
		AUTO_ARENA a = { .max = 0 };

		arena_init(&a, max);
		e = store_site_load(s, id, &a, &site);
	}
	SAME(e, ERR_OK);
	assert_true(max > 100);
	store_close(&s);
}

/* --- the statements themselves --- */

static void
statements_use_their_indexes(void **state)
{
	(void)state;
	/* Those that read whole tables, which are small or are the doctor's. */
	static const char *const may_scan[] = { "clock_move_letters", "clock_move_orders", "clock_move_tokens", "clock_move_budgets",
		"is_empty", "heartbeats", "cas", "wishes",
		"orders_open", "count_orders", "count_questions_open", "answers_unwritten", "unclassified_count", "unclassified_list", "learned", "conditions",
		"watch_ca_failures", "watch_bursts", "ca_mark", "budgets", "budget_orphans", "standing_counts", "endings", "clusters", "incidents_end" };
	struct store *s = new_store();

	for (size_t i = 0; i < SQL_COUNT; i++) {
		const char *name = sql_queries[i].name;
		bool may = strncmp(name, "verify_", 7) == 0;
		sqlite3_stmt *st;
		AUTO_BUF text = { .max = 0 };

		for (size_t k = 0; k < sizeof may_scan / sizeof *may_scan; k++)
			may |= strcmp(name, may_scan[k]) == 0;
		buf_init(&text, 65536);
		buf_putf(&text, "EXPLAIN QUERY PLAN %s", sql_queries[i].text);
		if (sqlite3_prepare_v2(s->db, text.p, -1, &st, NULL) != SQLITE_OK)
			fail_msg("%s: %s", name, sqlite3_errmsg(s->db));
		while (sqlite3_step(st) == SQLITE_ROW) {
			const char *detail = (const char *)sqlite3_column_text(st, 3);

			if (!may && strncmp(detail, "SCAN", 4) == 0 &&
			    strstr(detail, "USING COVERING INDEX") == NULL &&
			    strstr(detail, "VIRTUAL TABLE INDEX 64:M0>") == NULL) /* MATCH, from a row on */
				fail_msg("%s: %s", name, detail);
		}
		(void)sqlite3_finalize(st);
	}
	store_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts),
		cmocka_unit_test(verify_names_each_fault),
		cmocka_unit_test(damaged_rows_are_refused),
		cmocka_unit_test(arena_that_is_full),
		cmocka_unit_test(statements_use_their_indexes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
