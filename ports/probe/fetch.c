#include "ports/probe/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/must.h"
#include "core/mixed.h"
#include "ports/names/names.h"
#include "ports/probe/hsts.h"
#include "ports/probe/net.h"

enum {
	HOPS_MAX = 10,	    /* as the validator of Let's Encrypt */
	HOME_MS_MAX = 5000, /* for all hops of a home page: nobody waits longer for a page either */
	READ_BYTES = 2048,  /* of each connection's own memory: an answer to a challenge is shorter than that with its head */
	HOMES_MAX = 32,	    /* home pages that are open at one time: each holds a TLS connection and its page in memory */
	COOKIES_MAX = 32,   /* kept from one hop of a home page to the next */
	IDLE_MAX = 32,	    /* easy handles kept for the next fetch */
	SERVER_BYTES = 128, /* of a Server header that are kept */
};
static const char user_agent[] = "Mozilla/5.0 (compatible; koshin certificate check)";

struct fetcher {
	struct fetcher_options o;
	CURLM *multi;
	struct loop_timer *timer;
	CURL *idle[IDLE_MAX];
	size_t idle_n;
	struct gate homes;
};

struct fetch {
	struct fetcher *f;
	struct fetch_target t;
	struct gate_pass pass;
	CURL *easy; /* while a hop is under way */
	struct curl_slist *connect_to;
	char *urls[HOPS_MAX + 2]; /* asked so far, the present one last */
	size_t urls_n;
	struct address ip; /* of the present hop */
	uint16_t port;
	struct mono begun;
	struct dns_ask *ask_a, *ask_aaaa; /* of the next hop's host */
	struct address found_a, found_aaaa;
	bool has_a, has_aaaa;
	struct buf body; /* its beginning */
	bool is_body_full;
	char server[SERVER_BYTES];
	size_t server_n;
	bool is_mitigated, is_from_cache;
	/* Of a home page: */
	struct curl_slist *cookies;
	bool is_html, is_upgraded;
	char error[CURL_ERROR_SIZE];
};

/* A file that is named by somebody else: a list of revoked certificates, or one of an issuer. */
static bool
is_file(const struct fetch *x)
{
	return x->t.url.n > 0;
}

/* As a browser opens it, over HTTPS or HTTP. */
static bool
is_page(const struct fetch *x)
{
	return x->t.home != NULL || x->t.is_plain;
}

/* What is not the challenge waits its turn, and has less time. */
static bool
is_aside(const struct fetch *x)
{
	return is_page(x) || is_file(x);
}

static struct gate *
gate_of(struct fetch *x)
{
	return is_aside(x) ? &x->f->homes : x->f->o.gate;
}

static int64_t
elapsed(const struct fetch *x)
{
	return clock_mono(x->f->o.clock).ms - x->begun.ms;
}

static void
put_detail(struct fetch *x, const char *words)
{
	x->t.into->detail = arena_str(x->t.arena, str_of(words));
}

/* What was set in this hop goes along to the next one, as in a browser; the handle is nobody else's. */
static void
keep_cookies(struct fetch *x)
{
	struct curl_slist *list = NULL;
	size_t n = 0;

	if (curl_easy_getinfo(x->easy, CURLINFO_COOKIELIST, &list) != CURLE_OK)
		return;
	for (const struct curl_slist *i = list; i != NULL; i = i->next)
		n++;
	curl_slist_free_all(x->cookies);
	x->cookies = n <= COOKIES_MAX ? list : NULL;
	if (x->cookies == NULL)
		curl_slist_free_all(list);
}

