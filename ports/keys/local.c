#include "ports/keys/local.h"
#include <stdlib.h>
#include "base/limits.h"
#include "ports/keys/core.h"
#include "ports/keys/protocol.h"

/* A job that waits, kept as the message that it would be to the keeper: so both ports take and refuse the same. */
struct waiting {
	struct waiting *next;
	struct buf message;
	keys_done *done;
	void *arg;
};

struct keys_local {
	struct loop *loop;
	struct keys_core *core;
	struct loop_timer *timer;
	struct waiting *first, **end;
	size_t n;
};

enum err
keys_local_new(struct loop *loop, const uint8_t *master_key, const uint8_t *transport_key,
    struct keys_local **ret)
{
	struct keys_local *l = calloc(1, sizeof *l);

	if (l == NULL)
		return ERR_MEMORY;
	enum err e = keys_core_new(master_key, transport_key, &l->core);
	if (e != ERR_OK) {
		free(l);
		return e;
	}
	l->loop = loop;
	l->end = &l->first;
	*ret = l;
	return ERR_OK;
}

static void
free_waiting(struct waiting *w)
{
	secret_wipe(buf_str(&w->message));
	buf_fini(&w->message);
	free(w);
}

void
keys_local_free(struct keys_local **lp)
{
	struct keys_local *l = *lp;

	if (l == NULL)
		return;
	for (struct waiting *w = l->first, *next; w != NULL; w = next) {
		next = w->next;
		free_waiting(w);
	}
	loop_cancel(l->loop, &l->timer);
	keys_core_free(&l->core);
	free(l);
	*lp = NULL;
}

static void
do_one(struct keys_core *core, const struct waiting *w)
{
	struct keys_answer answer = { .err = ERR_PROTOCOL };
	struct keys_job job;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 4 * LIMIT_MESSAGE_BYTES);
	answer.err = keys_job_get(buf_str(&w->message), &a, &job);
	if (answer.err == ERR_OK)
		keys_do(core, &job, &a, &answer);
	w->done(w->arg, &answer);
	secret_wipe(answer.key_pem);
	secret_wipe(answer.secret);
}

/* Does one job a round, so that other work of the loop is not held up by a row of RSA keys. */
static void
on_timer(void *arg)
{
	struct keys_local *l = arg;
	struct waiting *w = l->first;

	l->timer = NULL;
	l->first = w->next;
	l->n--;
	if (l->first == NULL)
		l->end = &l->first;
	else
		l->timer = loop_after(l->loop, 0, on_timer, l);
	do_one(l->core, w);
	free_waiting(w);
}

static enum err
submit(void *ctx, const struct keys_job *job, keys_done *done, void *arg)
{
	struct keys_local *l = ctx;

	if (l->n >= LIMIT_ORDERS_OPEN)
		return ERR_FULL;
	struct waiting *w = calloc(1, sizeof *w);
	if (w == NULL)
		return ERR_MEMORY;
	*w = (struct waiting){ .done = done, .arg = arg };
	buf_init(&w->message, LIMIT_MESSAGE_BYTES);
	keys_job_put(&w->message, job);
	enum err e = w->message.err;
	if (e == ERR_OK && l->timer == NULL) {
		l->timer = loop_after(l->loop, 0, on_timer, l);
		e = l->timer == NULL ? ERR_MEMORY : ERR_OK;
	}
	if (e != ERR_OK) {
		free_waiting(w);
		return e;
	}
	*l->end = w;
	l->end = &w->next;
	l->n++;
	return ERR_OK;
}

struct keys
keys_local_port(struct keys_local *l)
{
	return (struct keys){ l, submit };
}
