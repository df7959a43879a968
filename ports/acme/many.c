#include "ports/acme/many.h"
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"

struct one {
	int64_t ca_id;
	struct acme_http *http;
};
struct acme_many {
	struct loop *loop;
	struct clock clock;
	struct keys *keys;
	struct acme_http_options options;
	struct one at[LIMIT_CAS];
	size_t n;
};

static struct one *
find(struct acme_many *m, int64_t ca_id)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->at[i].ca_id == ca_id)
			return &m->at[i];
	return NULL;
}

static enum err
add(struct acme_many *m, const struct acme_account *account, struct one **ret)
{
	struct acme_http_options o = m->options;
	AUTO_BUF bundle = { .max = 4096 };

	if (m->n == LIMIT_CAS)
		return ERR_FULL;
	buf_put_str(&bundle, account->bundle);
	if (bundle.err != ERR_OK)
		return bundle.err;
	o.ca_bundle = account->bundle.n > 0 ? bundle.p : NULL;
	struct one *one = &m->at[m->n];
	enum err err = acme_http_new(m->loop, &m->clock, m->keys, &o, &one->http);
	if (err != ERR_OK)
		return err;
	one->ca_id = account->id;
	m->n++;
	*ret = one;
	return ERR_OK;
}

static enum err
open_account(void *ctx, const struct acme_account *account, acme_registered *done, void *arg)
{
	struct acme_many *m = ctx;
	struct one *one = find(m, account->id);

	if (one == NULL) {
		enum err err = add(m, account, &one);

		if (err != ERR_OK)
			return err;
	}
	struct acme port = acme_http_port(one->http);
	return port.open_account(port.ctx, account, done, arg);
}

static enum err
submit(void *ctx, const struct acme_request *r, acme_done *done, void *arg)
{
	struct one *one = find(ctx, r->ca_id);

	if (one == NULL)
		return ERR_BUSY; /* its account is not open yet */
	struct acme port = acme_http_port(one->http);
	return port.submit(port.ctx, r, done, arg);
}

static void
forget(void *ctx, int64_t order_id)
{
	struct acme_many *m = ctx;

	for (size_t i = 0; i < m->n; i++) {
		struct acme port = acme_http_port(m->at[i].http);

		port.forget(port.ctx, order_id);
	}
}

enum err
acme_many_new(struct loop *l, const struct clock *c, struct keys *k,
    const struct acme_http_options *o, struct acme_many **ret)
{
	struct acme_many *m = calloc(1, sizeof *m);

	if (m == NULL)
		return ERR_MEMORY;
	m->loop = l;
	m->clock = *c;
	m->keys = k;
	m->options = *o;
	*ret = m;
	return ERR_OK;
}

void
acme_many_free(struct acme_many **m)
{
	if (*m == NULL)
		return;
	for (size_t i = 0; i < (*m)->n; i++)
		acme_http_free(&(*m)->at[i].http);
	free(*m);
	*m = NULL;
}

struct acme
acme_many_port(struct acme_many *m)
{
	return (struct acme){ m, submit, open_account, forget };
}
