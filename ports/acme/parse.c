#include "ports/acme/parse.h"
#include <jansson.h>
#include <string.h>
#include <curl/curl.h>
#include "base/date.h"
#include "base/limits.h"

#define AUTO_JSON __attribute__((cleanup(json_drop))) json_t

static void
json_drop(json_t **j)
{
	json_decref(*j);
}

/* The library's own depth limit is far above what any CA sends; a deep document costs stack and time. */
static bool
is_shallow(struct str body)
{
	unsigned depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < body.n; i++) {
		char c = body.p[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > PARSE_DEPTH_MAX)
				return false;
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return true;
}

/* A new reference to the object that the body is, or NULL with words. */
static json_t *
load(struct str body, struct why *why)
{
	json_error_t error;

	if (body.n == 0) {
		why_set(why, "the body is empty");
		return NULL;
	}
	if (body.n > LIMIT_BODY_BYTES || !is_shallow(body)) {
		why_set(why, "the body is too long or too deep");
		return NULL;
	}
	json_t *j = json_loadb(body.p, body.n, 0, &error);
	if (j == NULL) {
		why_set(why, "the body is not JSON: %s at byte %d", error.text, error.position);
		return NULL;
	}
	if (!json_is_object(j)) {
		json_decref(j);
		why_set(why, "the body is not a JSON object");
		return NULL;
	}
	return j;
}

/* A string member, borrowed from j; STR_NONE if it is missing or something else. */
static struct str
text_of(const json_t *j, const char *key)
{
	const json_t *v = json_object_get(j, key);

	return json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) }
				 : STR_NONE;
}

static struct str
keep_text(const json_t *j, const char *key, struct arena *a)
{
	struct str s = text_of(j, key);

	if (s.n > PARSE_TEXT_BYTES)
		s.n = PARSE_TEXT_BYTES;
	/* Not in the middle of a character. */
	while (s.n > 0 && s.n == PARSE_TEXT_BYTES && !str_is_utf8(s))
		s.n--;
	return s.n == 0 ? STR_NONE : arena_str(a, s);
}

/* One that is asked later: too long a URL is no URL. Whether it may be asked is looked at when it is. */
static struct str
keep_url(const json_t *j, const char *key, struct arena *a)
{
	struct str s = text_of(j, key);

	return s.n == 0 || s.n > LIMIT_URL_BYTES || !str_is_line(s) ? STR_NONE
								    : arena_str(a, s);
}

static enum acme_status
status_of(struct str s)
{
	static const struct {
		const char *word;
		enum acme_status status;
	} words[] = {
		{ "pending", ACME_PENDING },
		{ "ready", ACME_READY },
		{ "processing", ACME_PROCESSING },
		{ "valid", ACME_VALID },
		{ "invalid", ACME_INVALID },
		{ "deactivated", ACME_DEACTIVATED },
		{ "expired", ACME_EXPIRED },
		{ "revoked", ACME_REVOKED },
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_eq(s, str_of(words[i].word)))
			return words[i].status;
	return ACME_UNKNOWN;
}

/* --- problems --- */

static void
read_problem(const json_t *j, struct arena *a, struct problem *ret)
{
	static const struct str space = { "urn:ietf:params:acme:error:", 27 },
				old_space = { "urn:acme:error:", 15 };
	const json_t *identifier = json_object_get(j, "identifier");
	struct str type = keep_text(j, "type", a);

	if (str_starts(type, space))
		type = (struct str){ type.p + space.n, type.n - space.n };
	else if (str_starts(type, old_space))
		type = (struct str){ type.p + old_space.n, type.n - old_space.n };
	ret->type = type;
	ret->detail = keep_text(j, "detail", a);
	if (ret->detail.n == 0)
		ret->detail = keep_text(j, "title", a);
	ret->identifier = keep_text(identifier, "value", a);
}

