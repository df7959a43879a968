/* Messages between processes: round trips, and what a reader does with bytes that nobody should have sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "base/wire.h"

enum { KIND = 7 };

static const struct str list[] = { { "example.jp", 10 }, { "", 0 }, { "www\0x", 5 } };

static void
put_all(struct buf *b)
{
	buf_init(b, 4096);
	wire_begin(b, KIND);
	wire_put_u8(b, 0xff);
	wire_put_u32(b, 0xdeadbeef);
	wire_put_u64(b, 0x0123456789abcdef);
	wire_put_i64(b, INT64_MIN);
	wire_put_bytes(b, STR("a\0b"));
	wire_put_list(b, list, 3);
	wire_put_bytes(b, STR_NONE);
	assert_int_equal(b->err, ERR_OK);
}

struct fields {
	uint8_t kind, u8;
	uint32_t u32;
	uint64_t u64;
	int64_t i64;
	struct str bytes, last;
	const struct str *list;
	size_t list_n;
};

static enum err
get_all(struct str message, struct arena *a, struct fields *f)
{
	struct wire_reader r;

	*f = (struct fields){ .kind = wire_open(&r, message) };
	f->u8 = wire_get_u8(&r);
	f->u32 = wire_get_u32(&r);
	f->u64 = wire_get_u64(&r);
	f->i64 = wire_get_i64(&r);
	f->bytes = wire_get_bytes(&r, 3);
	f->list_n = wire_get_list(&r, 3, a, &f->list);
	f->last = wire_get_bytes(&r, 10);
	return wire_close(&r);
}

static void
round_trip(void **state)
{
	(void)state;
	AUTO_BUF b = { .max = 0 };
	AUTO_ARENA a = { .max = 0 };
	struct fields f;

	arena_init(&a, 4096);
	put_all(&b);
	assert_int_equal(get_all(buf_str(&b), &a, &f), ERR_OK);
	assert_int_equal(f.kind, KIND);
	assert_int_equal(f.u8, 0xff);
	assert_int_equal(f.u32, 0xdeadbeef);
	assert_true(f.u64 == 0x0123456789abcdef);
	assert_true(f.i64 == INT64_MIN);
	assert_true(str_eq(f.bytes, STR("a\0b")));
	assert_int_equal(f.list_n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(str_eq(f.list[i], list[i]));
	assert_int_equal(f.last.n, 0);
}

/* Cut at each byte: in memory of exactly that size, so that a read past the end is seen by the sanitizer. */
static void
truncated_at_each_byte(void **state)
{
	(void)state;
	AUTO_BUF b = { .max = 0 };

	put_all(&b);
	for (size_t n = 0; n < b.n; n++) {
		AUTO_ARENA a = { .max = 0 };
		struct fields f;
		char *cut = malloc(n == 0 ? 1 : n);

		arena_init(&a, 4096);
		assert_non_null(cut);
		memcpy(cut, b.p, n);
		if (get_all((struct str){ cut, n }, &a, &f) != ERR_PROTOCOL)
			fail_msg("%s:%d: cut to %zu of %zu bytes was accepted", __FILE__,
			    __LINE__, n, b.n);
		free(cut);
	}
}

/* Every byte changed to every value: any answer but a crash will do. */
static void
any_byte_may_be_wrong(void **state)
{
	(void)state;
	AUTO_BUF b = { .max = 0 };

	put_all(&b);
	for (size_t at = 0; at < b.n; at++) {
		char was = b.p[at];

		for (int v = 0; v < 256; v++) {
			AUTO_ARENA a = { .max = 0 };
			struct fields f;

			arena_init(&a, 4096);
			b.p[at] = (char)v;
			enum err e = get_all(buf_str(&b), &a, &f);
			assert_true(e == ERR_OK || e == ERR_PROTOCOL);
			assert_true(f.bytes.n <= 3 && f.list_n <= 3);
		}
		b.p[at] = was;
	}
}

static void
refusals(void **state)
{
	(void)state;
	const struct row {
		const char *name;
		int line;
		struct str message;
	} rows[] = {
		{ "one byte too many", __LINE__, STR("\1\7\0") },
		{ "another version", __LINE__, STR("\2\7") },
		{ "no kind", __LINE__, STR("\1") },
		{ "nothing", __LINE__, STR_NONE },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wire_reader r;

		(void)wire_open(&r, rows[i].message);
		if (wire_close(&r) != ERR_PROTOCOL)
			fail_msg("%s:%d: %s: accepted", __FILE__, rows[i].line, rows[i].name);
	}

	struct wire_reader r;
	AUTO_ARENA a = { .max = 0 };
	const struct str *ret = NULL;

	arena_init(&a, 64);
	assert_int_equal(wire_open(&r, STR("\1\7\0\0\0\4abcd")), KIND);
	assert_int_equal(wire_get_bytes(&r, 3).n, 0);
	assert_int_equal(wire_close(&r), ERR_PROTOCOL);
	(void)wire_open(&r, STR("\1\7\xff\xff\xff\xff"
				"abcd"));
	assert_int_equal(wire_get_bytes(&r, SIZE_MAX).n, 0);
	assert_int_equal(wire_close(&r), ERR_PROTOCOL);
	/* A list that says that it is endless asks for no memory; one that is too large for the arena fails. */
	(void)wire_open(&r, STR("\1\7\xff\xff\xff\xff\0\0\0\0"));
	assert_int_equal(wire_get_list(&r, SIZE_MAX, &a, &ret), 0);
	assert_false(arena_failed(&a));
	assert_null(ret);
	assert_int_equal(wire_close(&r), ERR_PROTOCOL);
	(void)wire_open(&r, STR("\1\7\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
	assert_int_equal(wire_get_list(&r, 5, &a, &ret), 0);
	assert_int_equal(wire_close(&r), ERR_PROTOCOL);
	(void)wire_open(&r, STR("\1\7\0\0\0\2\0\0\0\0\0\0\0\0"));
	assert_int_equal(wire_get_list(&r, 1, &a, &ret), 0);
	assert_int_equal(wire_close(&r), ERR_PROTOCOL);
	/* The rest is all that is left, and may be empty. */
	(void)wire_open(&r, STR("\1\7rest"));
	assert_true(str_eq(wire_get_rest(&r), STR("rest")));
	assert_int_equal(wire_close(&r), ERR_OK);
	assert_int_equal(wire_get_rest(&r).n, 0);
	assert_int_equal(wire_close(&r), ERR_OK);
}

static void
writer_has_a_limit(void **state)
{
	(void)state;
	AUTO_BUF b = { .max = 0 };

	buf_init(&b, 8);
	wire_begin(&b, KIND);
	wire_put_bytes(&b, STR("abc"));
	assert_int_equal(b.err, ERR_TOO_LONG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(truncated_at_each_byte),
		cmocka_unit_test(any_byte_may_be_wrong),
		cmocka_unit_test(refusals),
		cmocka_unit_test(writer_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
