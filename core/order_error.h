#ifndef KOSHIN_CORE_ORDER_ERROR_H
#define KOSHIN_CORE_ORDER_ERROR_H
/* What an answer that is an error means for the order that it came for (core/order.h). Pure. */
#include <stdbool.h>

#include "core/acme.h"

/* Lost, or refused for now: the same request may be sent again. */
bool order_error_is_transient(const struct acme_answer *an);
/* May it be about `replaces` (RFC 9773 5)? CAs word it differently, and some as a fault of their own or with no type at all. Only what
 * surely speaks of something else is not tried once more without it: the renewal is worth more than the exemption. */
bool order_error_may_be_replaces(const struct acme_answer *an);
#endif
