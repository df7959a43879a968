#ifndef KOSHIN_CORE_PAGE_H
#define KOSHIN_CORE_PAGE_H
/*
 * What the page of a site offers and foretells, beside core/view: the one thing that helps now, and the dates to come. Both are
 * derived, from the same facts as every other date of the site, so that no two of them contradict each other.
 */
#include "core/view.h"

/* At most one primary button (what cannot help is not offered). */
enum page_action {
	PAGE_NOTHING,
	PAGE_SET_UP, /* SSL is not wanted yet */
	PAGE_CHECK,  /* "I have mended it": the owner has something to mend */
	PAGE_TO_FREE, /* the own certificate ends, or has ended */
	PAGE_RENEW,  /* nothing stands in the way, and visitors are warned */
};
struct page_button {
	enum page_action action;
	struct when works_at; /* not before: our own back-off or the CA's word; WHEN_UNKNOWN: at once */
};
struct page_button page_button_of(const struct site *s, const struct policy *p, const struct view *v, struct when now);

enum page_event_kind {
	PAGE_EVENT_LOOK,       /* the next look */
	PAGE_EVENT_RENEWAL,    /* the certificate is renewed by itself */
	PAGE_EVENT_REMINDER,   /* a letter reminds the owner */
	PAGE_EVENT_REDUCE,     /* it is renewed without the names that fail */
	PAGE_EVENT_END,	       /* the certificate ends: only where something stands in the way */
	PAGE_EVENT_LAST_END,   /* it ends and is not renewed: free SSL was given up */
	PAGE_EVENT_OWN_WARN,   /* a letter says that the own certificate ends soon */
	PAGE_EVENT_TAKEOVER,   /* free SSL takes its place, as its owner agreed */
	PAGE_EVENT_OWN_END,    /* it ends, and nothing takes its place by itself */
	PAGE_EVENT_DRAFT_ENDS, /* an unfinished setting is cleared away */
	PAGE_EVENT_COUNT
};
const char *page_event_name(enum page_event_kind k);
struct page_event {
	struct when at;
	enum page_event_kind kind;
};
enum { PAGE_EVENTS_MAX = PAGE_EVENT_COUNT + LIFE_REMINDERS };
/* What will happen, earliest first, each after now. ret has room for PAGE_EVENTS_MAX. */
size_t page_plan(const struct site *s, const struct policy *p, const struct view *v, struct when now, struct page_event *ret);

/* What was tested of a name, in the order in which a CA and a visitor come by it. */
enum page_test { PAGE_TEST_DNS, PAGE_TEST_CAA, PAGE_TEST_CONNECT, PAGE_TEST_CHALLENGE, PAGE_TEST_SERVED, PAGE_TEST_COUNT };
const char *page_test_name(enum page_test t);
enum page_result {
	PAGE_OK,
	PAGE_WARN,
	PAGE_FAIL,
	PAGE_UNKNOWN, /* not tested yet, or another one has to be mended first */
};
const char *page_result_name(enum page_result r);
struct page_check {
	enum page_result result;
	struct when at;		   /* WHEN_UNKNOWN: never */
	const struct finding *why; /* what was found; NULL when nothing was */
};
struct page_check page_check_of(const struct site *s, const struct site_name *n, enum page_test t, struct when now);
#endif
