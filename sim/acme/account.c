#include "sim/acme/inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"

/* Accounts: RFC 8555 7.1.2, 7.3. */

static struct str
text_of(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) } : STR_NONE;
}

static void
put_account(struct exchange *x, const struct account *a)
{
	struct buf *to = &x->reply->body;

	x->reply->type = "application/json";
	buf_putf(to, "{\"status\":\"%s\",\"contact\":[", status_name(a->status));
	for (size_t i = 0; i < a->contacts_n; i++) {
		buf_put_str(to, i > 0 ? STR(",") : STR(""));
		put_json_text(to, str_of(a->contacts[i]));
	}
	buf_putf(to, "],\"termsOfServiceAgreed\":true,\"orders\":\"%.*s/acme/acct/%llu/orders\"}", STR_ARG(x->base),
	    (unsigned long long)a->id);
}

static void
drop_contacts(struct account *a)
{
	for (size_t i = 0; i < a->contacts_n; i++)
		free(a->contacts[i]);
	a->contacts_n = 0;
}

/* Takes the field `contact` where there is one; false after a refusal (7.3). */
static bool
take_contacts(struct exchange *x, struct account *a)
{
	const json_t *list = json_object_get(x->payload, "contact");
	size_t n = json_array_size(list);

	if (list == NULL)
		return true;
	if (!json_is_array(list) || n > CONTACTS_MAX) {
		refuse(x, 400, "malformed", "contact: expected a list of at most %d URLs", CONTACTS_MAX);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		const char *c = json_string_value(json_array_get(list, i));
		const char *at = c == NULL ? NULL : strchr(c, '@');

		if (c == NULL || strncmp(c, "mailto:", 7) != 0) {
			refuse(x, 400, "unsupportedContact", "Error validating contact(s) :: only contact scheme 'mailto:' is supported");
			return false;
		}
		if (at == NULL || at == c + 7 || strchr(at, '.') == NULL || strpbrk(c, ",?\r\n ") != NULL || strlen(c) > TEXT_BYTES) {
			refuse(x, 400, "invalidContact", "Error validating contact(s) :: unable to parse email address");
			return false;
		}
	}
	drop_contacts(a);
	for (size_t i = 0; i < n; i++) {
		a->contacts[a->contacts_n] = strdup(json_string_value(json_array_get(list, i)));
		a->contacts_n += a->contacts[a->contacts_n] != NULL;
	}
	return true;
}

/* 7.3.4: the account's public key, signed with a key that the CA gave by another way. */
static bool
check_binding(struct exchange *x, char ret_kid[WORD_BYTES])
{
	const struct settings *s = &x->f->set;
	json_t *binding = json_object_get(x->payload, "externalAccountBinding");
	struct jws_refusal r = { .type = NULL };
	struct jws inner = { .header = NULL };
	struct str key;
	size_t i = 0;
	bool is_good = false;

	if (s->eabs_n == 0)
		return true;
	if (binding == NULL) {
		refuse(x, 403, "externalAccountRequired", "No external account binding provided");
		return false;
	}
	if (!jws_read_json(binding, &x->arena, &inner, &r)) {
		refuse(x, 400, "malformed", "external account binding: %s", r.why.text);
		jws_fini(&inner);
		return false;
	}
	while (i < s->eabs_n && !str_eq(inner.kid, str_of(s->eabs[i].kid)))
		i++;
	json_t *bound = json_loadb(inner.payload.p, inner.payload.n, 0, NULL);
	if (i == s->eabs_n)
		refuse(x, 403, "unauthorized", "the field 'kid' references a key that is not known to the ACME server");
	else if (!jws_decode(str_of(s->eabs[i].hmac), &x->arena, &key) || !jws_verify_hs256(&inner, key))
		refuse(x, 403, "unauthorized", "external account binding: JWS verification error");
	else if (inner.has_nonce || !str_eq(inner.url, x->url))
		refuse(x, 400, "malformed", "external account binding: the URL must be that of the outer JWS, and there is no nonce");
	else if (!json_equal(bound, x->jws.jwk))
		refuse(x, 400, "malformed", "external account binding: the payload is not the key of the outer JWS");
	else
		is_good = snprintf(ret_kid, WORD_BYTES, "%s", s->eabs[i].kid) > 0;
	json_decref(bound);
	jws_fini(&inner);
	return is_good;
}

