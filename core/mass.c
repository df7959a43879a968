#include "core/mass.h"

enum { MASS_PART = 1000 };

int64_t
mass_threshold(int64_t sites)
{
	int64_t part = sites / MASS_PART;

	return part > MASS_LEAST ? part : MASS_LEAST;
}

/* What names a fault of its own for the whole installation, or of the CA, has its own way to the operator. */
static bool
may_be_mass(enum cause c)
{
	const struct cause_row *r = cause_row(c);

	return r->severity >= SEVERITY_WARN && r->scope != SCOPE_FLEET && r->layer != LAYER_CA &&
	       c != CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY && c != CAUSE_OWN_CERTIFICATE_IMPORTED;
}

static void
take_larger(struct mass_burst *to, const struct mass_burst *b)
{
	if (to->cause == CAUSE_NONE || b->owners > to->owners)
		*to = *b;
}

void
mass_judge(const struct mass_burst *bursts, size_t n, int64_t sites, struct mass *ret)
{
	int64_t least = mass_threshold(sites);

	*ret = (struct mass){ .ours = { CAUSE_NONE, 0 }, .dns = { CAUSE_NONE, 0 } };
	for (size_t i = 0; i < n; i++) {
		const struct mass_burst *b = &bursts[i];

		if (b->owners < least || !may_be_mass(b->cause))
			continue;
		ret->is_mass[b->cause] = true;
		take_larger(cause_row(b->cause)->layer == LAYER_DNS ? &ret->dns : &ret->ours, b);
	}
}
