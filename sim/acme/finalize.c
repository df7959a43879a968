#include "sim/acme/inside.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The CSR, the certificate that comes of it, and its download: RFC 8555 7.4, 7.4.2. */

#define BACK_MOST SPAN_H(1) /* dates back, so that visitors whose clocks are behind accept it; short lives do not */
#define FAR_FROM ((struct when){ 4323369600 }) /* 2107-01-01 */
#define FAR_TO ((struct when){ 4418064000 })   /* 2110-01-01 */

/* --- the CSR --- */

static void
put_name(struct arena *a, const ASN1_STRING *s, struct str *to, size_t *n, size_t cap)
{
	struct str raw = { (const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s) };
	struct str copy = arena_str(a, raw);
	char *p = arena_get(a, copy.n + 1);

	for (size_t i = 0; p != NULL && i < copy.n; i++)
		p[i] = copy.p[i] >= 'A' && copy.p[i] <= 'Z' ? (char)(copy.p[i] - 'A' + 'a') : copy.p[i];
	for (size_t i = 0; i < *n; i++)
		if (p != NULL && to[i].n == copy.n && memcmp(to[i].p, p, copy.n) == 0)
			return;
	if (p != NULL && *n < cap)
		to[(*n)++] = (struct str){ p, copy.n };
}

/* Names of the CSR, from both of the places where they may stand; SIZE_MAX: something other than a host name is asked for. */
static size_t
names_of(X509_REQ *csr, struct arena *a, struct str *to, size_t cap)
{
	STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(csr);
	GENERAL_NAMES *alt = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
	const X509_NAME *subject = X509_REQ_get_subject_name(csr);
	size_t n = 0;
	bool is_bad = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(alt); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(alt, i);

		if (g->type == GEN_DNS)
			put_name(a, g->d.dNSName, to, &n, cap);
		else
			is_bad = true;
	}
	for (int i = X509_NAME_get_index_by_NID(subject, NID_commonName, -1); i >= 0;
	     i = X509_NAME_get_index_by_NID(subject, NID_commonName, i))
		put_name(a, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i)), to, &n, cap);
	GENERAL_NAMES_free(alt);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	return is_bad ? SIZE_MAX : n;
}

static bool
are_names_of(const struct order *o, const struct str *names, size_t n)
{
	if (n != o->names_n)
		return false;
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < o->names_n && !str_eq(names[i], str_of(o->names[k])))
			k++;
		if (k == o->names_n)
			return false;
	}
	return true;
}

static bool
is_key_good(EVP_PKEY *key)
{
	int bits = key != NULL ? EVP_PKEY_get_bits(key) : 0;

	if (key != NULL && EVP_PKEY_is_a(key, "EC") == 1)
		return bits == 256 || bits == 384;
	return key != NULL && EVP_PKEY_is_a(key, "RSA") == 1 && (bits == 2048 || bits == 3072 || bits == 4096);
}

/* The key of a CSR that fits the order; NULL after a refusal. */
static EVP_PKEY *
read_csr(struct exchange *x, const struct order *o)
{
	const char *text = json_string_value(json_object_get(x->payload, "csr"));
	struct str der, names[NAMES_MAX + 1];
	X509_REQ *csr = NULL;
	EVP_PKEY *key = NULL;

	if (text != NULL && jws_decode(str_of(text), &x->arena, &der)) {
		const unsigned char *p = (const unsigned char *)der.p;

		csr = d2i_X509_REQ(NULL, &p, (long)der.n);
	}
	if (csr == NULL) {
		refuse(x, 400, "malformed", "Error parsing certificate request: expected DER in base64url");
	} else {
		size_t n = names_of(csr, &x->arena, names, NAMES_MAX + 1);

		key = X509_REQ_get_pubkey(csr);
		if (!is_key_good(key))
			refuse(x, 400, "badCSR", "Error finalizing order :: invalid public key in CSR");
		else if (EVP_PKEY_eq(key, x->account->key) == 1)
			refuse(x, 400, "malformed", "certificate public key must be different than account key");
		else if (X509_REQ_verify(csr, key) != 1)
			refuse(x, 400, "badCSR", "Error finalizing order :: invalid signature on CSR");
		else if (n == SIZE_MAX || !are_names_of(o, names, n))
			refuse(x, 400, "badCSR", "Error finalizing order :: CSR does not specify same identifiers as Order");
		else {
			X509_REQ_free(csr);
			return key;
		}
	}
	ERR_clear_error();
	EVP_PKEY_free(key);
	X509_REQ_free(csr);
	return NULL;
}

/* --- issuing --- */

static void
set_serial(struct certificate *c, const uint8_t serial[SIGN_SERIAL_BYTES], const uint8_t *key_id)
{
	char key[32], number[32];

	for (size_t i = 0; i < SIGN_SERIAL_BYTES; i++)
		(void)snprintf(c->serial + 2 * i, 3, "%02x", serial[i]);
	jws_encode(key_id, SIGN_KEY_ID_BYTES, key);
	jws_encode(serial, SIGN_SERIAL_BYTES, number);
	(void)snprintf(c->id, sizeof c->id, "%s.%s", key, number);
}

