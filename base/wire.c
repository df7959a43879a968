#include "base/wire.h"

void
wire_begin(struct buf *b, uint8_t kind)
{
	wire_put_u8(b, WIRE_VERSION);
	wire_put_u8(b, kind);
}

void
wire_put_u8(struct buf *b, uint8_t v)
{
	buf_put(b, &v, 1);
}

void
wire_put_u32(struct buf *b, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		wire_put_u8(b, (uint8_t)(v >> shift & 0xff));
}

void
wire_put_u64(struct buf *b, uint64_t v)
{
	wire_put_u32(b, (uint32_t)(v >> 32));
	wire_put_u32(b, (uint32_t)(v & UINT32_MAX));
}

void
wire_put_i64(struct buf *b, int64_t v)
{
	wire_put_u64(b, (uint64_t)v);
}

void
wire_put_bytes(struct buf *b, struct str s)
{
	if (s.n > UINT32_MAX) {
		b->err = b->err == ERR_OK ? ERR_TOO_LONG : b->err;
		return;
	}
	wire_put_u32(b, (uint32_t)s.n);
	buf_put_str(b, s);
}

void
wire_put_list(struct buf *b, const struct str *list, size_t n)
{
	if (n > UINT32_MAX) {
		b->err = b->err == ERR_OK ? ERR_TOO_LONG : b->err;
		return;
	}
	wire_put_u32(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		wire_put_bytes(b, list[i]);
}

/* The next n bytes; empty, and the reader has failed, if there are fewer. */
static struct str
take(struct wire_reader *r, size_t n)
{
	if (r->failed || n > r->rest.n) {
		r->failed = true;
		return STR_NONE;
	}
	struct str ret = { r->rest.p, n };
	if (n > 0) {
		r->rest.p += n;
		r->rest.n -= n;
	}
	return ret;
}

static uint64_t
take_number(struct wire_reader *r, size_t bytes)
{
	struct str s = take(r, bytes);
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | (unsigned char)s.p[i];
	return v;
}

uint8_t
wire_open(struct wire_reader *r, struct str message)
{
	*r = (struct wire_reader){ .rest = message };
	if (wire_get_u8(r) != WIRE_VERSION)
		r->failed = true;
	return wire_get_u8(r);
}

uint8_t
wire_get_u8(struct wire_reader *r)
{
	return (uint8_t)take_number(r, 1);
}

uint32_t
wire_get_u32(struct wire_reader *r)
{
	return (uint32_t)take_number(r, 4);
}

uint64_t
wire_get_u64(struct wire_reader *r)
{
	return take_number(r, 8);
}

int64_t
wire_get_i64(struct wire_reader *r)
{
	return (int64_t)take_number(r, 8);
}

struct str
wire_get_bytes(struct wire_reader *r, size_t max)
{
	size_t n = wire_get_u32(r);

	if (n > max)
		r->failed = true;
	return take(r, n);
}

size_t
wire_get_list(struct wire_reader *r, size_t max_n, struct arena *a, const struct str **ret)
{
	size_t n = wire_get_u32(r);

	/* Each entry takes four bytes at least: a number that cannot be true costs no memory. */
	if (r->failed || n > max_n || n > r->rest.n / 4) {
		r->failed = true;
		return 0;
	}
	struct str *list = arena_get(a, (n == 0 ? 1 : n) * sizeof *list);
	if (list == NULL) {
		r->failed = true;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		list[i] = wire_get_bytes(r, r->rest.n);
	if (r->failed)
		return 0;
	*ret = list;
	return n;
}

struct str
wire_get_rest(struct wire_reader *r)
{
	return take(r, r->rest.n);
}

enum err
wire_close(const struct wire_reader *r)
{
	return r->failed || r->rest.n > 0 ? ERR_PROTOCOL : ERR_OK;
}
