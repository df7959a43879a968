/*
 * The web process: libmicrohttpd without threads of its own on our loop, so that the store handle, the keeper's link and
 * every request live in one thread and nothing needs a lock. What takes long (news of a site, a key from the keeper)
 * suspends its connection; the others go on.
 */
#include "http/web.h"
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/limits.h"
#include "base/must.h"
#include "http/address.h"
#include "http/api.h"
#include "http/files.h"
#include "http/send.h"
#include "http/looks.h"
#include "http/stream.h"
#include "ports/loop/daemons.h"
#include "ports/loop/ending.h"
#include "ports/loop/listen.h"
#include "http/public.h"
#include "ports/probe/issuers.h"
#include "ports/probe/net.h"
#include "ports/keys/remote.h"
#include "ports/keys/secret.h"
#include "ports/loop/loop.h"
#include "ports/passwords/passwords.h"

enum {
	ROUND_MS = 60000, /* the longest round of the loop */
	CONNECTIONS_MAX =
	    256, /* of one daemon: a few are enough for challenges and one operator */
	CONNECTION_BYTES = 32768, /* headers of one request */
	CONNECTION_S = 30,	  /* an idle or slow client is let go */
	NEWS_MS = 20,		  /* what the engine does within this is one piece of news */
	TICK_MS = 1000,		  /* how often deadlines are looked at while somebody waits */
	WAIT_MS = 25000, /* then they get an answer without news, and ask again themselves */
	HEARTBEAT_MS = 60000,
	HEARTBEAT_RETRY_MS = 5000,
	STORE_BUSY_MS = 2000,
	ARENA_BYTES = 64 * 1024 * 1024, /* one page of sites, with everything */
};

struct web {
	const struct web_options *options;
	struct clock clock;
	struct loop *loop;
	struct store *store;
	struct api api;
	struct keys_remote *remote;
	struct passwords *passwords;
	struct files *files; /* of the panel; NULL without one */
	struct daemons daemons;
	struct ending ending;
	struct streams *streams;
	struct looks *looks;
	bool store_is_writable;
	bool has_news; /* those who wait are to be asked for again */
	struct exchange *waiting;
	struct loop_timer *tick, *heartbeat;
	struct public_pages public;
};

/* Where a request came in. */
enum door {
	DOOR_PUBLIC,  /* challenge answers, health, metrics */
	DOOR_COMMAND, /* the Unix socket: the API, for the operator */
	DOOR_PANEL,   /* browsers: the API, for who has a session, and the panel's files */
};

/* Something that was asked of the keeper, or of the thread for passwords; outlives its exchange if that gives up first. */
struct other_wait {
	struct exchange *exchange;
};

enum exchange_state { EXCHANGE_READING, EXCHANGE_WAITING, EXCHANGE_STREAM, EXCHANGE_ANSWERED };
struct exchange {
	struct web *web;
	struct exchange *next; /* of those that wait */
	struct MHD_Connection *connection;
	enum exchange_state state;
	enum door door;
	bool is_too_long;
	struct buf method, path, body;
	struct arena arena;
	struct api_request request;
	struct api_reply reply;
	struct other_wait *other_wait;
	struct issuer_search *search; /* under way: nobody else is waited for */
	struct mono deadline;
};

static const char *
argument(void *ctx, const char *key)
{
	const struct exchange *x = ctx;

	return MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, key);
}

