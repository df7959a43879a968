#ifndef KOSHIN_HTTP_OPERATOR_H
#define KOSHIN_HTTP_OPERATOR_H
/* What the files of the operator's pages share; nobody else includes it. */
#include "core/forecast.h"
#include "http/inside.h"

/* Takes one day's count into the list: so many days from today. */
bool operator_put_day(json_t *list, int64_t today, int64_t days, int64_t n);
/* What comes due, and what the CAs allow. */
MUST_USE enum err operator_forecast(struct api_call *c, const struct forecast *f, json_t **ret);
#endif