static void
read_problem_tree(const json_t *j, struct arena *a, struct problem *ret)
{
	const json_t *subs = json_object_get(j, "subproblems");
	size_t n = json_array_size(subs);

	read_problem(j, a, ret);
	n = n > LIMIT_SITE_NAMES ? LIMIT_SITE_NAMES : n;
	ret->sub = n > 0 ? arena_get(a, n * sizeof *ret->sub) : NULL;
	if (ret->sub == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		if (json_is_object(json_array_get(subs, i)))
			read_problem(json_array_get(subs, i), a, &ret->sub[ret->sub_n++]);
}

static struct str
keep_raw(const json_t *j, struct arena *a)
{
	size_t n = json_dumpb(j, NULL, 0, JSON_COMPACT);
	char *p = n > 0 && n <= LIMIT_BODY_BYTES ? arena_get(a, n) : NULL;

	if (p == NULL || json_dumpb(j, p, n, JSON_COMPACT) != n)
		return STR_NONE;
	return (struct str){ p, n > LIMIT_EVIDENCE_BYTES ? LIMIT_EVIDENCE_BYTES : n };
}

static void
read_inner_problem(const json_t *j, struct arena *a, struct problem *ret)
{
	if (!json_is_object(j))
		return;
	read_problem_tree(j, a, ret);
	ret->raw = keep_raw(j, a);
}

bool
parse_problem(struct str body, struct arena *a, struct problem *ret)
{
	AUTO_JSON *j = load(body, NULL);

	if (j == NULL)
		return false;
	struct problem p = { .sub_n = 0 };
	read_problem_tree(j, a, &p);
	p.raw =
	    arena_str(a, (struct str){ body.p,
			     body.n > LIMIT_EVIDENCE_BYTES ? LIMIT_EVIDENCE_BYTES : body.n });
	*ret = p;
	return true;
}

/* --- objects --- */

static enum err
read_order(const json_t *j, struct why *why, struct acme_answer *an)
{
	const json_t *urls = json_object_get(j, "authorizations");
	size_t n = json_array_size(urls);

	an->finalize_url = keep_url(j, "finalize", &an->arena);
	an->certificate_url = keep_url(j, "certificate", &an->arena);
	if (an->finalize_url.n == 0 || n == 0) {
		why_set(why, "an order without authorizations or without a URL to finalize it");
		return ERR_PEER;
	}
	if (n > LIMIT_SITE_NAMES) {
		why_set(
		    why, "an order of %zu authorizations, more than %d", n, LIMIT_SITE_NAMES);
		return ERR_PEER;
	}
	an->authz_urls = arena_get(&an->arena, n * sizeof *an->authz_urls);
	if (an->authz_urls == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(urls, i);
		struct str s = json_is_string(v)
				   ? (struct str){ json_string_value(v), json_string_length(v) }
				   : STR_NONE;

		if (s.n == 0 || s.n > LIMIT_URL_BYTES || !str_is_line(s)) {
			why_set(why, "authorization %zu of the order is not a URL", i);
			return ERR_PEER;
		}
		an->authz_urls[an->authz_n++] = arena_str(&an->arena, s);
	}
	if (an->status == ACME_INVALID)
		read_inner_problem(json_object_get(j, "error"), &an->arena, &an->problem);
	return ERR_OK;
}

static void
read_challenge(const json_t *j, struct acme_answer *an)
{
	const json_t *records = json_object_get(j, "validationRecord");
	size_t n = json_array_size(records);

	an->challenge_status = status_of(text_of(j, "status"));
	an->challenge_url = keep_url(j, "url", &an->arena);
	an->token = keep_text(j, "token", &an->arena);
	read_inner_problem(json_object_get(j, "error"), &an->arena, &an->challenge_error);
	if (n > 0)
		an->address_used =
		    keep_text(json_array_get(records, n - 1), "addressUsed", &an->arena);
}

static enum err
read_authz(const json_t *j, struct why *why, struct acme_answer *an)
{
	const json_t *identifier = json_object_get(j, "identifier"),
		     *all = json_object_get(j, "challenges");
	size_t n = json_array_size(all);

	an->identifier = keep_text(identifier, "value", &an->arena);
	an->is_wildcard = json_is_true(json_object_get(j, "wildcard"));
	if (an->identifier.n == 0 || an->identifier.n > LIMIT_NAME_BYTES ||
	    !json_is_array(all)) {
		why_set(why, "an authorization without an identifier or without challenges");
		return ERR_PEER;
	}
	n = n > PARSE_CHALLENGES_MAX ? PARSE_CHALLENGES_MAX : n;
	for (size_t i = 0; i < n; i++) {
		const json_t *c = json_array_get(all, i);

		if (!str_eq(text_of(c, "type"), STR("http-01")))
			continue;
		read_challenge(c, an);
		an->has_challenge = an->challenge_url.n > 0;
		break;
	}
	return ERR_OK;
}

enum err
parse_answer(struct str body, struct why *why, struct acme_answer *ret)
{
	AUTO_JSON *j = load(body, why);
	struct acme_answer an = *ret;
	enum err e = ERR_OK;

	if (j == NULL)
		return ERR_PEER;
	an.status = status_of(text_of(j, "status"));
	if (an.status == ACME_UNKNOWN) {
		why_set(why, "no status that RFC 8555 knows");
		return ERR_PEER;
	}
	switch (an.verb) {
	case ACME_NEW_ORDER:
	case ACME_GET_ORDER:
	case ACME_FINALIZE:
		e = read_order(j, why, &an);
		break;
	case ACME_GET_AUTHZ:
	case ACME_DEACTIVATE_AUTHZ:
		e = read_authz(j, why, &an);
		break;
	case ACME_CHALLENGE:
		read_challenge(j, &an);
		break;
	case ACME_CERTIFICATE:
	case ACME_KEY_CHANGE:
	case ACME_REVOKE:
	case ACME_RENEWAL_INFO:
	case ACME_VERB_COUNT:
		e = ERR_BUG;
		break;
	}
	if (e == ERR_OK && arena_failed(&an.arena))
		e = ERR_MEMORY;
	/* The arena may have grown; the rest only counts on success. */
	if (e == ERR_OK)
		*ret = an;
	else
		ret->arena = an.arena;
	return e;
}

static void
read_strings(const json_t *j, struct arena *a, struct str **ret, size_t *ret_n)
{
	size_t n = json_array_size(j);

	n = n > PARSE_PROFILES_MAX ? PARSE_PROFILES_MAX : n;
	*ret = n > 0 ? arena_get(a, n * sizeof **ret) : NULL;
	for (size_t i = 0; *ret != NULL && i < n; i++) {
		const json_t *v = json_array_get(j, i);

		if (json_is_string(v) && json_string_length(v) <= LIMIT_NAME_BYTES)
			(*ret)[(*ret_n)++] = arena_str(
			    a, (struct str){ json_string_value(v), json_string_length(v) });
	}
}

static void
read_profiles(json_t *profiles, struct arena *a, struct acme_directory *d)
{
	size_t n = json_object_size(profiles);
	const char *key;
	json_t *v;

	n = n > PARSE_PROFILES_MAX ? PARSE_PROFILES_MAX : n;
	d->profiles = n > 0 ? arena_get(a, n * sizeof *d->profiles) : NULL;
	if (d->profiles == NULL)
		return;
	json_object_foreach(profiles, key, v)
	{
		if (d->profiles_n < n)
			d->profiles[d->profiles_n++] = arena_str(a, str_of(key));
	}
}

enum err
parse_directory(struct str body, struct arena *a, struct why *why, struct parse_directory *ret)
{
	AUTO_JSON *j = load(body, why);

	if (j == NULL)
		return ERR_PEER;
	const json_t *meta = json_object_get(j, "meta");
	struct parse_directory d = {
		.new_nonce = keep_url(j, "newNonce", a),
		.new_account = keep_url(j, "newAccount", a),
		.new_order = keep_url(j, "newOrder", a),
		.revoke_cert = keep_url(j, "revokeCert", a),
		.renewal_info = keep_url(j, "renewalInfo", a),
		.about.key_change = keep_url(j, "keyChange", a),
		.about.terms = keep_url(meta, "termsOfService", a),
		.about.website = keep_url(meta, "website", a),
		.about.eab_required =
		    json_is_true(json_object_get(meta, "externalAccountRequired")),
	};
	d.about.has_renewal_info = d.renewal_info.n > 0;
	read_strings(json_object_get(meta, "caaIdentities"), a, &d.about.caa_identities,
	    &d.about.caa_identities_n);
	read_profiles(json_object_get(meta, "profiles"), a, &d.about);
	if (arena_failed(a))
		return ERR_MEMORY;
	if (d.new_nonce.n == 0 || d.new_account.n == 0 || d.new_order.n == 0) {
		why_set(why, "the directory does not name newNonce, newAccount and newOrder: "
			     "is it the URL of an ACME directory?");
		return ERR_PEER;
	}
	*ret = d;
	return ERR_OK;
}

/* --- renewal information --- */

enum err
parse_renewal(struct str body, struct arena *a, struct why *why, struct renewal_told *ret)
{
	AUTO_JSON *j = load(body, why);

	if (j == NULL)
		return ERR_PEER;
	const json_t *window = json_object_get(j, "suggestedWindow");
	struct str page = text_of(j, "explanationURL");
	struct renewal_told told = {
		.start = date_read(text_of(window, "start"), DATE_ZONE_NEEDED),
		.end = date_read(text_of(window, "end"), DATE_ZONE_NEEDED),
		.retry_after = WHEN_UNKNOWN,
	};
	/* People are sent there: a web page, or nothing. */
	if (parse_url_is_good(page, true))
		told.explanation = arena_str(a, page);
	if (arena_failed(a))
		return ERR_MEMORY;
	*ret = told;
	return ERR_OK;
}

/* --- headers --- */

struct when
parse_http_date(struct str value)
{
	struct str s = str_trim(value);
	char text[64];

	if (s.n == 0 || s.n >= sizeof text || (s.p[0] >= '0' && s.p[0] <= '9'))
		return WHEN_UNKNOWN;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	/* The three forms of RFC 9110 5.6.7, and a few more that do no harm. */
	time_t t = curl_getdate(text, NULL);
	return t < 0 ? WHEN_UNKNOWN : (struct when){ t };
}

/* The second that has begun counts for nothing: not before means not a part of a second before. */
static int64_t
begun_too(int64_t wait_s, struct span most)
{
	return wait_s + (wait_s > 0 && wait_s < most.s);
}

struct when
parse_retry_after(struct str value, struct str date, struct when now)
{
	int64_t delta;
	const struct span most = SPAN_D(366);

	if (str_to_int(str_trim(value), &delta))
		return delta < 0 ? WHEN_UNKNOWN : when_plus(now, span_min(SPAN_S(begun_too(delta, most)), most));
	struct when until = parse_http_date(value), told = parse_http_date(date);
	if (!when_is_known(until))
		return WHEN_UNKNOWN;
	/* Both dates are by the CA's clock: what lies between them is waited by ours. */
	if (when_is_known(told))
		until = when_before(told, until) ? when_plus(now, SPAN_S(begun_too(when_between(told, until).s, most))) : now;
	return when_min(until, when_plus(now, most));
}

static bool
has_word(struct str list, struct str word)
{
	while (list.n > 0)
		if (str_eq_nocase(str_cut(&list, ' '), word))
			return true;
	return false;
}

/* Takes `;name=value` or `;name="value"` off the front; false at the end of the link. */
static bool
take_parameter(struct str *s, struct str *ret_name, struct str *ret_value)
{
	*s = str_trim(*s);
	if (s->n == 0 || s->p[0] != ';')
		return false;
	*s = str_trim((struct str){ s->p + 1, s->n - 1 });
	size_t i = 0;
	while (i < s->n && s->p[i] != '=' && s->p[i] != ';' && s->p[i] != ',')
		i++;
	*ret_name = str_trim((struct str){ s->p, i });
	*ret_value = STR_NONE;
	*s = (struct str){ s->p + i, s->n - i };
	if (s->n == 0 || s->p[0] != '=')
		return true;
	*s = str_trim((struct str){ s->p + 1, s->n - 1 });
	bool is_quoted = s->n > 0 && s->p[0] == '"';
	size_t from = is_quoted;
	for (i = from; i < s->n; i++)
		if (is_quoted ? s->p[i] == '"' : s->p[i] == ';' || s->p[i] == ',')
			break;
	*ret_value = (struct str){ s->p + from, i - from };
	if (!is_quoted)
		*ret_value = str_trim(*ret_value);
	i += is_quoted && i < s->n;
	*s = (struct str){ s->p + i, s->n - i };
	return true;
}

struct str
parse_link(struct str value, struct str rel)
{
	struct str s = str_trim(value);

	while (s.n > 0 && s.p[0] == '<') {
		struct str name, word, target = { s.p + 1, s.n - 1 };
		bool is_it = false;

		size_t end = str_find(target, STR(">"));
		if (end == SIZE_MAX)
			return STR_NONE;
		s = (struct str){ target.p + end + 1, target.n - end - 1 };
		target.n = end;
		while (take_parameter(&s, &name, &word))
			is_it =
			    is_it || (str_eq_nocase(name, STR("rel")) && has_word(word, rel));
		if (is_it)
			return target;
		s = str_trim(s);
		if (s.n > 0 && s.p[0] == ',')
			s = str_trim((struct str){ s.p + 1, s.n - 1 });
	}
	return STR_NONE;
}

bool
parse_url_is_good(struct str url, bool is_plain_allowed)
{
	size_t host = str_starts(url, STR("https://"))			    ? 8
		      : is_plain_allowed && str_starts(url, STR("http://")) ? 7
									    : 0;

	if (host == 0 || url.n <= host || url.n > LIMIT_URL_BYTES || !str_is_line(url))
		return false;
	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] == ' ' || (unsigned char)url.p[i] >= 0x80)
			return false;
	return url.p[host] != '/' && url.p[host] != '?' && url.p[host] != '#';
}
