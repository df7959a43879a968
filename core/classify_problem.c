/*
 * What a CA's refusal means: type and text of a problem document (RFC 8555 6.7) to a row of the cause table, by way of
 * core/problem.tbl. Texts are made for people and change; what no row knows becomes an "unclassified" of its kind, with the
 * raw text kept.
 */
#include "base/limits.h"
#include "core/classify.h"

enum from { FROM_ANY, FROM_CHALLENGE, FROM_REQUEST };
enum place { PLACE_HERE, PLACE_THERE };
enum { CAPTURES_MAX = 6, SEEN_BYTES = 200 };

struct row {
	const char *type, *pattern;
	enum cause cause;
	enum from from;
	enum place place;
	unsigned seen;
};
static const struct row rows[] = {
#define PROBLEM(type, pattern, cause, from, place, seen) \
	{ type, pattern, cause, FROM_##from, PLACE_##place, seen },
#include "core/problem.tbl"
#undef PROBLEM
};

/* One problem on its way to a finding. */
struct look {
	const struct acme_answer *answer;
	struct str type, text, name, raw;
	struct str address; /* that the CA connected to, as text; empty if it was not told */
	enum from from;
	bool is_secondary; /* seen by a remote perspective of the CA, not by all */
	bool is_caa;
	struct str captures[CAPTURES_MAX];
	const struct policy *p;
	struct when now;
	struct arena *a;
};

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static struct str
rest_of(struct str s, size_t from)
{
	return from >= s.n ? STR_NONE : (struct str){ s.p + from, s.n - from };
}

static struct str
head_of(struct str s, size_t n)
{
	return (struct str){ s.p, n < s.n ? n : s.n };
}

static bool
starts_nocase(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq_nocase(head_of(s, prefix.n), prefix);
}

static size_t
find_nocase(struct str s, struct str needle)
{
	for (size_t i = 0; i + needle.n <= s.n; i++) {
		size_t k = 0;

		while (k < needle.n && lower(s.p[i + k]) == lower(needle.p[k]))
			k++;
		if (k == needle.n)
			return i;
	}
	return SIZE_MAX;
}

/*
 * The whole text against a pattern with *. Each piece between two stars is looked for at its first place after the one
 * before, and the last piece at the end of the text; that finds a match if there is one, without going back.
 */
static bool
matches(struct str pattern, struct str text, struct str captures[CAPTURES_MAX])
{
	struct str left = pattern;
	bool is_first = true;
	size_t captured = 0;

	for (size_t i = 0; i < CAPTURES_MAX; i++)
		captures[i] = STR_NONE;
	for (;;) {
		size_t star = str_find(left, STR("*"));
		bool is_last = star == SIZE_MAX;
		struct str piece = is_last ? left : head_of(left, star);
		size_t at;

		if (is_first)
			at = starts_nocase(text, piece) ? 0 : SIZE_MAX;
		else if (is_last)
			at = text.n >= piece.n &&
				     str_eq_nocase(rest_of(text, text.n - piece.n), piece)
				 ? text.n - piece.n
				 : SIZE_MAX;
		else
			at = find_nocase(text, piece);
		if (at == SIZE_MAX || (is_first && is_last && text.n != piece.n))
			return false;
		if (!is_first && captured < CAPTURES_MAX)
			captures[captured++] = head_of(text, at);
		text = rest_of(text, at + piece.n);
		if (is_last)
			return true;
		left = rest_of(left, star + 1);
		is_first = false;
	}
}

/* --- prefixes (outermost first) --- */

static bool
is_address(struct str s)
{
	unsigned colons = 0, dots = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = lower(s.p[i]);

		colons += c == ':';
		dots += c == '.';
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == ':' ||
			c == '.' || c == '[' || c == ']'))
			return false;
	}
	return colons >= 2 || dots == 3;
}

/* "192.0.2.1:80", "[2001:db8::1]:80": without the port. */
static struct str
address_of_dial(struct str s)
{
	if (s.n > 0 && s.p[0] == '[') {
		struct str inner = rest_of(s, 1);

		return str_cut(&inner, ']');
	}
	return str_cut(&s, ':');
}

