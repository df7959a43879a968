/*
 * The owner's own certificate: the web process has judged it and stored it with its key; here it becomes what the site holds. And
 * requests for such certificates end when their year is over.
 */
#include "engine/inside.h"
#include <string.h>
#include "ports/store/csr.h"

/* Its names among those of the site: a wildcard stands for one that it fits. */
static enum err
names_of(struct engine *e, const struct site *s, const struct certificate_info *c, struct site_event *ev)
{
	struct str *names = arena_get(&e->arena, (s->names_n + 1) * sizeof *names);

	if (names == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < s->names_n; i++)
		if (certificate_has_name(c, s->names[i].name))
			names[ev->issued_names_n++] = s->names[i].name;
	ev->issued_names = names;
	return ERR_OK;
}

enum err
own_take(struct engine *e, int64_t site_id)
{
	struct certificate_row row;
	struct site s;
	enum err err = store_certificate_own(e->ports.store, site_id, &e->arena, &row);

	if (err == ERR_OK)
		err = store_site_load(e->ports.store, site_id, &e->arena, &s);
	/* The wish stood for a site that is gone. */
	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	if (err != ERR_OK)
		return err;
	struct site_event ev = { .kind = SITE_IMPORTED,
		.issued = { .id = row.id, .life = { row.info.not_before, row.info.not_after } },
		.retry_after = WHEN_UNKNOWN };
	memcpy(ev.issued.fingerprint, row.info.fingerprint, sizeof ev.issued.fingerprint);
	err = names_of(e, &s, &row.info, &ev);
	return err != ERR_OK ? err : engine_step_site(e, site_id, &ev);
}

enum err
own_tidy(struct engine *e)
{
	return store_csrs_end(e->ports.store, e->turn.now);
}
