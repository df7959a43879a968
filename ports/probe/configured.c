#include <stdlib.h>
#include "ports/config/config.h"
#include "ports/probe/net.h"

/* From the texts of the configuration to the options of the probe. */
enum err
probe_net_configured(struct loop *l, const struct clock *clock, const struct config *c,
    struct vantages *vantages, struct why *why, struct probe_net **ret)
{
	struct address *ours = calloc(c->server.addresses_n + 1, sizeof *ours);
	struct address_range *allowed = calloc(c->check.allow_n + 1, sizeof *allowed);
	struct probe_front *fronts = calloc(c->check.fronts_n + 1, sizeof *fronts);
	struct probe_service *services = calloc(c->check.services_n + 1, sizeof *services);
	struct probe_net_options o = {
		.ours = ours,
		.ours_n = c->server.addresses_n,
		.allowed = allowed,
		.allowed_n = c->check.allow_n,
		.fronts = fronts,
		.fronts_n = c->check.fronts_n,
		.services = services,
		.services_n = c->check.services_n,
		.forwarders = (const char *const *)c->dns.forwarders,
		.forwarders_n = c->dns.forwarders_n,
		.publics = (const char *const *)c->dns.public_resolvers,
		.publics_n = c->dns.public_resolvers_n,
		.outside = (const char *const *)c->watch.outside,
		.outside_n = c->watch.outside_n,
		.trust_anchor_file = c->dns.trust_anchor_file,
		.vantages = vantages,
		.roots = c->check.roots,
		.dns_port = c->dns.port,
		.rdap = c->check.rdap,
		.http_port = c->check.http_port,
		.https_port = c->check.https_port,
		.timeout_ms = c->check.timeout_ms,
		.deadline_ms = c->check.deadline_ms,
	};
	enum err err = ours == NULL || allowed == NULL || fronts == NULL || services == NULL ? ERR_MEMORY : ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < c->server.addresses_n; i++)
		err = address_read(str_of(c->server.addresses[i]), &ours[i]);
	for (size_t i = 0; err == ERR_OK && i < c->check.allow_n; i++)
		err = address_range_read(str_of(c->check.allow[i]), &allowed[i]);
	for (size_t i = 0; err == ERR_OK && i < c->check.fronts_n; i++)
		err = probe_front_read(str_of(c->check.fronts[i]), &fronts[i]);
	for (size_t i = 0; err == ERR_OK && i < c->check.services_n; i++)
		err = probe_service_read(str_of(c->check.services[i]), &services[i]);
	for (size_t i = 0; err == ERR_OK && i < c->check.from_n; i++) {
		struct address a;

		err = address_read(str_of(c->check.from[i]), &a);
		if (err == ERR_OK)
			*(a.family == 4 ? &o.from.v4 : &o.from.v6) = a;
	}
	if (err == ERR_OK)
		err = probe_net_new(l, clock, &o, why, ret);
	free(ours);
	free(allowed);
	free(fronts);
	free(services);
	return err;
}