static bool
strip_one(struct look *k)
{
	static const char *const plain[] = { "Error creating new order :: ",
		"Error finalizing order :: ", "Unable to update challenge :: ",
		"Error creating new account :: ", "Error creating new authz :: ",
		"Disallowed identifier requested :: " };
	size_t colon = str_find(k->text, STR(": "));

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (starts_nocase(k->text, str_of(plain[i]))) {
			k->text = rest_of(k->text, str_of(plain[i]).n);
			return true;
		}
	if (colon == SIZE_MAX)
		return false;
	struct str head = head_of(k->text, colon);
	if (str_eq_nocase(head, STR("During secondary validation")) ||
	    str_eq_nocase(head, STR("Secondary validation"))) {
		k->is_secondary = true;
	} else if (starts_nocase(head, STR("While processing CAA for "))) {
		k->is_caa = true;
	} else if (is_address(head)) {
		/* Where one of the CA's other places went is told by the text alone: address_used is of the first. */
		if (k->address.n == 0 || k->is_secondary)
			k->address = head;
	} else if (!starts_nocase(head, STR("Fetching http"))) {
		return false;
	}
	k->text = rest_of(k->text, colon + 2);
	return true;
}

static void
strip(struct look *k)
{
	k->text = str_trim(k->text);
	while (strip_one(k))
		continue;
	/* Go's own words: Get "http://NAME/…": dial tcp ADDRESS:PORT: connect: connection refused. */
	size_t dial = str_find(k->text, STR("dial tcp "));
	if (dial != SIZE_MAX && k->address.n == 0) {
		struct str peer = rest_of(k->text, dial + 9);
		struct str address = address_of_dial(head_of(peer, str_find(peer, STR(": "))));

		if (is_address(address))
			k->address = address;
	}
}

/* --- from a row to a finding --- */

static bool
is_v6(struct str address)
{
	return str_find(address, STR(":")) != SIZE_MAX;
}

static bool
is_ours(const struct look *k)
{
	for (size_t i = 0; i < k->p->addresses_n; i++)
		if (str_eq_nocase(k->p->addresses[i], k->address))
			return true;
	return false;
}

/* Our first address of this family, or none. */
static struct str
our_address(const struct look *k, bool want_v6)
{
	for (size_t i = 0; i < k->p->addresses_n; i++)
		if (is_v6(k->p->addresses[i]) == want_v6)
			return k->p->addresses[i];
	return STR_NONE;
}

static bool
looks_like_key_authorization(struct str s)
{
	unsigned dots = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = lower(s.p[i]);

		dots += c == '.';
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
			c == '_' || c == '.'))
			return false;
	}
	return dots == 1 && s.n >= 60 && s.n <= 200;
}

/* What came in place of the key authorization tells who answered. */
static enum cause
cause_of_body(const struct look *k, enum cause c)
{
	struct str got = str_trim(k->captures[1]), expected = k->captures[0];

	if (expected.n > 0 && got.n > expected.n && str_find(got, expected) != SIZE_MAX)
		return CAUSE_HTTP_BODY_ALTERED;
	if (looks_like_key_authorization(got))
		return CAUSE_HTTP_KEY_AUTHORIZATION_FOREIGN;
	return c;
}

static const struct row *
find_row(struct look *k)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];

		if ((r->type[0] != '\0' && !str_eq_nocase(str_of(r->type), k->type)) ||
		    (r->from != FROM_ANY && r->from != k->from))
			continue;
		if (matches(str_of(r->pattern), k->text, k->captures))
			return r;
	}
	return NULL;
}

