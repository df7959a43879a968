#include "sim/acme/inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Faults that are taken, promises that were made, and the log that holds the client to them. */

static const struct {
	const char *word;
	enum fault_stage stage;
} faults[FAULT_COUNT] = {
#define FAULT(code, word, stage) [FAULT_##code] = { word, FAULT_##stage },
#include "sim/acme/fault.tbl"
#undef FAULT
};
static const struct {
	const char *word, *group;
} endpoints[AT_COUNT] = {
#define ENDPOINT(code, word, path, tail, group, rate, burst) [AT_##code] = { word, group },
#include "sim/acme/endpoint.tbl"
#undef ENDPOINT
};

enum fault_stage
fault_stage_of(enum fault_kind k)
{
	return faults[k].stage;
}

const char *
fault_word(enum fault_kind k)
{
	return faults[k].word;
}

enum fault_kind
fault_of_word(struct str word)
{
	size_t i = 0;

	while (i < FAULT_COUNT && !str_eq(word, str_of(faults[i].word)))
		i++;
	return (enum fault_kind)i;
}

enum endpoint
endpoint_of_word(struct str word)
{
	size_t i = 0;

	while (i < AT_COUNT && !str_eq(word, str_of(endpoints[i].word)))
		i++;
	return (enum endpoint)i;
}

const char *
endpoint_word(enum endpoint e)
{
	return endpoints[e].word;
}

const struct fault *
fault_take(struct fake *f, enum fault_stage stage, enum endpoint at)
{
	for (size_t i = 0; i < f->set.faults_n; i++) {
		struct fault *t = &f->set.faults[i];

		if (faults[t->kind].stage != stage || (t->at != AT_COUNT && t->at != at) || t->times_left == 0 ||
		    (t->kind == FAULT_ALREADY_REPLACED && !f->is_replacing) || fake_random(f) % 100 >= t->percent)
			continue;
		if (t->times_left > 0)
			t->times_left--;
		return t;
	}
	return NULL;
}

/* --- promises --- */

void
scope_of_endpoint(const struct exchange *x, char ret[TEXT_BYTES])
{
	(void)snprintf(ret, TEXT_BYTES, "endpoint %s %.*s", endpoints[x->at].group, STR_ARG(x->request->peer));
}

void
scope_of_url(const struct exchange *x, char ret[TEXT_BYTES])
{
	(void)snprintf(ret, TEXT_BYTES, "url %.*s", STR_ARG(x->request->path));
}

void
scope_of_limit(enum token_limit which, struct str key, char ret[TEXT_BYTES])
{
	(void)snprintf(ret, TEXT_BYTES, "limit %d %.*s", (int)which, (int)(key.n < 200 ? key.n : 200), key.p);
}

void
promise_put(struct fake *f, const char *scope, int64_t ms)
{
	struct promise p = { fake_ms(f), fake_ms(f) + ms };
	uint64_t at;

	if (map_get(&f->promised, str_of(scope), &at)) {
		/* The later date holds: another answer of the same moment does not take it back. */
		if (f->promises.at[at]->until_ms < p.until_ms)
			*f->promises.at[at] = p;
		return;
	}
	struct promise *new = malloc(sizeof *new);
	if (new != NULL && TABLE_PUT(f->promises, new)) {
		*new = p;
		if (map_put(&f->promised, str_of(scope), f->promises.n - 1) == ERR_OK)
			return;
	} else {
		free(new);
	}
	/* Without memory the client is held to one promise less. */
}

int64_t
promise_left(const struct fake *f, const char *scope)
{
	uint64_t at;
	int64_t now = fake_ms(f);

	if (!map_get(&f->promised, str_of(scope), &at))
		return 0;
	const struct promise *p = f->promises.at[at];
	return now > p->given_ms + f->set.grace_ms && now < p->until_ms ? p->until_ms - now : 0;
}

/* --- the log --- */

void
log_put(struct exchange *x, int64_t early_by_ms)
{
	struct fake *f = x->f;
	struct log_row *row = calloc(1, sizeof *row);

	f->requests_n++;
	f->early_n += early_by_ms > 0;
	if (row == NULL || f->log.n >= LOG_ROWS_MAX || !TABLE_PUT(f->log, row)) {
		free(row);
		return;
	}
	*row = (struct log_row){
		.ms = fake_ms(f),
		.at = x->at,
		.account = x->account != NULL ? x->account->id : 0,
		.status = x->reply->status,
		.has_fault = x->fault != NULL,
		.fault = x->fault != NULL ? x->fault->kind : FAULT_COUNT,
		.is_early = early_by_ms > 0,
		.early_by_ms = early_by_ms,
	};
	(void)snprintf(row->method, sizeof row->method, "%.*s", STR_ARG(x->request->method));
	(void)snprintf(row->subject, sizeof row->subject, "%.*s", (int)sizeof row->subject - 1,
	    x->subject[0] != '\0' ? x->subject : x->tail.n > 0 ? x->tail.p : "");
	if (x->subject[0] == '\0' && x->tail.n < sizeof row->subject)
		row->subject[x->tail.n] = '\0';
	(void)snprintf(row->type, sizeof row->type, "%.*s", (int)sizeof row->type - 1, x->type);
	memcpy(row->retry_after, x->retry_after, sizeof row->retry_after);
}

void
log_write(const struct fake *f, size_t from, struct buf *to)
{
	for (size_t i = from; i < f->log.n; i++) {
		const struct log_row *r = f->log.at[i];

		buf_putf(to, "{\"n\":%zu,\"ms\":%lld,\"method\":", i, (long long)r->ms);
		put_json_text(to, str_of(r->method));
		buf_putf(to, ",\"endpoint\":\"%s\",\"subject\":", endpoints[r->at].word);
		put_json_text(to, str_of(r->subject));
		buf_putf(to, ",\"account\":%llu,\"status\":%d,\"problem\":\"%s\",\"fault\":", (unsigned long long)r->account, r->status,
		    r->type);
		if (r->has_fault)
			buf_putf(to, "\"%s\"", faults[r->fault].word);
		else
			buf_put_str(to, STR("null"));
		buf_put_str(to, STR(",\"retry_after\":"));
		put_json_text(to, str_of(r->retry_after));
		buf_putf(to, ",\"early\":%s,\"early_by_ms\":%lld}\n", r->is_early ? "true" : "false", (long long)r->early_by_ms);
	}
}

void
log_clear(struct fake *f)
{
	for (size_t i = 0; i < f->log.n; i++)
		free(f->log.at[i]);
	f->log.n = 0;
	f->early_n = 0;
}
