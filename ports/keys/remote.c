#include "ports/keys/remote.h"
#include <stdlib.h>
#include "base/limits.h"
#include "ports/keys/protocol.h"
#include "ports/keys/secret.h"
#include "ports/link/link.h"

struct asked {
	struct asked *next, **before;
	keys_done *done;
	void *arg;
};

struct keys_remote {
	struct link *link;
	struct asked *first;
};

enum err
keys_remote_new(struct loop *loop, const struct clock *clock, int fd, struct keys_remote **ret)
{
	struct keys_remote *r = calloc(1, sizeof *r);
	struct link_options options = { loop, clock, fd, LIMIT_ORDERS_OPEN };

	if (r == NULL)
		return ERR_MEMORY;
	enum err e = link_new(&options, &r->link);
	if (e != ERR_OK) {
		free(r);
		return e;
	}
	*ret = r;
	return ERR_OK;
}

static void
forget(struct asked *asked)
{
	*asked->before = asked->next;
	if (asked->next != NULL)
		asked->next->before = asked->before;
	free(asked);
}

void
keys_remote_free(struct keys_remote **rp)
{
	struct keys_remote *r = *rp;

	if (r == NULL)
		return;
	while (r->first != NULL)
		forget(r->first);
	link_free(&r->link);
	free(r);
	*rp = NULL;
}

static void
on_answer(void *arg, enum err err, struct str body)
{
	struct asked *asked = arg;
	struct keys_answer answer = { .err = err };
	keys_done *done = asked->done;
	void *done_arg = asked->arg;

	if (err == ERR_OK) {
		enum err e = keys_answer_get(body, &answer);

		if (e != ERR_OK)
			answer = (struct keys_answer){ .err = e };
	}
	forget(asked);
	done(done_arg, &answer);
}

static enum err
submit(void *ctx, const struct keys_job *job, keys_done *done, void *arg)
{
	struct keys_remote *r = ctx;
	struct asked *asked = malloc(sizeof *asked);
	AUTO_BUF message = { .max = 0 };

	buf_init(&message, LINK_BODY_BYTES);
	if (asked == NULL)
		return ERR_MEMORY;
	*asked = (struct asked){ r->first, &r->first, done, arg };
	keys_job_put(&message, job);
	enum err e = message.err;
	if (e == ERR_OK)
		e = link_ask(r->link, buf_str(&message), on_answer, asked);
	secret_wipe((struct str){ message.p, message.cap });
	if (e != ERR_OK) {
		free(asked);
		return e;
	}
	if (r->first != NULL)
		r->first->before = &asked->next;
	r->first = asked;
	return ERR_OK;
}

struct keys
keys_remote_port(struct keys_remote *r)
{
	return (struct keys){ r, submit };
}
