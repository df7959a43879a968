#include "core/finding.h"

struct finding *
finding_put(struct finding_list *l, enum cause c, struct str subject)
{
	const struct cause_row *row = cause_row(c);

	if (l->n >= l->cap) {
		l->dropped++;
		return NULL;
	}
	struct finding *f = &l->at[l->n++];
	*f = (struct finding){
		.cause = c,
		.subject = subject,
		.acts = row->acts,
		.first_seen = WHEN_UNKNOWN,
		.last_seen = WHEN_UNKNOWN,
		.next_look = WHEN_UNKNOWN,
		.told_at = WHEN_UNKNOWN,
		.mended_at = WHEN_UNKNOWN,
	};
	return f;
}

/* A draft that was left, and a zone that answers for every name, explain nothing: they are always among what was also noticed. */
static bool
is_aside(const struct finding *f)
{
	return f->cause == CAUSE_OWN_DRAFT_ABANDONED || f->cause == CAUSE_DNS_WILDCARD_PRESENT;
}

static bool
is_before(const struct finding *a, const struct finding *b)
{
	enum layer la = cause_row(a->cause)->layer, lb = cause_row(b->cause)->layer;

	if (is_aside(a) != is_aside(b))
		return is_aside(b);
	return la != lb ? la < lb : a->cause < b->cause;
}

/* By insertion: stable, and the lists are short or nearly sorted. */
void
finding_sort(struct finding_list *l)
{
	for (size_t i = 1; i < l->n; i++) {
		struct finding f = l->at[i];
		size_t k = i;

		for (; k > 0 && is_before(&f, &l->at[k - 1]); k--)
			l->at[k] = l->at[k - 1];
		l->at[k] = f;
	}
}

bool
finding_blocks(const struct finding *f)
{
	return cause_row(f->cause)->blocks;
}