static void
create(struct exchange *x, const char *kid)
{
	struct fake *f = x->f;
	struct account *a = calloc(1, sizeof *a);

	if (a == NULL || !take_contacts(x, a)) {
		account_free(a);
		return;
	}
	a->id = f->first_id + f->accounts.n;
	a->status = S_VALID;
	memcpy(a->thumbprint, x->thumbprint, sizeof a->thumbprint);
	a->key = x->new_key;
	x->new_key = NULL;
	a->jwk = json_deep_copy(x->jws.jwk);
	(void)snprintf(a->eab_kid, sizeof a->eab_kid, "%s", kid);
	if (a->jwk == NULL || map_put(&f->by_thumbprint, str_of(a->thumbprint), f->accounts.n) != ERR_OK ||
	    !TABLE_PUT(f->accounts, a)) {
		account_free(a);
		refuse(x, 500, "serverInternal", "out of memory");
		return;
	}
	x->account = a;
	x->reply->status = 201;
}

static void
limited(struct exchange *x, int64_t wait_ms)
{
	char scope[TEXT_BYTES];
	AUTO_BUF words = { .p = NULL };
	int64_t s = (wait_ms + 999) / 1000;

	buf_init(&words, DETAIL_BYTES);
	tokens_words(&x->f->limits, TOKENS_NEW_ACCOUNTS, x->request->peer, when_plus(fake_now(x->f), SPAN_S(s)), &words);
	refuse(x, 429, "rateLimited", "%.*s", STR_ARG(buf_str(&words)));
	scope_of_limit(TOKENS_NEW_ACCOUNTS, x->request->peer, scope);
	put_retry_after(x, s, false, scope);
}

void
at_new_account(struct exchange *x)
{
	char kid[WORD_BYTES] = "";
	struct account *a = x->account;

	if (x->is_post_as_get) {
		refuse(x, 400, "malformed", "Request payload did not parse as JSON");
		return;
	}
	if (a != NULL && a->status != S_VALID) {
		refuse(x, 403, "unauthorized", "Account is not valid, has status \"%s\"", status_name(a->status));
		return;
	}
	if (a == NULL && json_is_true(json_object_get(x->payload, "onlyReturnExisting"))) {
		refuse(x, 400, "accountDoesNotExist", "No account exists with the provided key");
		return;
	}
	if (a == NULL) {
		if (x->f->set.terms[0] != '\0' && !json_is_true(json_object_get(x->payload, "termsOfServiceAgreed"))) {
			refuse(x, 400, "malformed", "must agree to terms of service");
			return;
		}
		if (!check_binding(x, kid))
			return;
		int64_t wait = tokens_spend(&x->f->limits, TOKENS_NEW_ACCOUNTS, x->request->peer, fake_ms(x->f));
		if (wait > 0) {
			limited(x, wait);
			return;
		}
		create(x, kid);
	}
	if (x->account == NULL)
		return;
	put_header(x, "Location: %.*s/acme/acct/%llu", STR_ARG(x->base), (unsigned long long)x->account->id);
	if (x->f->set.terms[0] != '\0')
		put_header(x, "Link: <%s>;rel=\"terms-of-service\"", x->f->set.terms);
	put_account(x, x->account);
}

static void
list_orders(struct exchange *x)
{
	struct fake *f = x->f;
	struct buf *to = &x->reply->body;
	struct when now = fake_now(f);
	bool is_first = true;

	x->reply->type = "application/json";
	buf_put_str(to, STR("{\"orders\":["));
	for (size_t i = 0; i < f->orders.n; i++) {
		const struct order *o = f->orders.at[i];

		if (o->account != x->account || order_status(o, now) == S_INVALID)
			continue;
		buf_putf(to, "%s\"%.*s/acme/order/%llu\"", is_first ? "" : ",", STR_ARG(x->base), (unsigned long long)o->id);
		is_first = false;
	}
	buf_put_str(to, STR("]}"));
}

