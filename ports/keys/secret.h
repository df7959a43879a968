#ifndef KOSHIN_PORTS_KEYS_SECRET_H
#define KOSHIN_PORTS_KEYS_SECRET_H
/*
 * Bytes that must not outlive their use: kept out of swap where the system allows it, overwritten when they are
 * given up. There is no function that prints one.
 */
#include "base/str.h"

enum { SECRET_KEY_BYTES = 32 }; /* of the master key and of the transport key */

struct secret {
	uint8_t *p;
	size_t n;
};
/* n zeroed bytes. */
MUST_USE enum err secret_init(size_t n, struct secret *ret);
void secret_fini(struct secret *s); /* safe on a zeroed struct */
/* Overwrites memory of ours that a view shows, such as the key in an answer that was sent. */
void secret_wipe(struct str s);
#define AUTO_SECRET __attribute__((cleanup(secret_fini))) struct secret
#endif
