#include "ports/acme/payload.h"
#include "base/limits.h"

static bool
is_safe_name(struct str s)
{
	if (s.n == 0 || s.n > LIMIT_NAME_BYTES)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
			c == '.' || c == '_' || c == '*'))
			return false;
	}
	return true;
}

static bool
is_safe_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f ||
		    s.p[i] == '"' || s.p[i] == '\\')
			return false;
	return true;
}

static void
put_base64url(struct buf *b, struct str s)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	for (size_t i = 0; i < s.n; i += 3) {
		uint32_t v = (uint32_t)(unsigned char)s.p[i] << 16;
		size_t n = s.n - i;

		v |= n > 1 ? (uint32_t)(unsigned char)s.p[i + 1] << 8 : 0;
		v |= n > 2 ? (uint32_t)(unsigned char)s.p[i + 2] : 0;
		char quad[4] = { letters[v >> 18], letters[v >> 12 & 63], letters[v >> 6 & 63],
			letters[v & 63] };
		buf_put(b, quad, n > 2 ? 4 : n + 1);
	}
}

/* The first certificate of a chain: base64 between its two lines becomes base64url (RFC 8555 7.6). */
static enum err
put_certificate(struct buf *b, struct str pem)
{
	const struct str begin = STR("-----BEGIN CERTIFICATE-----");
	size_t at = str_find(pem, begin), put = 0;

	if (at == SIZE_MAX)
		return ERR_INVALID;
	for (at += begin.n; at < pem.n && pem.p[at] != '-'; at++) {
		char c = pem.p[at];

		if (c == '\n' || c == '\r' || c == '=')
			continue;
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/'))
			return ERR_INVALID;
		buf_putc(b, c == '+' ? '-' : c == '/' ? '_' : c);
		put++;
	}
	bool is_whole = str_starts((struct str){ pem.p + at, pem.n - at }, STR("-----END CERTIFICATE-----"));

	return put > 0 && is_whole ? ERR_OK : ERR_INVALID;
}

static enum err
put_new_order(struct buf *b, const struct acme_request *r)
{
	if (r->names_n == 0 || r->names_n > LIMIT_SITE_NAMES || !is_safe_text(r->replaces) ||
	    !is_safe_text(r->profile))
		return ERR_INVALID;
	buf_put_str(b, STR("{\"identifiers\":["));
	for (size_t i = 0; i < r->names_n; i++) {
		if (!is_safe_name(r->names[i]))
			return ERR_INVALID;
		buf_putf(b, "%s{\"type\":\"dns\",\"value\":\"%.*s\"}", i > 0 ? "," : "",
		    STR_ARG(r->names[i]));
	}
	buf_putc(b, ']');
	if (r->replaces.n > 0)
		buf_putf(b, ",\"replaces\":\"%.*s\"", STR_ARG(r->replaces));
	if (r->profile.n > 0)
		buf_putf(b, ",\"profile\":\"%.*s\"", STR_ARG(r->profile));
	buf_putc(b, '}');
	return ERR_OK;
}

enum err
payload_put(struct buf *b, const struct acme_request *r)
{
	switch (r->verb) {
	case ACME_NEW_ORDER:
		return put_new_order(b, r);
	case ACME_GET_ORDER:
	case ACME_GET_AUTHZ:
	case ACME_CERTIFICATE:
		return ERR_OK; /* POST-as-GET: an empty payload */
	case ACME_CHALLENGE:
		buf_put_str(b, STR("{}"));
		return ERR_OK;
	case ACME_FINALIZE:
		buf_put_str(b, STR("{\"csr\":\""));
		put_base64url(b, r->csr_der);
		buf_put_str(b, STR("\"}"));
		return r->csr_der.n > 0 ? ERR_OK : ERR_INVALID;
	case ACME_REVOKE:
		buf_put_str(b, STR("{\"certificate\":\""));
		if (put_certificate(b, r->chain_pem) != ERR_OK)
			return ERR_INVALID;
		buf_putf(b, "\",\"reason\":%d}", r->reason);
		return ERR_OK;
	case ACME_DEACTIVATE_AUTHZ:
		buf_put_str(b, STR("{\"status\":\"deactivated\"}"));
		return ERR_OK;
	case ACME_KEY_CHANGE:
		buf_put_str(b, r->inner);
		return r->inner.n > 0 ? ERR_OK : ERR_INVALID;
	case ACME_RENEWAL_INFO: /* is not signed */
	case ACME_VERB_COUNT:
		break;
	}
	return ERR_INVALID;
}

static void
put_json_text(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			buf_putc(b, '\\');
		if (c < 0x20)
			buf_putf(b, "\\u%04x", c);
		else
			buf_putc(b, (char)c);
	}
}

void
payload_put_existing(struct buf *b)
{
	buf_put_str(b, STR("{\"onlyReturnExisting\":true}"));
}

void
payload_put_account(struct buf *b, struct str contact, struct str eab)
{
	buf_put_str(b, STR("{\"termsOfServiceAgreed\":true"));
	if (contact.n > 0) {
		buf_put_str(b, STR(",\"contact\":[\"mailto:"));
		put_json_text(b, contact);
		buf_put_str(b, STR("\"]"));
	}
	if (eab.n > 0) {
		buf_put_str(b, STR(",\"externalAccountBinding\":"));
		buf_put_str(b, eab);
	}
	buf_putc(b, '}');
}
