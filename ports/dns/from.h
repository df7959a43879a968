#ifndef KOSHIN_PORTS_DNS_FROM_H
#define KOSHIN_PORTS_DNS_FROM_H
/* Where questions and probes come from, on a machine that has several addresses: one of each family, or the kernel's choice (family 0). */
#include "core/evidence.h"

struct from {
	struct address v4, v6;
};
/* That for connections to an address of this family; NULL: the kernel's choice. */
const struct address *from_of(const struct from *f, uint8_t family);
/* Binds a new socket to it; false where the address is none of this machine's. */
bool from_bind(const struct from *f, uint8_t family, int fd);
#endif