static const char *
header(void *ctx, const char *name)
{
	const struct exchange *x = ctx;

	return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

struct each_argument {
	void (*show)(void *shown, const char *key, const char *value);
	void *shown;
};

/* The shape is libmicrohttpd's; "?key" without "=" has no value. */
static enum MHD_Result
show_argument(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
	const struct each_argument *each = arg;

	(void)kind;
	each->show(each->shown, key, value == NULL ? "" : value);
	return MHD_YES;
}

static void
each_argument(
    void *ctx, void (*show)(void *shown, const char *key, const char *value), void *shown)
{
	const struct exchange *x = ctx;
	struct each_argument each = { show, shown };

	(void)MHD_get_connection_values(
	    x->connection, MHD_GET_ARGUMENT_KIND, show_argument, &each);
}

static void tick(void *arg);

/* Whoever waits is asked for again soon. */
static void
news_came(struct web *w)
{
	if (w->has_news)
		return;
	w->has_news = true;
	loop_cancel(w->loop, &w->tick);
	w->tick = loop_after(w->loop, NEWS_MS, tick, w);
}

/* What the engine writes after each turn; how many bytes there are does not matter. */
static void
on_news(void *arg, int fd, int events)
{
	char bytes[256];

	(void)events;
	while (read(fd, bytes, sizeof bytes) > 0)
		continue;
	news_came(arg);
}

static void
wake_engine(void *arg)
{
	struct web *w = arg;

	news_came(w);
	/* A full pipe has woken it already; a broken one is the supervisor's to see, and the wish is stored. */
	if (w->options->fd_wake >= 0 && write(w->options->fd_wake, "w", 1) < 0)
		return;
}

static void
answer_text(struct exchange *x, int status, const char *type)
{
	x->reply.status = status;
	x->reply.type = type;
}

static void
answer_public(struct exchange *x)
{
	struct web *w = x->web;

	public_answer(&w->public, buf_str(&x->method), buf_str(&x->path), clock_now(&w->clock),
	    w->store_is_writable, &x->arena, &x->reply);
}

/* --- waiting --- */

static void
wait_in_line(struct exchange *x)
{
	struct web *w = x->web;

	x->state = EXCHANGE_WAITING;
	x->deadline = (struct mono){ clock_mono(&w->clock).ms + WAIT_MS };
	x->next = w->waiting;
	w->waiting = x;
	MHD_suspend_connection(x->connection);
	if (w->tick == NULL)
		w->tick = loop_after(w->loop, TICK_MS, tick, w);
}

static void
resume(struct exchange *x)
{
	struct web *w = x->web;
	struct exchange **at = &w->waiting;

	while (*at != NULL && *at != x)
		at = &(*at)->next;
	if (*at == x)
		*at = x->next;
	if (x->other_wait != NULL)
		x->other_wait->exchange = NULL;
	x->other_wait = NULL;
	issuers_drop(&x->search);
	x->state = EXCHANGE_ANSWERED;
	MHD_resume_connection(x->connection);
}

static void submit(struct exchange *x);

/* The same again, with what has come; it may want one more thing of the kind. */
static void
answer_again(struct exchange *x)
{
	secret_wipe(x->reply.secret);
	buf_fini(&x->reply.body);
	api_answer(&x->web->api, &x->request, &x->arena, &x->reply);
	if (x->reply.kind == API_DONE)
		resume(x);
	else
		submit(x);
}

static void
key_came(void *arg, const struct keys_answer *answer)
{
	struct other_wait *k = arg;
	struct exchange *x = k->exchange;

	free(k);
	if (x == NULL)
		return;
	x->other_wait = NULL;
	bool is_wrong_code = x->reply.kind == API_CODE && answer->err == ERR_MISMATCH;
	if (is_wrong_code || (answer->err == ERR_OK && x->reply.kind != API_KEY)) {
		x->request.is_sealed = true;
		x->request.sealed = arena_str(&x->arena, answer->sealed);
		x->request.secret = arena_str(&x->arena, answer->secret);
		x->request.csr_der = arena_str(&x->arena, answer->csr_der);
		x->request.step = answer->step; /* 0 where it is wrong */
		answer_again(x);
		return;
	}
	if (answer->err == ERR_OK)
		api_key_reply(&x->web->api, &x->request, x->reply.site_id, answer->key_pem,
		    &x->arena, &x->reply);
	else
		api_problem(
		    &x->reply, answer->err, x->request.lang, str_of(err_words(answer->err)));
	resume(x);
}

static void
password_came(void *arg, const struct passwords_answer *answer)
{
	struct other_wait *k = arg;
	struct exchange *x = k->exchange;

	free(k);
	if (x == NULL)
		return;
	x->other_wait = NULL;
	if (answer->err == ERR_OK && x->request.hashed_n < API_HASHES_MAX) {
		x->request.hashed[x->request.hashed_n++] =
		    (struct api_hashed){ answer->is_right, arena_str(&x->arena, answer->made) };
		answer_again(x);
		return;
	}
	api_problem(&x->reply, answer->err != ERR_OK ? answer->err : ERR_BUG, x->request.lang,
	    STR_NONE);
	resume(x);
}

static enum err
ask_keeper(struct exchange *x)
{
	struct web *w = x->web;
	static const enum keys_verb verbs[] = {
		[API_SEAL] = KEYS_SEAL,
		[API_KEY] = KEYS_EXPORT,
		[API_CODE_NEW] = KEYS_CODE_NEW,
		[API_CODE] = KEYS_CODE,
		[API_CSR] = KEYS_CSR,
		[API_OWN] = KEYS_OWN,
	};
	const struct keys_job job = { .verb = verbs[x->reply.kind],
		.sealed = x->reply.sealed,
		.secret = x->reply.secret,
		.code = x->reply.code,
		.first_step = x->reply.first_step,
		.chain_pem = x->reply.chain_pem,
		.key_type = x->reply.csr.key_type,
		.names = x->reply.csr.names,
		.names_n = x->reply.csr.names_n,
		.subject = x->reply.csr.subject };
	struct keys keys =
	    w->remote == NULL ? (struct keys){ NULL, NULL } : keys_remote_port(w->remote);

	return keys.submit == NULL ? ERR_CLOSED
				   : keys.submit(keys.ctx, &job, key_came, x->other_wait);
}

static void
issuers_came(void *arg, struct str pem)
{
	struct exchange *x = arg;

	x->search = NULL;
	x->request.is_searched = true;
	x->request.issuers = arena_str(&x->arena, pem);
	answer_again(x);
}

/* A search that cannot be made has found nothing. */
static void
search(struct exchange *x)
{
	struct probe_net *net;
	enum err err = looks_net(x->web->looks, &net);

	if (err == ERR_OK)
		err = issuers_find(probe_net_issuers(net), x->reply.chain_pem, issuers_came, x, &x->search);
	if (err != ERR_OK)
		issuers_came(x, STR_NONE);
}

/* Asks another for what the reply wants. The exchange waits in line already. */
static void
submit(struct exchange *x)
{
	enum err err = ERR_MEMORY;

	if (x->reply.kind == API_ISSUERS) {
		search(x);
		return;
	}
	x->other_wait = calloc(1, sizeof *x->other_wait);
	if (x->other_wait != NULL) {
		x->other_wait->exchange = x;
		err = x->reply.kind == API_HASH
			  ? passwords_submit(x->web->passwords, x->reply.secret,
				x->reply.sealed, password_came, x->other_wait)
			  : ask_keeper(x);
	}
	if (err == ERR_OK)
		return;
	free(x->other_wait);
	x->other_wait = NULL;
	api_problem(&x->reply, err, x->request.lang, str_of(err_words(err)));
	resume(x);
}

/* Asks again for all who wait. Those who wait for another have only their deadline looked at. */
static void
tick(void *arg)
{
	struct web *w = arg;
	int64_t now = clock_mono(&w->clock).ms;

	bool has_news = w->has_news;

	w->tick = NULL;
	w->has_news = false;
	streams_look(w->streams, has_news);
	for (struct exchange *x = w->waiting, *next; x != NULL; x = next) {
		bool is_late = now >= x->deadline.ms || w->ending.is_wanted;

		next = x->next;
		if (x->other_wait != NULL || x->search != NULL) {
			if (is_late) {
				api_problem(&x->reply, ERR_TIMEOUT, x->request.lang,
				    x->reply.kind == API_HASH ? STR("passwords are judged too slowly")
				    : x->search != NULL	      ? STR("the issuer of the certificate does not answer")
							      : STR("the keeper does not answer"));
				resume(x);
			}
			continue;
		}
		if (!has_news && !is_late)
			continue;
		x->request.is_last = is_late;
		buf_fini(&x->reply.body);
		arena_clear(&x->arena);
		api_answer(&w->api, &x->request, &x->arena, &x->reply);
		if (x->reply.kind != API_WAIT)
			resume(x);
	}
	if (w->tick == NULL && (w->waiting != NULL || !streams_are_none(w->streams)))
		w->tick = loop_after(w->loop, TICK_MS, tick, w);
}

/* --- one request --- */

static struct exchange *
exchange_new(struct web *w, struct MHD_Connection *connection, const char *method,
    const char *path, enum door door)
{
	struct exchange *x = calloc(1, sizeof *x);
	const char *lang =
	    MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept-Language");

	if (x == NULL)
		return NULL;
	x->web = w;
	x->connection = connection;
	x->door = door;
	arena_init(&x->arena, ARENA_BYTES);
	buf_init(&x->method, 32);
	buf_init(&x->path, CONNECTION_BYTES);
	buf_init(&x->body, LIMIT_REQUEST_BYTES);
	buf_put_str(&x->method, str_of(method));
	buf_put_str(&x->path, str_of(path));
	x->request.lang = lang_of(str_of(lang));
	x->request.asker =
	    (struct asker){ .is_known = door == DOOR_COMMAND, .role = ROLE_OPERATOR };
	x->request.is_browser = door == DOOR_PANEL;
	x->request.arg = argument;
	x->request.each_arg = each_argument;
	x->request.header = header;
	x->request.arg_ctx = x;
	return x;
}

static void
exchange_free(struct exchange *x)
{
	if (x->other_wait != NULL)
		x->other_wait->exchange = NULL;
	issuers_drop(&x->search);
	buf_fini(&x->method);
	buf_fini(&x->path);
	/* It may have held the key of an account binding. */
	if (x->body.p != NULL)
		explicit_bzero(x->body.p, x->body.n);
	buf_fini(&x->body);
	/* It may have held a private key. */
	if (x->reply.body.p != NULL)
		explicit_bzero(x->reply.body.p, x->reply.body.n);
	buf_fini(&x->reply.body);
	arena_fini(&x->arena);
	free(x);
}

static void
refuse_length(struct exchange *x)
{
	const struct str most = arena_strf(&x->arena, "%d", LIMIT_REQUEST_BYTES);
	AUTO_BUF text = { .max = CONNECTION_BYTES };

	words_ui("api.too-long-request", x->request.lang, &most, 1, &text);
	api_problem(&x->reply, ERR_TOO_LONG, x->request.lang, buf_str(&text));
}

static void
answer_api(struct exchange *x)
{
	if (x->request.is_browser)
		x->request.address = address_of(
		    MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
			->client_addr,
		    str_of(header(x, "X-Forwarded-For")), &x->arena);
	x->request.method = buf_str(&x->method);
	x->request.path = buf_str(&x->path);
	x->request.body = buf_str(&x->body);
	if (x->is_too_long || x->body.err != ERR_OK || x->path.err != ERR_OK) {
		buf_init(&x->reply.body, API_REPLY_BYTES_MAX);
		if (x->body.err == ERR_MEMORY)
			api_problem(&x->reply, ERR_MEMORY, x->request.lang, STR_NONE);
		else
			refuse_length(x);
		x->state = EXCHANGE_ANSWERED;
		return;
	}
	api_answer(&x->web->api, &x->request, &x->arena, &x->reply);
	x->state = EXCHANGE_ANSWERED;
	if (x->reply.kind == API_STREAM || x->reply.kind == API_LOOK)
		x->state = EXCHANGE_STREAM;
	else if (x->reply.kind == API_WAIT)
		wait_in_line(x);
	else if (x->reply.kind != API_DONE) {
		wait_in_line(x);
		submit(x);
	}
}

static void
answer_panel(struct exchange *x)
{
	struct str path = buf_str(&x->path);

	if (str_starts(path, STR("/api/"))) {
		answer_api(x);
		return;
	}
	x->state = EXCHANGE_ANSWERED;
	if (path.n == 0 || path.p[0] != '/')
		answer_text(x, 404, "text/plain");
	else
		files_answer(x->web->files, buf_str(&x->method), path,
		    str_of(header(x, "Accept-Encoding")), &x->reply);
}

static void
answer(struct exchange *x)
{
	switch (x->door) {
	case DOOR_PUBLIC:
		answer_public(x);
		x->state = EXCHANGE_ANSWERED;
		return;
	case DOOR_COMMAND:
		answer_api(x);
		return;
	case DOOR_PANEL:
		answer_panel(x);
		return;
	}
}

static enum MHD_Result
begin_stream(struct exchange *x)
{
	struct web *w = x->web;
	bool is_panel = x->door == DOOR_PANEL;
	enum err err = x->reply.kind == API_LOOK ? looks_begin(w->looks, w->streams, x->connection, &x->reply, is_panel)
						 : stream_follow(w->streams, x->connection, &x->reply, is_panel);

	x->state = EXCHANGE_ANSWERED;
	if (err != ERR_OK) {
		api_problem(&x->reply, err, x->request.lang, STR_NONE);
		return send_reply(x->connection, &x->reply, x->door == DOOR_PANEL, &x->arena);
	}
	if (w->tick == NULL)
		w->tick = loop_after(w->loop, TICK_MS, tick, w);
	return MHD_YES;
}

static enum MHD_Result
handle(struct web *w, struct MHD_Connection *connection, const char *url, const char *method,
    const char *data, size_t *data_n, void **ctx, enum door door)
{
	struct exchange *x = *ctx;

	if (x == NULL) {
		x = exchange_new(w, connection, method, url, door);
		*ctx = x;
		return x == NULL ? MHD_NO : MHD_YES;
	}
	if (*data_n > 0) {
		/* Read to its end all the same, so that the client gets to see why. */
		if (x->is_too_long || x->body.n + *data_n > LIMIT_REQUEST_BYTES)
			x->is_too_long = true;
		else
			buf_put(&x->body, data, *data_n);
		*data_n = 0;
		return MHD_YES;
	}
	if (x->state == EXCHANGE_READING)
		answer(x);
	if (x->state == EXCHANGE_STREAM)
		return begin_stream(x);
	return x->state == EXCHANGE_WAITING
		   ? MHD_YES
		   : send_reply(connection, &x->reply, door == DOOR_PANEL, &x->arena);
}

/* The shape is libmicrohttpd's. */
static enum MHD_Result
handle_public(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *data, size_t *data_n, void **ctx)
{
	(void)version;
	return handle(arg, connection, url, method, data, data_n, ctx, DOOR_PUBLIC);
}

static enum MHD_Result
handle_local(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *data, size_t *data_n, void **ctx)
{
	(void)version;
	return handle(arg, connection, url, method, data, data_n, ctx, DOOR_COMMAND);
}

static enum MHD_Result
handle_panel(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *data, size_t *data_n, void **ctx)
{
	(void)version;
	return handle(arg, connection, url, method, data, data_n, ctx, DOOR_PANEL);
}

static void
completed(void *arg, struct MHD_Connection *connection, void **ctx,
    enum MHD_RequestTerminationCode why)
{
	(void)arg;
	(void)connection;
	(void)why;
	if (*ctx != NULL)
		exchange_free(*ctx);
	*ctx = NULL;
}

/* --- the process --- */

static enum err
start_daemon(struct web *w, int fd, enum door door)
{
	static const MHD_AccessHandlerCallback handlers[] = { [DOOR_PUBLIC] = handle_public,
		[DOOR_COMMAND] = handle_local,
		[DOOR_PANEL] = handle_panel };
	struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0,
	    NULL, NULL, handlers[door], w, MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_NOTIFY_COMPLETED, completed, w, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_S,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);

	if (d == NULL) {
		(void)close(fd);
		return ERR_IO;
	}
	return daemons_add(&w->daemons, d, w->loop);
}

