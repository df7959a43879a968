#ifndef KOSHIN_WORDS_TABLE_H
#define KOSHIN_WORDS_TABLE_H
/*
 * The form of the table that words/build.c writes and words/ reads; nobody else includes this. The lists of
 * placeholders and conditions stand here once: the build refuses a text that uses any other, and the code that
 * fills them in is a switch over the same list.
 */
#include <stdbool.h>
#include <stddef.h>
#include "words/words.h"

/* Placeholders of the texts of a cause. */
#define CAUSE_FIELDS(F)                                                                            \
	F(NAME, "name")	      /* the host name that it is about, as people write it */             \
	F(SEEN, "seen")	      /* what was found */                                                 \
	F(WANTED, "wanted")   /* what it has to be */                                              \
	F(COPY, "copy")	      /* the value to enter */                                             \
	F(TYPE, "type")	      /* its type of record */                                             \
	F(HOST, "host")	      /* what to type into the field for the host name */                  \
	F(COMPANY, "company") /* who answers for the domain's DNS */                               \
	F(DATE, "date")	      /* safe until, or warned since; in `visitors` only */                \
	F(TIME, "time")	      /* next look */

/* Placeholders of a letter. */
#define LETTER_FIELDS(F)                                                                           \
	F(SITE, "site")	      /* the name that the site goes by */                                 \
	F(TITLE, "title")     /* the cause in a few words */                                       \
	F(NAMES, "names")     /* what visitors see, a line for each name */                        \
	F(NAMES_PLAIN, "names-plain") /* the same in fewer words */                                \
	F(DATE, "date")	      /* safe until, or warned since, with its distance */                 \
	F(DAY, "day")	      /* the same, short, for the subject */                               \
	F(LEFT, "left")	      /* the time that is left, in words */                                \
	F(CAUSE, "cause")     /* the sentence of the cause */                                      \
	F(CHANGED, "changed") /* what differs from the last good check */                          \
	F(ACTION, "action")   /* the steps */                                                      \
	F(NEXT, "next")	      /* when koshin looks again */                                        \
	F(WHO, "who")	      /* who acts */                                                       \
	F(URL, "url")	      /* the site's page */                                                \
	F(RENEWAL, "renewal") /* when it is renewed by itself */                                   \
	F(LOST, "lost")	      /* names that the new certificate does not have */                   \
	F(BEGUN, "begun")     /* when the draft was begun, or free SSL was given up */             \
	F(BY, "by")	      /* and by whom */                                                    \
	F(LINK, "link")	      /* reset, invitation: what signs in */                               \
	F(INVITER, "inviter") /* invitation: who invites */                                        \
	F(PANEL, "panel")     /* where people sign in */                                           \
	F(ASKED, "asked")     /* answer: what the question was about */                            \
	F(ALSO, "also")	      /* other names for which the same has to be done */                  \
	F(ANSWER, "answer")   /* answer: what support wrote, several lines */

/* Conditions of a letter's lines: "?word text" is there if it holds, "?!word text" if not. */
#define LETTER_CONDITIONS(C)                                                                       \
	C(SAFE, "safe")	    /* the certificate that visitors get is valid and has a date */        \
	C(WARNED, "warned") /* visitors see a warning, with a known beginning */                   \
	C(ALL, "all")	    /* every wanted name shows the lock */                                 \
	C(MANY, "many")	    /* the site has several names */                                       \
	C(OTHERS, "others") /* names besides the cause's show the lock, and can be renewed */                \
	C(CAUSE, "cause")   /* there is a cause */                                                 \
	C(CHANGED, "changed") /* something differs from the last good check */                     \
	C(OWNER, "owner")   /* the owner has to act */                                             \
	C(ALSO, "also")	    /* and for several names, each in a row of its own */                  \
	C(RENEWAL, "renewal") /* the date of the next renewal is known */                          \
	C(FIRST, "first")   /* the reminders, in their order */                                    \
	C(SECOND, "second")                                                                        \
	C(THIRD, "third")                                                                          \
	C(LAST, "last")                                                                            \
	C(OWN, "own") /* the owner's own certificate is in use: it is not renewed by itself */     \
	C(TAKEOVER, "takeover") /* and its owner agreed that free SSL takes its place in time */   \
	C(SUSPENDED, "suspended") /* stopped: by us, for a reason of the contract */              \
	C(FORWARDS, "forwards") /* stopped: the forwarding to https goes on until the certificate ends */ \
	C(REVOKED, "revoked") /* revoked: its issuer has confirmed it */ \
	C(CSR, "csr") /* the draft waits for a bought certificate */                               \
	C(BY, "by")   /* it is known by whom */                                                    \
	C(URL, "url") /* the panel has an address */

