/* Which addresses may be probed, how ranges are read, and the line in front of the gate. The probe itself is tested
 * against real servers in test/e2e/test_probe.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "ports/probe/address.h"
#include "ports/loop/gate.h"
#include "ports/probe/net.h"

static void
addresses_are_read(void **state)
{
	static const struct {
		int line;
		const char *text;
		bool wanted;
	} table[] = {
		{ __LINE__, "203.0.113.10", true },
		{ __LINE__, "2001:db8::5", true },
		{ __LINE__, "::ffff:192.0.2.1", true },
		{ __LINE__, "", false },
		{ __LINE__, "203.0.113", false },
		{ __LINE__, "203.0.113.10.", false },
		{ __LINE__, "203.0.113.256", false },
		{ __LINE__, "0x7f.0.0.1", false },
		{ __LINE__, " 203.0.113.10", false },
		{ __LINE__, "203.0.113.10 ", false },
		{ __LINE__, "fe80::1%eth0", false },
		{ __LINE__, "[2001:db8::5]", false },
		{ __LINE__, "2001:db8::5::1", false },
		{ __LINE__, "example.jp", false },
		{ __LINE__, "11111111111111111111111111111111111111111111111111111111", false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct address a = { .family = 9 };
		char text[46];
		enum err e = address_read(str_of(table[i].text), &a);

		if ((e == ERR_OK) != table[i].wanted || (e != ERR_OK && a.family != 9))
			fail_msg("%s:%d: %s: %s", __FILE__, table[i].line, table[i].text,
			    err_name(e));
		if (e == ERR_OK) {
			address_text(&a, text);
			assert_string_equal(text, table[i].text);
		}
	}
}

static void
ranges_are_read_and_matched(void **state)
{
	static const struct {
		int line;
		const char *range, *inside, *outside; /* range without inside: cannot be read */
	} table[] = {
		{ __LINE__, "10.0.0.0/8", "10.255.255.255", "11.0.0.0" },
		{ __LINE__, "172.16.0.0/12", "172.31.0.1", "172.32.0.0" },
		{ __LINE__, "203.0.113.10", "203.0.113.10", "203.0.113.11" },
		{ __LINE__, "203.0.113.10/32", "203.0.113.10", "203.0.113.11" },
		{ __LINE__, "0.0.0.0/0", "8.8.8.8", "::" },
		{ __LINE__, "2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::" },
		{ __LINE__, "::/0", "2001:db8::", "10.0.0.0" },
		{ __LINE__, "127.0.0.0/8", "127.9.9.9", "::ffff:127.0.0.1" },
		{ __LINE__, "10.0.0.0/33", NULL, NULL },
		{ __LINE__, "10.0.0.0/-1", NULL, NULL },
		{ __LINE__, "10.0.0.0/", NULL, NULL },
		{ __LINE__, "10.0.0.0/8/8", NULL, NULL },
		{ __LINE__, "::/129", NULL, NULL },
		{ __LINE__, "/8", NULL, NULL },
		{ __LINE__, "ten", NULL, NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct address_range r;
		struct address in, out;
		enum err e = address_range_read(str_of(table[i].range), &r);

		if ((e == ERR_OK) != (table[i].inside != NULL))
			fail_msg("%s:%d: %s: %s", __FILE__, table[i].line, table[i].range,
			    err_name(e));
		if (e != ERR_OK)
			continue;
		assert_int_equal(address_read(str_of(table[i].inside), &in), ERR_OK);
		assert_int_equal(address_read(str_of(table[i].outside), &out), ERR_OK);
		if (!address_in(&in, &r) || address_in(&out, &r))
			fail_msg("%s:%d: %s", __FILE__, table[i].line, table[i].range);
	}
}

