#ifndef KOSHIN_PORTS_KEYS_TICKET_H
#define KOSHIN_PORTS_KEYS_TICKET_H
/*
 * Random secrets that somebody carries and brings back (sessions, links, API tokens): as text, and the digest that alone is stored.
 */
#include <stdint.h>
#include "base/str.h"

enum { TICKET_BYTES = 32, TICKET_DIGEST_BYTES = 32 };
/* In base64url, 43 letters. */
void ticket_put(const uint8_t secret[TICKET_BYTES], struct buf *to);
/* Of the text. The secret is random: no salt is needed. */
void ticket_digest(struct str text, uint8_t ret[TICKET_DIGEST_BYTES]);
#endif
