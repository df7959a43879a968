#include "ports/keys/p12_cost.h"
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <stdint.h>
#include "base/limits.h"
#include "ports/keys/openssl.h"

enum { PARTS_MAX = 32, DEPTH_MAX = 4 };

KEYS_AUTO(PBE2PARAM, auto_pbe2, PBE2PARAM_free)
KEYS_AUTO(PBKDF2PARAM, auto_pbkdf2, PBKDF2PARAM_free)
KEYS_AUTO(PBEPARAM, auto_pbe, PBEPARAM_free)

static void
auto_safes(STACK_OF(PKCS7) * *s)
{
	sk_PKCS7_pop_free(*s, PKCS7_free);
}

static void
auto_bags(STACK_OF(PKCS12_SAFEBAG) * *s)
{
	sk_PKCS12_SAFEBAG_pop_free(*s, PKCS12_SAFEBAG_free);
}

struct purse {
	int64_t left; /* rounds; below 0: too dear */
	unsigned parts;
};

static bool
spend(struct purse *p, const ASN1_INTEGER *rounds)
{
	int64_t n = 0;

	if (rounds == NULL || ASN1_INTEGER_get_int64(&n, rounds) != 1 || n < 1 || n > p->left || p->parts == PARTS_MAX) {
		p->left = -1;
		return false;
	}
	p->parts++;
	p->left -= n;
	return true;
}

/* RFC 8018 A.4: PBES2 with PBKDF2; RFC 7292 C: the older ones. scrypt costs memory too, and nobody makes such files. */
static bool
spend_cipher(struct purse *p, const X509_ALGOR *a)
{
	const ASN1_OBJECT *kind = NULL;
	const void *parameter = NULL;
	int type = 0;

	X509_ALGOR_get0(&kind, &type, &parameter, a);
	if (type != V_ASN1_SEQUENCE || a->parameter == NULL)
		return false;
	if (OBJ_obj2nid(kind) != NID_pbes2) {
		__attribute__((cleanup(auto_pbe))) PBEPARAM *old = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM), a->parameter);

		return old != NULL && spend(p, old->iter);
	}
	__attribute__((cleanup(auto_pbe2))) PBE2PARAM *both = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), a->parameter);
	if (both == NULL || OBJ_obj2nid(both->keyfunc->algorithm) != NID_id_pbkdf2 || both->keyfunc->parameter == NULL)
		return false;
	__attribute__((cleanup(auto_pbkdf2))) PBKDF2PARAM *derived =
	    ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), both->keyfunc->parameter);
	return derived != NULL && spend(p, derived->iter);
}

static bool
spend_bags(struct purse *p, const STACK_OF(PKCS12_SAFEBAG) * bags, unsigned depth)
{
	for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++) {
		const PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(bags, i);
		int kind = PKCS12_SAFEBAG_get_nid(bag);
		const X509_ALGOR *cipher = NULL;

		if (kind == NID_pkcs8ShroudedKeyBag) {
			X509_SIG_get0(PKCS12_SAFEBAG_get0_pkcs8(bag), &cipher, NULL);
			if (!spend_cipher(p, cipher))
				return false;
		}
		if (kind == NID_safeContentsBag &&
		    (depth == DEPTH_MAX || !spend_bags(p, PKCS12_SAFEBAG_get0_safes(bag), depth + 1)))
			return false;
	}
	return true;
}

/* What is locked is opened only after it was paid for, once here and once more by whoever reads the file. */
static bool
spend_safe(struct purse *p, PKCS7 *safe, const char *password)
{
	__attribute__((cleanup(auto_bags))) STACK_OF(PKCS12_SAFEBAG) *bags = NULL;

	if (PKCS7_type_is_data(safe)) {
		bags = PKCS12_unpack_p7data(safe);
	} else if (PKCS7_type_is_encrypted(safe) && safe->d.encrypted != NULL && safe->d.encrypted->enc_data != NULL) {
		if (!spend_cipher(p, safe->d.encrypted->enc_data->algorithm))
			return false;
		bags = PKCS12_unpack_p7encdata(safe, password, -1);
	} else {
		return false;
	}
	/* That it does not open is said by the reader, who knows whether the password is wrong. */
	return bags == NULL || spend_bags(p, bags, 0);
}

bool
p12_is_cheap(const PKCS12 *p12, const char *password)
{
	struct purse p = { .left = LIMIT_P12_ROUNDS };
	const ASN1_INTEGER *rounds = NULL;
	bool is_cheap = true;

	PKCS12_get0_mac(NULL, NULL, NULL, &rounds, p12);
	/* RFC 7292 4: without the number it is 1. */
	if (PKCS12_mac_present(p12) == 1 && rounds != NULL)
		is_cheap = spend(&p, rounds);
	__attribute__((cleanup(auto_safes))) STACK_OF(PKCS7) *safes = is_cheap ? PKCS12_unpack_authsafes(p12) : NULL;
	for (int i = 0; is_cheap && i < sk_PKCS7_num(safes); i++)
		is_cheap = spend_safe(&p, sk_PKCS7_value(safes, i), password);
	ERR_clear_error();
	return is_cheap;
}