static struct certificate *
make_certificate(struct fake *f, struct order *o, const struct fault *t)
{
	struct certificate *c = calloc(1, sizeof *c);
	AUTO_ARENA a = { .head = NULL };
	struct str names[NAMES_MAX], pem = STR_NONE, der = STR_NONE;
	struct span life = o->profile->life;
	struct when now = fake_now(f);
	struct span back = life.s > 2 * BACK_MOST.s ? BACK_MOST : SPAN_S(0);
	struct sign_leaf leaf = { .names = names, .names_n = o->names_n, .key = o->key, .has_common_name = o->profile->has_common_name,
		.list_url = str_of(f->set.list) };
	EVP_PKEY *other = NULL;

	if (c == NULL)
		return NULL;
	arena_init(&a, 256 * 1024);
	for (size_t i = 0; i < o->names_n; i++)
		names[i] = str_of(o->names[i]);
	leaf.from = when_minus(now, back);
	leaf.to = when_plus(leaf.from, life);
	f->clock->random(f->clock->ctx, leaf.serial, sizeof leaf.serial);
	leaf.serial[0] = (uint8_t)((leaf.serial[0] & 0x7f) | 1);
	if (t != NULL && t->kind == FAULT_WRONG_NAMES) {
		names[0] = STR("wrong.fake-ca.example");
		leaf.names_n = 1;
	} else if (t != NULL && t->kind == FAULT_WRONG_KEY) {
		leaf.key = other = EVP_EC_gen("P-256");
	} else if (t != NULL && t->kind == FAULT_FAR_DATES) {
		leaf.from = FAR_FROM;
		leaf.to = FAR_TO;
	}
	leaf.has_wrong_issuer = t != NULL && t->kind == FAULT_WRONG_CHAIN;
	*c = (struct certificate){ .account = o->account, .order = o, .from = leaf.from, .to = leaf.to, .revoked = WHEN_UNKNOWN };
	set_serial(c, leaf.serial, sign_key_id(f->sign));
	enum err err = leaf.key == NULL ? ERR_MEMORY : sign_leaf(f->sign, &leaf, &a, &pem, &der);
	EVP_PKEY_free(other);
	if (err == ERR_OK) {
		c->pem = strndup(pem.p, pem.n);
		c->der = malloc(der.n);
		c->der_n = der.n;
		if (c->der != NULL)
			memcpy(c->der, der.p, der.n);
	}
	if (c->pem != NULL && c->der != NULL && map_put(&f->by_serial, str_of(c->serial), f->certificates.n) == ERR_OK &&
	    TABLE_PUT(f->certificates, c))
		return c;
	certificate_free(c);
	return NULL;
}

static void
issue(void *arg)
{
	struct order *o = arg;
	struct fake *f = o->f;
	const struct fault *t = fault_take(f, FAULT_ISSUE, AT_FINALIZE);

	o->is_processing = true;
	if (t != NULL && t->kind == FAULT_PROCESSING)
		return; /* for ever */
	o->certificate = make_certificate(f, o, t);
	o->is_processing = false;
	EVP_PKEY_free(o->key);
	o->key = NULL;
	if (o->certificate == NULL) {
		o->is_failed = true;
		o->error = (struct problem_text){ .status = 500, .type = "serverInternal", .detail = "Error finalizing order" };
		return;
	}
	f->issued_n++;
	limits_spend_issued(f, o);
}

void
at_finalize(struct exchange *x)
{
	struct order *o = order_of(x);

	if (o == NULL)
		return;
	if (order_status(o, fake_now(x->f)) != S_READY) {
		refuse(x, 403, "orderNotReady", "Order's status (\"%s\") is not acceptable for finalization",
		    status_name(order_status(o, fake_now(x->f))));
		return;
	}
	o->key = read_csr(x, o);
	if (o->key == NULL)
		return;
	if (x->f->set.issue_ms == 0)
		issue(o);
	else {
		o->is_processing = true;
		if (loop_after(x->f->loop, x->f->set.issue_ms, issue, o) == NULL)
			issue(o);
	}
	put_order(x, o);
}

void
certificate_free(struct certificate *c)
{
	if (c == NULL)
		return;
	free(c->pem);
	free(c->der);
	free(c);
}

/* --- the download --- */

void
at_certificate(struct exchange *x)
{
	struct str which = x->tail, serial = str_cut(&which, '/');
	int64_t n = 0;
	uint64_t at;

	if (!map_get(&x->f->by_serial, serial, &at) || x->f->certificates.at[at]->account != x->account ||
	    (which.n > 0 && (!str_to_int(which, &n) || n < 0 || n >= SIGN_CHAINS))) {
		refuse(x, 404, "malformed", "Certificate not found");
		return;
	}
	if (!x->is_post_as_get) {
		refuse(x, 400, "malformed", "POST-as-GET requests must have an empty payload");
		return;
	}
	const struct certificate *c = x->f->certificates.at[at];
	(void)snprintf(x->subject, sizeof x->subject, "%s", c->order->names[0]);
	for (int64_t i = 0; i < SIGN_CHAINS; i++)
		if (i != n)
			put_header(x, "Link: <%.*s/acme/cert/%s/%lld>;rel=\"alternate\"", STR_ARG(x->base), c->serial, (long long)i);
	x->reply->type = "application/pem-certificate-chain";
	buf_put_str(&x->reply->body, str_of(c->pem));
	buf_put_str(&x->reply->body, sign_chain(x->f->sign, (size_t)n));
}
