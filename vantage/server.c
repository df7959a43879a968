#include "vantage/server.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/limits.h"
#include "ports/file/file.h"
#include "ports/loop/daemons.h"
#include "ports/loop/ending.h"
#include "ports/loop/listen.h"
#include "ports/loop/loop.h"
#include "ports/probe/net.h"
#include "ports/process/process.h"
#include "ports/vantage/answer.h"
#include "vantage/door.h"

enum {
	CONNECTIONS_MAX = 256,
	CONNECTIONS_A_PEER = 16, /* one installation asks over four (ports/vantage/ask.c) */
	CONNECTION_BYTES = 32 * 1024,
	IDLE_S = 10,
	QUESTION_MS = 10000, /* from the connection to the end of the question, however steadily it trickles */
	TICK_MS = 1000,
	LOOKS_MAX = 64, /* at one time, over all askers */
	ARENA_BYTES = 256 * 1024,
	PEM_BYTES = 256 * 1024,
	PATH_BYTES = 64, /* kept of a path: there is one */
	LISTEN_MAX = 64,
};
/* RFC 9325: nothing before TLS 1.2. */
static const char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

struct vantage {
	const struct config *config;
	struct clock clock;
	struct loop *loop;
	struct ending ending;
	struct probe_net *net;
	struct door *door;
	char *certificate, *key;
	struct daemons daemons;
	size_t looks_n;
	struct peer *peers; /* connections that have not asked yet */
	struct exchange *waiting;
	struct wait *looks;
	struct loop_timer *tick;
};
/* One connection. */
struct peer {
	struct peer *next, **link;
	struct vantage *v;
	int fd;
	struct mono until; /* its question has to be here by then */
	bool is_asking;	   /* in the list: a question is awaited */
};
enum state { READING, LOOKING, ANSWERED };
struct exchange {
	struct vantage *v;
	struct exchange *next; /* of those that look */
	struct MHD_Connection *connection;
	struct peer *peer;
	enum state state;
	bool is_too_long, is_post;
	struct buf path, body;
	struct arena arena;
	struct str nonce;
	int status;
	char *answer; /* JSON; malloc */
	bool is_problem;
	struct wait *wait;
};
/* A look under way; outlives an exchange whose peer has left. */
struct wait {
	struct wait *next, **link;
	struct exchange *x;
	struct vantage *v;
};

/* --- answers --- */

static void
log_line(const char *what, struct str asker, const char *why)
{
	fprintf(stderr, "koshin-vantage: %.*s: %s%s%s\n", asker.n > 0 ? (int)asker.n : 7, asker.n > 0 ? asker.p : "unknown", what, *why == '\0' ? "" : ": ",
	    why);
}

static void
refuse(struct exchange *x, enum refusal r)
{
	const struct refusal_row *row = refusal_row(r);
	json_t *o = json_pack("{s:o, s:s, s:i}", "type", json_sprintf("urn:koshin:vantage:%s", row->name), "title", row->words, "status", row->status);

	x->answer = o == NULL ? NULL : json_dumps(o, JSON_COMPACT);
	json_decref(o);
	x->status = row->status;
	x->is_problem = true;
	x->state = ANSWERED;
}

