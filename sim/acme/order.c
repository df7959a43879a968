#include "sim/acme/inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"

/* Orders and their authorizations: RFC 8555 7.1.3 to 7.1.6, 7.4, 7.5; `replaces`: RFC 9773 5. */

enum status
authz_status(const struct authz *z, struct when now)
{
	return (z->status == S_PENDING || z->status == S_VALID) && when_before(z->expires, now) ? S_EXPIRED : z->status;
}

enum status
order_status(const struct order *o, struct when now)
{
	bool all_valid = true;

	if (o->certificate != NULL)
		return S_VALID;
	if (o->is_failed)
		return S_INVALID;
	if (o->is_processing)
		return S_PROCESSING;
	if (when_before(o->expires, now))
		return S_INVALID;
	for (size_t i = 0; i < o->names_n; i++) {
		enum status s = authz_status(o->authz[i], now);

		if (s != S_PENDING && s != S_VALID)
			return S_INVALID;
		all_valid = all_valid && s == S_VALID;
	}
	return all_valid ? S_READY : S_PENDING;
}

/* --- showing --- */

void
put_order(struct exchange *x, const struct order *o)
{
	struct buf *to = &x->reply->body;
	enum status s = order_status(o, fake_now(x->f));
	const char *base = x->base.p;
	unsigned long long id = o->id;

	x->reply->type = "application/json";
	put_header(x, "Location: %s/acme/order/%llu", base, id);
	buf_putf(to, "{\"status\":\"%s\",\"expires\":", status_name(s));
	put_date(to, o->expires);
	for (size_t i = 0; i < o->names_n; i++) {
		buf_put_str(to, i == 0 ? STR(",\"identifiers\":[{\"type\":\"dns\",\"value\":") : STR(",{\"type\":\"dns\",\"value\":"));
		put_json_text(to, str_of(o->names[i]));
		buf_putc(to, '}');
	}
	for (size_t i = 0; i < o->names_n; i++)
		buf_putf(to, "%s\"%s/acme/authz/%llu\"", i == 0 ? "],\"authorizations\":[" : ",", base, (unsigned long long)o->authz[i]->id);
	buf_putf(to, "],\"finalize\":\"%s/acme/finalize/%llu\"", base, id);
	if (o->says_profile) {
		buf_put_str(to, STR(",\"profile\":"));
		put_json_text(to, str_of(o->profile->name));
	}
	if (o->replaces != NULL)
		buf_putf(to, ",\"replaces\":\"%s\"", o->replaces->id);
	if (o->certificate != NULL)
		buf_putf(to, ",\"certificate\":\"%s/acme/cert/%s\"", base, o->certificate->serial);
	if (o->error.status != 0) {
		buf_put_str(to, STR(",\"error\":"));
		put_problem(to, &o->error);
	}
	buf_putc(to, '}');
	if ((s == S_PROCESSING || s == S_PENDING) &&
	    (x->f->set.poll_after_s > 0 || x->f->set.absurd_retry_after[x->at][0] != '\0') && x->at != AT_NEW_ORDER) {
		char scope[TEXT_BYTES];

		(void)snprintf(scope, sizeof scope, "url /acme/order/%llu", id);
		put_retry_after(x, x->f->set.poll_after_s, false, scope);
	}
}

static const char *
challenge_word(enum challenge_kind k)
{
	return k == HTTP_01 ? "http-01" : "dns-01";
}