enum cause_field {
#define F(symbol, word) CAUSE_FIELD_##symbol,
	CAUSE_FIELDS(F)
#undef F
	CAUSE_FIELD_COUNT
};
enum letter_field {
#define F(symbol, word) LETTER_FIELD_##symbol,
	LETTER_FIELDS(F)
#undef F
	LETTER_FIELD_COUNT
};
enum letter_condition {
#define C(symbol, word) LETTER_CONDITION_##symbol,
	LETTER_CONDITIONS(C)
#undef C
	LETTER_CONDITION_COUNT
};

struct words_text {
	const char *in[LANG_COUNT];
};
/* When a cause's own sentence for `visitors` is the truth; otherwise the state of the site speaks. */
enum words_holds {
	WORDS_HOLDS_SAFE,   /* only while the certificate is valid: {date} is its end */
	WORDS_HOLDS_ALWAYS, /* whatever the certificate: the name does not open, or shows another page */
	WORDS_HOLDS_WARNED, /* it is itself a warning: {date} is its beginning */
};
struct words_cause {
	enum words_holds holds;
	struct words_text title, text[CAUSE_TEXT_COUNT];
};
struct words_ui_row {
	const char *key;
	struct words_text text;
};
struct words_letter_row {
	struct words_text subject, body;
};
extern const struct words_cause words_cause_table[CAUSE_COUNT];
extern const struct words_letter_row words_letter_table[LETTER_COUNT];
extern const struct words_ui_row words_ui_table[]; /* sorted by key */
extern const size_t words_ui_table_n;

/* Copies the template to out, with put() for each {placeholder}. A value that is empty takes the brackets around it
 * along, with all that stands in them; without brackets it is told as unknown. */
typedef void words_put(const void *ctx, struct str field, struct buf *out);
void words_fill(const char *text, enum lang l, words_put *put, const void *ctx, struct buf *out);
/* Bytes of foreign origin as one line of text: control bytes become spaces, what is not UTF-8 a question mark. */
void words_put_clean(struct str s, struct buf *out);
/* The host name as people write it. */
void words_put_name(struct str ascii, const struct words_context *c, struct buf *out);
const char *words_ui_text(const char *key, enum lang l);
/* Visitors are safe now, or warned now, as the view has it. */
bool words_is_safe(const struct words_context *c);
bool words_is_warned(const struct words_context *c);
/* A date with its distance. */
void words_put_date(struct when w, const struct words_context *c, struct buf *out);
/* "20日", "3 hours": the length of time between now and w, either way. */
void words_put_length(struct when w, const struct words_context *c, struct buf *out);
/* A date for a subject: "12月14日(月)", with the time of day where it is near. */
void words_put_day(struct when w, const struct words_context *c, struct buf *out);
/* Who answers for the domain's DNS: the name, or words for one that is not known. */
void words_put_company(const struct finding *f, const struct words_context *c, struct buf *out);
/* The own sentence of the cause, when it is true of this name whatever the certificate; false if there is none. */
bool words_put_own_view(const struct finding *f, const struct words_context *c, struct buf *out);

/* Its steps name a row of the domain's DNS by its host name: each name that has the cause has a row of its own. */
bool words_is_for_each_host(const struct finding *f);
/* Such a row on one line: the name, the host name as a form of the domain's company wants it, the value. */
void words_put_host_line(const struct finding *f, const struct words_context *c, struct buf *out);

/* Rows of letters and pages (words/rows.c). cause: the one that is told; NULL: nothing wrong was found. */
struct row_facts {
	const struct site *site;
	const struct finding *cause;
	struct str indent; /* before each name */
	bool is_plain;	   /* in few words */
};
/* Other names with the same cause, each of which wants a row of its own; their number. */
size_t words_also(const struct row_facts *r, const struct words_context *c, struct buf *out);
/* A line for each wanted name. */
void words_put_names(const struct row_facts *r, const struct words_context *c, struct buf *out);
void words_put_who(const struct row_facts *r, const struct words_context *c, struct buf *out);
void words_put_next(const struct row_facts *r, const struct words_context *c, struct buf *out);
void words_put_cause(const struct row_facts *r, enum cause_text t, const struct words_context *c, struct buf *out);
/* A text of words/ui.txt with one number. */
void words_put_count(const char *key, size_t n, enum lang l, struct buf *out);
#endif