/* Without a usable problem document: by what became of the request. */
static enum cause
cause_of_err(const struct acme_answer *an)
{
	if (an->err == ERR_LIMITED || an->http_status == 429)
		return CAUSE_CA_LIMIT_OTHER;
	if (an->http_status == 404 || an->http_status == 410)
		return CAUSE_CA_ORDER_UNUSABLE;
	if (an->err == ERR_MISMATCH && find_nocase(an->detail, STR("another key")) != SIZE_MAX)
		return CAUSE_OWN_CERTIFICATE_KEY_MISMATCH;
	if (an->err == ERR_FULL || an->err == ERR_BUSY || an->http_status == 503)
		return CAUSE_CA_SERVICE_BUSY;
	switch (err_class_of(an->err)) {
	case ERR_CLASS_TRANSIENT:
		return CAUSE_CA_SERVICE_DOWN;
	case ERR_CLASS_LOCAL:
	case ERR_CLASS_BUG:
		return CAUSE_OWN_UNCLASSIFIED;
	case ERR_CLASS_NONE:
	case ERR_CLASS_LIMIT:
	case ERR_CLASS_INPUT:
	case ERR_CLASS_DENIED:
		break;
	}
	return CAUSE_CA_UNCLASSIFIED;
}

static enum cause
cause_of(struct look *k, struct str *ret_seen)
{
	const struct acme_answer *an = k->answer;
	const struct row *r = find_row(k);
	bool is_elsewhere = k->address.n > 0 && k->p->addresses_n > 0 && !is_ours(k);

	if (k->text.n == 0 && k->type.n == 0)
		return cause_of_err(an);
	if (r == NULL)
		return an->http_status == 404			  ? CAUSE_CA_ORDER_UNUSABLE
		       : k->type.n == 0 && an->err != ERR_REFUSED ? cause_of_err(an)
								  : CAUSE_CA_UNCLASSIFIED;
	/* RFC 8555 has no type for "there is no such order": it is "malformed" with status 404. */
	if (r->cause == CAUSE_CA_REQUEST_REJECTED && an->http_status == 404 &&
	    an->verb != ACME_NEW_ORDER)
		return CAUSE_CA_ORDER_UNUSABLE;
	if (r->cause == CAUSE_CA_SERVICE_INTERNAL_ERROR && an->http_status >= 502)
		return CAUSE_CA_SERVICE_DOWN;
	if (r->seen > 0)
		*ret_seen = k->captures[r->seen - 1];
	/* While CAA is looked at, a failed lookup is one of CAA. */
	if (k->is_caa && cause_row(r->cause)->layer == LAYER_DNS &&
	    r->cause != CAUSE_DNS_CAA_FORBIDS && r->cause != CAUSE_DNS_CAA_CRITICAL_UNKNOWN &&
	    r->cause != CAUSE_DNS_CAA_PARAMETER_MISMATCH)
		return CAUSE_DNS_CAA_LOOKUP_FAILED;
	enum cause c = r->cause == CAUSE_HTTP_REWRITE_INTERCEPTS && r->seen > 0
			   ? cause_of_body(k, r->cause)
			   : r->cause;
	if (r->place == PLACE_HERE || c == CAUSE_HTTP_BODY_ALTERED)
		return c;
	if (is_elsewhere) {
		*ret_seen = k->address;
		/* The CA's first place came to us, another one was sent elsewhere: DNS answers differently there. */
		if (k->is_secondary)
			return CAUSE_DNS_VIEW_SPLIT;
		return is_v6(k->address) ? CAUSE_DNS_AAAA_ELSEWHERE : CAUSE_DNS_A_ELSEWHERE;
	}
	/* Ours by address, but the CA cannot get there: over IPv6 the fix is another one. */
	if (c == CAUSE_TRANSPORT_SECONDARY_VALIDATION_TIMEOUT && is_v6(k->address))
		return CAUSE_DNS_AAAA_UNREACHABLE;
	/* With no address to go by nobody can say whose server it was. */
	if (c == CAUSE_OWN_CHALLENGE_NOT_SERVED && k->address.n == 0)
		return CAUSE_HTTP_UNCLASSIFIED;
	if (c == CAUSE_TRANSPORT_SECONDARY_VALIDATION_TIMEOUT && k->address.n == 0 &&
	    !k->is_secondary)
		return CAUSE_TRANSPORT_UNCLASSIFIED;
	/* Not some of the CA's places but all of them, and our own check has just come in: the way in is closed to abroad. */
	if (c == CAUSE_TRANSPORT_SECONDARY_VALIDATION_TIMEOUT && !k->is_secondary)
		return CAUSE_TRANSPORT_CONNECT_GEO_BLOCKED;
	return c;
}