static void
put_challenge(struct exchange *x, const struct authz *z, enum challenge_kind k)
{
	struct buf *to = &x->reply->body;
	bool is_tried = z->is_trying && z->tried == k;
	enum status s = !is_tried ? S_PENDING : z->status == S_PENDING ? S_PROCESSING : z->status == S_VALID ? S_VALID : S_INVALID;

	buf_putf(to, "{\"type\":\"%s\",\"url\":\"%.*s/acme/chall/%llu/%s\",\"status\":\"%s\",\"token\":\"%s\"", challenge_word(k),
	    STR_ARG(x->base), (unsigned long long)z->id, challenge_word(k), status_name(s), z->token);
	if (s == S_VALID) {
		buf_put_str(to, STR(",\"validated\":"));
		put_date(to, z->validated);
	}
	if (is_tried && z->error.status != 0) {
		buf_put_str(to, STR(",\"error\":"));
		put_problem(to, &z->error);
	}
	if (is_tried && z->address[0] != '\0') {
		buf_put_str(to, STR(",\"validationRecord\":[{\"hostname\":"));
		put_json_text(to, str_of(z->name));
		buf_putf(to, ",\"addressUsed\":\"%s\"}]", z->address);
	}
	buf_putc(to, '}');
}

static void
put_authz(struct exchange *x, const struct authz *z)
{
	struct buf *to = &x->reply->body;
	enum status s = authz_status(z, fake_now(x->f));
	bool is_first = true;

	x->reply->type = "application/json";
	buf_put_str(to, STR("{\"identifier\":{\"type\":\"dns\",\"value\":"));
	put_json_text(to, str_of(z->name));
	buf_putf(to, "},\"status\":\"%s\",\"expires\":", status_name(s));
	put_date(to, z->expires);
	buf_put_str(to, STR(",\"challenges\":["));
	for (size_t k = 0; k < CHALLENGE_KINDS; k++) {
		/* 7.1.4: a wildcard is never proven over HTTP. Afterwards, the challenge that settled it. */
		if ((z->is_wildcard && k == HTTP_01) || (s != S_PENDING && z->is_trying && z->tried != (enum challenge_kind)k))
			continue;
		buf_put_str(to, is_first ? STR("") : STR(","));
		put_challenge(x, z, (enum challenge_kind)k);
		is_first = false;
	}
	buf_putf(to, "]%s}", z->is_wildcard ? ",\"wildcard\":true" : "");
	if (s == S_PENDING && z->is_trying &&
	    (x->f->set.poll_after_s > 0 || x->f->set.absurd_retry_after[x->at][0] != '\0')) {
		char scope[TEXT_BYTES];

		(void)snprintf(scope, sizeof scope, "url /acme/authz/%llu", (unsigned long long)z->id);
		put_retry_after(x, x->f->set.poll_after_s, false, scope);
	}
}

/* --- a new order --- */

/* What is wrong with a name, NULL for nothing; made small on the way. */
static const char *
fault_of_name(char *name)
{
	size_t n = strlen(name), label = 0, dots = 0;
	bool is_wildcard = strncmp(name, "*.", 2) == 0;

	if (n == 0 || n > LIMIT_NAME_BYTES)
		return "Domain name is empty or longer than 253 bytes";
	for (size_t i = is_wildcard ? 2 : 0; i <= n; i++) {
		char c = name[i];

		if (c >= 'A' && c <= 'Z')
			name[i] = c = (char)(c - 'A' + 'a');
		if (c == '.' || c == '\0') {
			if (label == 0 || label > LIMIT_LABEL_BYTES || name[i - 1] == '-')
				return "Domain name contains an empty or overlong label, or one that ends with a hyphen";
			dots += c == '.';
			label = 0;
		} else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && label > 0)) {
			label++;
		} else {
			return c == '*' ? "Domain name contains a wildcard in a place other than its beginning"
					: "Domain name contains an invalid character";
		}
	}
	if (dots == 0)
		return "Domain name needs at least one dot";
	if (name[n - 1] >= '0' && name[n - 1] <= '9')
		return "The ACME server can not issue a certificate for an IP address";
	return NULL;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The identifiers, sorted, one of each; false after a refusal. */
