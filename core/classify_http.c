/*
 * What the challenge path answers at addresses that lead to us, or at a known service that may. What somebody else's server
 * says is DNS's affair; of that, only who it is is told.
 */
#include "core/classify_inside.h"
#include "core/front.h"

struct str
classify_http_seen(const struct judge *j, const struct address_evidence *a)
{
	const struct http_evidence *h = &a->http;
	char ip[46];

	if (h->location.n > 0)
		return h->location;
	if (h->result == HTTP_ANSWERED)
		return h->server.n > 0
			   ? arena_strf(j->a, "%d, %.*s", h->status, STR_ARG(h->server))
			   : arena_strf(j->a, "%d", h->status);
	address_text(&a->ip, ip);
	return arena_str(j->a, str_of(ip));
}

static void
put(struct judge *j, enum cause c, const struct address_evidence *a)
{
	struct finding *f = judge_put(j, c);

	if (f == NULL || f->seen.n > 0)
		return;
	struct page page = page_of(&a->http);
	bool is_by_page = c == CAUSE_HTTP_PLUGIN_INTERCEPTS ||
			  c == CAUSE_HTTP_BOT_FILTER_BLOCKS || c == CAUSE_HTTP_PAGE_PARKED ||
			  c == CAUSE_HTTP_CDN_BLOCKS;
	f->seen = is_by_page && page.kind != PAGE_NONE ? page.who : classify_http_seen(j, a);
	if (c == CAUSE_HTTP_CDN_BLOCKS || c == CAUSE_HTTP_BOT_FILTER_BLOCKS ||
	    c == CAUSE_HTTP_CACHE_STALE)
		f->copy = STR("/.well-known/acme-challenge/");
	else if (c == CAUSE_HTTP_CDN_REDIRECT_LOOP)
		f->copy = STR("Full (strict)"); /* what to choose there */
	/* Where the owner has to point a record, a proxy or a router at us. */
	else if (f->acts == ACTOR_DOMAIN_COMPANY) {
		f->wanted = judge_address_of_ours(j);
		f->copy = judge_record_of_ours(j);
	}
}

/* The host of "http://host:port/path". */
static struct str
host_of(struct str url)
{
	size_t at = str_find(url, STR("://"));

	if (at == SIZE_MAX)
		return STR_NONE;
	url = (struct str){ url.p + at + 3, url.n - at - 3 };
	url = str_cut(&url, '/');
	return str_cut(&url, ':');
}

/* "https://example.jp.well-known/…": the rule that forwards has lost the slash between name and path. */
static bool
has_lost_slash(const struct http_evidence *h)
{
	return str_ends(host_of(h->location), STR(".well-known"));
}

static bool
is_led_away(const struct judge *j, const struct http_evidence *h)
{
	struct str host = host_of(h->location);

	if (h->hops == 0 || host.n == 0)
		return false;
	for (size_t i = 0; i < j->e->names_n; i++)
		if (str_eq_nocase(host, j->e->names[i].name))
			return false;
	return true;
}

/* TOKEN "." THUMBPRINT of another account (RFC 8555 8.1): letters of base64url, one dot, nothing else. */
static bool
is_key_authorization(struct str body)
{
	struct str thumbprint = str_trim(body), token = str_cut(&thumbprint, '.');
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	if (thumbprint.n != 43 || token.n < 16)
		return false;
	for (size_t i = 0; i < token.n + thumbprint.n; i++) {
		char c = i < token.n ? token.p[i] : thumbprint.p[i - token.n];
		bool is_digit = false;

		for (size_t k = 0; k < sizeof digits - 1; k++)
			is_digit = is_digit || c == digits[k];
		if (!is_digit)
			return false;
	}
	return true;
}

/* A copy from before: our server gives each token its own answer, a cache the old one. */
static bool
is_kept_copy(const struct http_evidence *h)
{
	return h->is_from_cache &&
	       (h->status == 404 || (h->status == 200 && is_key_authorization(h->body)));
}