static void
hop_close(struct fetch *x)
{
	struct fetcher *f = x->f;

	if (x->easy == NULL)
		return;
	(void)curl_multi_remove_handle(f->multi, x->easy);
	if (is_page(x))
		keep_cookies(x);
	/* curl_easy_reset keeps cookies, and nobody else's are to be brought along. */
	bool is_clean = curl_easy_setopt(x->easy, CURLOPT_COOKIELIST, "ALL") == CURLE_OK;
	if (f->idle_n < IDLE_MAX && is_clean) {
		curl_easy_reset(x->easy);
		f->idle[f->idle_n++] = x->easy;
	} else {
		curl_easy_cleanup(x->easy);
	}
	x->easy = NULL;
	curl_slist_free_all(x->connect_to);
	x->connect_to = NULL;
}

static void
fetch_free(struct fetch *x)
{
	hop_close(x);
	gate_leave(gate_of(x), &x->pass);
	resolver_drop(&x->ask_a);
	resolver_drop(&x->ask_aaaa);
	for (size_t i = 0; i < x->urls_n; i++)
		free(x->urls[i]);
	curl_slist_free_all(x->cookies);
	buf_fini(&x->body);
	free(x);
}

static void
finish(struct fetch *x, enum http_result result)
{
	struct http_evidence *h = x->t.into;
	loop_fn *done = x->t.done;
	void *arg = x->t.arg;

	h->result = result;
	h->hops = (unsigned)(x->urls_n > 0 ? x->urls_n - 1 : 0);
	h->ms = (int32_t)(elapsed(x) < INT32_MAX ? elapsed(x) : INT32_MAX);
	if (x->urls_n > 1 && h->location.n == 0)
		h->location = arena_str(x->t.arena, str_of(x->urls[x->urls_n - 1]));
	fetch_free(x);
	done(arg);
}

void
fetch_stop(struct fetch **xp)
{
	struct fetch *x = *xp;

	if (x == NULL)
		return;
	*xp = NULL;
	curl_off_t connected = 0;
	struct http_evidence *h = x->t.into;

	if (x->easy != NULL)
		(void)curl_easy_getinfo(x->easy, CURLINFO_CONNECT_TIME_T, &connected);
	bool is_in_line = x->pass.is_waiting || resolver_is_waiting(x->ask_a) || resolver_is_waiting(x->ask_aaaa);
	if (is_in_line)
		put_detail(x, "too many connections or questions of ours are open");
	h->result = is_in_line	    ? HTTP_NOT_TRIED
		    : connected > 0 ? HTTP_TIMEOUT_READ
				    : HTTP_TIMEOUT_CONNECT;
	h->hops = (unsigned)(x->urls_n - 1);
	h->ms = (int32_t)(elapsed(x) < INT32_MAX ? elapsed(x) : INT32_MAX);
	fetch_free(x);
}

/* ---- one hop ---- */

/* Keeps the beginning; the rest of a longer body is not of interest: no key authorization is that long. */
static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct fetch *x = arg;
	size_t all = size * n, room = x->body.max - x->body.n,
	       take = all < room ? all : room;

	buf_put(&x->body, p, take);
	if (x->body.err != ERR_OK)
		return 0;
	x->is_body_full = take < all;
	return x->is_body_full ? 0 : all; /* 0 makes libcurl end the transfer */
}

static void
on_home_header(struct fetch *x, struct str key, struct str value)
{
	if (str_eq_nocase(key, STR("strict-transport-security")))
		x->t.home->has_hsts = x->t.home->has_hsts || (hsts_counts_at(str_of(x->urls[x->urls_n - 1]), x->t.name) && hsts_is_promise(value));
	else if (str_eq_nocase(key, STR("content-security-policy")))
		x->is_upgraded = x->is_upgraded || mixed_policy_upgrades(value);
	else if (str_eq_nocase(key, STR("content-type")))
		x->is_html = str_eq_nocase(str_trim(str_cut(&value, ';')), STR("text/html"));
}

