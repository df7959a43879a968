#ifndef KOSHIN_BASE_WIRE_H
#define KOSHIN_BASE_WIRE_H
/*
 * The bytes of a message between our processes: a version, a kind, then typed fields in a fixed order. Numbers are
 * big-endian; bytes are preceded by their length in 32 bits. The reader trusts nothing: a length that does not fit,
 * a list that is too long, a field that is missing and bytes that are left over are all ERR_PROTOCOL, and the
 * getters then give zero and empty values, so that a caller may check once, at wire_close.
 *
 * The writer appends to a struct buf, whose own error (MEMORY, TOO_LONG) is checked once at the end.
 */
#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { WIRE_VERSION = 1 };

void wire_begin(struct buf *b, uint8_t kind); /* version and kind */
void wire_put_u8(struct buf *b, uint8_t v);
void wire_put_u32(struct buf *b, uint32_t v);
void wire_put_u64(struct buf *b, uint64_t v);
void wire_put_i64(struct buf *b, int64_t v);
void wire_put_bytes(struct buf *b, struct str s);
void wire_put_list(struct buf *b, const struct str *list, size_t n);

struct wire_reader {
	struct str rest;
	bool failed;
};
/* Starts to read; gives the kind. Another version is an error, and then the kind is 0. */
uint8_t wire_open(struct wire_reader *r, struct str message);
uint8_t wire_get_u8(struct wire_reader *r);
uint32_t wire_get_u32(struct wire_reader *r);
uint64_t wire_get_u64(struct wire_reader *r);
int64_t wire_get_i64(struct wire_reader *r);
/* A view into the message; longer than max is an error. */
struct str wire_get_bytes(struct wire_reader *r, size_t max);
/* At most max_n views, in an array in the arena. Their number, or 0 (an error when the arena is used up). */
size_t wire_get_list(struct wire_reader *r, size_t max_n, struct arena *a, const struct str **ret);
/* All bytes that are left, without a length. */
struct str wire_get_rest(struct wire_reader *r);
/* OK if every field could be read and nothing is left. */
MUST_USE enum err wire_close(const struct wire_reader *r);
#endif
