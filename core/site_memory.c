#include "core/site_memory.h"
#include <string.h>
#include "core/own_redirect.h"
#include "core/site_plan.h"

const struct memory *
site_memory_of(const struct site *s, struct str name)
{
	for (size_t i = 0; s->memory != NULL && i < s->names_n; i++)
		if (str_eq(s->names[i].name, name))
			return &s->memory[i];
	return NULL;
}

/* Seen whole, served well, and nothing stands that anybody would have to mend. */
static bool
is_good(const struct step *st, const struct site_name *n)
{
	const struct evidence *e = st->ev->evidence;

	if (!e->has_dns || !e->has_http || !e->has_tls || !n->is_held || !n->served.is_ok)
		return false;
	for (size_t i = 0; i < st->s->findings.n; i++) {
		const struct finding *f = &st->s->findings.at[i];

		if (str_eq(f->subject, n->name) && cause_row(f->cause)->severity >= SEVERITY_WARN)
			return false;
	}
	return true;
}

static bool
make_room(const struct step *st)
{
	struct site *s = st->s;
	struct memory *made = s->memory == NULL ? arena_get(st->a, s->names_n * sizeof *made) : s->memory;

	for (size_t i = 0; s->memory == NULL && made != NULL && i < s->names_n; i++)
		made[i] = (struct memory){ .good = { .at = WHEN_UNKNOWN }, .last = { .at = WHEN_UNKNOWN } };
	s->memory = made;
	return made != NULL;
}

void
site_remember(const struct step *st)
{
	struct site *s = st->s;
	const struct evidence *e = st->ev->evidence;

	if (!st->p->remembers || !make_room(st))
		return;
	own_redirect_note(st);
	for (size_t i = 0; i < e->names_n; i++) {
		struct site_name *n = plan_name_of(s, i, e->names[i].name);

		if (n == NULL)
			continue;
		struct memory *m = &s->memory[n - s->names];
		const struct sighting seen =
		    sighting_of(e, &e->names[i], &m->good, s->held.id != 0 ? s->held.fingerprint : NULL, st->a);
		if (is_good(st, n)) {
			*m = (struct memory){ .good = seen, .last = { .at = WHEN_UNKNOWN }, .is_new = true, .own_redirect = m->own_redirect };
		} else if (when_is_known(m->good.at)) {
			m->last = seen;
			m->is_new = true;
		}
	}
}