static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
	struct fetch *x = arg;
	size_t all = size * n;
	struct str value = { p, all }, key = str_trim(str_cut(&value, ':'));
	int64_t age = 0;

	value = str_trim(value);
	if (x->t.home != NULL)
		on_home_header(x, key, value);
	if (str_eq_nocase(key, STR("server"))) {
		x->server_n = value.n < sizeof x->server ? value.n : sizeof x->server;
		memcpy(x->server, value.p, x->server_n);
	} else if (str_eq_nocase(key, STR("cf-mitigated"))) {
		x->is_mitigated = true;
	} else if (str_eq_nocase(key, STR("age"))) {
		x->is_from_cache = x->is_from_cache || (str_to_int(value, &age) && age > 0);
	} else if (str_eq_nocase(key, STR("x-cache"))) {
		x->is_from_cache = x->is_from_cache || (value.n >= 3 && str_eq_nocase((struct str){ value.p, 3 }, STR("hit")));
	}
	return all;
}

static bool
set_options(struct fetch *x, const char *connect_to)
{
	CURL *c = x->easy;
	bool ok = true;
	long timeout = (long)x->f->o.timeout_ms;

	if (is_aside(x)) {
		int64_t left = HOME_MS_MAX - elapsed(x);

		timeout = left < 1 ? 1 : left < timeout ? (long)left : timeout;
	}
	if (is_page(x)) {
		/* A cookie that has ended already makes libcurl keep those that come; CURLOPT_COOKIEFILE would too, and its list outlives a
		 * handle's reset. */
		ok = ok && curl_easy_setopt(c, CURLOPT_COOKIELIST, "Set-Cookie: none=; Max-Age=0") == CURLE_OK;
		for (const struct curl_slist *i = x->cookies; i != NULL; i = i->next)
			ok = ok && curl_easy_setopt(c, CURLOPT_COOKIELIST, i->data) == CURLE_OK;
	}

	x->connect_to = curl_slist_append(NULL, connect_to);
	ok = ok && x->connect_to != NULL;
	ok = ok && curl_easy_setopt(c, CURLOPT_URL, x->urls[x->urls_n - 1]) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_CONNECT_TO, x->connect_to) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK; /* not even one of the environment */
	ok = ok && curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_BUFFERSIZE, (long)READ_BYTES) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_USERAGENT, user_agent) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, timeout) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, timeout) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_SSL_SESSIONID_CACHE, 0L) == CURLE_OK;
	/* No roots: they would be read from disk for each connection, to no end. */
	ok = ok && curl_easy_setopt(c, CURLOPT_CAINFO, NULL) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_CAPATH, NULL) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_ERRORBUFFER, x->error) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_WRITEDATA, x) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_HEADERDATA, x) == CURLE_OK;
	const struct address *from = from_of(&x->f->o.from, x->ip.family);
	if (from != NULL) {
		char where[64] = "host!";

		address_text(from, where + 5);
		ok = ok && curl_easy_setopt(c, CURLOPT_INTERFACE, where) == CURLE_OK;
	}
	return ok && curl_easy_setopt(c, CURLOPT_PRIVATE, x) == CURLE_OK;
}

/* The URL is asked for at x->ip and nowhere else, whatever its host says. */
static void
hop_start(void *arg)
{
	struct fetch *x = arg;
	struct fetcher *f = x->f;
	char ip[46];
	AUTO_BUF to = { .max = 128 };

	if (!f->o.may_connect(f->o.arg, &x->ip)) {
		finish(x, HTTP_FORBIDDEN_ADDRESS);
		return;
	}
	/* A home page's time begins when its turn has come. */
	if (x->urls_n == 1)
		x->begun = clock_mono(f->o.clock);
	address_text(&x->ip, ip);
	buf_putf(&to, x->ip.family == 6 ? "::[%s]:%u" : "::%s:%u", ip, x->port);
	x->easy = f->idle_n > 0 ? f->idle[--f->idle_n] : curl_easy_init();
	buf_clear(&x->body);
	x->server_n = 0;
	x->is_mitigated = x->is_from_cache = x->is_html = x->is_upgraded = false;
	x->is_body_full = false;
	x->error[0] = '\0';
	if (x->easy == NULL || to.err != ERR_OK || !set_options(x, to.p) ||
	    curl_multi_add_handle(f->multi, x->easy) != CURLM_OK) {
		put_detail(x, "out of memory");
		finish(x, HTTP_NOT_TRIED);
	}
}

