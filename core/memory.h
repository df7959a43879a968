#ifndef KOSHIN_CORE_MEMORY_H
#define KOSHIN_CORE_MEMORY_H
/*
 * What the last good check of a name saw, and what the last one saw since, each in a few words: where something worked before,
 * it is told what differs now. The words are compared, never parsed, and everything that came from strangers in them is
 * printable text.
 */
#include "base/arena.h"
#include "core/evidence.h"

/* Lists are sorted and have ", " between two. "-": looked, and there is none. Empty: not seen. */
struct sighting {
	struct when at; /* WHEN_UNKNOWN: none */
	struct str nameservers;
	struct str addresses;
	struct str ours;     /* those that were addresses of our servers, also of before where they still lead to us */
	struct str caa;
	struct str server;   /* Server header */
	struct str issuer;   /* of the served certificate; "koshin" for the one that we hold */
	struct str redirect; /* where the challenge path was forwarded to */
};
struct memory {
	struct sighting good;
	struct sighting last; /* since; WHEN_UNKNOWN: the last check was the good one */
	bool is_new;	      /* to be stored */
	struct str own_redirect; /* where the site itself sends who opens the name over http (core/own_redirect); empty: nowhere, or not known */
};

enum memory_change_kind { CHANGE_NAMESERVERS, CHANGE_ADDRESSES, CHANGE_CAA, CHANGE_SERVER, CHANGE_ISSUER, CHANGE_REDIRECT, CHANGE_COUNT };
const char *change_name(enum memory_change_kind k); /* "nameservers" … "redirect" */
struct memory_change {
	enum memory_change_kind what;
	struct str before, now;
	struct when since; /* it was still so at that time */
};
/* How `last` differs from `good`, in the order of what explains most; at most CHANGE_COUNT. */
size_t memory_changes(const struct memory *m, struct memory_change *ret);
/* fingerprint: of the certificate that we hold for the name, NULL without one. */
struct sighting sighting_of(const struct evidence *e, const struct name_evidence *n, const struct sighting *good,
    const uint8_t *fingerprint, struct arena *a);
/* What strangers sent, in so few bytes as are kept, and printable. */
struct str memory_text(struct str s, struct arena *a);
/* Is it an element of the list? */
bool sighting_has(struct str list, struct str one);
#endif
