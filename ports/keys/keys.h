#ifndef KOSHIN_PORTS_KEYS_KEYS_H
#define KOSHIN_PORTS_KEYS_KEYS_H
/*
 * Everything that needs a private key, as questions to whoever holds them. Keys travel sealed (XChaCha20-
 * Poly1305 under the master key, with their purpose bound in); in clear they exist only behind this port.
 * Implementations: ports/keys/local.c (does it here: the keeper itself, tests, the simulator) and
 * ports/keys/remote.c (asks the keeper process over a socket pair).
 *
 * `done` is never called from inside submit. The answer is valid during the call only.
 */
#include "base/str.h"
#include "core/access.h"
#include "core/setting.h"

enum keys_verb {
	KEYS_ACCOUNT_NEW, /* -> sealed, thumbprint: a new ES256 account key */
	KEYS_SITE_NEW,	  /* key_type, names -> sealed, csr_der: a new key and its CSR (RFC 2986) */
	KEYS_JWS,	  /* sealed, url, nonce, kid (empty: the jwk is put in), payload -> json (RFC 8555 6.2) */
	KEYS_EAB,	  /* sealed (account), sealed_hmac (base64url, as the CA gives it), kid, url -> json: externalAccountBinding (7.3.4) */
	KEYS_SEAL,	  /* secret -> sealed: an EAB HMAC key, an SMTP password */
	KEYS_KEY_CHANGE,  /* sealed (the account's new key), sealed_old, kid, url -> json: signed by the new one (7.3.5) */
	KEYS_THUMBPRINT,  /* sealed (account) -> thumbprint (RFC 7638) */
	KEYS_SET,	  /* sealed (site), chain_pem -> set: chain and key for the installer alone, or MISMATCH */
	KEYS_CODE_NEW,	  /* -> sealed, secret: what makes a person's one-time codes; secret in base32, as apps read it (RFC 6238) */
	KEYS_CODE,	  /* sealed (codes), code, first_step -> step: of the steps from this one on (CODE_STEPS) that which has the code, or MISMATCH */
	KEYS_CSR,	  /* key_type, names, subject -> sealed (site), csr_der: a request for a certificate that its owner buys elsewhere */
	KEYS_OWN,	  /* secret (the owner's key, PKCS#8), chain_pem -> sealed (site), or MISMATCH: one that was made elsewhere */
	KEYS_EXPORT,	  /* sealed (site) -> key_pem; answered to the web process and local operator only */
	KEYS_QUESTION,	  /* payload -> json, thumbprint: a question to vantage points, signed (ports/keys/question.h), and the public key */
	KEYS_VERB_COUNT
};
/* What sellers ask for, beside the names; each may be empty. Text in UTF-8; country: two letters (ISO 3166). */
enum { CSR_FIELD_CHARS = 64, CSR_FIELD_BYTES = 4 * CSR_FIELD_CHARS };
struct csr_subject {
	struct str organization, locality, state, country;
};
struct keys_job {
	enum keys_verb verb;
	struct str sealed, sealed_hmac, sealed_old, url, nonce, kid, payload, secret, chain_pem;
	enum key_type key_type;
	const struct str *names; /* ASCII */
	size_t names_n;
	struct str code;
	uint64_t first_step;
	struct csr_subject subject;
};
struct keys_answer {
	enum err err;
	struct str sealed, thumbprint, csr_der, json, set, key_pem, secret;
	uint64_t step;
};
typedef void keys_done(void *arg, const struct keys_answer *answer);
struct keys {
	void *ctx;
	/* The job is copied. FULL when too many are waiting. */
	enum err (*submit)(void *ctx, const struct keys_job *job, keys_done *done, void *arg);
};
#endif
