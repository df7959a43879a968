#ifndef KOSHIN_CORE_FRONT_H
#define KOSHIN_CORE_FRONT_H
/*
 * What stands between visitors and us, or answers in our place: known services by address (core/front.tbl) and known pages
 * by what they say (core/page.tbl). Hints for a better word; they are believed only where our own answer does not come.
 */
#include "core/evidence.h"

/* The service that this address belongs to; empty if none is known. */
struct str front_of(const struct address *a);

enum page_kind { PAGE_NONE, PAGE_BOT_FILTER, PAGE_PLUGIN, PAGE_PARKED, PAGE_ROUTER };
struct page {
	enum page_kind kind;
	struct str who; /* as it is told ("Wordfence") */
};
struct page page_of(const struct http_evidence *h);
#endif
