#ifndef KOSHIN_HTTP_ACCESS_LETTER_H
#define KOSHIN_HTTP_ACCESS_LETTER_H
/*
 * Letters about signing in. They go into the outbox without their link: the engine makes it as it sends them
 * (ports/store/invitations.h). Without a mail server or an address of the panel in the configuration there are none.
 */
#include "http/inside.h"
#include "ports/store/invitations.h"

struct access_letter {
	enum letter_kind kind; /* RESET, INVITATION, ACCOUNT */
	struct str to, inviter;
	struct letter_access access;
};
bool access_letters_are_sent(const struct api_call *c);
/* In the caller's transaction, who wakes the engine after it. */
MUST_USE enum err access_letter_put(struct api_call *c, const struct access_letter *l);
/* A letter to this address counts; ret false: there were enough for now. */
MUST_USE enum err access_letter_count(struct api_call *c, struct str to, bool *ret_may_send);
#endif
