/*
 * Causes that only the memory of the last good check can tell: the address in DNS was one of ours, and is none any more; the name
 * servers are others than they were, and the records did not come along.
 */
#include "core/classify_inside.h"

static const struct sighting *
good_of(const struct judge *j)
{
	const struct memory *m = j->s != NULL ? site_memory_of(j->s, j->n->name) : NULL;

	return m != NULL && when_is_known(m->good.at) ? &m->good : NULL;
}

static void
put_former(struct judge *j, struct str address)
{
	struct finding *f = judge_put(j, CAUSE_OWN_ADDRESS_MOVED);

	if (f == NULL)
		return;
	f->seen = address;
	f->wanted = judge_address_of_ours(j);
	f->copy = judge_record_of_ours(j);
}

/* None of the name's addresses leads to us, and one of them was an address of our servers. */
void
classify_former_address(struct judge *j)
{
	const struct sighting *good = good_of(j);

	for (size_t i = 0; good != NULL && i < j->n->addresses_n; i++) {
		char ip[46];

		address_text(&j->n->addresses[i].ip, ip);
		if (!sighting_has(good->ours, str_of(ip)))
			continue;
		put_former(j, arena_str(j->a, str_of(ip)));
		return;
	}
}

bool
classify_not_copied(struct judge *j)
{
	const struct sighting *good = good_of(j);
	struct str seen = STR_NONE;

	if (good == NULL || good->nameservers.n < 2 || j->n->nameservers_n == 0)
		return false;
	for (size_t i = 0; i < j->n->nameservers_n; i++) {
		if (sighting_has(good->nameservers, j->n->nameservers[i]))
			return false;
		seen = i == 0 ? j->n->nameservers[i] : arena_strf(j->a, "%.*s, %.*s", STR_ARG(seen), STR_ARG(j->n->nameservers[i]));
	}
	struct finding *f = judge_put(j, CAUSE_DNS_ZONE_NOT_COPIED);
	if (f == NULL)
		return true;
	f->seen = seen;
	f->wanted = judge_address_of_ours(j);
	f->copy = judge_record_of_ours(j);
	return true;
}
