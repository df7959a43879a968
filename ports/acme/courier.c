#include "ports/acme/courier.h"
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "base/must.h"

enum {
	HEADERS_BYTES_MAX = 64 * 1024, /* all header lines of one answer */
	STREAMS_MAX = 100,
	IDLE_MAX = 64,		       /* transfers kept for the next request */
	BODY_KEPT_BYTES = 32 * 1024,   /* a buffer that grew beyond is given back */
};

/* A transfer and what it received. Used again and again; in one list, either open or idle. */
struct transfer {
	struct courier *w;
	CURL *easy;
	struct transfer *next, *prev; /* among the open ones; next alone among the idle */
	courier_done *done;
	void *arg;
	struct buf out, in;
	struct buf type, nonce, location, retry_after, date, links[COURIER_LINKS_MAX];
	size_t links_n, headers_bytes;
	bool is_too_long;
	char error[CURL_ERROR_SIZE];
};

struct courier {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer *timer;
	struct curl_slist *post_headers;
	X509_STORE *roots;
	struct transfer *open, *idle;
	size_t open_n, idle_n;
	uint64_t requests;
	int64_t timeout_ms;
	size_t connections_max;
	bool is_multiplexed; /* by the newest answer */
	char user_agent[128];
	bool is_reaping;
};

/* --- what is received --- */

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	buf_put(&t->in, p, size * n);
	if (t->in.err == ERR_OK)
		return size * n;
	t->is_too_long = t->in.err == ERR_TOO_LONG;
	return 0;
}

static bool
is_header(struct str line, struct str name, struct str *ret_value)
{
	if (line.n <= name.n || line.p[name.n] != ':' ||
	    !str_eq_nocase((struct str){ line.p, name.n }, name))
		return false;
	*ret_value = str_trim((struct str){ line.p + name.n + 1, line.n - name.n - 1 });
	return true;
}

static void
keep(struct buf *b, struct str value)
{
	buf_clear(b);
	buf_put_str(b, value);
	/* A value over the buffer's limit is as good as none. */
	if (b->err != ERR_OK)
		buf_clear(b);
}

static void
forget_headers(struct transfer *t)
{
	buf_clear(&t->type);
	buf_clear(&t->nonce);
	buf_clear(&t->location);
	buf_clear(&t->retry_after);
	buf_clear(&t->date);
	t->links_n = 0;
}

static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	struct str line = { p, size * n }, value;

	t->headers_bytes += line.n;
	if (t->headers_bytes > HEADERS_BYTES_MAX) {
		t->is_too_long = true;
		return 0;
	}
	/* A status line begins the answer anew: what came before was an interim one. */
	if (str_starts(line, STR("HTTP/")))
		forget_headers(t);
	else if (is_header(line, STR("replay-nonce"), &value))
		keep(&t->nonce, value);
	else if (is_header(line, STR("content-type"), &value))
		keep(&t->type, value);
	else if (is_header(line, STR("location"), &value))
		keep(&t->location, value);
	else if (is_header(line, STR("retry-after"), &value))
		keep(&t->retry_after, value);
	else if (is_header(line, STR("date"), &value))
		keep(&t->date, value);
	else if (is_header(line, STR("link"), &value) && t->links_n < COURIER_LINKS_MAX)
		keep(&t->links[t->links_n++], value);
	return line.n;
}

/* --- transfers --- */

/* The roots were read once; each new connection borrows them. */
static CURLcode
on_ssl_ctx(CURL *easy, void *ctx, void *arg)
{
	struct transfer *t = arg;

	(void)easy;
	SSL_CTX_set1_cert_store(ctx, t->w->roots);
	return CURLE_OK;
}

static void
transfer_free(struct transfer *t)
{
	if (t->easy != NULL)
		curl_easy_cleanup(t->easy);
	buf_fini(&t->out);
	buf_fini(&t->in);
	buf_fini(&t->type);
	buf_fini(&t->nonce);
	buf_fini(&t->location);
	buf_fini(&t->retry_after);
	buf_fini(&t->date);
	for (size_t i = 0; i < COURIER_LINKS_MAX; i++)
		buf_fini(&t->links[i]);
	free(t);
}

