#include "ports/dns/publics.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "ports/dns/packet.h"
#include "ports/dns/reply.h"

struct server {
	struct address ip;
	uint16_t port;
	char text[46];
};
struct publics {
	struct publics_options o;
	struct server servers[PUBLICS_MAX];
};

/* One question to one of them. */
struct part {
	struct publics_round *round;
	struct public_evidence *into;
	struct exchange *exchange;
};
struct publics_round {
	struct arena *arena;
	struct part parts[2 * PUBLICS_MAX]; /* A and AAAA */
	size_t open;
	loop_fn *done;
	void *arg;
};

static bool
read_server(const char *text, struct server *ret)
{
	struct sockaddr_storage to;
	socklen_t to_n;

	if (!dns_endpoint_read(text, &to, &to_n))
		return false;
	if (to.ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)&to;

		ret->ip.family = 4;
		memcpy(ret->ip.bytes, &v4->sin_addr, sizeof v4->sin_addr);
		ret->port = ntohs(v4->sin_port);
	} else {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&to;

		ret->ip.family = 6;
		memcpy(ret->ip.bytes, &v6->sin6_addr, sizeof v6->sin6_addr);
		ret->port = ntohs(v6->sin6_port);
	}
	address_text(&ret->ip, ret->text);
	return true;
}

enum err
publics_new(const struct publics_options *o, struct publics **ret)
{
	struct publics *p = calloc(1, sizeof *p);

	if (p == NULL)
		return ERR_MEMORY;
	p->o = *o;
	p->o.servers = NULL; /* not looked at again */
	for (size_t i = 0; i < o->servers_n; i++)
		if (i == PUBLICS_MAX || !read_server(o->servers[i], &p->servers[i])) {
			free(p);
			return ERR_CONFIG;
		}
	*ret = p;
	return ERR_OK;
}

void
publics_free(struct publics **p)
{
	free(*p);
	*p = NULL;
}

static void
take_addresses(struct public_evidence *e, const ldns_pkt *packet, struct arena *a)
{
	struct nameserver_evidence said = { .addresses = e->addresses,
		.addresses_n = e->addresses_n };
	size_t before = e->addresses_n;

	packet_addresses(packet, a, &said);
	e->addresses = said.addresses;
	e->addresses_n = said.addresses_n;
	/* The longest of its answers with an address; of those without, where there is none else. */
	uint32_t ttl = reply_ttl(packet, said.addresses_n == before);
	if (said.addresses_n > before && before == 0)
		e->ttl_s = ttl;
	else if ((said.addresses_n > before || before == 0) && ttl > e->ttl_s)
		e->ttl_s = ttl;
}

static void
on_answer(void *arg, const struct exchange_answer *answer)
{
	struct part *part = arg;
	struct publics_round *r = part->round;
	struct public_evidence *e = part->into;

	part->exchange = NULL;
	/* One answer of the two is half of what is known: it says nothing alone. */
	if (e->status == DNS_NOT_ASKED || dns_is_lost(answer->status) || (e->status == DNS_NXDOMAIN && answer->status == DNS_OK))
		e->status = answer->status;
	if (answer->packet != NULL &&
	    (answer->status == DNS_OK || answer->status == DNS_NXDOMAIN))
		take_addresses(e, answer->packet, r->arena);
	if (--r->open > 0)
		return;
	loop_fn *done = r->done;
	void *done_arg = r->arg;

	free(r);
	done(done_arg);
}

enum err
publics_start(struct publics *p, struct name_evidence *into, struct arena *a, loop_fn *done,
    void *arg, struct publics_round **ret)
{
	static const int types[] = { DNS_A, DNS_AAAA };
	size_t n = 0;

	while (n < PUBLICS_MAX && p->servers[n].port != 0)
		n++;
	if (n == 0)
		return ERR_NOT_FOUND;
	struct publics_round *r = calloc(1, sizeof *r);
	struct public_evidence *list = arena_get(a, n * sizeof *list);
	if (r == NULL || list == NULL) {
		free(r);
		return ERR_MEMORY;
	}
	*r = (struct publics_round){ .arena = a, .done = done, .arg = arg };
	for (size_t i = 0; i < 2 * n; i++) {
		const struct server *s = &p->servers[i / 2];
		struct part *part = &r->parts[i];
		const struct exchange_question q = {
			.server = s->ip,
			.port = s->port,
			.name = into->name,
			.type = types[i % 2],
			.is_to_resolver = true,
			.from = p->o.from,
			.timeout_ms = p->o.timeout_ms,
		};

		list[i / 2].server = str_of(s->text);
		*part = (struct part){ .round = r, .into = &list[i / 2] };
		r->open += exchange_start(p->o.loop, p->o.clock, &q, on_answer, part,
			       &part->exchange) == ERR_OK;
	}
	if (r->open == 0) {
		free(r);
		return ERR_MEMORY;
	}
	into->publics = list;
	into->publics_n = n;
	*ret = r;
	return ERR_OK;
}

void
publics_stop(struct publics_round **rp)
{
	struct publics_round *r = *rp;

	if (r == NULL)
		return;
	*rp = NULL;
	for (size_t i = 0; i < sizeof r->parts / sizeof *r->parts; i++)
		if (r->parts[i].exchange != NULL) {
			if (r->parts[i].into->status == DNS_NOT_ASKED)
				r->parts[i].into->status = DNS_TIMEOUT;
			exchange_stop(&r->parts[i].exchange);
		}
	free(r);
}
