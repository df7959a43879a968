#ifndef KOSHIN_PORTS_STORE_INVITATIONS_H
#define KOSHIN_PORTS_STORE_INVITATIONS_H
/*
 * People who are invited by mail, and letters with a link that signs somebody in. Such a letter lies in the outbox without its link: who
 * sends it makes one, leaves its digest here, and puts it in. The web process writes invitations, the engine their digests. As people.h.
 */
#include "ports/store/people.h"

struct invitation_row {
	int64_t id, owner_id; /* owner_id: of ROLE_OWNER; else 0 */
	enum role role;
	struct str mail, name, lang;
	struct str by; /* who invites */
	struct when created, ends_at;
};
/* In the place of one to the same address and the same sites, whose link is worth nothing from then on; those that have ended go. */
MUST_USE enum err store_invitation_put(struct store *s, const struct invitation_row *r, int64_t *ret_id);
/* By its link; ends_at is the caller's to look at. NOT_FOUND. */
MUST_USE enum err store_invitation_find(struct store *s, const struct digest *d, struct arena *a, struct invitation_row *ret);
MUST_USE enum err store_invitation_load(struct store *s, int64_t id, struct arena *a, struct invitation_row *ret);
/* Those that have not ended, newest first, LIMIT_PAGE_ROWS at most. owner_id 0: all. */
MUST_USE enum err store_invitations(
    struct store *s, int64_t owner_id, struct when now, struct arena *a, struct invitation_row **ret, size_t *ret_n);
/* Its link; one that was made before is worth nothing. NOT_FOUND. */
MUST_USE enum err store_invitation_set_link(struct store *s, int64_t id, const struct digest *d);
MUST_USE enum err store_invitation_remove(struct store *s, int64_t id);

/* Whom the link of a letter signs in: a person, somebody who is invited, or (both 0) nobody: the letter has none. */
struct letter_access {
	struct str lang;
	int64_t person_id, invitation_id;
};
/* Of the letter with this key, which is in the outbox. */
MUST_USE enum err store_letter_access_put(struct store *s, struct str letter_key, const struct letter_access *l);
/* NOT_FOUND: whom it was for is gone. */
MUST_USE enum err store_letter_access_load(struct store *s, struct str letter_key, struct arena *a, struct letter_access *ret);
#endif