#define SET(option, value) (ok = ok && curl_easy_setopt(t->easy, option, value) == CURLE_OK)
static bool
set_up(struct transfer *t)
{
	struct courier *w = t->w;
	bool ok = true;

	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "https,http");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	SET(CURLOPT_PIPEWAIT, 1L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* The library shall read no roots of its own, for each connection: on_ssl_ctx gives them. */
	SET(CURLOPT_CAINFO, NULL);
	SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	SET(CURLOPT_SSL_CTX_DATA, t);
	SET(CURLOPT_TIMEOUT_MS, (long)w->timeout_ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)w->timeout_ms);
	SET(CURLOPT_USERAGENT, w->user_agent);
	SET(CURLOPT_ERRORBUFFER, t->error);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_PRIVATE, t);
	return ok;
}

static struct transfer *
transfer_new(struct courier *w)
{
	struct transfer *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->w = w;
	buf_init(&t->out, LIMIT_MESSAGE_BYTES);
	buf_init(&t->in, LIMIT_BODY_BYTES);
	buf_init(&t->type, 256);
	buf_init(&t->nonce, 512);
	buf_init(&t->location, LIMIT_URL_BYTES);
	buf_init(&t->retry_after, 64);
	buf_init(&t->date, 64);
	for (size_t i = 0; i < COURIER_LINKS_MAX; i++)
		buf_init(&t->links[i], LIMIT_URL_BYTES + 256);
	t->easy = curl_easy_init();
	if (t->easy == NULL || !set_up(t)) {
		transfer_free(t);
		return NULL;
	}
	return t;
}

static struct transfer *
take_transfer(struct courier *w)
{
	struct transfer *t = w->idle;

	if (t == NULL)
		return transfer_new(w);
	w->idle = t->next;
	w->idle_n--;
	return t;
}

static void
give_transfer(struct courier *w, struct transfer *t)
{
	if (w->idle_n >= IDLE_MAX) {
		transfer_free(t);
		return;
	}
	if (t->in.cap > BODY_KEPT_BYTES)
		buf_fini(&t->in);
	if (t->out.cap > BODY_KEPT_BYTES)
		buf_fini(&t->out);
	t->next = w->idle;
	t->prev = NULL;
	w->idle = t;
	w->idle_n++;
}

static void
link_open(struct courier *w, struct transfer *t)
{
	t->prev = NULL;
	t->next = w->open;
	if (w->open != NULL)
		w->open->prev = t;
	w->open = t;
	w->open_n++;
}

static void
unlink_open(struct courier *w, struct transfer *t)
{
	if (t->prev != NULL)
		t->prev->next = t->next;
	else
		w->open = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
	w->open_n--;
}

static bool
set_request(struct transfer *t, enum courier_method method, const char *url, struct str body)
{
	bool ok = true;

	buf_clear(&t->out);
	buf_clear(&t->in);
	forget_headers(t);
	t->headers_bytes = 0;
	t->is_too_long = false;
	t->error[0] = '\0';
	buf_put_str(&t->out, body);
	if (t->out.err != ERR_OK)
		return false;
	SET(CURLOPT_URL, url);
	switch (method) {
	case COURIER_GET:
		SET(CURLOPT_HTTPGET, 1L);
		SET(CURLOPT_HTTPHEADER, NULL);
		break;
	case COURIER_HEAD:
		SET(CURLOPT_NOBODY, 1L);
		SET(CURLOPT_HTTPHEADER, NULL);
		break;
	case COURIER_POST:
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE, (long)t->out.n);
		SET(CURLOPT_POSTFIELDS, t->out.p);
		SET(CURLOPT_HTTPHEADER, t->w->post_headers);
		break;
	}
	return ok;
}
#undef SET

