#include "ports/passkeys/passkeys.h"
/* libfido2's headers name two types that OpenSSL hides as deprecated, in functions that nobody here calls. */
typedef struct ec_key_st EC_KEY;
typedef struct rsa_st RSA;
#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>
#include <jansson.h>
#include <sodium.h>
#include <string.h>

enum {
	FLAG_PRESENT = 1,
	FLAG_VERIFIED = 4,
	FLAG_HAS_KEY = 0x40,
	FLAG_HAS_EXTENSIONS = 0x80,
	HEAD_BYTES = 37, /* 6.1: hash of the RP ID, flags, counter */
	KEY_HEAD_BYTES = 16 + 2, /* 6.5.1: AAGUID, length of the credential's id */
	CBOR_DEPTH = 4, /* CTAP 2.1, 8: nested no deeper */
	RS256_BYTES = 256 + 3, /* a modulus of 2048 bits and its exponent, as libfido2 has them */
};
static const int algorithms[] = { COSE_ES256, COSE_EDDSA, COSE_RS256 };

/* "192.0.2.1", "[2001:db8::1]": browsers want a name. */
static bool
is_address(struct str host)
{
	bool is_number = true;

	for (size_t i = 0; i < host.n; i++)
		is_number = is_number && (host.p[i] == '.' || (host.p[i] >= '0' && host.p[i] <= '9'));
	return is_number || host.p[0] == '[';
}

bool
passkey_site_of(struct str panel_url, struct arena *a, struct passkey_site *ret)
{
	size_t at = str_find(panel_url, STR("://"));

	if (at == SIZE_MAX)
		return false;
	struct str scheme = { panel_url.p, at }, rest = { panel_url.p + at + 3, panel_url.n - at - 3 };
	struct str authority = str_cut(&rest, '/'), host = authority, port = host;

	host = str_cut(&port, ':');
	bool is_secure = str_eq(scheme, STR("https")) || (str_eq(scheme, STR("http")) && str_eq(host, STR("localhost")));
	if (is_address(host) || !is_secure)
		return false;
	if ((str_eq(scheme, STR("https")) && str_eq(port, STR("443"))) || (str_eq(scheme, STR("http")) && str_eq(port, STR("80"))))
		authority = host;
	ret->rp_id = arena_str(a, host);
	ret->origin = arena_strf(a, "%.*s://%.*s", STR_ARG(scheme), STR_ARG(authority));
	return !arena_failed(a);
}

