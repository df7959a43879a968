#include "ports/vantage/answer.h"
#include <string.h>
#include "base/limits.h"
#include "ports/probe/net.h"

enum { TEXT_BYTES_MAX = 2048, CAA_MAX = 32 };

static const char *const dns_words[] = {
	[DNS_NOT_ASKED] = "not-asked",
	[DNS_OK] = "ok",
	[DNS_NXDOMAIN] = "nxdomain",
	[DNS_SERVFAIL] = "servfail",
	[DNS_BOGUS] = "bogus",
	[DNS_TIMEOUT] = "timeout",
	[DNS_BROKEN] = "broken",
	[DNS_LOCAL] = "local",
};
static const char *const http_words[] = {
	[HTTP_NOT_TRIED] = "not-tried",
	[HTTP_ANSWERED] = "answered",
	[HTTP_REFUSED] = "refused",
	[HTTP_TIMEOUT_CONNECT] = "timeout-connect",
	[HTTP_TIMEOUT_READ] = "timeout-read",
	[HTTP_UNREACHABLE] = "unreachable",
	[HTTP_RESET] = "reset",
	[HTTP_NOT_HTTP] = "not-http",
	[HTTP_TLS_FAILED] = "tls-failed",
	[HTTP_REDIRECT_LOOP] = "redirect-loop",
	[HTTP_REDIRECT_DISALLOWED] = "redirect-disallowed",
	[HTTP_REDIRECT_UNRESOLVABLE] = "redirect-unresolvable",
	[HTTP_FORBIDDEN_ADDRESS] = "forbidden-address",
};
enum { DNS_WORDS = sizeof dns_words / sizeof *dns_words, HTTP_WORDS = sizeof http_words / sizeof *http_words };

/* --- writing --- */

/* What strangers sent, as text: other bytes than UTF-8 without control characters become question marks. */
static json_t *
foreign_text(struct str s, size_t max)
{
	char text[TEXT_BYTES_MAX];
	size_t n = 0;
	bool is_utf8 = str_is_utf8(s);

	for (; n < s.n && n < max && n < sizeof text; n++) {
		unsigned char c = (unsigned char)s.p[n];

		text[n] = c < 0x20 || c == 0x7f || (c >= 0x80 && !is_utf8) ? '?' : s.p[n];
	}
	/* A character that is cut in its middle goes whole. */
	while (n > 0 && !str_is_utf8((struct str){ text, n }))
		n--;
	return json_stringn(text, n);
}

static json_t *
http_json(const struct view_address *v)
{
	const struct http_evidence *h = &v->http;
	char ip[46];

	address_text(&v->ip, ip);
	return json_pack("{s:s, s:s, s:i, s:b, s:b, s:b, s:b, s:i, s:i, s:o, s:o, s:o, s:o}", "address", ip, "result", http_words[h->result],
	    "status", h->status, "ours", h->is_ours, "altered", h->is_ours_altered, "mitigated", h->is_mitigated, "cached", h->is_from_cache,
	    "hops", (int)h->hops, "ms", (int)h->ms, "location", foreign_text(h->location, 2 * LIMIT_VIEW_BODY_BYTES), "server",
	    foreign_text(h->server, LIMIT_VIEW_BODY_BYTES), "body", foreign_text(h->is_ours ? STR_NONE : h->body, LIMIT_VIEW_BODY_BYTES), "detail",
	    foreign_text(h->detail, LIMIT_VIEW_BODY_BYTES));
}

static json_t *
caa_json(const struct name_evidence *n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n->caa_n && i < CAA_MAX; i++)
		(void)json_array_append_new(list, json_pack("{s:i, s:o, s:o}", "flags", (int)n->caa[i].flags, "tag",
							      foreign_text(n->caa[i].tag, LIMIT_VIEW_BODY_BYTES), "value",
							      foreign_text(n->caa[i].value, LIMIT_NAME_BYTES)));
	return list;
}