/* "… retry after 2026-11-24 12:00:00 UTC: see https://…" */
static struct when
date_in_text(struct str text)
{
	size_t at = find_nocase(text, STR("retry after "));
	struct str s = at == SIZE_MAX ? STR_NONE : head_of(rest_of(text, at + 12), 19);
	int64_t part[6];
	static const size_t from[] = { 0, 5, 8, 11, 14, 17 };

	if (s.n != 19 || s.p[4] != '-' || s.p[7] != '-' || s.p[13] != ':' || s.p[16] != ':')
		return WHEN_UNKNOWN;
	for (size_t i = 0; i < 6; i++)
		if (!str_to_int((struct str){ s.p + from[i], i == 0 ? 4 : 2 }, &part[i]))
			return WHEN_UNKNOWN;
	struct civil c = { .year = (int)part[0],
		.month = (int)part[1],
		.day = (int)part[2],
		.hour = (int)part[3],
		.minute = (int)part[4],
		.second = (int)part[5] };
	return when_of_civil(&c);
}

static struct when
next_look(const struct look *k, enum cause c)
{
	struct span wait = SPAN_H(1);

	switch (cause_row(c)->layer) {
	case LAYER_DNS:
	case LAYER_TRANSPORT:
	case LAYER_HTTP:
		/* Somebody may be mending it right now. */
		wait = k->p->poll_max.s > 0 ? k->p->poll_max : SPAN_MIN(15);
		break;
	case LAYER_REGISTRATION:
		wait = SPAN_D(1);
		break;
	case LAYER_OWN:
	case LAYER_CA:
	case LAYER_SERVED:
		break;
	}
	if (c == CAUSE_CA_SERVICE_BUSY || c == CAUSE_CA_NONCE_REJECTED ||
	    c == CAUSE_CA_SERVICE_DOWN || c == CAUSE_CA_SERVICE_INTERNAL_ERROR)
		wait = SPAN_MIN(10);
	/* A person of ours has to open the CA's page first: no order goes out by itself before. */
	if (c == CAUSE_CA_NAME_PAUSED || c == CAUSE_CA_ACCOUNT_BLOCKED) /* the finding is looked at daily, like the site */
		wait = SPAN_D(1);

	/* The date that the CA named is law: the header, else the one in the text. */
	struct when named = when_is_known(k->answer->retry_after) ? k->answer->retry_after
								  : date_in_text(k->text);
	bool is_limit = k->answer->err == ERR_LIMITED || str_eq(k->type, STR("rateLimited")) ||
			k->answer->http_status >= 429;
	if (when_is_known(named) && is_limit)
		return when_max(named, when_plus(k->now, SPAN_S(1)));
	return when_plus(k->now, wait);
}

/* A pause is undone by whoever has this link: it is for the operator, not for the evidence that owners see. */
static struct str
pause_link(struct str text)
{
	size_t at = str_find(text, STR("https://"));
	size_t end = at;

	if (at == SIZE_MAX)
		return STR_NONE;
	while (end < text.n && (unsigned char)text.p[end] > ' ' && text.p[end] != '"')
		end++;
	return (struct str){ text.p + at, end - at };
}

static struct str
evidence_of(const struct look *k, enum cause c)
{
	struct str raw = k->raw.n > 0 ? k->raw : k->answer->detail;
	size_t secret = c == CAUSE_CA_NAME_PAUSED ? str_find(raw, STR("jwt=")) : SIZE_MAX;

	return arena_str(k->a, head_of(head_of(raw, secret), LIMIT_EVIDENCE_BYTES));
}