enum err
passkey_decode(struct str text, size_t max, struct arena *a, struct str *ret)
{
	size_t n = 0;

	if (text.n == 0)
		return ERR_INVALID;
	if (text.n > max * 4 / 3 + 4)
		return ERR_TOO_LONG;
	unsigned char *to = arena_get(a, text.n + 1);
	if (to == NULL)
		return ERR_MEMORY;
	if (sodium_base642bin(to, text.n, text.p, text.n, NULL, &n, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 || n == 0)
		return ERR_INVALID;
	*ret = (struct str){ (const char *)to, n };
	return n > max ? ERR_TOO_LONG : ERR_OK;
}

/* --- client data (5.8.1) --- */

static struct str
member(const json_t *o, const char *name)
{
	const json_t *value = json_object_get(o, name);

	return json_is_string(value) ? (struct str){ json_string_value(value), json_string_length(value) } : STR_NONE;
}

enum err
passkey_challenge(struct str client_data, struct arena *a, struct str *ret)
{
	json_t *o = json_loadb(client_data.p, client_data.n, JSON_REJECT_DUPLICATES, NULL);
	struct str challenge = arena_str(a, member(o, "challenge"));

	json_decref(o);
	if (challenge.n == 0)
		return ERR_INVALID;
	*ret = challenge;
	return ERR_OK;
}

static enum err
judge_client_data(const struct passkey_site *s, struct str client_data, struct str type, struct str challenge)
{
	json_t *o = json_loadb(client_data.p, client_data.n, JSON_REJECT_DUPLICATES, NULL);
	enum err err = ERR_INVALID;

	if (json_is_object(o))
		err = str_eq(member(o, "type"), type) && str_eq(member(o, "challenge"), challenge) && challenge.n > 0 &&
				      str_eq(member(o, "origin"), s->origin) && !json_is_true(json_object_get(o, "crossOrigin"))
			  ? ERR_OK
			  : ERR_DENIED;
	json_decref(o);
	return err;
}

/* --- authenticator data (6.1) --- */

/* Takes the head of a data item (RFC 8949 3) off the front of s. False where it is cut, or of a length that is not told beforehand. */
static bool
take_item(struct str *s, unsigned *ret_type, uint64_t *ret_argument)
{
	unsigned first = (unsigned char)s->p[0], more = first & 31;
	size_t bytes = more < 24 ? 0 : (size_t)1 << (more - 24);
	uint64_t argument = more;

	if (more > 27 || s->n - 1 < bytes)
		return false;
	if (bytes > 0)
		argument = 0;
	for (size_t i = 1; i <= bytes; i++)
		argument = argument << 8 | (unsigned char)s->p[i];
	*s = (struct str){ s->p + 1 + bytes, s->n - 1 - bytes };
	*ret_type = first >> 5;
	*ret_argument = argument;
	return true;
}

/*
 * Are these whole data items that could be in so few bytes? libcbor takes memory for as many as a list or a map says that it has, before it has
 * seen one: nine bytes could ask for gigabytes.
 */
static bool
is_plausible_cbor(struct str s)
{
	uint64_t left[CBOR_DEPTH] = { 0 };
	size_t depth = 0;

	while (s.n > 0) {
		unsigned type;
		uint64_t argument;

		while (depth > 0 && left[depth - 1] == 0)
			depth--;
		if (depth > 0)
			left[depth - 1]--;
		if (!take_item(&s, &type, &argument))
			return false;
		switch (type) {
		case 2: /* bytes */
		case 3: /* text */
			if (argument > s.n)
				return false;
			s = (struct str){ s.p + argument, s.n - (size_t)argument };
			break;
		case 4: /* list */
		case 5: /* map: of each entry a key and a value */
			if (argument > s.n / (type - 3) || depth == CBOR_DEPTH)
				return false;
			left[depth++] = argument * (type - 3);
			break;
		case 6: /* tag: none in what CTAP sends */
			return false;
		default:
			break;
		}
	}
	while (depth > 0 && left[depth - 1] == 0)
		depth--;
	return depth == 0;
}

/* What stands behind the head, as far as the flags say that anything does. A key is looked for by libfido2 where one is made alone: in a
 * signature the extensions stand behind the head, whatever the flags say of a key. */
static bool
is_plausible_rest(struct str data, bool is_made)
{
	unsigned read = is_made ? FLAG_HAS_KEY | FLAG_HAS_EXTENSIONS : FLAG_HAS_EXTENSIONS;
	unsigned flags = (unsigned char)data.p[HEAD_BYTES - 5] & read;
	struct str rest = { data.p + HEAD_BYTES, data.n - HEAD_BYTES };

	if ((flags & FLAG_HAS_KEY) != 0) {
		if (rest.n < KEY_HEAD_BYTES)
			return false;
		size_t id_n = (size_t)(unsigned char)rest.p[KEY_HEAD_BYTES - 2] << 8 | (unsigned char)rest.p[KEY_HEAD_BYTES - 1];
		if (id_n > rest.n - KEY_HEAD_BYTES)
			return false;
		rest = (struct str){ rest.p + KEY_HEAD_BYTES + id_n, rest.n - KEY_HEAD_BYTES - id_n };
	}
	return flags == 0 || is_plausible_cbor(rest);
}

static enum err
judge_head(const struct passkey_site *s, struct str data, unsigned flags)
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	if (data.n < HEAD_BYTES)
		return ERR_INVALID;
	(void)crypto_hash_sha256(hash, (const unsigned char *)s->rp_id.p, s->rp_id.n); /* always 0 */
	if (memcmp(hash, data.p, sizeof hash) != 0)
		return ERR_DENIED;
	if (!is_plausible_rest(data, (flags & FLAG_HAS_KEY) != 0))
		return ERR_INVALID;
	return ((unsigned char)data.p[sizeof hash] & flags) == flags ? ERR_OK : ERR_DENIED;
}

static void
cred_free(fido_cred_t **c)
{
	fido_cred_free(c);
}

/* The key, if it is of this algorithm. */
static enum err
read_key(struct str data, int algorithm, struct arena *a, struct passkey_made *ret)
{
	__attribute__((cleanup(cred_free))) fido_cred_t *cred = fido_cred_new();

	if (cred == NULL)
		return ERR_MEMORY;
	if (fido_cred_set_type(cred, algorithm) != FIDO_OK ||
	    fido_cred_set_authdata_raw(cred, (const unsigned char *)data.p, data.n) != FIDO_OK)
		return ERR_INVALID;
	const struct str id = { (const char *)fido_cred_id_ptr(cred), fido_cred_id_len(cred) },
			 key = { (const char *)fido_cred_pubkey_ptr(cred), fido_cred_pubkey_len(cred) };
	if (id.p == NULL || key.p == NULL || id.n == 0 || id.n > PASSKEY_ID_BYTES_MAX || key.n == 0)
		return ERR_INVALID;
	*ret = (struct passkey_made){
		.id = arena_str(a, id), .key = arena_str(a, key), .algorithm = algorithm, .count = fido_cred_sigcount(cred)
	};
	return arena_failed(a) ? ERR_MEMORY : ERR_OK;
}

