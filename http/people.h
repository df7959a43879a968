#ifndef KOSHIN_HTTP_PEOPLE_H
#define KOSHIN_HTTP_PEOPLE_H
/* What session, person and password have in common. */
#include "http/inside.h"

/* A person as people see it. NULL without memory. */
json_t *person_document(struct api_call *c, const struct person_row *p);
/* NOT_FOUND: the command asks, which is no person. */
MUST_USE enum err person_needed(struct api_call *c);
/* The person with this mail address; NOT_FOUND with words, also where it is another owner's. */
MUST_USE enum err person_find(struct api_call *c, struct str mail, struct person_row *ret);
/* Reads the body into p, which holds what is there without it. owner: the mail address of the owner, if it was given. */
MUST_USE enum err person_read(struct api_call *c, struct person_row *p, struct str *owner);
/* Whose sites the person sees; INVALID where that does not go with the role. */
MUST_USE enum err person_set_owner(struct api_call *c, struct person_row *p, struct str owner);
/* Gives the person as the answer. */
MUST_USE enum err person_give(struct api_call *c, int status, const struct person_row *p);
/* INVALID with the reason: this is no password for that person. */
MUST_USE enum err password_judge(struct api_call *c, struct str password, struct str mail);
/*
 * Whoever finds a browser signed in must not be able to lock its person out or to come back: where it changes how somebody signs in, the password
 * is asked for again; not of who came by a link just now. ret false: it is being judged, and the handler is called again. DENIED, LIMITED: with words.
 */
MUST_USE enum err password_confirm(struct api_call *c, struct str password, bool *ret_is_confirmed);
/* Wants the password hashed, or judged by `stored`: the handler is called again with the outcome. */
void password_hash(struct api_call *c, struct str password, struct str stored);
#endif