static enum MHD_Result
send_answer(struct exchange *x)
{
	static char nothing[1];
	struct MHD_Response *response =
	    MHD_create_response_from_buffer(x->answer == NULL ? 0 : strlen(x->answer), x->answer == NULL ? nothing : x->answer, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result sent = MHD_NO;

	if (response == NULL)
		return MHD_NO;
	if (MHD_add_response_header(response, "Content-Type", x->is_problem ? "application/problem+json" : "application/json") == MHD_YES &&
	    MHD_add_response_header(response, "Cache-Control", "no-store") == MHD_YES)
		sent = MHD_queue_response(x->connection, (unsigned)(x->answer == NULL ? 500 : x->status), response);
	MHD_destroy_response(response);
	return sent;
}

/* --- a look --- */

static void
stop_waiting(struct exchange *x)
{
	struct exchange **at = &x->v->waiting;

	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	x->state = ANSWERED;
	MHD_resume_connection(x->connection);
}

static struct wait *
wait_new(struct exchange *x)
{
	struct vantage *v = x->v;
	struct wait *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	*w = (struct wait){ .next = v->looks, .link = &v->looks, .x = x, .v = v };
	if (w->next != NULL)
		w->next->link = &w->next;
	v->looks = w;
	v->looks_n++;
	return w;
}

static void
wait_free(struct wait *w)
{
	*w->link = w->next;
	if (w->next != NULL)
		w->next->link = w->link;
	w->v->looks_n--;
	free(w);
}

static void
on_evidence(void *arg, struct evidence_box *box)
{
	struct wait *w = arg;
	struct exchange *x = w->x;

	if (x != NULL) {
		json_t *o = answer_json(str_of(x->v->config->vantage.name), x->nonce, &box->evidence);

		x->wait = NULL;
		x->answer = o == NULL ? NULL : json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
		json_decref(o);
		x->status = 200;
		stop_waiting(x);
	}
	evidence_box_free(&box);
	wait_free(w);
}

static void
look(struct exchange *x, const struct question *q)
{
	struct vantage *v = x->v;
	struct probe port = probe_net_port(v->net);
	const struct probe_job job = {
		.names = q->names,
		.names_n = q->names_n,
		.want_dns = true,
		.want_http = true,
		.is_narrow = true,
		.deadline_ms = q->wait_ms,
		.thumbprint = q->thumbprint,
	};

	if (v->looks_n >= LOOKS_MAX) {
		refuse(x, REFUSAL_BUSY);
		return;
	}
	struct wait *w = wait_new(x);
	if (w == NULL || port.submit(port.ctx, &job, on_evidence, w) != ERR_OK) {
		if (w != NULL)
			wait_free(w);
		refuse(x, REFUSAL_BUSY);
		return;
	}
	x->wait = w;
	x->state = LOOKING;
	x->next = v->waiting;
	v->waiting = x;
	MHD_suspend_connection(x->connection);
}

static void
answer_presence(struct exchange *x)
{
	const struct evidence nothing = { 0 };
	json_t *o = answer_json(str_of(x->v->config->vantage.name), x->nonce, &nothing);

	x->answer = o == NULL ? NULL : json_dumps(o, JSON_COMPACT);
	json_decref(o);
	x->status = 200;
	x->state = ANSWERED;
}

/* The whole question is here. */
static void
judge(struct exchange *x)
{
	struct vantage *v = x->v;
	struct question_message m;
	struct str asker = STR_NONE;
	enum refusal r = REFUSAL_NO_SUCH;

	if (x->is_post && str_eq(buf_str(&x->path), STR("/look")))
		r = x->is_too_long ? REFUSAL_TOO_LONG : question_read(buf_str(&x->body), &x->arena, &m);
	if (r == REFUSAL_NONE)
		r = door_judge(v->door, &m, clock_now(&v->clock), &asker);
	if (r != REFUSAL_NONE) {
		/* Whoever is not on the list is nobody to write about: a log can be filled too. */
		if (asker.n > 0)
			log_line("refused", asker, refusal_row(r)->name);
		refuse(x, r);
		return;
	}
	x->nonce = m.q.nonce;
	if (m.q.names_n == 0)
		answer_presence(x);
	else
		look(x, &m.q);
}

/* --- connections --- */

static void
peer_listen(struct peer *p)
{
	struct vantage *v = p->v;

	p->until = (struct mono){ clock_mono(&v->clock).ms + QUESTION_MS };
	p->is_asking = true;
	p->next = v->peers;
	p->link = &v->peers;
	if (p->next != NULL)
		p->next->link = &p->next;
	v->peers = p;
}

static void
peer_rest(struct peer *p)
{
	if (!p->is_asking)
		return;
	*p->link = p->next;
	if (p->next != NULL)
		p->next->link = p->link;
	p->is_asking = false;
}

static void
on_connection(void *arg, struct MHD_Connection *connection, void **ctx, enum MHD_ConnectionNotificationCode code)
{
	struct peer *p = *ctx;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (p != NULL)
			peer_rest(p);
		free(p);
		*ctx = NULL;
		return;
	}
	p = calloc(1, sizeof *p);
	if (p == NULL)
		return; /* it has the idle time of all connections, and nothing more exact */
	*p = (struct peer){ .v = arg, .fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd };
	peer_listen(p);
	*ctx = p;
}

