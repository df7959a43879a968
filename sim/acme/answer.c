#include "sim/acme/inside.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/date.h"

/* What answers are made of: problem documents, dates, headers; and the CA's clock and dice. */

const char *
status_name(enum status s)
{
	static const char *const names[] = { "pending", "ready", "processing", "valid", "invalid", "deactivated", "expired",
		"revoked" };

	return names[s];
}

void
put_json_text(struct buf *to, struct str s)
{
	buf_putc(to, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			buf_putf(to, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			buf_putf(to, "\\u%04x", c); /* bytes of others; none of our own texts has one */
		else
			buf_putc(to, (char)c);
	}
	buf_putc(to, '"');
}

void
put_date(struct buf *to, struct when w)
{
	char text[DATE_TEXT_BYTES];

	date_put(w, text);
	buf_putf(to, "\"%s\"", text);
}

void
put_problem(struct buf *to, const struct problem_text *p)
{
	buf_putf(to, "{\"type\":\"urn:ietf:params:acme:error:%s\",\"detail\":", p->type);
	put_json_text(to, str_of(p->detail));
	if (p->name[0] != '\0') {
		buf_put_str(to, STR(",\"identifier\":{\"type\":\"dns\",\"value\":"));
		put_json_text(to, str_of(p->name));
		buf_putc(to, '}');
	}
	buf_putf(to, ",\"status\":%d}", p->status);
}

void
refuse_many(struct exchange *x, int status, const char *type, const char *detail, const struct problem_text *sub, size_t n)
{
	struct buf *to = &x->reply->body;

	buf_clear(to);
	x->reply->status = status;
	x->reply->type = "application/problem+json";
	(void)snprintf(x->type, sizeof x->type, "%s", type);
	buf_putf(to, "{\"type\":\"urn:ietf:params:acme:error:%s\",\"detail\":", type);
	put_json_text(to, str_of(detail));
	for (size_t i = 0; i < n; i++) {
		buf_put_str(to, i == 0 ? STR(",\"subproblems\":[") : STR(","));
		put_problem(to, &sub[i]);
	}
	buf_putf(to, "%s,\"status\":%d}", n > 0 ? "]" : "", status);
}

void
refuse(struct exchange *x, int status, const char *type, const char *fmt, ...)
{
	char detail[DETAIL_BYTES];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(detail, sizeof detail, fmt, args);
	va_end(args);
	refuse_many(x, status, type, detail, NULL, 0);
}

void
put_header(struct exchange *x, const char *fmt, ...)
{
	char line[1024];
	va_list args;

	va_start(args, fmt);
	int n = vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	/* One gate for all: what a client sent never makes a second line. */
	if (n > 0 && n < (int)sizeof line && str_is_line(str_of(line)))
		buf_putf(&x->reply->headers, "%s\r\n", line);
}

void
put_retry_after(struct exchange *x, int64_t seconds, bool as_date, const char *scope)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	const char *absurd = x->f->set.absurd_retry_after[x->at];
	int64_t ms = seconds * 1000;

	if (absurd[0] != '\0') {
		put_header(x, "Retry-After: %s", absurd);
		(void)snprintf(x->retry_after, sizeof x->retry_after, "%.40s", absurd);
		return; /* nobody can be held to it */
	}
	if (as_date) {
		struct when at = when_plus(fake_now(x->f), SPAN_S(seconds));
		struct civil c = when_civil(at);

		(void)snprintf(x->retry_after, sizeof x->retry_after, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[c.weekday], c.day,
		    months[c.month - 1], c.year, c.hour, c.minute, c.second);
		/* To the millisecond: the second has begun some time ago. */
		ms = at.s * 1000 - (fake_ms(x->f) + x->f->wall_ahead_ms);
	} else {
		(void)snprintf(x->retry_after, sizeof x->retry_after, "%lld", (long long)seconds);
	}
	put_header(x, "Retry-After: %s", x->retry_after);
	x->promise_ms = scope != NULL ? ms : 0;
	(void)snprintf(x->promise_scope, sizeof x->promise_scope, "%s", scope != NULL ? scope : "");
}

int64_t
fake_ms(const struct fake *f)
{
	return clock_mono(f->clock).ms;
}

struct when
fake_now(const struct fake *f)
{
	return clock_now(f->clock);
}

/* xorshift64*: the same seed gives the same faults. */
uint64_t
fake_random(struct fake *f)
{
	f->dice ^= f->dice >> 12;
	f->dice ^= f->dice << 25;
	f->dice ^= f->dice >> 27;
	return f->dice * 2685821657736338717U >> 16;
}

void
fake_token(struct fake *f, char ret[TOKEN_BYTES])
{
	uint8_t bytes[32];

	f->clock->random(f->clock->ctx, bytes, sizeof bytes);
	jws_encode(bytes, sizeof bytes, ret);
}

void *
table_room(void *at, size_t n, size_t *cap, bool *ret_failed)
{
	*ret_failed = false;
	if (n < *cap)
		return at;
	size_t more = *cap == 0 ? 64 : 2 * *cap;
	void *grown = realloc(at, more * sizeof(void *));
	*ret_failed = grown == NULL;
	if (grown == NULL)
		return at;
	*cap = more;
	return grown;
}

bool
read_id(const struct fake *f, struct str s, size_t n, size_t *ret)
{
	int64_t id;

	if (!str_to_int(s, &id) || id < 0 || (uint64_t)id < f->first_id || (uint64_t)id - f->first_id >= n)
		return false;
	*ret = (size_t)((uint64_t)id - f->first_id);
	return true;
}