static enum err
listen_all(struct web *w, char *const *addresses, size_t n, enum door door, struct why *why)
{
	enum err err = ERR_OK;
	int fd;

	for (size_t i = 0; err == ERR_OK && i < n && w->daemons.n < DAEMONS_MAX; i++) {
		err = listen_tcp(addresses[i], why, &fd);
		if (err == ERR_OK)
			err = start_daemon(w, fd, door);
	}
	return err;
}

static enum err
start_daemons(struct web *w, struct why *why)
{
	const struct config *c = w->options->config;
	int fd;
	enum err err = listen_unix(c->web.socket, why, &fd);

	if (err == ERR_OK)
		err = start_daemon(w, fd, DOOR_COMMAND);
	if (err == ERR_OK)
		err = listen_all(w, c->web.listen, c->web.listen_n, DOOR_PUBLIC, why);
	if (err == ERR_OK && c->panel.listen_n > 0)
		err = files_open(c->panel.folder, why, &w->files);
	return err == ERR_OK
		   ? listen_all(w, c->panel.listen, c->panel.listen_n, DOOR_PANEL, why)
		   : err;
}

static void
write_heartbeat(void *arg)
{
	struct web *w = arg;
	enum err err =
	    store_heartbeat_put(w->store, STR("web"), (int64_t)getpid(), clock_now(&w->clock));

	w->store_is_writable = err == ERR_OK;
	w->heartbeat = loop_after(
	    w->loop, err == ERR_OK ? HEARTBEAT_MS : HEARTBEAT_RETRY_MS, write_heartbeat, w);
}

