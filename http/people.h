#ifndef KOSHIN_HTTP_PEOPLE_H
#define KOSHIN_HTTP_PEOPLE_H
/* What session, person and password have in common. */
#include "http/inside.h"

/* A person as people see it. NULL without memory. */
json_t *person_document(struct api_call *c, const struct person_row *p);
/* INVALID with the reason: this is no password for that person. */
MUST_USE enum err password_judge(struct api_call *c, struct str password, struct str mail);
/* Wants the password hashed, or judged by `stored`: the handler is called again with the outcome. */
void password_hash(struct api_call *c, struct str password, struct str stored);
#endif
