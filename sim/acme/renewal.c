#include "sim/acme/inside.h"
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

/* When to renew (RFC 9773), and the end of a certificate before its time (RFC 8555 7.6). */

#define SHORT_LIFE SPAN_D(10)

struct window {
	struct when start, end;
};

/* Boulder's: in the last third of the life, or the last half of a short one, a fiftieth of it wide; in an incident the
 * window is over already (core/objects.go). */
static struct window
window_of(const struct fake *f, const struct certificate *c)
{
	struct when now = fake_now(f);
	struct span life = when_between(c->from, c->to), left = span_part(life, 1, life.s < SHORT_LIFE.s ? 2 : 3);
	struct span margin = span_part(life, 1, 100);
	struct when ideal = when_minus(c->to, left);

	if (f->set.is_incident || when_is_known(c->revoked))
		return (struct window){ when_minus(now, SPAN_H(1)), when_minus(now, SPAN_MIN(30)) };
	switch (f->set.window) {
	case WINDOW_INVERTED:
		return (struct window){ when_plus(ideal, SPAN_MIN(1)), when_minus(ideal, SPAN_MIN(1)) };
	case WINDOW_PAST:
		return (struct window){ { 0 }, { 86400 } };
	case WINDOW_AHEAD:
		return (struct window){ when_plus(now, SPAN_D(3000)), when_plus(now, SPAN_D(3001)) };
	case WINDOW_2107:
		return (struct window){ { 4323369600 }, { 4323456000 } };
	case WINDOW_SANE:
	case WINDOW_RUBBISH:
		break;
	}
	return (struct window){ when_minus(ideal, margin), when_plus(ideal, margin) };
}

bool
is_in_window(const struct fake *f, const struct certificate *c)
{
	struct window w = window_of(f, c);
	struct when now = fake_now(f);

	return !when_before(now, w.start) && !when_before(w.end, now);
}

/* RFC 9773 4.1: the authority's key identifier, a dot, the serial number, each in base64url. */
struct certificate *
certificate_of_id(struct fake *f, struct str id)
{
	AUTO_ARENA a = { .head = NULL };
	struct str rest = id, head = str_cut(&rest, '.'), key, serial;
	char hex[2 * SIGN_SERIAL_BYTES + 1];
	uint64_t at;

	arena_init(&a, 4096);
	if (id.n > 200 || !jws_decode(head, &a, &key) || !jws_decode(rest, &a, &serial) || key.n != SIGN_KEY_ID_BYTES ||
	    memcmp(key.p, sign_key_id(f->sign), key.n) != 0 || serial.n != SIGN_SERIAL_BYTES)
		return NULL;
	for (size_t i = 0; i < serial.n; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", (unsigned char)serial.p[i]);
	return map_get(&f->by_serial, str_of(hex), &at) ? f->certificates.at[at] : NULL;
}

void
at_renewal(struct exchange *x)
{
	struct fake *f = x->f;
	struct buf *to = &x->reply->body;
	const struct certificate *c = certificate_of_id(f, x->tail);
	char scope[TEXT_BYTES];

	if (c == NULL) {
		refuse(x, 404, "malformed", "Certificate not found");
		return;
	}
	(void)snprintf(x->subject, sizeof x->subject, "%s", c->order->names[0]);
	struct window w = window_of(f, c);
	x->reply->type = "application/json";
	if (f->set.window == WINDOW_RUBBISH) {
		buf_put_str(to, STR("{\"suggestedWindow\":{\"start\":\"soon\",\"end\":17}}"));
	} else {
		buf_put_str(to, STR("{\"suggestedWindow\":{\"start\":"));
		put_date(to, w.start);
		buf_put_str(to, STR(",\"end\":"));
		put_date(to, w.end);
		buf_putc(to, '}');
		if (f->set.is_incident || when_is_known(c->revoked))
			buf_put_str(to, STR(",\"explanationURL\":\"https://fake-ca.example/incident\""));
		buf_putc(to, '}');
	}
	scope_of_url(x, scope);
	put_retry_after(x, f->set.renewal_poll.s, false, scope);
}

/* --- revocation --- */

/* The certificate of this DER, and its key; NULL after a refusal. */
static struct certificate *
read_certificate(struct exchange *x, EVP_PKEY **ret_key)
{
	const char *text = json_string_value(json_object_get(x->payload, "certificate"));
	struct certificate *c = NULL;
	struct str der = STR_NONE;
	X509 *cert = NULL;
	uint64_t at;

	if (text != NULL && jws_decode(str_of(text), &x->arena, &der)) {
		const unsigned char *p = (const unsigned char *)der.p;

		cert = d2i_X509(NULL, &p, (long)der.n);
	}
	if (cert == NULL) {
		ERR_clear_error();
		refuse(x, 400, "malformed", "Unable to parse certificate DER");
		return NULL;
	}
	BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	uint8_t serial[SIGN_SERIAL_BYTES];
	char hex[2 * SIGN_SERIAL_BYTES + 1] = "";
	if (bn != NULL && BN_bn2binpad(bn, serial, sizeof serial) == (int)sizeof serial)
		for (size_t i = 0; i < sizeof serial; i++)
			(void)snprintf(hex + 2 * i, 3, "%02x", serial[i]);
	BN_free(bn);
	if (map_get(&x->f->by_serial, str_of(hex), &at) && x->f->certificates.at[at]->der_n == der.n &&
	    memcmp(x->f->certificates.at[at]->der, der.p, der.n) == 0) {
		c = x->f->certificates.at[at];
		*ret_key = X509_get_pubkey(cert);
	} else {
		refuse(x, 404, "malformed", "No such certificate");
	}
	X509_free(cert);
	return c;
}

/* 7.6: the account that has the certificate, another one that is authorized for all its names, or the certificate's own key. */
static bool
may_revoke(struct exchange *x, const struct certificate *c, EVP_PKEY *key)
{
	struct when now = fake_now(x->f);

	if (x->account == NULL)
		return EVP_PKEY_eq(x->new_key, key) == 1;
	if (c->account == x->account)
		return true;
	for (size_t i = 0; i < c->order->names_n; i++) {
		struct str id = arena_strf(&x->arena, "%llu|%s", (unsigned long long)x->account->id, c->order->names[i]);
		uint64_t at;

		if (!map_get(&x->f->by_authz, id, &at) || authz_status(x->f->authzs.at[at], now) != S_VALID)
			return false;
	}
	return true;
}

void
at_revoke(struct exchange *x)
{
	const json_t *reason = json_object_get(x->payload, "reason");
	EVP_PKEY *key = NULL;
	struct certificate *c = read_certificate(x, &key);
	json_int_t code = json_integer_value(reason);

	if (c == NULL)
		return;
	(void)snprintf(x->subject, sizeof x->subject, "%s", c->order->names[0]);
	if (!may_revoke(x, c, key)) {
		refuse(x, 403, "unauthorized", "The key ID specified in the revocation request is not authorized for this certificate");
	} else if (when_is_known(c->revoked)) {
		refuse(x, 400, "alreadyRevoked", "Certificate already revoked");
	} else if (reason != NULL && (!json_is_integer(reason) || (code != 0 && code != 1 && code != 4 && code != 5))) {
		refuse(x, 400, "badRevocationReason", "unsupported revocation reason code provided: expected 0, 1, 4 or 5");
	} else {
		c->revoked = fake_now(x->f);
		c->reason = (int)code;
	}
	EVP_PKEY_free(key);
}
