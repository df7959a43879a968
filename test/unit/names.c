/* Host names as people type them: what is accepted and into what, what is refused and with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "ports/names/names.h"
#include "test/unit/names_table.h"

static void
names_are_read(void **state)
{
	(void)state;
	int failed = 0;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		AUTO_ARENA a = { 0 };
		struct why why = { "" };
		struct str got = STR("untouched");

		arena_init(&a, 4096);
		enum err e = names_read(str_of(r->typed), r->wildcard, &a, &why, &got);
		bool ok = r->wanted != NULL
			      ? e == ERR_OK && str_eq(got, str_of(r->wanted))
			      : e == ERR_INVALID && str_eq(got, STR("untouched")) &&
				    strstr(why.text, r->why) != NULL;
		if (ok && r->wanted != NULL) { /* reading is idempotent */
			struct str again = STR_NONE;

			ok = names_read(got, r->wildcard, &a, &why, &again) == ERR_OK &&
			     str_eq(got, again);
		}
		if (!ok) {
			print_error("%s:%d: %s: err %s, got \"%.*s\", why \"%s\"\n", __FILE__,
			    r->line, r->name, err_name(e), STR_ARG(got), why.text);
			failed++;
		}
	}
	assert_int_equal(failed, 0);
}

static void
people_see_unicode(void **state)
{
	static const struct {
		int line;
		const char *ascii, *wanted;
	} table[] = {
		{ __LINE__, "xn--wgv71a119e.jp", "日本語.jp" },
		{ __LINE__, "*.xn--wgv71a119e.jp", "*.日本語.jp" },
		{ __LINE__, "www.example.jp", "www.example.jp" },
		{ __LINE__, "xn--\xff.jp", "xn--\xff.jp" },
		{ __LINE__, "", "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		AUTO_ARENA a = { 0 };

		arena_init(&a, 4096);
		struct str got = names_for_people(str_of(table[i].ascii), &a);
		if (!str_eq(got, str_of(table[i].wanted)))
			fail_msg("%s:%d: got \"%.*s\"", __FILE__, table[i].line, STR_ARG(got));
	}
}

static void
registered_domains_follow_the_suffix_list(void **state)
{
	static const struct {
		int line;
		const char *name, *wanted;
	} table[] = {
		{ __LINE__, "www.shop.example.co.jp", "example.co.jp" },
		{ __LINE__, "example.co.jp", "example.co.jp" },
		{ __LINE__, "co.jp", "" },
		{ __LINE__, "www.example.jp", "example.jp" },
		{ __LINE__, "*.example.jp", "example.jp" },
		{ __LINE__, "a.me.github.io", "me.github.io" },
		{ __LINE__, "github.io", "" },
		{ __LINE__, "www.xn--wgv71a119e.jp", "xn--wgv71a119e.jp" },
		{ __LINE__, "a.b.foo.ck", "b.foo.ck" },
		{ __LINE__, "www.ck", "www.ck" },
		{ __LINE__, "shop.city.kawasaki.jp", "city.kawasaki.jp" },
		{ __LINE__, "", "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct str got = names_registered_domain(str_of(table[i].name));
		if (!str_eq(got, str_of(table[i].wanted)))
			fail_msg("%s:%d: got \"%.*s\"", __FILE__, table[i].line, STR_ARG(got));
	}
}

static void
mail_addresses_are_read(void **state)
{
	static const struct {
		int line;
		const char *typed, *wanted;
	} table[] = {
		{ __LINE__, "me@example.jp", "me@example.jp" },
		{ __LINE__, " Me.Too+tag@Example.JP ", "Me.Too+tag@example.jp" },
		{ __LINE__, "me@日本語.jp", "me@xn--wgv71a119e.jp" },
		{ __LINE__, "root@localhost", "root@localhost" },
		{ __LINE__, "", NULL },
		{ __LINE__, "me", NULL },
		{ __LINE__, "@example.jp", NULL },
		{ __LINE__, "me@", NULL },
		{ __LINE__, "me@@example.jp", NULL },
		{ __LINE__, "me@you@example.jp", NULL },
		{ __LINE__, "me @example.jp", NULL },
		{ __LINE__, "me@ example.jp", NULL },
		{ __LINE__, "me@example.jp\r\nBcc: you@example.jp", NULL },
		{ __LINE__, "me\n@example.jp", NULL },
		{ __LINE__, "<me@example.jp>", NULL },
		{ __LINE__, "me,you@example.jp", NULL },
		{ __LINE__, ".me@example.jp", NULL },
		{ __LINE__, "me..too@example.jp", NULL },
		{ __LINE__, "me@example", NULL },
		{ __LINE__, "me@203.0.113.10", NULL },
		{ __LINE__, "\"me\"@example.jp", NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		AUTO_ARENA a = { 0 };
		struct why why = { "" };
		struct str got = STR_NONE;

		arena_init(&a, 4096);
		enum err e = names_read_mail(str_of(table[i].typed), &a, &why, &got);
		bool ok = table[i].wanted != NULL
			      ? e == ERR_OK && str_eq(got, str_of(table[i].wanted))
			      : e == ERR_INVALID && why.text[0] != '\0';
		if (!ok)
			fail_msg("%s:%d: err %s, got \"%.*s\", why \"%s\"", __FILE__,
			    table[i].line, err_name(e), STR_ARG(got), why.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_read),
		cmocka_unit_test(people_see_unicode),
		cmocka_unit_test(registered_domains_follow_the_suffix_list),
		cmocka_unit_test(mail_addresses_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