/* ---- redirects ---- */

static void
resolved(struct fetch *x)
{
	if (x->ask_a != NULL || x->ask_aaaa != NULL)
		return;
	/* One address and no second attempt on a redirect: IPv6 if there is one. */
	if (x->has_aaaa)
		x->ip = x->found_aaaa;
	else if (x->has_a)
		x->ip = x->found_a;
	else {
		put_detail(x, "the host of the redirect has no address");
		finish(x, HTTP_REDIRECT_UNRESOLVABLE);
		return;
	}
	hop_start(x);
}

static void
on_a(void *arg, const struct dns_answer *answer)
{
	struct fetch *x = arg;

	x->ask_a = NULL;
	if (answer->data_n > 0 && answer->data[0].n == 4) {
		x->has_a = true;
		x->found_a = (struct address){ .family = 4 };
		memcpy(x->found_a.bytes, answer->data[0].p, 4);
	}
	resolved(x);
}

static void
on_aaaa(void *arg, const struct dns_answer *answer)
{
	struct fetch *x = arg;

	x->ask_aaaa = NULL;
	if (answer->data_n > 0 && answer->data[0].n == 16) {
		x->has_aaaa = true;
		x->found_aaaa = (struct address){ .family = 6 };
		memcpy(x->found_aaaa.bytes, answer->data[0].p, 16);
	}
	resolved(x);
}

static void
resolve_host(struct fetch *x, struct str host)
{
	x->has_a = x->has_aaaa = false;
	if (resolver_ask(x->f->o.resolver, host, DNS_AAAA, on_aaaa, x, &x->ask_aaaa) !=
		ERR_OK ||
	    resolver_ask(x->f->o.resolver, host, DNS_A, on_a, x, &x->ask_a) != ERR_OK) {
		put_detail(x, "the host of the redirect cannot be asked for");
		finish(x, HTTP_REDIRECT_UNRESOLVABLE);
	}
}

static bool
is_usual_port(const struct fetch *x, int64_t port)
{
	return port == 80 || port == 443 || port == x->f->o.http_port || port == x->f->o.https_port;
}

