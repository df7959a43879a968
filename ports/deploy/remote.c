#include "ports/deploy/remote.h"
#include <stdlib.h>
#include "ports/deploy/message.h"
#include "ports/link/link.h"

struct deploy_remote {
	struct link *link;
	struct ask *asks;
	size_t waiting;
};
/* One request, from submit to its answer. */
struct ask {
	struct deploy_remote *remote;
	deploy_done *done;
	void *arg;
	struct ask *next, **at;
};

/* A turn's sites, and as many that are still at work. */
enum { REMOTE_WAITING_MAX = 2 * LIMIT_TURN_SITES };

static void
ask_free(struct ask **a)
{
	if (*a == NULL)
		return;
	*(*a)->at = (*a)->next;
	if ((*a)->next != NULL)
		(*a)->next->at = (*a)->at;
	(*a)->remote->waiting--;
	free(*a);
	*a = NULL;
}

static void
answered(void *arg, enum err err, struct str body)
{
	struct ask *a = arg;
	deploy_done *done = a->done;
	void *done_arg = a->arg;
	struct deploy_answer answer = { .err = err };

	if (err == ERR_OK)
		err = deploy_answer_get(body, &answer);
	if (err != ERR_OK)
		answer = (struct deploy_answer){ .err = err,
			.cause = CAUSE_OWN_UNCLASSIFIED,
			.words = str_of(err_words(err)) };
	ask_free(&a);
	done(done_arg, &answer);
}

static enum err
submit(void *ctx, const struct deploy_job *job, deploy_done *done, void *arg)
{
	struct deploy_remote *r = ctx;
	AUTO_BUF b = { .max = 0 };

	buf_init(&b, LINK_BODY_BYTES);
	deploy_job_put(&b, job);
	if (b.err != ERR_OK)
		return b.err;
	struct ask *a = calloc(1, sizeof *a);
	if (a == NULL)
		return ERR_MEMORY;
	*a = (struct ask){
		.remote = r, .done = done, .arg = arg, .next = r->asks, .at = &r->asks
	};
	if (a->next != NULL)
		a->next->at = &a->next;
	r->asks = a;
	r->waiting++;
	enum err e = link_ask(r->link, buf_str(&b), answered, a);
	if (e != ERR_OK)
		ask_free(&a);
	return e;
}

enum err
deploy_remote_new(struct loop *l, const struct clock *c, int fd, struct deploy_remote **ret)
{
	struct deploy_remote *r = calloc(1, sizeof *r);

	if (r == NULL)
		return ERR_MEMORY;
	enum err e = link_new(
	    &(struct link_options){
		.loop = l, .clock = c, .fd = fd, .waiting_max = REMOTE_WAITING_MAX },
	    &r->link);
	if (e != ERR_OK) {
		free(r);
		return e;
	}
	*ret = r;
	return ERR_OK;
}

void
deploy_remote_free(struct deploy_remote **r)
{
	if (*r == NULL)
		return;
	link_free(&(*r)->link);
	while ((*r)->asks != NULL) {
		struct ask *a = (*r)->asks;

		ask_free(&a);
	}
	free(*r);
	*r = NULL;
}

struct deploy
deploy_remote_port(struct deploy_remote *r)
{
	return (struct deploy){ r, submit };
}

size_t
deploy_remote_waiting(const struct deploy_remote *r)
{
	return r->waiting;
}