static bool
read_names(struct exchange *x, struct order *o)
{
	const json_t *list = json_object_get(x->payload, "identifiers");
	size_t n = json_array_size(list), bad_n = 0;
	struct problem_text *bad = arena_get(&x->arena, (n + 1) * sizeof *bad);

	o->names = calloc(n + 1, sizeof *o->names);
	if (o->names == NULL || bad == NULL || n == 0 || n > NAMES_MAX) {
		refuse(x, 400, "malformed", "NewOrder request did not specify any identifiers, or more than %d", NAMES_MAX);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_array_get(list, i);
		const char *type = json_string_value(json_object_get(one, "type"));
		const char *value = json_string_value(json_object_get(one, "value"));

		if (type == NULL || value == NULL) {
			refuse(x, 400, "malformed", "NewOrder request included an identifier without type or value");
			return false;
		}
		if (strcmp(type, "dns") != 0) {
			refuse(x, 400, "unsupportedIdentifier", "NewOrder request included invalid non-DNS type identifier: type \"%.40s\"", type);
			return false;
		}
		char *name = o->names[o->names_n++] = strdup(value);
		const char *fault = name == NULL ? "out of memory" : fault_of_name(name);
		if (fault == NULL)
			continue;
		struct problem_text *p = &bad[bad_n++];
		*p = (struct problem_text){ .status = 400, .type = "rejectedIdentifier" };
		(void)snprintf(p->name, sizeof p->name, "%.200s", value);
		(void)snprintf(p->detail, sizeof p->detail, "Cannot issue for \"%.200s\": %s", value, fault);
	}
	if (bad_n > 0) {
		struct str more = bad_n == 1 ? STR("")
					     : arena_strf(&x->arena, " (and %zu more problems. Refer to sub-problems for more information.)", bad_n - 1);
		struct str words = arena_strf(&x->arena, "Error creating new order :: %s%.*s", bad[0].detail, STR_ARG(more));

		refuse_many(x, 400, "rejectedIdentifier", words.p, bad, bad_n > 1 ? bad_n : 0);
		return false;
	}
	qsort(o->names, o->names_n, sizeof *o->names, by_name);
	size_t kept = 0;
	for (size_t i = 0; i < o->names_n; i++) {
		if (kept > 0 && strcmp(o->names[kept - 1], o->names[i]) == 0)
			free(o->names[i]);
		else
			o->names[kept++] = o->names[i];
	}
	o->names_n = kept;
	(void)snprintf(x->subject, sizeof x->subject, "%s", o->names[0]);
	return true;
}

static bool
read_profile(struct exchange *x, struct order *o)
{
	const json_t *v = json_object_get(x->payload, "profile");
	const struct settings *s = &x->f->set;
	const char *word = json_string_value(v);

	o->profile = &s->profiles[0];
	o->says_profile = v != NULL;
	for (size_t i = 0; v != NULL; i++) {
		if (i == s->profiles_n || word == NULL) {
			refuse(x, 400, "invalidProfile", "The requested certificate profile \"%.60s\" is not offered", word != NULL ? word : "");
			return false;
		}
		o->profile = &s->profiles[i];
		if (strcmp(word, s->profiles[i].name) == 0)
			break;
	}
	if (o->names_n <= o->profile->names_max)
		return true;
	refuse(x, 400, "malformed", "Order cannot contain more than %u identifiers", o->profile->names_max);
	return false;
}

static bool
shares_name(const struct order *a, const struct order *b)
{
	for (size_t i = 0; i < a->names_n; i++)
		for (size_t k = 0; k < b->names_n; k++)
			if (strcmp(a->names[i], b->names[k]) == 0)
				return true;
	return false;
}

/* RFC 9773 5: of this account, with a name in common, and not replaced by an order that is still good. */
static bool
read_replaces(struct exchange *x, struct order *o)
{
	const json_t *v = json_object_get(x->payload, "replaces");
	const char *id = json_string_value(v);
	struct certificate *c = id != NULL ? certificate_of_id(x->f, str_of(id)) : NULL;

	if (v == NULL)
		return true;
	if (c == NULL)
		refuse(x, 404, "malformed", "While validating ARI 'replaces' field: no certificate with this identifier was issued");
	else if (c->account != o->account)
		refuse(x, 403, "unauthorized", "While validating ARI 'replaces' field: the certificate was issued to another account");
	else if (!shares_name(o, c->order))
		refuse(x, 400, "malformed", "While validating ARI 'replaces' field: the order has no identifier of the certificate");
	else if (c->replaced_by != NULL && order_status(c->replaced_by, fake_now(x->f)) != S_INVALID)
		refuse(x, 409, "alreadyReplaced",
		    "cannot indicate an order replaces certificate with serial \"%s\", which already has a replacement order", c->serial);
	else {
		o->replaces = c;
		o->is_named_renewal = is_in_window(x->f, c);
		return true;
	}
	return false;
}

