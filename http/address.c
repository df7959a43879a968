#include "http/address.h"
#include <arpa/inet.h>
#include <string.h>

static bool
is_address(const char *text)
{
	struct in6_addr checked;

	return inet_pton(AF_INET, text, &checked) == 1 ||
	       inet_pton(AF_INET6, text, &checked) == 1;
}

struct str
address_of(const struct sockaddr *peer, struct str forwarded, struct arena *a)
{
	struct str last = STR_NONE;
	char text[INET6_ADDRSTRLEN] = "", typed[INET6_ADDRSTRLEN] = "";
	bool is_here = false;

	if (peer != NULL && peer->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, peer, sizeof in);
		is_here = (ntohl(in.sin_addr.s_addr) >> 24) == 127;
		(void)inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
	} else if (peer != NULL && peer->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, peer, sizeof in6);
		is_here = IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
		(void)inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof text);
	}
	while (is_here && forwarded.n > 0)
		last = str_trim(str_cut(&forwarded, ','));
	if (last.n > 0 && last.n < sizeof typed) {
		memcpy(typed, last.p, last.n);
		if (is_address(typed))
			return arena_str(a, str_of(typed));
	}
	return arena_str(a, str_of(text));
}
