#include <stdio.h>
#include <stdlib.h>
#include "sim/world.h"

/* The provider's own name server, as far as it takes addresses into its zones. An update is done at the server first, and its answer comes
 * a while later: an engine that is killed in between has changed something and does not know it. */

enum { UPDATE_MS = 100, ANSWER_MS = 200 };

struct call {
	dnsapi_done *done;
	void *arg;
	struct sim_zone *zone;
	char name[SIM_TEXT];
	enum err err;
	struct str words;
};

struct sim_zone *
sim_zone_of(struct sim *s, struct str name)
{
	for (size_t i = 0; i < s->zones_n; i++)
		if (str_is_in_zone(name, str_of(s->zones[i].name)))
			return &s->zones[i];
	return NULL;
}

struct sim_zone *
sim_zone_add(struct sim *s, struct str name)
{
	if (s->zones_n == SIM_ZONES || name.n >= sizeof s->zones[0].name)
		return NULL;
	struct sim_zone *z = &s->zones[s->zones_n];

	(void)snprintf(z->name, sizeof z->name, "%.*s", STR_ARG(name));
	s->updates[s->zones_n++].zone = z->name;
	return z;
}

static void
drop(struct sim *s, void *arg)
{
	(void)s;
	free(arg);
}

static void
answer(struct sim *s, void *arg)
{
	struct call *call = arg;

	(void)s;
	call->done(call->arg, &(struct dnsapi_answer){ call->err, call->words });
	free(call);
}

/* As the real server: only while the name has neither an address nor an alias (RFC 2136 2.4.3). */
static enum err
put(struct sim *s, struct str name)
{
	enum err err = ERR_OK;

	for (enum sim_record_type type = SIM_A; type <= SIM_CNAME; type++)
		if (type != SIM_CAA && sim_dns_find(s, name, type, 0) != NULL)
			return ERR_CONFLICT;
	for (size_t i = 0; err == ERR_OK && i < s->config.server.addresses_n; i++) {
		struct str address = str_of(s->config.server.addresses[i]);

		err = sim_dns_put(s, name, str_find(address, STR(":")) == SIZE_MAX ? SIM_A : SIM_AAAA, address);
	}
	return err;
}

static void
update(struct sim *s, void *arg)
{
	struct call *call = arg;
	struct sim_zone *z = call->zone;
	int64_t answer_ms = ANSWER_MS + z->delay_ms;

	z->asked++;
	if (s->network_down_until_ms > s->now_ms || z->says == SIM_ZONE_SILENT) {
		call->err = ERR_TIMEOUT;
		call->words = STR("no answer in time");
	} else if (z->says == SIM_ZONE_REFUSES) {
		call->err = ERR_REFUSED;
		call->words = STR("REFUSED");
	} else {
		call->err = put(s, str_of(call->name));
		z->added += call->err == ERR_OK;
	}
	if (z->says == SIM_ZONE_MUTE) {
		call->err = ERR_CLOSED;
		call->words = STR("the connection was closed before an answer");
	}
	if (sim_after(s, answer_ms, answer, drop, call) != ERR_OK)
		drop(s, call);
}

static enum err
submit(void *ctx, const struct dnsapi_job *job, dnsapi_done *done, void *arg)
{
	struct sim *s = ctx;
	struct sim_zone *z = sim_zone_of(s, job->name);
	struct call *call = z != NULL ? calloc(1, sizeof *call) : NULL;

	if (call == NULL)
		return z == NULL ? ERR_NOT_FOUND : ERR_MEMORY;
	*call = (struct call){ .done = done, .arg = arg, .zone = z };
	(void)snprintf(call->name, sizeof call->name, "%.*s", STR_ARG(job->name));
	enum err err = sim_after(s, UPDATE_MS, update, drop, call);
	if (err != ERR_OK)
		free(call);
	return err;
}

struct dnsapi
sim_dnsapi_port(struct sim *s)
{
	return (struct dnsapi){ s, submit };
}