static void
what_is_not_public_is_reserved(void **state)
{
	static const char *const reserved[] = { "0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1",
		"100.127.255.255", "127.0.0.1", "127.255.0.1", "169.254.169.254", "172.16.0.1",
		"172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1",
		"198.18.0.1", "198.19.255.255", "198.51.100.5", "203.0.113.10", "224.0.0.1",
		"239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:8.8.8.8",
		"::ffff:10.0.0.1", "::8.8.8.8", "64:ff9b::10.0.0.1", "64:ff9b::8.8.8.8",
		"64:ff9b:1::1", "100::1", "2001::1", "2001:10::1", "2001:db8::5",
		"2002:a00:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::", "3fff::1", "fc00::1",
		"fd12::1", "fe80::1", "fec0::1", "ff02::1", "4000::1", "8000::1" };
	static const char *const global[] = { "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0",
		"100.63.0.1", "100.128.0.1", "126.0.0.1", "128.0.0.1", "169.253.0.1",
		"172.15.0.1", "172.32.0.1", "192.0.1.1", "192.167.0.1", "198.17.0.1",
		"198.20.0.1", "198.51.101.1", "203.0.114.1", "223.255.255.1", "2001:200::1",
		"2001:db9::1", "2606:4700::1", "2a00::1", "2002:808:808::1", "3ffe::1" };
	struct address a;

	(void)state;
	for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
		assert_int_equal(address_read(str_of(reserved[i]), &a), ERR_OK);
		if (!address_is_reserved(&a))
			fail_msg("%s counts as public", reserved[i]);
	}
	for (size_t i = 0; i < sizeof global / sizeof global[0]; i++) {
		assert_int_equal(address_read(str_of(global[i]), &a), ERR_OK);
		if (address_is_reserved(&a))
			fail_msg("%s counts as reserved", global[i]);
	}
}

/* ---- the gate ---- */

enum { VISITORS = 7 };
static struct {
	char went[VISITORS + 1];
	size_t went_n;
} seen;

static void
go(void *arg)
{
	seen.went[seen.went_n++] = *(const char *)arg;
}

static void
gate_lets_in_as_many_as_there_is_room_for(void **state)
{
	struct clock clock = clock_real(SPAN_S(0));
	struct loop *l = NULL;
	struct gate g;
	struct gate_pass passes[VISITORS] = { 0 };
	char letters[] = "abcdefg";

	(void)state;
	assert_int_equal(loop_new(&clock, &l), ERR_OK);
	gate_init(&g, l, 2);
	for (size_t i = 0; i < VISITORS; i++)
		assert_true(gate_enter(&g, &passes[i], go, &letters[i]));
	assert_int_equal(seen.went_n, 0); /* never from inside */
	assert_int_equal(loop_round(l, 0), ERR_OK);
	assert_string_equal(seen.went, "ab");
	gate_leave(&g, &passes[6]); /* the last in line goes */
	gate_leave(&g, &passes[3]); /* and one in the middle */
	gate_leave(&g, &passes[3]); /* twice is nothing */
	gate_leave(&g, &passes[0]);
	assert_int_equal(loop_round(l, 0), ERR_OK);
	assert_string_equal(seen.went, "abc");
	assert_true(gate_enter(&g, &passes[0], go, &letters[0])); /* behind the others */
	gate_leave(&g, &passes[1]);
	gate_leave(&g, &passes[2]);
	assert_int_equal(loop_round(l, 0), ERR_OK);
	assert_string_equal(seen.went, "abcef");
	gate_leave(&g, &passes[4]);
	gate_leave(&g, &passes[5]);
	assert_int_equal(loop_round(l, 0), ERR_OK);
	assert_string_equal(seen.went, "abcefa");
	gate_leave(&g, &passes[0]);
	assert_int_equal(g.inside, 0);
	gate_fini(&g);
	loop_free(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(ranges_are_read_and_matched),
		cmocka_unit_test(what_is_not_public_is_reserved),
		cmocka_unit_test(gate_lets_in_as_many_as_there_is_room_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