/* Those who trickle are let go: the end of the socket is an event of the server's own. */
static void
tick(void *arg)
{
	struct vantage *v = arg;
	int64_t now = clock_mono(&v->clock).ms;

	for (struct peer *p = v->peers; p != NULL; p = p->next)
		if (now >= p->until.ms)
			(void)shutdown(p->fd, SHUT_RDWR); /* one that is gone already is gone */
	v->tick = loop_after(v->loop, TICK_MS, tick, v);
}

static struct exchange *
exchange_new(struct vantage *v, struct MHD_Connection *connection, const char *method, const char *url)
{
	struct exchange *x = calloc(1, sizeof *x);

	if (x == NULL)
		return NULL;
	x->v = v;
	x->connection = connection;
	x->peer = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	x->is_post = strcmp(method, MHD_HTTP_METHOD_POST) == 0;
	arena_init(&x->arena, ARENA_BYTES);
	buf_init(&x->path, PATH_BYTES);
	buf_init(&x->body, LIMIT_QUESTION_BYTES);
	buf_put_str(&x->path, str_of(url)); /* one that is too long is no path of ours */
	return x;
}

static enum MHD_Result
handle(void *arg, struct MHD_Connection *connection, const char *url, const char *method, const char *version, const char *data, size_t *data_n,
    void **ctx)
{
	struct exchange *x = *ctx;

	(void)version;
	if (x == NULL) {
		x = exchange_new(arg, connection, method, url);
		*ctx = x;
		return x == NULL ? MHD_NO : MHD_YES;
	}
	if (*data_n > 0) {
		/* Read on within the time of a question, so that the asker gets to see why. */
		if (x->is_too_long || x->body.n + *data_n > LIMIT_QUESTION_BYTES)
			x->is_too_long = true;
		else
			buf_put(&x->body, data, *data_n);
		*data_n = 0;
		return MHD_YES;
	}
	if (x->state == READING) {
		if (x->peer != NULL)
			peer_rest(x->peer);
		judge(x);
	}
	return x->state == LOOKING ? MHD_YES : send_answer(x);
}

static void
completed(void *arg, struct MHD_Connection *connection, void **ctx, enum MHD_RequestTerminationCode why)
{
	struct exchange *x = *ctx;

	(void)arg;
	(void)connection;
	*ctx = NULL;
	if (x == NULL)
		return;
	if (x->wait != NULL)
		x->wait->x = NULL;
	/* The connection may bring another question. */
	if (x->peer != NULL && why == MHD_REQUEST_TERMINATED_COMPLETED_OK && !x->peer->is_asking)
		peer_listen(x->peer);
	buf_fini(&x->path);
	buf_fini(&x->body);
	arena_fini(&x->arena);
	free(x->answer);
	free(x);
}

/* --- the process --- */

static enum err
start_daemon(struct vantage *v, int fd, struct why *why)
{
	struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, v,
	    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_HTTPS_MEM_CERT, v->certificate, MHD_OPTION_HTTPS_MEM_KEY, v->key, MHD_OPTION_HTTPS_PRIORITIES,
	    priorities, MHD_OPTION_NOTIFY_COMPLETED, completed, v, MHD_OPTION_NOTIFY_CONNECTION, on_connection, v, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNECTIONS_A_PEER, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);

	if (d == NULL) {
		(void)close(fd);
		why_set(why, "vantage.certificate, vantage.key: %s and %s cannot be used for TLS; expected a certificate and its key, both in PEM form",
		    v->config->vantage.certificate, v->config->vantage.key);
		return ERR_CONFIG;
	}
	return daemons_add(&v->daemons, d, v->loop);
}

