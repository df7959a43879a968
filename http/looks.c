#include "http/looks.h"
#include <stdlib.h>
#include "http/look.h"
#include "ports/probe/net.h"
#include "ports/vantage/ask.h"

enum { ARENA_BYTES = 32 * 1024 * 1024 };

struct one {
	struct looks *all;
	struct one *next;
	struct stream *stream; /* NULL: the reader has left */
	struct arena arena;
	struct look look;
	struct mono began;
};
struct looks {
	struct api *api;
	struct loop *loop;
	struct keys keys; /* no submit: none */
	struct vantages *vantages;
	struct probe_net *net; /* made for the first look, as the vantage points */
	struct one *first;
	size_t n;
};

enum err
looks_new(struct api *api, struct loop *l, const struct keys *keys, struct looks **ret)
{
	*ret = calloc(1, sizeof **ret);
	if (*ret == NULL)
		return ERR_MEMORY;
	**ret = (struct looks){ .api = api, .loop = l };
	if (keys != NULL)
		(*ret)->keys = *keys;
	return ERR_OK;
}

static void
one_free(struct one *o)
{
	struct one **at = &o->all->first;

	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	o->all->n--;
	arena_fini(&o->arena);
	free(o);
}

void
looks_free(struct looks **lp)
{
	struct looks *l = *lp;

	if (l == NULL)
		return;
	/* Drops its jobs without a word. */
	probe_net_free(&l->net);
	vantages_free(&l->vantages);
	while (l->first != NULL)
		one_free(l->first);
	free(l);
	*lp = NULL;
}

/* --- what comes in --- */

static void
on_left(void *arg)
{
	struct one *o = arg;

	o->stream = NULL;
}

static void
put(struct one *o, const char *event, json_t *document)
{
	char *text = document == NULL ? NULL : json_dumps(document, JSON_COMPACT | JSON_ENSURE_ASCII);

	json_decref(document);
	/* Without memory the stream ends without its outcome, which its reader sees. */
	if (text != NULL && o->stream != NULL)
		stream_put(o->stream, STR_NONE, str_of(event), str_of(text));
	free(text);
}

static void
on_told(void *arg, const struct probe_news *news)
{
	struct one *o = arg;
	AUTO_ARENA a = { .max = 64 * 1024 };

	if (o->stream != NULL)
		put(o, "step", look_step(news, clock_mono(&o->all->api->clock).ms - o->began.ms, &a));
}

static void
on_evidence(void *arg, struct evidence_box *box)
{
	struct one *o = arg;

	if (o->stream != NULL)
		put(o, "check", look_document(&o->look, &box->evidence));
	if (o->stream != NULL)
		stream_end(o->stream);
	if (o->stream != NULL)
		stream_forget(o->stream);
	evidence_box_free(&box);
	one_free(o);
}

/* --- beginning --- */

enum err
looks_net(struct looks *l, struct probe_net **ret)
{
	const struct vantages_options vantages = { .config = l->api->config, .keys = &l->keys };
	struct why why;
	enum err err = ERR_OK;

	if (l->net == NULL && l->vantages == NULL && l->keys.submit != NULL)
		err = vantages_new(l->loop, &l->api->clock, &vantages, &l->vantages);
	if (err == ERR_OK && l->net == NULL)
		err = probe_net_configured(l->loop, &l->api->clock, l->api->config, l->vantages, &why, &l->net);
	if (err == ERR_OK)
		*ret = l->net;
	return err;
}

static enum err
submit(struct looks *l, struct one *o)
{
	struct probe_job job;
	struct probe_net *net;
	enum err err = look_plan(&o->look, &job) ? looks_net(l, &net) : ERR_MEMORY;

	job.told = on_told;
	if (err != ERR_OK)
		return err;
	struct probe port = probe_net_port(net);
	return port.submit(port.ctx, &job, on_evidence, o);
}

enum err
looks_begin(struct looks *l, struct streams *s, struct MHD_Connection *connection, const struct api_reply *r, bool is_panel)
{
	if (l->n >= LOOKS_MAX)
		return ERR_BUSY;
	struct one *o = calloc(1, sizeof *o);
	if (o == NULL)
		return ERR_MEMORY;
	*o = (struct one){ .all = l, .next = l->first, .began = clock_mono(&l->api->clock) };
	l->first = o;
	l->n++;
	arena_init(&o->arena, ARENA_BYTES);
	o->look = (struct look){
		.config = l->api->config,
		.a = &o->arena,
		.name = arena_str(&o->arena, r->look.name),
		.reported = arena_str(&o->arena, r->look.reported),
		.is_discreet = r->look.is_discreet,
	};
	look_read(&o->look, l->api->store, r->site_id);
	enum err err = arena_failed(&o->arena) ? ERR_MEMORY : submit(l, o);
	if (err != ERR_OK) {
		one_free(o);
		return err;
	}
	/* Nothing of the job comes in before the loop's next round. Without a stream it goes on unread. */
	o->stream = stream_begin(s, connection, is_panel, on_left, o);
	return o->stream != NULL ? ERR_OK : ERR_BUSY;
}
