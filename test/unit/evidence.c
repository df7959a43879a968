/* Addresses as text (RFC 5952) and names against certificate patterns (RFC 9525). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <string.h>
#include <cmocka.h>

#include "core/evidence.h"

static void
addresses_have_one_text(void **state)
{
	static const struct {
		int line;
		const char *input, *wanted;
	} table[] = {
		{ __LINE__, "203.0.113.10", "203.0.113.10" },
		{ __LINE__, "0.0.0.0", "0.0.0.0" },
		{ __LINE__, "255.255.255.255", "255.255.255.255" },
		{ __LINE__, "127.0.0.1", "127.0.0.1" },
		{ __LINE__, "2001:DB8::5", "2001:db8::5" },
		{ __LINE__, "::", "::" },
		{ __LINE__, "::1", "::1" },
		{ __LINE__, "1::", "1::" },
		{ __LINE__, "2001:db8:0:0:0:0:2:1", "2001:db8::2:1" },
		{ __LINE__, "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ __LINE__, "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ __LINE__, "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ __LINE__, "0:0:1:0:0:0:0:0", "0:0:1::" },
		{ __LINE__, "2001:0db8:000a:0b00::0c0d", "2001:db8:a:b00::c0d" },
		{ __LINE__, "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
		{ __LINE__, "::ffff:0:192.0.2.1", "::ffff:0:c000:201" },
		{ __LINE__, "64:ff9b::192.0.2.33", "64:ff9b::c000:221" },
		{ __LINE__, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		bool is_v6 = strchr(table[i].input, ':') != NULL;
		struct address a = { .family = is_v6 ? 6 : 4 };
		char got[46];

		assert_int_equal(
		    inet_pton(is_v6 ? AF_INET6 : AF_INET, table[i].input, a.bytes), 1);
		address_text(&a, got);
		if (strcmp(got, table[i].wanted) != 0)
			fail_msg("%s:%d: got %s", __FILE__, table[i].line, got);
	}
}

static void
addresses_are_compared_by_family(void **state)
{
	(void)state;
	struct address v4 = { 4, { 192, 0, 2, 1 } }, v6 = { 6, { 192, 0, 2, 1 } };
	struct address same = { 4, { 192, 0, 2, 1, 9, 9 } }, other = { 4, { 192, 0, 2, 2 } };

	assert_true(address_eq(&v4, &same)); /* bytes after the fourth mean nothing */
	assert_false(address_eq(&v4, &other));
	assert_false(address_eq(&v4, &v6));
	v6.bytes[15] = 1;
	struct address v6b = v6;
	assert_true(address_eq(&v6, &v6b));
	v6b.bytes[15] = 2;
	assert_false(address_eq(&v6, &v6b));
}

static void
patterns_stand_for_one_label(void **state)
{
	static const struct {
		int line;
		const char *pattern, *name;
		bool wanted;
	} table[] = {
		{ __LINE__, "example.jp", "example.jp", true },
		{ __LINE__, "Example.JP", "example.jp", true },
		{ __LINE__, "example.jp", "www.example.jp", false },
		{ __LINE__, "www.example.jp", "example.jp", false },
		{ __LINE__, "*.example.jp", "www.example.jp", true },
		{ __LINE__, "*.example.jp", "WWW.EXAMPLE.jp", true },
		{ __LINE__, "*.example.jp", "a.www.example.jp", false },
		{ __LINE__, "*.example.jp", "example.jp", false },
		{ __LINE__, "*.example.jp", ".example.jp", false },
		{ __LINE__, "*.example.jp", "*.example.jp", true },
		{ __LINE__, "www.example.jp", "*.example.jp", false },
		{ __LINE__, "*", "jp", false },
		{ __LINE__, "*.", "jp.", false },
		{ __LINE__, "w*.example.jp", "www.example.jp", false },
		{ __LINE__, "www.*.jp", "www.example.jp", false },
		{ __LINE__, "", "", false },
		{ __LINE__, "example.jp", "", false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (certificate_pattern_matches(
			str_of(table[i].pattern), str_of(table[i].name)) != table[i].wanted)
			fail_msg("%s:%d: %s, %s", __FILE__, table[i].line, table[i].pattern,
			    table[i].name);

	struct str names[] = { STR("example.jp"), STR("*.example.jp") };
	struct certificate_info c = { .names = names, .names_n = 2 };
	assert_true(certificate_has_name(&c, STR("www.example.jp")));
	assert_false(certificate_has_name(&c, STR("example.com")));
	c.names_n = 0;
	assert_false(certificate_has_name(&c, STR("example.jp")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_have_one_text),
		cmocka_unit_test(addresses_are_compared_by_family),
		cmocka_unit_test(patterns_stand_for_one_label),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
