#include "ports/probe/crl.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "ports/clock/clock.h"
#include "ports/keys/x509.h"

enum {
	LISTS_MAX = 128, /* Let's Encrypt has as many for one of its issuers */
	KEPT_S_MAX = 12 * 3600,
	KEPT_S_MIN = 600,
	ARENA_BYTES = 64 * 1024,
	DIGEST_BYTES_MAX = 32,
};

struct list {
	struct list *next;
	struct crls *all;
	char *url;
	unsigned char issuer[DIGEST_BYTES_MAX]; /* SHA-256 of its key */
	struct fetch *fetch; /* while it is under way */
	struct buf body;
	struct http_evidence http;
	struct arena arena;
	struct str issuer_key;
	bool is_known; /* else there was none to be had */
	struct when until;
	uint64_t *serials; /* hashes of those on it, ascending */
	size_t n;
	struct crl_wait *first;
};
struct crl_wait {
	struct crl_wait *next;
	struct list *list;
	struct tls_evidence *t;
	loop_fn *done;
	void *arg;
};
struct crls {
	struct crls_options o;
	struct list *first;
	size_t n;
};

enum err
crls_new(const struct crls_options *o, struct crls **ret)
{
	*ret = calloc(1, sizeof **ret);
	if (*ret == NULL)
		return ERR_MEMORY;
	(*ret)->o = *o;
	return ERR_OK;
}

static void
list_free(struct list *l)
{
	struct list **at = &l->all->first;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	l->all->n--;
	fetch_stop(&l->fetch);
	while (l->first != NULL) {
		struct crl_wait *w = l->first;

		l->first = w->next;
		free(w);
	}
	buf_fini(&l->body);
	arena_fini(&l->arena);
	free(l->serials);
	free(l->url);
	free(l);
}

void
crls_free(struct crls **cp)
{
	struct crls *c = *cp;

	if (c == NULL)
		return;
	while (c->first != NULL)
		list_free(c->first);
	free(c);
	*cp = NULL;
}

/* --- reading one --- */

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* As certificate_info has it: lower-case hexadecimal. */
static uint64_t
hash_of(const ASN1_INTEGER *serial)
{
	static const char hex[] = "0123456789abcdef";
	BIGNUM *n = ASN1_INTEGER_to_BN(serial, NULL);
	char *text = n == NULL ? NULL : BN_bn2hex(n);
	uint64_t hash = 0;

	for (char *p = text; p != NULL && *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'F')
			*p = hex[*p - 'A' + 10];
	if (text != NULL)
		hash = str_hash(str_of(text));
	OPENSSL_free(text);
	BN_free(n);
	return hash;
}

/* RFC 5280 5.3.1: taken off the list again (only lists that tell changes have such, but no harm is done by knowing it). */
static bool
is_removed(const X509_REVOKED *r)
{
	int critical = 0;
	ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(r, NID_crl_reason, &critical, NULL);
	bool is_it = reason != NULL && ASN1_ENUMERATED_get(reason) == CRL_REASON_REMOVE_FROM_CRL;

	ASN1_ENUMERATED_free(reason);
	return is_it;
}

static bool
take_serials(struct list *l, X509_CRL *crl)
{
	STACK_OF(X509_REVOKED) *all = X509_CRL_get_REVOKED(crl);
	int n = all == NULL ? 0 : sk_X509_REVOKED_num(all);

	l->serials = calloc((size_t)n + 1, sizeof *l->serials);
	if (l->serials == NULL)
		return false;
	for (int i = 0; i < n; i++) {
		const X509_REVOKED *r = sk_X509_REVOKED_value(all, i);

		if (!is_removed(r))
			l->serials[l->n++] = hash_of(X509_REVOKED_get0_serialNumber(r));
	}
	qsort(l->serials, l->n, sizeof *l->serials, compare);
	return true;
}

static void
read_list(struct list *l, struct when now)
{
	const unsigned char *p = (const unsigned char *)l->body.p, *key = (const unsigned char *)l->issuer_key.p;
	X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)l->body.n);
	EVP_PKEY *issuer = d2i_PUBKEY(NULL, &key, (long)l->issuer_key.n);
	struct when from = crl == NULL ? WHEN_UNKNOWN : x509_when(X509_CRL_get0_lastUpdate(crl)),
		    to = crl == NULL ? WHEN_UNKNOWN : x509_when(X509_CRL_get0_nextUpdate(crl));
	bool is_whole = crl != NULL && X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) < 0;

	if (is_whole && issuer != NULL && X509_CRL_verify(crl, issuer) == 1 && when_is_known(from) && when_is_known(to) &&
	    !when_before(now, from) && when_before(now, to) && take_serials(l, crl)) {
		l->is_known = true;
		l->until = when_max(when_min(to, when_plus(now, SPAN_S(KEPT_S_MAX))), when_plus(now, SPAN_S(KEPT_S_MIN)));
	}
	X509_CRL_free(crl);
	EVP_PKEY_free(issuer);
	ERR_clear_error();
}