/* a does not give our answer, although it answers. */
static enum cause
cause_of_answer(const struct judge *j, const struct address_evidence *a)
{
	const struct http_evidence *h = &a->http;
	bool is_page = h->status == 200 && !is_key_authorization(h->body);

	if (h->is_ours_altered)
		return CAUSE_HTTP_BODY_ALTERED;
	if (has_lost_slash(h))
		return CAUSE_HTTP_REDIRECT_SLASH_MISSING;
	if (is_kept_copy(h))
		return CAUSE_HTTP_CACHE_STALE;
	if (is_led_away(j, h))
		return CAUSE_HTTP_REDIRECT_ELSEWHERE;
	/* The certificate shows that it leads to us, yet not on this port: something in front answers by itself. */
	if (!a->is_ours && (is_page || h->status == 404))
		return CAUSE_HTTP_SERVER_FOREIGN;
	enum page_kind page = page_of(h).kind;
	if (page == PAGE_BOT_FILTER)
		return CAUSE_HTTP_BOT_FILTER_BLOCKS;
	if (page == PAGE_PLUGIN && (h->status == 200 || h->status == 403 || h->status == 503))
		return CAUSE_HTTP_PLUGIN_INTERCEPTS;
	if (is_page)
		return CAUSE_HTTP_REWRITE_INTERCEPTS;
	switch (h->status) {
	case 200:
		return CAUSE_HTTP_KEY_AUTHORIZATION_FOREIGN;
	case 401:
		return CAUSE_HTTP_CHALLENGE_UNAUTHORIZED;
	case 403:
		return CAUSE_HTTP_CHALLENGE_FORBIDDEN;
	case 404:
	case 410:
		return CAUSE_OWN_CHALLENGE_NOT_SERVED;
	default:
		if (h->status >= 300 && h->status < 400)
			return CAUSE_HTTP_REDIRECT_DISALLOWED;
		return h->status >= 500 ? CAUSE_HTTP_SERVER_ERROR : CAUSE_HTTP_UNCLASSIFIED;
	}
}

/* Is every address of the other family right? Then the CA, which falls back from IPv6 to IPv4 and looks no further than
 * IPv6 where that answers, does not meet this one; what visitors meet there is told by the handshake. */
static bool
is_covered(const struct judge *j, uint8_t family)
{
	size_t good = 0;

	for (size_t i = 0; i < j->n->addresses_n; i++) {
		const struct address_evidence *a = &j->n->addresses[i];

		if (a->ip.family == family)
			continue;
		if (!a->http.is_ours)
			return false;
		good++;
	}
	return good > 0;
}

static bool
is_any_proven(const struct judge *j)
{
	for (size_t i = 0; i < j->n->addresses_n; i++)
		if (j->n->addresses[i].http.is_ours)
			return true;
	return false;
}

/* CAUSE_NONE: nothing is wrong there, or nothing can be said. */
static enum cause
cause_of(const struct judge *j, const struct address_evidence *a)
{
	const struct http_evidence *h = &a->http;

	switch (h->result) {
	case HTTP_NOT_TRIED:
		return CAUSE_NONE;
	case HTTP_ANSWERED:
		/* Some of the machines behind the address answer for us: the next who asks may be the CA. */
		if (h->ours_n > 0 && h->ours_n < h->tries)
			return a->is_ours ? CAUSE_OWN_CHALLENGE_PARTLY_SERVED
					  : CAUSE_HTTP_SERVER_INCONSISTENT;
		return h->is_ours ? CAUSE_NONE : cause_of_answer(j, a);
	case HTTP_REFUSED:
	case HTTP_TIMEOUT_CONNECT:
		return is_covered(j, a->ip.family) ? CAUSE_NONE : CAUSE_TRANSPORT_PORT80_CLOSED;
	case HTTP_UNREACHABLE: /* our own route may be missing: believed only if nothing else proves the name */
		return is_any_proven(j) ? CAUSE_NONE : CAUSE_TRANSPORT_CONNECT_UNREACHABLE;
	case HTTP_TIMEOUT_READ:
		return CAUSE_TRANSPORT_READ_TIMEOUT;
	case HTTP_RESET:
		return CAUSE_TRANSPORT_CONNECT_RESET;
	case HTTP_NOT_HTTP: /* at an address of ours that is no owner's fault */
		return a->is_ours ? CAUSE_OWN_CHALLENGE_NOT_SERVED
				  : CAUSE_TRANSPORT_PROTOCOL_MISMATCH;
	case HTTP_TLS_FAILED:
		return CAUSE_TRANSPORT_TLS_HANDSHAKE_FAILED;
	case HTTP_REDIRECT_LOOP:
		return CAUSE_HTTP_REDIRECT_LOOP;
	case HTTP_REDIRECT_DISALLOWED:
		return has_lost_slash(h) ? CAUSE_HTTP_REDIRECT_SLASH_MISSING
					 : CAUSE_HTTP_REDIRECT_DISALLOWED;
	case HTTP_REDIRECT_UNRESOLVABLE:
		return has_lost_slash(h) ? CAUSE_HTTP_REDIRECT_SLASH_MISSING
					 : CAUSE_HTTP_REDIRECT_UNRESOLVABLE;
	case HTTP_FORBIDDEN_ADDRESS:
		return h->hops > 0 ? CAUSE_HTTP_REDIRECT_DISALLOWED : CAUSE_NONE;
	}
	return CAUSE_HTTP_UNCLASSIFIED;
}

/* Cloudflare's own codes for an origin that it cannot use: 520 to 526. */
static bool
is_origin_failure(const struct http_evidence *h)
{
	return h->status >= 520 && h->status <= 526;
}