static struct authz *
find_or_make_authz(struct fake *f, struct order *o, const char *name)
{
	struct when now = fake_now(f);
	char key[TEXT_BYTES + 32];
	uint64_t at;

	(void)snprintf(key, sizeof key, "%llu|%s", (unsigned long long)o->account->id, name);
	if (map_get(&f->by_authz, str_of(key), &at) && authz_status(f->authzs.at[at], now) == S_VALID &&
	    when_before(now, when_plus(f->authzs.at[at]->validated, o->profile->reuse)))
		return f->authzs.at[at];
	struct authz *z = calloc(1, sizeof *z);
	if (z == NULL)
		return NULL;
	*z = (struct authz){ .f = f, .id = f->first_id + f->authzs.n, .account = o->account, .status = S_PENDING,
		.expires = when_plus(now, o->profile->pending), .is_wildcard = strncmp(name, "*.", 2) == 0 };
	(void)snprintf(z->name, sizeof z->name, "%s", name + (z->is_wildcard ? 2 : 0));
	fake_token(f, z->token);
	if (map_put(&f->by_authz, str_of(key), f->authzs.n) == ERR_OK && TABLE_PUT(f->authzs, z))
		return z;
	free(z);
	return NULL;
}

static char *
set_of(const struct order *o)
{
	AUTO_BUF b = { .p = NULL };

	buf_init(&b, NAMES_MAX * (TEXT_BYTES + 1));
	for (size_t i = 0; i < o->names_n; i++)
		buf_putf(&b, "%s%s", i > 0 ? "," : "", o->names[i]);
	return buf_take(&b);
}

/* Boulder gives the same order again while it can still be used. */
static struct order *
find_again(struct exchange *x, const struct order *o, struct str key)
{
	uint64_t at;

	if (!x->f->set.reuses_orders || o->replaces != NULL || !map_get(&x->f->by_order, key, &at))
		return NULL;
	struct order *old = x->f->orders.at[at];
	enum status s = order_status(old, fake_now(x->f));
	return s == S_PENDING || s == S_READY ? old : NULL;
}

static bool
keep_order(struct exchange *x, struct order *o, struct str key)
{
	struct fake *f = x->f;

	o->id = f->first_id + f->orders.n;
	o->created = fake_now(f);
	o->expires = when_plus(o->created, o->profile->order);
	o->authz = calloc(o->names_n, sizeof(struct authz *));
	for (size_t i = 0; o->authz != NULL && i < o->names_n; i++) {
		o->authz[i] = find_or_make_authz(f, o, o->names[i]);
		if (o->authz[i] == NULL)
			return false;
	}
	return o->authz != NULL && map_put(&f->by_order, key, f->orders.n) == ERR_OK && TABLE_PUT(f->orders, o);
}

void
at_new_order(struct exchange *x)
{
	struct order *o = calloc(1, sizeof *o), *again;

	if (o == NULL) {
		refuse(x, 500, "serverInternal", "out of memory");
		return;
	}
	o->f = x->f;
	o->account = x->account;
	if (json_object_get(x->payload, "notBefore") != NULL || json_object_get(x->payload, "notAfter") != NULL) {
		refuse(x, 400, "malformed", "NotBefore and NotAfter are not supported");
		order_free(o);
		return;
	}
	if (!read_names(x, o) || !read_profile(x, o) || !read_replaces(x, o) || (o->set = set_of(o)) == NULL) {
		order_free(o);
		return;
	}
	o->is_renewal = limits_is_same_set(x->f, o->set);
	struct str key = arena_strf(&x->arena, "%llu|%s|%s", (unsigned long long)x->account->id, o->profile->name, o->set);
	again = find_again(x, o, key);
	if (again != NULL || !limits_allow(x, o)) {
		order_free(o);
		if (again != NULL) {
			x->reply->status = 201;
			put_order(x, again);
		}
		return;
	}
	if (!keep_order(x, o, key)) {
		order_free(o);
		refuse(x, 500, "serverInternal", "out of memory");
		return;
	}
	if (o->replaces != NULL)
		o->replaces->replaced_by = o;
	x->reply->status = 201;
	put_order(x, o);
}

