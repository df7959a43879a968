#include "core/own_certificate.h"
#include "base/date.h"
#include "base/must.h"

enum { LISTED_MAX = 8 }; /* names of the certificate that are told */

static const struct {
	const char *code, *words;
} faults[] = { [OWN_FAULT_NONE] = { "", "" },
#define FAULT(symbol, code, words) [OWN_FAULT_##symbol] = { code, words },
#include "core/own_fault.tbl"
#undef FAULT
};

const char *
own_fault_words(enum own_fault f)
{
	must(f < OWN_FAULT_COUNT);
	return faults[f].words;
}

const char *
own_fault_code(enum own_fault f)
{
	must(f < OWN_FAULT_COUNT);
	return faults[f].code;
}

enum own_fault
own_fault_of(struct str seen, struct str *ret_value)
{
	for (enum own_fault f = OWN_FAULT_NONE + 1; f < OWN_FAULT_COUNT; f++) {
		const struct str words = str_of(faults[f].words);

		*ret_value = STR_NONE;
		if (str_eq(seen, words))
			return f;
		if (!str_starts(seen, words))
			continue;
		const struct str rest = { seen.p + words.n, seen.n - words.n };
		if (!str_starts(rest, STR(": ")))
			continue;
		*ret_value = (struct str){ rest.p + 2, rest.n - 2 };
		return f;
	}
	return OWN_FAULT_NONE;
}

static struct finding *
put(struct finding_list *out, enum cause c, struct str subject, struct when now, struct str seen)
{
	struct finding *f = finding_put(out, c, subject);

	if (f == NULL)
		return NULL;
	f->seen = f->evidence = seen;
	f->first_seen = f->last_seen = now;
	f->times_seen = 1;
	/* It is looked at when the next file comes, not before. */
	f->next_look = now;
	return f;
}

static struct str
names_words(const struct certificate_info *c, struct arena *a)
{
	struct str text = str_of(own_fault_words(OWN_FAULT_NO_NAMES));

	for (size_t i = 0; i < c->names_n && i < LISTED_MAX; i++)
		text = i == 0 ? c->names[0] : arena_strf(a, "%.*s, %.*s", STR_ARG(text), STR_ARG(c->names[i]));
	return text;
}

static void
classify_key(const struct own_certificate *c, struct str name, struct when now, struct finding_list *out)
{
	switch (c->key) {
	case OWN_KEY_UNASKED:
	case OWN_KEY_HERE:
		return;
	case OWN_KEY_MISSING:
		(void)put(out, CAUSE_OWN_CERTIFICATE_KEY_MISSING, name, now, str_of(own_fault_words(OWN_FAULT_NO_KEY)));
		return;
	case OWN_KEY_OTHER:
		(void)put(out, CAUSE_OWN_CERTIFICATE_KEY_MISSING, name, now, str_of(own_fault_words(OWN_FAULT_OTHER_KEY)));
		return;
	case OWN_KEY_LOCKED:
		(void)put(out, CAUSE_OWN_CERTIFICATE_UNREADABLE, name, now, str_of(own_fault_words(OWN_FAULT_KEY_PASSWORD)));
		return;
	}
}

bool
own_certificate_is_usable(const struct finding_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (cause_row(l->at[i].cause)->severity > SEVERITY_INFO)
			return false;
	return true;
}

void
classify_own_certificate(const struct own_certificate *c, const struct str *names, size_t names_n, struct when now,
    struct arena *a, struct finding_list *out)
{
	if (!c->is_read) {
		(void)put(out, CAUSE_OWN_CERTIFICATE_UNREADABLE, names[0], now, c->why);
		return;
	}
	if (!c->is_complete)
		(void)put(out, CAUSE_OWN_CERTIFICATE_CHAIN_INCOMPLETE, names[0], now, c->missing);
	if (!when_before(now, c->leaf.not_after))
		(void)put(out, CAUSE_OWN_CERTIFICATE_EXPIRED, names[0], now, date_text(c->leaf.not_after, a));
	else if (when_before(now, c->leaf.not_before))
		(void)put(out, CAUSE_OWN_CERTIFICATE_EXPIRED, names[0], now, date_text(c->leaf.not_before, a));
	for (size_t i = 0; i < names_n; i++)
		if (!certificate_has_name(&c->leaf, names[i]))
			(void)put(out, CAUSE_OWN_CERTIFICATE_NAME_MISSING, names[i], now, names_words(&c->leaf, a));
	if (c->untrusted.n > 0)
		(void)put(out, CAUSE_OWN_CERTIFICATE_UNTRUSTED, names[0], now, c->untrusted);
	classify_key(c, names[0], now, out);
	if (!c->is_ordered)
		(void)put(out, CAUSE_OWN_CERTIFICATE_CHAIN_UNORDERED, names[0], now, c->leaf.issuer);
	finding_sort(out);
}
