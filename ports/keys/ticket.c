#include "ports/keys/ticket.h"
#include <sodium.h>
#include "base/must.h"
#include "ports/keys/jose.h"

void
ticket_put(const uint8_t secret[TICKET_BYTES], struct buf *to)
{
	jose_put_base64url(to, (struct str){ (const char *)secret, TICKET_BYTES });
}

void
ticket_digest(struct str text, uint8_t ret[TICKET_DIGEST_BYTES])
{
	/* Fails for sizes alone, and these are right. */
	must(crypto_generichash(ret, TICKET_DIGEST_BYTES, (const unsigned char *)text.p, text.n, NULL, 0) == 0);
}
