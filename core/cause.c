#include "core/cause.h"
#include "base/must.h"

static const struct cause_row rows[] = {
#define CAUSE(symbol, id, layer, severity, scope, blocks, acts, heals, mends, stands_on) \
	[CAUSE_##symbol] = { id, LAYER_##layer, SEVERITY_##severity, SCOPE_##scope, blocks, ACTOR_##acts, HEALS_##heals, MENDS_##mends, STANDS_ON_##stands_on },
#include "core/cause.tbl"
#undef CAUSE
};

const struct cause_row *
cause_row(enum cause c)
{
	must(c > CAUSE_NONE && c < CAUSE_COUNT);
	return &rows[c];
}

enum cause
cause_of_id(struct str id)
{
	for (enum cause c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
		if (str_eq(id, str_of(rows[c].id)))
			return c;
	return CAUSE_NONE;
}

bool
actor_is_owner(enum actor a)
{
	return a == ACTOR_OWNER || a == ACTOR_DOMAIN_COMPANY || a == ACTOR_WEB_OWNER;
}

const char *
layer_name(enum layer l)
{
	static const char *const names[] = { "own", "registration", "dns", "transport", "http", "ca", "served" };

	return names[l];
}

const char *
severity_name(enum severity s)
{
	static const char *const names[] = { "info", "warn", "fail", "alarm" };

	return names[s];
}

const char *
scope_name(enum scope s)
{
	static const char *const names[] = { "name", "site", "account", "fleet" };

	return names[s];
}

const char *
actor_name(enum actor a)
{
	static const char *const names[] = { "owner", "domain-company", "web-owner", "host", "nobody" };

	return names[a];
}

const char *
heals_name(enum heals h)
{
	static const char *const names[] = { "now", "outside", "click", "person" };

	return names[h];
}

const char *
mends_name(enum mends m)
{
	static const char *const names[] = { "nothing", "deploy", "record", "order", "aside" };

	return names[m];
}