void
at_account(struct exchange *x)
{
	struct str tail = x->tail, id = str_cut(&tail, '/');
	struct str status = text_of(x->payload, "status");
	size_t i;

	if (!read_id(x->f, id, x->f->accounts.n, &i) || x->f->accounts.at[i] != x->account) {
		refuse(x, 403, "unauthorized", "Request signing key did not match account key");
		return;
	}
	if (str_eq(tail, STR("orders"))) {
		list_orders(x);
		return;
	}
	if (tail.n > 0) {
		refuse(x, 404, "malformed", "Page not found");
		return;
	}
	if (status.n > 0 && !str_eq(status, STR("deactivated"))) {
		refuse(x, 400, "malformed", "Invalid value provided for status field");
		return;
	}
	if (!x->is_post_as_get && !take_contacts(x, x->account))
		return;
	if (status.n > 0)
		x->account->status = S_DEACTIVATED;
	put_account(x, x->account);
}

/* --- 7.3.5 --- */

static bool
check_inner(struct exchange *x, const struct jws *inner, EVP_PKEY *key, const char *thumbprint)
{
	struct jws_refusal r = { .type = NULL };
	struct str own = arena_strf(&x->arena, "%.*s/acme/acct/%llu", STR_ARG(x->base), (unsigned long long)x->account->id);
	json_t *payload = json_loadb(inner->payload.p, inner->payload.n, JSON_REJECT_DUPLICATES, NULL);
	char old[JWS_THUMBPRINT_BYTES + 1] = "";
	EVP_PKEY *old_key = jws_key(json_object_get(payload, "oldKey"), old, &r);
	uint64_t at;
	bool is_good = false;

	if (!jws_verify(inner, key, &r)) {
		refuse(x, 400, r.type, "inner JWS: %s", r.why.text);
	} else if (inner->has_nonce || !str_eq(inner->url, x->url)) {
		refuse(x, 400, "malformed", "Outer JWS 'url' value does not match inner JWS 'url' value, or the inner one has a nonce");
	} else if (!str_eq(text_of(payload, "account"), own)) {
		refuse(x, 403, "unauthorized", "The key-change request specified an account that does not match that of the outer JWS");
	} else if (strcmp(old, x->account->thumbprint) != 0) {
		refuse(x, 400, "malformed", "Inner JWS does not contain a key that is the account's present one");
	} else if (map_get(&x->f->by_thumbprint, str_of(thumbprint), &at)) {
		put_header(x, "Location: %.*s/acme/acct/%llu", STR_ARG(x->base), (unsigned long long)x->f->accounts.at[at]->id);
		refuse(x, 409, "conflict", "New key is already in use for a different account");
	} else {
		is_good = true;
	}
	EVP_PKEY_free(old_key);
	json_decref(payload);
	return is_good;
}

void
at_key_change(struct exchange *x)
{
	struct jws_refusal r = { .type = NULL };
	struct jws inner = { .header = NULL };
	char thumbprint[JWS_THUMBPRINT_BYTES + 1];
	EVP_PKEY *key = NULL;

	if (!jws_read_json(x->payload, &x->arena, &inner, &r))
		refuse(x, 400, "malformed", "inner JWS: %s", r.why.text);
	else if (inner.jwk == NULL)
		refuse(x, 400, "malformed", "inner JWS: No embedded JWK in JWS header");
	else if ((key = jws_key(inner.jwk, thumbprint, &r)) == NULL)
		refuse(x, 400, r.type, "inner JWS: %s", r.why.text);
	else if (check_inner(x, &inner, key, thumbprint)) {
		struct account *a = x->account;
		uint64_t at = a->id - x->f->first_id;

		/* The old key means nothing from now on: its entry leads to an account that has another one. */
		if (map_put(&x->f->by_thumbprint, str_of(thumbprint), at) == ERR_OK) {
			map_remove(&x->f->by_thumbprint, str_of(a->thumbprint));
			memcpy(a->thumbprint, thumbprint, sizeof a->thumbprint);
			EVP_PKEY_free(a->key);
			json_decref(a->jwk);
			a->key = key;
			a->jwk = json_deep_copy(inner.jwk);
			key = NULL;
			put_account(x, a);
		}
	}
	EVP_PKEY_free(key);
	jws_fini(&inner);
}

void
account_free(struct account *a)
{
	if (a == NULL)
		return;
	drop_contacts(a);
	EVP_PKEY_free(a->key);
	json_decref(a->jwk);
	free(a);
}
