#ifndef KOSHIN_HTTP_LIMITS_H
#define KOSHIN_HTTP_LIMITS_H
/* What the configuration says of the limits of a CA, and what was counted against them. */
#include "core/budget.h"
#include "http/inside.h"
#include "ports/store/budget.h"

struct limits_facts {
	struct budget_listed *rows;
	struct ca_row *cas;
	size_t rows_n, cas_n;
};
/* As stored now; in c->a. */
MUST_USE enum err limits_read(struct api_call *c, struct limits_facts *ret);
/* As the engine has them; texts are the configuration's. False: no memory. */
bool limits_rules(struct api_call *c, struct str ca, struct budget_rules *ret);
#endif