/* --- asking --- */

static void
judge(const struct list *l, struct tls_evidence *t)
{
	uint64_t serial = str_hash(t->leaf.serial);

	t->revocation = !l->is_known ? REVOCATION_UNKNOWN
			: bsearch(&serial, l->serials, l->n, sizeof *l->serials, compare) != NULL ? REVOCATION_REVOKED
												   : REVOCATION_GOOD;
}

static void
tell(struct list *l)
{
	while (l->first != NULL) {
		struct crl_wait *w = l->first;
		loop_fn *done = w->done;
		void *who = w->arg;

		l->first = w->next;
		judge(l, w->t);
		free(w);
		done(who);
	}
}

static void
on_fetched(void *arg)
{
	struct list *l = arg;
	struct when now = clock_now(l->all->o.clock);

	l->fetch = NULL;
	l->until = when_plus(now, SPAN_S(KEPT_S_MIN));
	if (l->http.result == HTTP_ANSWERED && l->http.status == 200 && l->body.n > 0)
		read_list(l, now);
	buf_fini(&l->body);
	arena_fini(&l->arena);
	tell(l);
}

static bool
digest_of(struct str key, unsigned char ret[DIGEST_BYTES_MAX])
{
	unsigned n = 0;

	return EVP_Digest(key.p, key.n, ret, &n, EVP_sha256(), NULL) == 1;
}

/* One whose time is over makes room, or that nobody waits for; NULL: there is none. */
static struct list *
spare(struct crls *c)
{
	struct list *found = NULL;

	for (struct list *l = c->first; l != NULL; l = l->next)
		if (l->fetch == NULL && l->first == NULL)
			found = l; /* the oldest one stands last */
	return found;
}

static struct list *
list_new(struct crls *c, const struct tls_evidence *t, const unsigned char issuer[DIGEST_BYTES_MAX])
{
	struct list *old = c->n >= LISTS_MAX ? spare(c) : NULL, *l;

	if (c->n >= LISTS_MAX && old == NULL)
		return NULL;
	if (old != NULL)
		list_free(old);
	l = calloc(1, sizeof *l);
	if (l == NULL)
		return NULL;
	*l = (struct list){ .next = c->first, .all = c };
	c->first = l;
	c->n++;
	memcpy(l->issuer, issuer, DIGEST_BYTES_MAX);
	arena_init(&l->arena, ARENA_BYTES);
	l->url = strndup(t->crl_url.p, t->crl_url.n);
	l->issuer_key = arena_str(&l->arena, t->issuer_key);
	const struct fetch_target target = {
		.url = str_of(l->url),
		.arena = &l->arena,
		.into = &l->http,
		.ret_body = &l->body,
		.body_max = LIMIT_CRL_BYTES,
		.done = on_fetched,
		.arg = l,
	};
	if (l->url == NULL || l->issuer_key.n == 0 || fetch_start(c->o.fetcher, &target, &l->fetch) != ERR_OK) {
		list_free(l);
		return NULL;
	}
	return l;
}

static struct list *
list_of(struct crls *c, const struct tls_evidence *t)
{
	unsigned char issuer[DIGEST_BYTES_MAX];
	struct when now = clock_now(c->o.clock);

	if (!digest_of(t->issuer_key, issuer))
		return NULL;
	for (struct list *l = c->first, *next; l != NULL; l = next) {
		next = l->next;
		if (memcmp(l->issuer, issuer, sizeof issuer) != 0 || !str_eq(str_of(l->url), t->crl_url))
			continue;
		if (l->fetch != NULL || l->first != NULL || when_before(now, l->until))
			return l;
		list_free(l);
	}
	return list_new(c, t, issuer);
}

enum err
crl_ask(struct crls *c, struct tls_evidence *t, loop_fn *done, void *arg, struct crl_wait **ret)
{
	t->revocation = REVOCATION_UNKNOWN;
	*ret = NULL;
	if (t->crl_url.n == 0 || t->issuer_key.n == 0 || t->leaf.serial.n == 0)
		return ERR_OK;
	struct list *l = list_of(c, t);
	if (l == NULL)
		return ERR_OK;
	if (l->fetch == NULL) {
		judge(l, t);
		return ERR_OK;
	}
	struct crl_wait *w = calloc(1, sizeof *w);
	if (w == NULL)
		return ERR_MEMORY;
	*w = (struct crl_wait){ .next = l->first, .list = l, .t = t, .done = done, .arg = arg };
	l->first = w;
	*ret = w;
	return ERR_OK;
}

void
crl_drop(struct crl_wait **wp)
{
	struct crl_wait *w = *wp;

	if (w == NULL)
		return;
	*wp = NULL;
	struct crl_wait **at = &w->list->first;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	free(w);
}