static enum err
start(struct web *w, struct why *why)
{
	const struct config *c = w->options->config;
	AUTO_BUF file = { 0 };
	struct store_options store = { .may_create = true, .busy_timeout_ms = STORE_BUSY_MS };
	struct keys keys = { NULL, NULL };
	enum err err = loop_new(&w->clock, &w->loop);

	if (err == ERR_OK)
		err = ending_init(&w->ending, w->loop);
	if (err != ERR_OK)
		return err;
	buf_init(&file, 8192);
	buf_putf(&file, "%s/koshin.db", c->state_folder);
	if (file.err != ERR_OK)
		return file.err;
	store.file = file.p;
	err = store_open(&store, why, &w->store);
	if (err != ERR_OK)
		return err;
	w->public = (struct public_pages){ .store = w->store, .config = c };
	w->api = (struct api){
		.store = w->store,
		.clock = w->clock,
		.config = c,
		.wake = wake_engine,
		.wake_arg = w,
	};
	if (w->options->fd_keeper >= 0)
		err = keys_remote_new(w->loop, &w->clock, w->options->fd_keeper, &w->remote);
	if (err == ERR_OK)
		err = streams_new(&w->api, &w->streams);
	if (err == ERR_OK && w->remote != NULL)
		keys = keys_remote_port(w->remote);
	if (err == ERR_OK)
		err = looks_new(&w->api, w->loop, keys.submit != NULL ? &keys : NULL, &w->looks);
	if (err == ERR_OK)
		err = passwords_new(w->loop, &w->passwords);
	if (err == ERR_OK && w->options->fd_news >= 0)
		err = loop_watch(w->loop, w->options->fd_news, LOOP_READ, on_news, w);
	if (err == ERR_OK)
		err = start_daemons(w, why);
	if (err == ERR_OK)
		write_heartbeat(w);
	return err;
}