static json_t *
name_json(const struct name_evidence *n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n->addresses_n && i < LIMIT_VIEW_ADDRESSES; i++) {
		const struct view_address v = { .ip = n->addresses[i].ip, .http = n->addresses[i].http };

		(void)json_array_append_new(list, http_json(&v));
	}
	return json_pack("{s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "name", foreign_text(n->name, LIMIT_NAME_BYTES), "a", dns_words[n->a_status],
	    "aaaa", dns_words[n->aaaa_status], "caa", dns_words[n->caa_status], "caa_at", foreign_text(n->caa_at, LIMIT_NAME_BYTES), "caa_records",
	    caa_json(n), "cname", foreign_text(n->cname_target, LIMIT_NAME_BYTES), "addresses", list);
}

json_t *
answer_json(struct str place, struct str nonce, const struct evidence *e)
{
	json_t *names = json_array();

	for (size_t i = 0; i < e->names_n; i++)
		(void)json_array_append_new(names, name_json(&e->names[i]));
	if (json_array_size(names) != e->names_n) {
		json_decref(names);
		return NULL;
	}
	return json_pack("{s:s%, s:s%, s:b, s:o}", "place", place.p, place.n, "jti", nonce.p, nonce.n, "resolver_works",
	    e->names_n == 0 || e->resolver_works, "names", names);
}

/* --- reading --- */

struct reader {
	struct arena *a;
	bool is_bad;
};

static struct str
take_text(struct reader *r, const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	struct str s = json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) } : STR_NONE;

	if (!json_is_string(v) || s.n > TEXT_BYTES_MAX || (s.n > 0 && !str_is_line(s))) {
		r->is_bad = true;
		return STR_NONE;
	}
	return s.n > 0 ? arena_str(r->a, s) : STR_NONE;
}

static int32_t
take_number(struct reader *r, const json_t *o, const char *key, int32_t max)
{
	const json_t *v = json_object_get(o, key);

	if (json_is_integer(v) && json_integer_value(v) >= 0 && json_integer_value(v) <= max)
		return (int32_t)json_integer_value(v);
	r->is_bad = true;
	return 0;
}

static bool
take_bool(struct reader *r, const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	r->is_bad = r->is_bad || !json_is_boolean(v);
	return json_is_true(v);
}

static size_t
take_word(struct reader *r, const json_t *o, const char *key, const char *const *words, size_t words_n)
{
	struct str s = take_text(r, o, key);

	for (size_t i = 0; i < words_n; i++)
		if (str_eq(s, str_of(words[i])))
			return i;
	r->is_bad = true;
	return 0;
}

static enum dns_status
take_dns(struct reader *r, const json_t *o, const char *key)
{
	return (enum dns_status)take_word(r, o, key, dns_words, DNS_WORDS);
}

static void
read_address(struct reader *r, const json_t *o, struct view_address *ret)
{
	struct http_evidence *h = &ret->http;

	*ret = (struct view_address){ 0 };
	if (address_read(take_text(r, o, "address"), &ret->ip) != ERR_OK)
		r->is_bad = true;
	h->result = (enum http_result)take_word(r, o, "result", http_words, HTTP_WORDS);
	h->status = take_number(r, o, "status", 999);
	h->is_ours = take_bool(r, o, "ours");
	h->is_ours_altered = take_bool(r, o, "altered");
	h->is_mitigated = take_bool(r, o, "mitigated");
	h->is_from_cache = take_bool(r, o, "cached");
	h->hops = (unsigned)take_number(r, o, "hops", 100);
	h->ms = take_number(r, o, "ms", INT32_MAX);
	h->location = take_text(r, o, "location");
	h->server = take_text(r, o, "server");
	h->body = take_text(r, o, "body");
	h->detail = take_text(r, o, "detail");
	h->tries = 1;
	h->ours_n = h->is_ours;
	/* Ours with another status than 200, or from nowhere, is no sight that there can be. */
	if (h->is_ours && (h->result != HTTP_ANSWERED || h->status != 200))
		r->is_bad = true;
}

static void *
take_list(struct reader *r, const json_t *list, size_t max, size_t size)
{
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > max) {
		r->is_bad = true;
		return NULL;
	}
	void *room = arena_get(r->a, (n + 1) * size);
	r->is_bad = r->is_bad || room == NULL;
	return room;
}