static enum err
listen_all(struct vantage *v, struct why *why)
{
	const struct config *c = v->config;
	enum err err = ERR_OK;
	int fds[LISTEN_MAX];
	size_t n = 0;

	/* Ports below 1024 are root's; afterwards nothing of what is read from outside is. */
	for (; err == ERR_OK && n < c->vantage.listen_n && n < LISTEN_MAX; n++)
		err = listen_tcp(c->vantage.listen[n], why, &fds[n]);
	n -= err != ERR_OK;
	if (err == ERR_OK)
		err = process_become(c->user, why);
	if (err == ERR_OK)
		err = process_keep_secret();
	if (err == ERR_OK)
		err = process_keep_low();
	for (size_t i = 0; i < n; i++) {
		if (err == ERR_OK)
			err = start_daemon(v, fds[i], why);
		else
			(void)close(fds[i]);
	}
	return err;
}

static enum err
read_pem(const char *path, bool is_secret, struct why *why, char **ret)
{
	AUTO_BUF text = { .max = PEM_BYTES };
	enum err err = file_read(path, is_secret, &text, why);

	if (err != ERR_OK)
		return err;
	if (text.n == 0) {
		why_set(why, "%s: is empty; expected PEM", path);
		return ERR_CONFIG;
	}
	*ret = buf_take(&text);
	return *ret == NULL ? ERR_MEMORY : ERR_OK;
}

static enum err
start(struct vantage *v, struct why *why)
{
	const struct config *c = v->config;
	const struct door_options door = {
		.place = str_of(c->vantage.name),
		.askers = (const char *const *)c->vantage.askers,
		.askers_n = c->vantage.askers_n,
		.questions_a_minute = c->vantage.questions_a_minute,
		.started = clock_now(&v->clock),
	};
	enum err err = loop_new(&v->clock, &v->loop);

	if (err == ERR_OK)
		err = ending_init(&v->ending, v->loop);
	if (err == ERR_OK)
		err = door_new(&door, &v->door);
	if (err == ERR_OK)
		err = read_pem(c->vantage.certificate, false, why, &v->certificate);
	if (err == ERR_OK)
		err = read_pem(c->vantage.key, true, why, &v->key);
	if (err == ERR_OK)
		err = listen_all(v, why);
	if (err == ERR_OK)
		err = probe_net_configured(v->loop, &v->clock, c, NULL, why, &v->net);
	if (err == ERR_OK)
		tick(v);
	return err;
}

static void
stop(struct vantage *v)
{
	/* Suspended connections have to be resumed before their daemon stops. */
	while (v->waiting != NULL) {
		struct exchange *x = v->waiting;

		x->wait->x = NULL;
		x->wait = NULL;
		refuse(x, REFUSAL_BUSY);
		stop_waiting(x);
	}
	daemons_run(&v->daemons);
	daemons_stop(&v->daemons);
	probe_net_free(&v->net); /* drops its jobs without a word */
	while (v->looks != NULL)
		wait_free(v->looks);
	door_free(&v->door);
	loop_cancel(v->loop, &v->tick);
	ending_fini(&v->ending, v->loop);
	loop_free(&v->loop);
	if (v->key != NULL)
		explicit_bzero(v->key, strlen(v->key));
	free(v->key);
	free(v->certificate);
}

int
vantage_run(const struct vantage_options *o)
{
	struct vantage v = { .config = o->config, .ending = ENDING_NONE };
	struct why why = { "" };

	v.clock = clock_real(o->config->clock_offset);
	enum err err = start(&v, &why);
	if (err == ERR_OK && o->fd_ready >= 0 && write(o->fd_ready, "v", 1) != 1)
		err = ERR_CLOSED;
	while (err == ERR_OK && !v.ending.is_wanted) {
		daemons_run(&v.daemons);
		err = loop_round(v.loop, daemons_longest_wait(&v.daemons, QUESTION_MS));
	}
	if (err != ERR_OK)
		fprintf(stderr, "koshin-vantage: stops: %s%s%s\n", err_words(err), why.text[0] != '\0' ? ": " : "", why.text);
	stop(&v);
	return err == ERR_OK ? 0 : 1;
}
