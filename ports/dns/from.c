#include "ports/dns/from.h"
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

const struct address *
from_of(const struct from *f, uint8_t family)
{
	const struct address *a = family == 4 ? &f->v4 : &f->v6;

	return a->family == family ? a : NULL;
}

bool
from_bind(const struct from *f, uint8_t family, int fd)
{
	const struct address *a = from_of(f, family);
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (a == NULL)
		return true;
	memcpy(&v4.sin_addr, a->bytes, sizeof v4.sin_addr);
	memcpy(&v6.sin6_addr, a->bytes, sizeof v6.sin6_addr);
	return family == 4 ? bind(fd, (const struct sockaddr *)&v4, sizeof v4) == 0 : bind(fd, (const struct sockaddr *)&v6, sizeof v6) == 0;
}