/* Goes on at the host of u; words when that is not allowed, NULL when it is under way (or x has ended). */
static const char *
follow(struct fetch *x, CURLU *u)
{
	char *scheme = NULL, *host = NULL, *port = NULL, *zone = NULL;
	const char *words = NULL;
	int64_t port_n = 0;
	struct address literal;

	if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		words = "redirect to another scheme than http and https";
	else if (curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK || host[0] == '\0')
		words = "redirect without a host";
	else if (curl_url_get(u, CURLUPART_ZONEID, &zone, 0) == CURLUE_OK)
		words = "redirect to an address with a zone";
	else if (curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK ||
		 !str_to_int(str_of(port), &port_n) || !is_usual_port(x, port_n))
		words = "redirect to another port than 80 and 443";
	if (words == NULL) {
		AUTO_ARENA a = { .max = 4096 };
		struct why why = { "" };
		struct str h = str_of(host), ascii;

		x->port = (uint16_t)port_n;
		if (h.p[0] == '[')
			h = (struct str){ h.p + 1, h.n >= 2 ? h.n - 2 : 0 };
		if (x->t.is_plain && strcmp(scheme, "https") == 0) {
			finish(x, HTTP_ANSWERED);
		} else if (address_read(h, &literal) == ERR_OK) {
			x->ip = literal;
			hop_start(x);
		} else if (names_read(h, false, &a, &why, &ascii) == ERR_OK) {
			resolve_host(x, ascii);
		} else {
			words = "redirect to a host that is no public name";
		}
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_free(zone);
	return words;
}

/* url is libcurl's, absolute. */
static void
redirect(struct fetch *x, const char *url)
{
	if (url == NULL || strlen(url) > LIMIT_URL_BYTES) {
		put_detail(x, url == NULL ? "redirect without a target" : "the redirect's target is too long");
		finish(x, HTTP_REDIRECT_DISALLOWED);
		return;
	}
	x->t.into->location = arena_str(x->t.arena, str_of(url));
	if (x->urls_n > HOPS_MAX) {
		put_detail(x, "more than 10 redirects");
		finish(x, HTTP_REDIRECT_LOOP);
		return;
	}
	/* A browser comes again with the cookie that it was given; twice the same with it leads nowhere. */
	size_t before = 0;
	for (size_t i = 0; i < x->urls_n; i++)
		before += strcmp(x->urls[i], url) == 0;
	if (before > is_page(x)) {
		put_detail(x, "redirect to an address that redirected before");
		finish(x, HTTP_REDIRECT_LOOP);
		return;
	}
	CURLU *u = curl_url();
	char *copy = strdup(url);
	if (u == NULL || copy == NULL) {
		curl_url_cleanup(u);
		free(copy);
		put_detail(x, "out of memory");
		finish(x, HTTP_NOT_TRIED);
		return;
	}
	x->urls[x->urls_n++] = copy;
	hop_close(x);
	const char *words = curl_url_set(u, CURLUPART_URL, copy, 0) == CURLUE_OK ? follow(x, u) : "redirect that cannot be read";
	curl_url_cleanup(u);
	if (words != NULL) {
		put_detail(x, words);
		x->urls_n--; /* it was not followed */
		free(copy);
		finish(x, HTTP_REDIRECT_DISALLOWED);
	}
}

/* ---- the end of a hop ---- */

static enum http_result
result_of_connect(struct fetch *x)
{
	long os = 0;

	(void)curl_easy_getinfo(x->easy, CURLINFO_OS_ERRNO, &os);
	switch (os) {
	case ECONNREFUSED:
		return HTTP_REFUSED;
	case ETIMEDOUT:
		return HTTP_TIMEOUT_CONNECT;
	case ECONNRESET:
		return HTTP_RESET;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return HTTP_NOT_TRIED; /* our own limits say nothing about the site */
	default:
		return HTTP_UNREACHABLE;
	}
}

static enum http_result
result_of(struct fetch *x, CURLcode code)
{
	curl_off_t connected = 0;

	(void)curl_easy_getinfo(x->easy, CURLINFO_CONNECT_TIME_T, &connected);
	switch ((int)code) {
	case CURLE_OK:
		return HTTP_ANSWERED;
	case CURLE_WRITE_ERROR: /* ours: enough of the body is here */
		return x->is_body_full ? HTTP_ANSWERED : HTTP_NOT_TRIED;
	case CURLE_COULDNT_CONNECT:
		return result_of_connect(x);
	case CURLE_OPERATION_TIMEDOUT:
		return connected > 0 ? HTTP_TIMEOUT_READ : HTTP_TIMEOUT_CONNECT;
	case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9 */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_HTTP2:
		return HTTP_NOT_HTTP;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CIPHER:
	case CURLE_PEER_FAILED_VERIFICATION:
		return HTTP_TLS_FAILED;
	case CURLE_OUT_OF_MEMORY:
	case CURLE_FAILED_INIT:
	case CURLE_INTERFACE_FAILED:
		return HTTP_NOT_TRIED;
	default: /* cut off in the middle, or without a byte of answer */
		return HTTP_RESET;
	}
}

static void
judge_body(struct fetch *x)
{
	struct http_evidence *h = x->t.into;
	struct str body = buf_str(&x->body), trimmed = body, wanted = x->t.wanted;

	while (trimmed.n > 0 && strchr(" \t\r\n\v\f", trimmed.p[trimmed.n - 1]) != NULL &&
	       trimmed.p[trimmed.n - 1] != '\0')
		trimmed.n--;
	h->is_ours = h->status == 200 && str_eq(trimmed, wanted);
	h->is_ours_altered = !h->is_ours && str_find(body, wanted) != SIZE_MAX;
	h->body = arena_str(x->t.arena, body);
	h->server = arena_str(x->t.arena, (struct str){ x->server, x->server_n });
	h->is_mitigated = x->is_mitigated;
	h->is_from_cache = x->is_from_cache;
}

/* What the page at the end of all redirects loads. */
static void
judge_page(struct fetch *x)
{
	struct home_evidence *h = x->t.home;
	bool is_secure = strncmp(x->urls[x->urls_n - 1], "https:", 6) == 0;

	h->http.server = arena_str(x->t.arena, (struct str){ x->server, x->server_n });
	if (!is_secure || h->http.status != 200 || !x->is_html || x->is_upgraded)
		return;
	struct mixed m = mixed_of(buf_str(&x->body));
	if (m.is_upgraded || m.n == 0)
		return;
	h->insecure = arena_str(x->t.arena, m.first);
	h->insecure_n = m.n;
}

static void
take_file(struct fetch *x)
{
	if (x->t.into->status != 200 || x->is_body_full)
		return;
	buf_fini(x->t.ret_body);
	*x->t.ret_body = x->body;
	x->body = (struct buf){ .max = x->t.body_max };
}

static void
hop_done(struct fetch *x, CURLcode code)
{
	enum http_result result = result_of(x, code);
	long status = 0;
	char *next = NULL;

	if (result != HTTP_ANSWERED) {
		put_detail(x, x->error[0] != '\0' ? x->error : curl_easy_strerror(code));
		finish(x, result);
		return;
	}
	(void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(x->easy, CURLINFO_REDIRECT_URL, &next);
	x->t.into->status = (int)status;
	if (x->t.home != NULL)
		judge_page(x);
	else if (x->t.is_plain)
		x->t.into->server = arena_str(x->t.arena, (struct str){ x->server, x->server_n });
	else if (is_file(x))
		take_file(x);
	else
		judge_body(x);
	if (status == 303 && is_page(x))
		status = 302; /* followed by browsers, not by a CA */
	switch (status) {
	case 301:
	case 302:
	case 307:
	case 308:
		redirect(x, next);
		break;
	case 303:
		if (next != NULL)
			x->t.into->location = arena_str(x->t.arena, str_of(next));
		put_detail(x, "redirect with a status that is not allowed");
		finish(x, HTTP_REDIRECT_DISALLOWED);
		break;
	default:
		finish(x, HTTP_ANSWERED);
	}
}

/* ---- libcurl on the loop ---- */

static void
take_messages(struct fetcher *f)
{
	CURLMsg *m;
	int left;

	for (;;) {
		m = curl_multi_info_read(f->multi, &left);
		if (m == NULL)
			return;
		if (m->msg != CURLMSG_DONE)
			continue;
		CURLcode code = m->data.result;
		void *private = NULL;

		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&private);
		hop_done(private, code);
	}
}

static void
on_socket(void *arg, int fd, int events)
{
	struct fetcher *f = arg;
	int mask = ((events & LOOP_READ) != 0 ? CURL_CSELECT_IN : 0) | ((events & LOOP_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
	int running;

	(void)curl_multi_socket_action(f->multi, fd, mask, &running);
	take_messages(f);
}

static void
on_timer(void *arg)
{
	struct fetcher *f = arg;
	int running;

	f->timer = NULL;
	(void)curl_multi_socket_action(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	take_messages(f);
}

static int
curl_wants_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
	struct fetcher *f = arg;
	int events = what == CURL_POLL_IN ? LOOP_READ : what == CURL_POLL_OUT ? LOOP_WRITE : LOOP_READ | LOOP_WRITE;

	(void)easy;
	(void)unused;
	if (what == CURL_POLL_REMOVE)
		loop_unwatch(f->o.loop, fd);
	else if (loop_watch(f->o.loop, fd, events, on_socket, f) != ERR_OK)
		return -1;
	return 0;
}

static int
curl_wants_timer(CURLM *multi, long ms, void *arg)
{
	struct fetcher *f = arg;

	(void)multi;
	loop_cancel(f->o.loop, &f->timer);
	if (ms < 0)
		return 0;
	f->timer = loop_after(f->o.loop, ms, on_timer, f);
	return f->timer != NULL ? 0 : -1;
}

enum err
fetcher_new(const struct fetcher_options *o, struct fetcher **ret)
{
	struct fetcher *f = calloc(1, sizeof *f);

	if (f == NULL)
		return ERR_MEMORY;
	f->o = *o;
	gate_init(&f->homes, o->loop, HOMES_MAX);
	f->multi = curl_multi_init();
	if (f->multi == NULL ||
	    curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, curl_wants_socket) !=
		CURLM_OK ||
	    curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f) != CURLM_OK ||
	    curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, curl_wants_timer) != CURLM_OK ||
	    curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f) != CURLM_OK) {
		fetcher_free(&f);
		return ERR_MEMORY;
	}
	*ret = f;
	return ERR_OK;
}