enum err
passkey_read(const struct passkey_site *s, struct str challenge, struct str client_data, struct str authenticator_data,
    struct arena *a, struct passkey_made *ret)
{
	enum err err = judge_client_data(s, client_data, STR("webauthn.create"), challenge);

	if (err == ERR_OK)
		err = judge_head(s, authenticator_data, FLAG_PRESENT | FLAG_VERIFIED | FLAG_HAS_KEY);
	if (err != ERR_OK)
		return err;
	err = ERR_INVALID;
	for (size_t i = 0; err == ERR_INVALID && i < sizeof algorithms / sizeof *algorithms; i++)
		err = read_key(authenticator_data, algorithms[i], a, ret);
	return err;
}

/* --- a signature --- */

struct public_key {
	es256_pk_t *es256;
	eddsa_pk_t *eddsa;
	rs256_pk_t *rs256;
	const void *any;
};

static void
public_key_fini(struct public_key *k)
{
	es256_pk_free(&k->es256);
	eddsa_pk_free(&k->eddsa);
	rs256_pk_free(&k->rs256);
}

static enum err
load_key(int algorithm, struct str key, struct public_key *ret)
{
	int failed = FIDO_ERR_INVALID_ARGUMENT;

	if (algorithm == COSE_ES256 && (ret->any = ret->es256 = es256_pk_new()) != NULL)
		failed = es256_pk_from_ptr(ret->es256, key.p, key.n);
	if (algorithm == COSE_EDDSA && (ret->any = ret->eddsa = eddsa_pk_new()) != NULL)
		failed = eddsa_pk_from_ptr(ret->eddsa, key.p, key.n);
	if (algorithm == COSE_RS256 && key.n == RS256_BYTES && (ret->any = ret->rs256 = rs256_pk_new()) != NULL)
		failed = rs256_pk_from_ptr(ret->rs256, key.p, key.n);
	return failed == FIDO_OK ? ERR_OK : ERR_INVALID;
}

static void
assert_free(fido_assert_t **c)
{
	fido_assert_free(c);
}

enum err
passkey_verify(const struct passkey_site *s, int algorithm, struct str key, const struct passkey_use *u, struct arena *a, uint32_t *ret_count)
{
	__attribute__((cleanup(assert_free))) fido_assert_t *use = fido_assert_new();
	__attribute__((cleanup(public_key_fini))) struct public_key k = { .es256 = NULL };
	struct str rp_id = arena_str(a, s->rp_id); /* ends with a zero byte */
	enum err err = judge_client_data(s, u->client_data, STR("webauthn.get"), u->challenge);

	if (use == NULL || rp_id.n == 0)
		return ERR_MEMORY;
	if (err == ERR_OK)
		err = judge_head(s, u->authenticator_data, FLAG_PRESENT | (u->needs_user ? FLAG_VERIFIED : 0));
	if (err == ERR_OK)
		err = load_key(algorithm, key, &k);
	if (err != ERR_OK)
		return err;
	if (fido_assert_set_count(use, 1) != FIDO_OK || fido_assert_set_rp(use, rp_id.p) != FIDO_OK ||
	    fido_assert_set_clientdata(use, (const unsigned char *)u->client_data.p, u->client_data.n) != FIDO_OK ||
	    fido_assert_set_up(use, FIDO_OPT_TRUE) != FIDO_OK || (u->needs_user && fido_assert_set_uv(use, FIDO_OPT_TRUE) != FIDO_OK) ||
	    fido_assert_set_authdata_raw(use, 0, (const unsigned char *)u->authenticator_data.p, u->authenticator_data.n) != FIDO_OK ||
	    fido_assert_set_sig(use, 0, (const unsigned char *)u->signature.p, u->signature.n) != FIDO_OK)
		return ERR_INVALID;
	if (fido_assert_verify(use, 0, algorithm, k.any) != FIDO_OK)
		return ERR_DENIED;
	*ret_count = fido_assert_sigcount(use, 0);
	return ERR_OK;
}
