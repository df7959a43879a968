#ifndef KOSHIN_HTTP_LIMITS_H
#define KOSHIN_HTTP_LIMITS_H
/* What the configuration says of the limits of a CA. */
#include "core/budget.h"
#include "http/inside.h"

/* As the engine has them; texts are the configuration's. False: no memory. */
bool limits_rules(struct api_call *c, struct str ca, struct budget_rules *ret);
#endif