static enum err
err_of_curl(CURLcode c)
{
	switch ((int)c) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return ERR_RESOLVE;
	case CURLE_COULDNT_CONNECT:
		return ERR_CONNECT;
	case CURLE_OPERATION_TIMEDOUT:
		return ERR_TIMEOUT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_USE_SSL_FAILED:
		return ERR_TLS;
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
		return ERR_CLOSED;
	case CURLE_OUT_OF_MEMORY:
		return ERR_MEMORY;
	default:
		return ERR_PEER;
	}
}

static void
deliver(struct courier *w, struct transfer *t, CURLcode code)
{
	struct courier_answer an = {
		.body = buf_str(&t->in),
		.type = buf_str(&t->type),
		.nonce = buf_str(&t->nonce),
		.location = buf_str(&t->location),
		.retry_after = buf_str(&t->retry_after),
		.date = buf_str(&t->date),
		.links_n = t->links_n,
	};
	long status = 0, version = CURL_HTTP_VERSION_NONE;

	for (size_t i = 0; i < t->links_n; i++)
		an.links[i] = buf_str(&t->links[i]);
	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status); /* 0 if it fails */
	an.status = (int)status;
	(void)curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
	if (status != 0)
		w->is_multiplexed = version == CURL_HTTP_VERSION_2_0;
	if (code != CURLE_OK || status == 0) {
		an.err = t->is_too_long	    ? ERR_PEER
			 : code == CURLE_OK ? ERR_PEER
					    : err_of_curl(code);
		an.words =
		    t->is_too_long
			? STR("the answer is longer than any that a CA has reason to send")
		    : t->error[0] != '\0' ? str_of(t->error)
					  : str_of(curl_easy_strerror(code));
	}
	unlink_open(w, t);
	t->done(t->arg, &an);
	give_transfer(w, t);
}

/* Not from inside the library's callbacks: what is done here may send the next request. */
static void
reap(struct courier *w)
{
	CURLMsg *m;
	int left;

	/* What `done` does may come back to here; the outer loop takes what there is. */
	if (w->is_reaping)
		return;
	w->is_reaping = true;
	while ((m = curl_multi_info_read(w->multi, &left)) != NULL) {
		struct transfer *t = NULL;
		CURLcode code = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		must(t != NULL);
		(void)curl_multi_remove_handle(w->multi, t->easy);
		deliver(w, t, code);
	}
	w->is_reaping = false;
}

/* --- the loop --- */

