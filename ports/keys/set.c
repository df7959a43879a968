#include "ports/keys/set.h"
#include <sodium.h>
#include "base/limits.h"
#include "base/wire.h"
#include "ports/keys/secret.h"

/* Form: version 1, nonce, secretbox of the wire form of (chain, key). */
enum {
	NONCE = crypto_secretbox_NONCEBYTES,
	TAG = crypto_secretbox_MACBYTES,
	HEAD = 1 + NONCE,
	VERSION = 1
};
enum { SET_KIND = 1, SET_BYTES = LIMIT_CHAIN_BYTES + LIMIT_SEALED_BYTES };

enum err
keys_set_seal(
    const uint8_t *transport_key, struct str chain_pem, struct str key_pem, struct buf *to)
{
	AUTO_SECRET box = { 0 };
	AUTO_BUF clear = { .max = 0 };
	uint8_t head[HEAD] = { VERSION };

	buf_init(&clear, SET_BYTES);
	wire_begin(&clear, SET_KIND);
	wire_put_bytes(&clear, chain_pem);
	wire_put_bytes(&clear, key_pem);
	enum err e = clear.err;
	if (e == ERR_OK)
		e = secret_init(clear.n + TAG, &box);
	if (e == ERR_OK) {
		randombytes_buf(head + 1, NONCE);
		if (crypto_secretbox_easy(
			box.p, (const uint8_t *)clear.p, clear.n, head + 1, transport_key) != 0)
			e = ERR_CRYPTO;
	}
	secret_wipe((struct str){ clear.p, clear.cap });
	if (e != ERR_OK)
		return e;
	buf_put(to, head, sizeof head);
	buf_put(to, box.p, box.n);
	return to->err;
}

enum err
keys_set_open(const uint8_t *transport_key, struct str set, struct arena *a,
    struct str *ret_chain_pem, struct str *ret_key_pem)
{
	const uint8_t *p = (const uint8_t *)set.p;
	AUTO_SECRET clear = { 0 };
	struct wire_reader r;

	if (set.n < HEAD + TAG || set.n > HEAD + TAG + SET_BYTES || p[0] != VERSION)
		return ERR_CORRUPT;
	enum err e = secret_init(set.n - HEAD - TAG, &clear);
	if (e != ERR_OK)
		return e;
	if (crypto_secretbox_open_easy(clear.p, p + HEAD, set.n - HEAD, p + 1, transport_key) !=
	    0)
		return ERR_CORRUPT;
	uint8_t kind = wire_open(&r, (struct str){ (const char *)clear.p, clear.n });
	struct str chain = arena_str(a, wire_get_bytes(&r, LIMIT_CHAIN_BYTES));
	struct str key = arena_str(a, wire_get_bytes(&r, LIMIT_SEALED_BYTES));
	if (wire_close(&r) != ERR_OK || kind != SET_KIND)
		return ERR_CORRUPT;
	if (arena_failed(a))
		return ERR_MEMORY;
	*ret_chain_pem = chain;
	*ret_key_pem = key;
	return ERR_OK;
}