/* The name of the CAA set that is in the way, from the CA's text; the whole record that would let us in. */
static void
fill_caa(const struct look *k, struct finding *f)
{
	struct str captures[CAPTURES_MAX], at = k->name;

	if (matches(STR("caa record for * prevents issuance*"), k->text, captures))
		at = captures[0];
	f->seen = arena_str(k->a, at);
	if (k->p->ca_issuer.n == 0)
		return;
	f->wanted = arena_str(k->a, k->p->ca_issuer);
	f->copy = arena_strf(
	    k->a, "%.*s. CAA 0 issue \"%.*s\"", STR_ARG(at), STR_ARG(k->p->ca_issuer));
}

static void
fill_address(const struct look *k, struct finding *f)
{
	bool is_six = f->cause == CAUSE_DNS_AAAA_ELSEWHERE || (f->cause == CAUSE_DNS_VIEW_SPLIT && is_v6(k->address));
	struct str ours = our_address(k, is_six);

	if (ours.n == 0 && f->cause == CAUSE_DNS_ADDRESS_MISSING)
		ours = our_address(k, true);
	f->wanted = f->copy = arena_str(k->a, ours);
}

static void
fill(const struct look *k, struct finding *f, struct str seen)
{
	enum cause c = f->cause;

	f->seen = arena_str(k->a, head_of(str_trim(seen), SEEN_BYTES));
	if (c == CAUSE_DNS_CAA_FORBIDS || c == CAUSE_CA_CAA_RECHECK_FAILED)
		fill_caa(k, f);
	else if (c == CAUSE_DNS_ADDRESS_MISSING || c == CAUSE_DNS_A_ELSEWHERE ||
		 c == CAUSE_DNS_AAAA_ELSEWHERE || c == CAUSE_DNS_VIEW_SPLIT)
		fill_address(k, f);
	else if (c == CAUSE_CA_NAME_PAUSED)
		f->copy = arena_str(k->a, pause_link(k->text));
	f->evidence = evidence_of(k, c);
	f->first_seen = f->last_seen = k->now;
	f->next_look = next_look(k, c);
	f->times_seen = 1;
	f->is_from_order = true;
}

static bool
has_same(const struct finding_list *l, enum cause c, struct str subject)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->at[i].cause == c && str_eq(l->at[i].subject, subject))
			return true;
	return false;
}

static bool
is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = lower(s.p[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '*'))
			return false;
	}
	return s.n > 0 && s.n <= LIMIT_NAME_BYTES;
}

static void
classify_one(struct look *k, struct finding_list *out)
{
	struct str seen = STR_NONE;

	strip(k);
	enum cause c = cause_of(k, &seen);
	/* The refusal of an order says which of its names is paused. */
	if (c == CAUSE_CA_NAME_PAUSED && is_name(seen))
		k->name = seen;
	struct str subject = arena_str(k->a, k->name.n > 0 ? k->name : STR("?"));
	if (has_same(out, c, subject))
		return;
	struct finding *f = finding_put(out, c, subject);
	if (f != NULL)
		fill(k, f, seen);
}

void
classify_problem(const struct acme_answer *answer, struct str name, const struct policy *p,
    struct when now, struct arena *a, struct finding_list *out)
{
	bool is_challenge =
	    (answer->verb == ACME_GET_AUTHZ || answer->verb == ACME_CHALLENGE) &&
	    answer->err == ERR_OK;
	const struct problem *whole =
	    is_challenge ? &answer->challenge_error : &answer->problem;
	struct look base = {
		.answer = answer,
		.name = name,
		.raw = whole->raw,
		.address = is_challenge ? answer->address_used : STR_NONE,
		.from = is_challenge ? FROM_CHALLENGE : FROM_REQUEST,
		.p = p,
		.now = now,
		.a = a,
	};

	bool is_told = false;

	/* Sub-problems name their identifiers, and say more than the whole. */
	for (size_t i = 0; i < whole->sub_n; i++) {
		struct look k = base;

		k.type = whole->sub[i].type;
		k.text = whole->sub[i].detail;
		if (whole->sub[i].identifier.n > 0)
			k.name = whole->sub[i].identifier;
		if (k.type.n == 0 && k.text.n == 0)
			continue;
		classify_one(&k, out);
		is_told = true;
	}
	if (is_told)
		return;
	base.type = whole->type;
	base.text = whole->detail;
	classify_one(&base, out);
}