/* A known service answers, and not with what we answer. */
static enum cause
cause_of_front(const struct judge *j, const struct address_evidence *a)
{
	const struct http_evidence *h = &a->http;
	struct page page = page_of(h);

	if (h->result == HTTP_REFUSED || h->result == HTTP_TIMEOUT_CONNECT)
		return CAUSE_TRANSPORT_PORT80_CLOSED_ELSEWHERE;
	/* The service asks us over HTTP, we forward to HTTPS, it asks over HTTP again. */
	if (h->result == HTTP_REDIRECT_LOOP)
		return j->s != NULL && j->s->applied.redirect != 0
			   ? CAUSE_HTTP_CDN_REDIRECT_LOOP
			   : CAUSE_HTTP_REDIRECT_LOOP;
	if (h->result != HTTP_ANSWERED || h->ours_n > 0)
		return cause_of(j, a);
	if (is_origin_failure(h))
		return CAUSE_HTTP_CDN_ORIGIN_FAILED;
	if (h->is_mitigated || page.kind == PAGE_BOT_FILTER || h->status == 403 ||
	    h->status == 429)
		return CAUSE_HTTP_CDN_BLOCKS;
	if (is_kept_copy(h))
		return CAUSE_HTTP_CACHE_STALE;
	if (page.kind == PAGE_PARKED)
		return CAUSE_HTTP_PAGE_PARKED;
	return CAUSE_HTTP_SERVER_FOREIGN;
}

/* A browser comes to no end behind this front, and our own redirect is one half of the circle. */
static void
classify_home(struct judge *j, const struct address_evidence *a)
{
	const struct http_evidence *h = &a->home.http;

	if (a->front.n == 0 || h->result != HTTP_REDIRECT_LOOP || j->s == NULL || j->s->applied.redirect == 0)
		return;
	put(j, CAUSE_HTTP_CDN_REDIRECT_LOOP, a);
	struct finding *f = judge_put(j, CAUSE_HTTP_CDN_REDIRECT_LOOP);
	if (f != NULL && h->location.n > 0)
		f->seen = h->location;
}

/*
 * A browser comes to no end here, and nobody is in front: we forward from http to https alone, so that whoever leads the other way, or to the same
 * page, is the site itself. No CA meets that: what it asks for is answered before.
 */
static void
classify_own_loop(struct judge *j, const struct address_evidence *a)
{
	const struct http_evidence *h = &a->home.http;

	if (!a->is_ours || a->front.n > 0 || h->result != HTTP_REDIRECT_LOOP || is_led_away(j, h) || (j->s != NULL && !judge_is_held(&j->s->held, &a->tls)))
		return;
	put(j, CAUSE_HTTP_HOME_REDIRECT_LOOP, a);
	struct finding *f = judge_put(j, CAUSE_HTTP_HOME_REDIRECT_LOOP);
	if (f != NULL)
		f->seen = h->location;
}

/* Who it is that the name leads to, where that can be told from the page. */
static void
classify_stranger(struct judge *j, const struct address_evidence *a)
{
	struct page page = page_of(&a->http);
	enum cause c = page.kind == PAGE_PARKED	  ? CAUSE_HTTP_PAGE_PARKED
		       : page.kind == PAGE_ROUTER ? CAUSE_TRANSPORT_ROUTER_ANSWERS
						  : CAUSE_NONE;

	if (a->http.result != HTTP_ANSWERED || c == CAUSE_NONE)
		return;
	struct finding *f = judge_put(j, c);
	if (f == NULL)
		return;
	f->seen = page.who;
	f->wanted = judge_address_of_ours(j);
	f->copy = judge_record_of_ours(j);
}

enum cause
classify_http_cause(const struct judge *j, const struct address_evidence *a)
{
	return a->front.n > 0 && !judge_reaches_us(j, a) ? cause_of_front(j, a) : cause_of(j, a);
}

void
classify_http(struct judge *j)
{
	bool is_any_tried = false;

	for (size_t i = 0; i < j->n->addresses_n; i++) {
		const struct address_evidence *a = &j->n->addresses[i];

		is_any_tried = is_any_tried || a->http.result != HTTP_NOT_TRIED;
		classify_home(j, a);
		bool is_known_front = a->front.n > 0 && !judge_reaches_us(j, a);
		if (!is_known_front && !judge_reaches_us(j, a)) {
			classify_stranger(j, a);
			continue;
		}
		if (is_known_front && a->http.result == HTTP_NOT_TRIED)
			continue;
		enum cause c = classify_http_cause(j, a);
		if (c != CAUSE_NONE)
			put(j, c, a);
		if (c != CAUSE_HTTP_REDIRECT_LOOP)
			classify_own_loop(j, a);
	}
	/* Our own limits kept us from looking: the name is neither well nor ill. */
	if (j->n->addresses_n > 0 && !is_any_tried)
		(void)judge_put(j, CAUSE_OWN_UNCLASSIFIED);
}
