#ifndef KOSHIN_HTTP_PEOPLE_H
#define KOSHIN_HTTP_PEOPLE_H
/* What session, person and password have in common. */
#include "http/inside.h"

/* A person as people see it. NULL without memory. */
json_t *person_document(struct api_call *c, const struct person_row *p);
/* NOT_FOUND: the command asks, which is no person. */
MUST_USE enum err person_needed(struct api_call *c);
/* Gives the person as the answer. */
MUST_USE enum err person_give(struct api_call *c, int status, const struct person_row *p);
/* INVALID with the reason: this is no password for that person. */
MUST_USE enum err password_judge(struct api_call *c, struct str password, struct str mail);
/* Wants the password hashed, or judged by `stored`: the handler is called again with the outcome. */
void password_hash(struct api_call *c, struct str password, struct str stored);
#endif