void
order_free(struct order *o)
{
	if (o == NULL)
		return;
	for (size_t i = 0; i < o->names_n; i++)
		free(o->names[i]);
	free(o->names);
	free(o->authz);
	free(o->set);
	EVP_PKEY_free(o->key);
	free(o);
}

/* --- looking --- */

struct order *
order_of(struct exchange *x)
{
	size_t i;

	if (read_id(x->f, x->tail, x->f->orders.n, &i) && x->f->orders.at[i]->account == x->account) {
		(void)snprintf(x->subject, sizeof x->subject, "%s", x->f->orders.at[i]->names[0]);
		return x->f->orders.at[i];
	}
	refuse(x, 404, "malformed", "No order for ID %.*s", (int)(x->tail.n < 60 ? x->tail.n : 60), x->tail.p);
	return NULL;
}

void
at_order(struct exchange *x)
{
	struct order *o = order_of(x);

	if (o == NULL)
		return;
	if (!x->is_post_as_get) {
		refuse(x, 400, "malformed", "POST-as-GET requests must have an empty payload");
		return;
	}
	put_order(x, o);
}

static struct authz *
authz_of(struct exchange *x, struct str id)
{
	size_t i;

	if (read_id(x->f, id, x->f->authzs.n, &i) && x->f->authzs.at[i]->account == x->account) {
		(void)snprintf(x->subject, sizeof x->subject, "%s", x->f->authzs.at[i]->name);
		return x->f->authzs.at[i];
	}
	refuse(x, 404, "malformed", "No such authorization");
	return NULL;
}

void
at_authz(struct exchange *x)
{
	struct authz *z = authz_of(x, x->tail);
	const char *status = json_string_value(json_object_get(x->payload, "status"));

	if (z == NULL)
		return;
	if (!x->is_post_as_get) {
		if (status == NULL || strcmp(status, "deactivated") != 0) {
			refuse(x, 400, "malformed", "Invalid status value");
			return;
		}
		enum status s = authz_status(z, fake_now(x->f));
		if (s == S_PENDING || s == S_VALID)
			z->status = S_DEACTIVATED;
	}
	put_authz(x, z);
}

void
at_challenge(struct exchange *x)
{
	struct str kind = x->tail, id = str_cut(&kind, '/');
	struct authz *z = authz_of(x, id);
	enum challenge_kind k = str_eq(kind, STR("http-01")) ? HTTP_01 : str_eq(kind, STR("dns-01")) ? DNS_01 : CHALLENGE_KINDS;

	if (z == NULL)
		return;
	if (k == CHALLENGE_KINDS || (z->is_wildcard && k == HTTP_01)) {
		refuse(x, 404, "malformed", "No such challenge");
		return;
	}
	if (authz_status(z, fake_now(x->f)) == S_EXPIRED) {
		refuse(x, 404, "malformed", "Expired authorization");
		return;
	}
	/* Asked twice, it is looked at once (7.5.1). */
	if (!x->is_post_as_get && z->status == S_PENDING && !z->is_trying) {
		z->is_trying = true;
		z->tried = k;
		validation_begin(x->f, z);
	}
	x->reply->type = "application/json";
	put_header(x, "Link: <%.*s/acme/authz/%llu>;rel=\"up\"", STR_ARG(x->base), (unsigned long long)z->id);
	put_challenge(x, z, k);
}