static void
on_fd(void *arg, int fd, int events)
{
	struct courier *w = arg;
	int running, flags = (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
			     (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);

	(void)curl_multi_socket_action(w->multi, fd, flags, &running);
	reap(w);
}

static void
on_timer(void *arg)
{
	struct courier *w = arg;
	int running;

	w->timer = NULL;
	(void)curl_multi_socket_action(w->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	reap(w);
}

static int
want_timer(CURLM *multi, long ms, void *arg)
{
	struct courier *w = arg;

	(void)multi;
	loop_cancel(w->loop, &w->timer);
	if (ms < 0)
		return 0;
	w->timer = loop_after(w->loop, ms, on_timer, w);
	return w->timer != NULL ? 0 : -1;
}

static int
want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *of_socket)
{
	struct courier *w = arg;

	(void)easy;
	(void)of_socket;
	if (what == CURL_POLL_REMOVE) {
		loop_unwatch(w->loop, fd);
		return 0;
	}
	int events =
	    LOOP_FIRST | (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);
	return loop_watch(w->loop, fd, events, on_fd, w) == ERR_OK ? 0 : -1;
}

/* --- the whole --- */

static enum err
load_roots(struct courier *w, const char *file)
{
	w->roots = X509_STORE_new();
	if (w->roots == NULL)
		return ERR_MEMORY;
	if (file == NULL)
		return X509_STORE_set_default_paths(w->roots) == 1 ? ERR_OK : ERR_CRYPTO;
	return X509_STORE_load_file(w->roots, file) == 1 ? ERR_OK : ERR_CONFIG;
}

enum err
courier_new(struct loop *l, const struct acme_http_options *o, struct courier **ret)
{
	struct courier *w = calloc(1, sizeof *w);
	enum err e = ERR_MEMORY;
	bool ok = true;

	if (w == NULL)
		return ERR_MEMORY;
	w->loop = l;
	w->timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : 30000;
	struct str agent = o->user_agent != NULL ? str_of(o->user_agent) : STR("koshin");
	if (agent.n >= sizeof w->user_agent || !str_is_line(agent))
		e = ERR_CONFIG;
	else
		e = load_roots(w, o->ca_bundle);
	if (e != ERR_OK) {
		courier_free(&w);
		return e;
	}
	memcpy(w->user_agent, agent.p, agent.n);
	w->multi = curl_multi_init();
	/* No "Expect: 100-continue" for a long CSR: it would cost a round trip. */
	struct curl_slist *headers =
	    curl_slist_append(NULL, "Content-Type: application/jose+json");
	w->post_headers = headers;
	headers = headers != NULL ? curl_slist_append(headers, "Expect:") : NULL;
	ok = w->multi != NULL && headers != NULL;
	ok =
	    ok && curl_multi_setopt(w->multi, CURLMOPT_SOCKETFUNCTION, want_socket) == CURLM_OK;
	ok = ok && curl_multi_setopt(w->multi, CURLMOPT_SOCKETDATA, w) == CURLM_OK;
	ok = ok && curl_multi_setopt(w->multi, CURLMOPT_TIMERFUNCTION, want_timer) == CURLM_OK;
	ok = ok && curl_multi_setopt(w->multi, CURLMOPT_TIMERDATA, w) == CURLM_OK;
	ok = ok && curl_multi_setopt(w->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX) ==
		       CURLM_OK;
	w->connections_max = o->connections_max > 0 && o->connections_max < 1000 ? o->connections_max : 4;
	long connections = (long)w->connections_max;
	ok = ok && curl_multi_setopt(w->multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections) ==
		       CURLM_OK;
	ok = ok &&
	     curl_multi_setopt(w->multi, CURLMOPT_MAXCONNECTS, connections + 2) == CURLM_OK;
	if (!ok) {
		courier_free(&w);
		return ERR_MEMORY;
	}
	*ret = w;
	return ERR_OK;
}

void
courier_free(struct courier **wp)
{
	struct courier *w = *wp;
	struct transfer *next;

	if (w == NULL)
		return;
	for (struct transfer *t = w->open; t != NULL; t = next) {
		next = t->next;
		(void)curl_multi_remove_handle(w->multi, t->easy);
		transfer_free(t);
	}
	for (struct transfer *t = w->idle; t != NULL; t = next) {
		next = t->next;
		transfer_free(t);
	}
	if (w->multi != NULL)
		(void)curl_multi_cleanup(w->multi);
	loop_cancel(w->loop, &w->timer);
	curl_slist_free_all(w->post_headers);
	X509_STORE_free(w->roots);
	free(w);
	*wp = NULL;
}

enum err
courier_send(struct courier *w, enum courier_method method, const char *url, struct str body,
    courier_done *done, void *arg)
{
	struct transfer *t = take_transfer(w);

	if (t == NULL)
		return ERR_MEMORY;
	t->done = done;
	t->arg = arg;
	if (!set_request(t, method, url, body)) {
		give_transfer(w, t);
		return body.n > LIMIT_MESSAGE_BYTES ? ERR_TOO_LONG : ERR_MEMORY;
	}
	link_open(w, t);
	if (curl_multi_add_handle(w->multi, t->easy) != CURLM_OK) {
		unlink_open(w, t);
		transfer_free(t);
		return ERR_MEMORY;
	}
	w->requests++;
	return ERR_OK;
}

uint64_t
courier_requests(const struct courier *w)
{
	return w->requests;
}

size_t
courier_room(const struct courier *w)
{
	return w->is_multiplexed ? STREAMS_MAX : w->connections_max;
}

size_t
courier_open(const struct courier *w)
{
	return w->open_n;
}
