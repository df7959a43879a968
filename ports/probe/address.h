#ifndef KOSHIN_PORTS_PROBE_ADDRESS_H
#define KOSHIN_PORTS_PROBE_ADDRESS_H
/* Which addresses are not of the public internet. The functions on ranges are declared in ports/probe/net.h. */
#include "core/evidence.h"

/*
 * Private, loopback, link-local, multicast, documentation, benchmarks and so on (IANA's special-purpose registries,
 * RFC 6890), and every form of IPv6 that leads to such an IPv4 address or through a translator: mapped, 6to4,
 * Teredo, NAT64. What is not known to be public counts as reserved.
 */
bool address_is_reserved(const struct address *a);
#endif
