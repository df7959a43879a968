/*
 * What the challenge path answers at addresses that lead to us. What somebody else's server says is DNS's affair and is
 * not judged here.
 */
#include "core/classify_inside.h"

static struct str
seen_of(const struct judge *j, const struct address_evidence *a)
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
	f->seen = seen_of(j, a);
	/* Where the owner has to point a record, a proxy or a router at us. */
	if (f->acts == ACTOR_DOMAIN_COMPANY) {
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

/* a does not give our answer, although it answers. */
static enum cause
cause_of_answer(const struct judge *j, const struct address_evidence *a)
{
	const struct http_evidence *h = &a->http;
	bool is_page = h->status == 200 && !is_key_authorization(h->body);

	if (h->is_ours_altered)
		return CAUSE_HTTP_BODY_ALTERED;
	if (is_led_away(j, h))
		return CAUSE_HTTP_REDIRECT_ELSEWHERE;
	/* The certificate shows that it leads to us, yet not on this port: something in front answers by itself. */
	if (!a->is_ours && (is_page || h->status == 404))
		return CAUSE_HTTP_SERVER_FOREIGN;
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
		return CAUSE_HTTP_REDIRECT_DISALLOWED;
	case HTTP_REDIRECT_UNRESOLVABLE:
		return CAUSE_HTTP_REDIRECT_ELSEWHERE;
	case HTTP_FORBIDDEN_ADDRESS:
		return h->hops > 0 ? CAUSE_HTTP_REDIRECT_DISALLOWED : CAUSE_NONE;
	}
	return CAUSE_HTTP_UNCLASSIFIED;
}

void
classify_http(struct judge *j)
{
	bool is_any_tried = false;

	for (size_t i = 0; i < j->n->addresses_n; i++) {
		const struct address_evidence *a = &j->n->addresses[i];

		is_any_tried = is_any_tried || a->http.result != HTTP_NOT_TRIED;
		if (!judge_reaches_us(j, a))
			continue;
		enum cause c = cause_of(j, a);
		if (c != CAUSE_NONE)
			put(j, c, a);
	}
	/* Our own limits kept us from looking: the name is neither well nor ill. */
	if (j->n->addresses_n > 0 && !is_any_tried)
		(void)judge_put(j, CAUSE_OWN_UNCLASSIFIED);
}