static void
stop(struct web *w)
{
	/* Suspended connections have to be resumed before their daemon stops. */
	w->ending.is_wanted = true;
	if (w->waiting != NULL) {
		loop_cancel(w->loop, &w->tick);
		tick(w);
	}
	if (w->streams != NULL)
		streams_end(w->streams);
	daemons_run(&w->daemons);
	daemons_stop(&w->daemons);
	streams_free(&w->streams);
	looks_free(&w->looks);
	files_free(&w->files);
	keys_remote_free(&w->remote);
	passwords_free(&w->passwords);
	store_close(&w->store);
	ending_fini(&w->ending, w->loop);
	loop_free(&w->loop);
}

int
web_run(const struct web_options *o)
{
	struct web w = { .options = o, .ending = ENDING_NONE };
	struct why why = { "" };
	enum err err;

	w.clock = clock_real(o->config->clock_offset);
	err = start(&w, &why);
	if (err != ERR_OK) {
		(void)fprintf(
		    stderr, "koshin web: cannot start: %s: %s\n", err_words(err), why.text);
		stop(&w);
		return 1;
	}
	if (o->fd_ready >= 0 && write(o->fd_ready, "r", 1) < 0)
		(void)fprintf(stderr, "koshin web: nobody waits for it to be ready\n");
	while (err == ERR_OK && !w.ending.is_wanted) {
		err = loop_round(w.loop, daemons_longest_wait(&w.daemons, ROUND_MS));
		daemons_run(&w.daemons);
	}
	if (err != ERR_OK)
		(void)fprintf(stderr, "koshin web: ended: %s\n", err_words(err));
	stop(&w);
	return err == ERR_OK ? 0 : 1;
}