void
fetcher_free(struct fetcher **fp)
{
	struct fetcher *f = *fp;

	if (f == NULL)
		return;
	while (f->idle_n > 0)
		curl_easy_cleanup(f->idle[--f->idle_n]);
	if (f->multi != NULL)
		(void)curl_multi_cleanup(f->multi);
	loop_cancel(f->o.loop, &f->timer);
	gate_fini(&f->homes);
	free(f);
	*fp = NULL;
}

static void
file_start(void *arg)
{
	struct fetch *x = arg;
	CURLU *u = curl_url();
	const char *words = u != NULL && curl_url_set(u, CURLUPART_URL, x->urls[0], 0) == CURLUE_OK ? follow(x, u) : "cannot be read";

	curl_url_cleanup(u);
	if (words == NULL)
		return;
	put_detail(x, words);
	finish(x, HTTP_REDIRECT_DISALLOWED);
}

enum err
fetch_start(struct fetcher *f, const struct fetch_target *t, struct fetch **ret)
{
	AUTO_BUF url = { .max = LIMIT_URL_BYTES };
	struct fetch *x = calloc(1, sizeof *x);

	if (x == NULL)
		return ERR_MEMORY;
	x->f = f;
	x->t = *t;
	x->ip = t->ip;
	x->port = t->home != NULL ? f->o.https_port : f->o.http_port;
	buf_init(&x->body, is_file(x) ? t->body_max : t->home != NULL ? LIMIT_HOME_BYTES : LIMIT_PROBE_BODY_BYTES);
	x->begun = clock_mono(f->o.clock);
	if (is_file(x)) {
		x->urls[0] = strndup(t->url.p, t->url.n);
		x->urls_n = x->urls[0] != NULL;
		if (x->urls[0] == NULL || t->url.n > LIMIT_URL_BYTES || !gate_enter(gate_of(x), &x->pass, file_start, x)) {
			fetch_free(x);
			return ERR_MEMORY;
		}
		*ret = x;
		return ERR_OK;
	}
	buf_putf(&url, "%s://%.*s", t->home != NULL ? "https" : "http", STR_ARG(t->name));
	if (x->port != (t->home != NULL ? 443 : 80))
		buf_putf(&url, ":%u", x->port);
	if (is_page(x))
		buf_putc(&url, '/');
	else
		buf_putf(&url, "/.well-known/acme-challenge/%.*s", STR_ARG(t->token));
	x->urls[0] = buf_take(&url);
	x->urls_n = x->urls[0] != NULL;
	if (x->urls[0] == NULL || !gate_enter(gate_of(x), &x->pass, hop_start, x)) {
		fetch_free(x);
		return ERR_MEMORY;
	}
	*ret = x;
	return ERR_OK;
}