static void
read_name(struct reader *r, const json_t *o, struct view_evidence *ret)
{
	const json_t *caa = json_object_get(o, "caa_records"), *addresses = json_object_get(o, "addresses");
	struct view_evidence v = {
		.a_status = take_dns(r, o, "a"),
		.aaaa_status = take_dns(r, o, "aaaa"),
		.caa_status = take_dns(r, o, "caa"),
		.caa_at = take_text(r, o, "caa_at"),
		.cname_target = take_text(r, o, "cname"),
		.caa = take_list(r, caa, CAA_MAX, sizeof *v.caa),
		.addresses = take_list(r, addresses, LIMIT_VIEW_ADDRESSES, sizeof *v.addresses),
	};

	for (size_t i = 0; !r->is_bad && i < json_array_size(caa); i++) {
		const json_t *one = json_array_get(caa, i);

		v.caa[v.caa_n++] = (struct caa_record){
			.flags = (uint8_t)take_number(r, one, "flags", UINT8_MAX),
			.tag = take_text(r, one, "tag"),
			.value = take_text(r, one, "value"),
		};
	}
	for (size_t i = 0; !r->is_bad && i < json_array_size(addresses); i++)
		read_address(r, json_array_get(addresses, i), &v.addresses[v.addresses_n++]);
	*ret = v;
}

/* The one entry of this name. */
static const json_t *
find_name(const json_t *names, struct str name)
{
	const json_t *found = NULL;

	for (size_t i = 0; i < json_array_size(names); i++) {
		const json_t *one = json_array_get(names, i), *v = json_object_get(one, "name");

		if (!json_is_string(v) || !str_eq((struct str){ json_string_value(v), json_string_length(v) }, name))
			continue;
		if (found != NULL)
			return NULL;
		found = one;
	}
	return found;
}

static enum view_result
result_of(const struct view_evidence *v, bool resolver_works)
{
	bool is_dns_its_own = v->a_status == DNS_LOCAL && v->aaaa_status == DNS_LOCAL;

	return !resolver_works || is_dns_its_own ? VIEW_BLIND : VIEW_SEEN;
}

static bool
read_all(struct reader *r, const json_t *o, struct str nonce, const struct answer_slot *slots, size_t slots_n)
{
	const json_t *names = json_object_get(o, "names");
	bool resolver_works = take_bool(r, o, "resolver_works");
	struct view_evidence *views = arena_get(r->a, (slots_n + 1) * sizeof *views);

	if (views == NULL || !str_eq(take_text(r, o, "jti"), nonce) || !json_is_array(names))
		return false;
	for (size_t i = 0; i < slots_n; i++) {
		const json_t *one = find_name(names, slots[i].name);

		if (one == NULL)
			return false;
		read_name(r, one, &views[i]);
		views[i].result = result_of(&views[i], resolver_works);
		if (views[i].result == VIEW_BLIND)
			views[i].detail = STR("its own resolver does not work");
	}
	if (r->is_bad || arena_failed(r->a))
		return false;
	for (size_t i = 0; i < slots_n; i++) {
		views[i].place = slots[i].view->place;
		*slots[i].view = views[i];
	}
	return true;
}

enum err
answer_read(struct str json, struct str nonce, const struct answer_slot *slots, size_t slots_n, struct arena *a)
{
	struct reader r = { .a = a };
	json_t *o = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, NULL);
	bool is_good = json_is_object(o) && read_all(&r, o, nonce, slots, slots_n);

	json_decref(o);
	return is_good ? ERR_OK : ERR_PEER;
}

struct str
answer_refusal(struct str json, struct arena *a)
{
	static const char prefix[] = "urn:koshin:vantage:";
	json_t *o = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, NULL);
	struct reader r = { .a = a };
	struct str type = take_text(&r, o, "type"), title = take_text(&r, o, "title"), words = STR_NONE;

	if (!r.is_bad && str_starts(type, str_of(prefix)))
		words = arena_strf(a, "%.*s: %.*s", (int)(type.n - (sizeof prefix - 1)), type.p + sizeof prefix - 1, STR_ARG(title));
	json_decref(o);
	return words;
}
