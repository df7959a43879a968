#ifndef KOSHIN_WORDS_WORDS_H
#define KOSHIN_WORDS_WORDS_H
/*
 * What people read. The sources are words/cause/ID.txt, words/letter/WORD.txt and the tables words/ *.txt, each with
 * Japanese and English together; words/build.c turns them into a table and fails where a text, a placeholder or a
 * language is missing. Pure: no clock, no file.
 */
#include "core/site.h"
#include "core/view.h"

enum lang { LANG_JA, LANG_EN, LANG_COUNT };
/* "ja", "ja_JP.UTF-8" … -> JA; everything else EN. */
enum lang lang_of(struct str s);
const char *lang_name(enum lang l);

enum cause_text { CAUSE_VISITORS, CAUSE_CAUSE, CAUSE_ACTION, CAUSE_NEXT, CAUSE_TEXT_COUNT };
/* The text as written, with its {placeholders}: for `koshin causes` and help pages. Never NULL. */
const char *words_cause_raw(enum cause c, enum cause_text t, enum lang l);
/* The same with the facts of a case in it. */
struct words_context {
	enum lang lang;
	struct when now;
	struct span zone;    /* added to UTC for dates that people see */
	struct str site_name; /* for people: Unicode form */
	struct view view;
	struct str panel_url;
	/* names_for_people and names_registered_domain, passed in: words is pure. Without them (NULL) names are shown as
	 * stored, and the host name to type is the whole name. */
	struct str (*for_people)(struct str ascii, struct arena *a);
	struct str (*registered_domain)(struct str ascii);
};
/* The cause in a few words, for a list or a subject: "www.example.jp だけ接続先が未登録です". Raw as above. */
void words_cause_title(const struct finding *f, const struct words_context *c, struct buf *out);
const char *words_cause_title_raw(enum cause c, enum lang l);
/*
 * {copy} of a finding may be the bare value or a whole record ("www.example.jp. 3600 IN A 203.0.113.10"): of a record the
 * value is shown, and {host} is taken from its name. `visitors` follows the view: what a cause says of a safe site is
 * never said of one that visitors are warned of.
 */
void words_cause(const struct finding *f, enum cause_text t, const struct words_context *c, struct buf *out);
/* "2027年2月10日(水) 14:30" / "Wed, 10 Feb 2027 14:30"; lives of hours get seconds. */
void words_date(struct when w, const struct words_context *c, struct buf *out);
/* "(あと20日)" / "(in 20 days)", "(3分前)" / "(3 minutes ago)". */
void words_distance(struct when w, const struct words_context *c, struct buf *out);
/* One small text by key from words/ui.txt ("state.ok", "actor.owner", "visitors.lock", "history.issued" …), with
 * {0} to {9} replaced by args. An unknown key is a bug: must(). */
void words_ui(const char *key, enum lang l, const struct str *args, size_t args_n, struct buf *out);

/* "Since the check of 3 Nov the name servers have changed from … to …" */
void words_change(const struct memory_change *change, const struct words_context *c, struct buf *out);
/* All that differs for one name since the last good check, a sentence for each; nothing where nothing stands against it. */
void words_changes(const struct site *s, struct str name, const struct words_context *c, struct buf *out);

/* The rows of a page's top box, always all of them and in this order. */
enum page_row { PAGE_ROW_SEEN, PAGE_ROW_UNTIL, PAGE_ROW_CAUSE, PAGE_ROW_DO, PAGE_ROW_NEXT_LOOK, PAGE_ROW_HELP, PAGE_ROW_COUNT };
/*
 * The answer to a question about this site, as it is now, for support to send or to change: what visitors see and until when, then point by
 * point each cause that its owner can mend, with its steps and the next look.
 */
void words_draft(const struct site *s, const struct words_context *c, struct buf *out);
/* A value as people read it: a date is one of their zone and language, like all others of the page; what is the matter with a file is told in
 * their language. */
void words_put_value(struct str value, const struct words_context *c, struct buf *out);
const char *page_row_name(enum page_row r); /* "seen" … "help" */
void words_page_label(enum page_row r, const struct words_context *c, struct buf *out);
/* One line for each name in SEEN, else one sentence or two. */
void words_page_row(enum page_row r, const struct site *s, const struct words_context *c, struct buf *out);

/* Stands in the body of a letter of the outbox whose link is made only when the letter is sent. */
#define LETTER_LINK_MARK "[[link]]"
struct letter_facts {
	enum letter_kind kind;
	const struct site *site;
	const struct finding *finding; /* act, reminder, expired: the cause */
	unsigned reminder;	       /* reminder: which, 0-based */
	const struct str *left_out;    /* reduced: names that the new certificate does not have */
	size_t left_out_n;
	struct str link, inviter; /* reset, invitation: the link that signs in (LETTER_LINK_MARK where it is put in later); who invites */
	const struct revoke *revocation; /* revoked: how it came out */
	struct str asked, answer; /* answer: subject of the question, and what support wrote (LF line ends); site may be empty */
	struct str (*for_people)(struct str ascii, struct arena *a); /* as in the context; NULL: that one */
};
/* Subject (one line, UTF-8) and body (plain text, LF line ends). */
void words_letter(const struct letter_facts *f, const struct words_context *c, struct arena *a,
    struct buf *ret_subject, struct buf *ret_body);
/* The same body as a page of simple HTML, UTF-8, LF line ends: no picture, no script, nothing from another host. */
void words_html(struct str subject, struct str body, enum lang l, struct buf *out);
/* A bare address or Message-ID, as it may stand between angle brackets of a header: has one "@" with something on both sides,
 * no space, no bracket, no control byte. */
bool words_is_address(struct str s);
/* The whole message, RFC 5322: encoded headers, quoted-printable or base64 UTF-8 body, CRLF. Refuses CR, LF and NUL in
 * any header value. message_id without angle brackets; references empty for the first of a thread. With `html` it is
 * multipart/alternative (RFC 2046 5.1.4), the plain text first; without, plain text alone. */
struct letter_envelope {
	struct str from, from_name, to, reply_to, subject, body, html, message_id, references;
	struct when date;
	enum lang lang;
};
MUST_USE enum err words_message(const struct letter_envelope *e, struct buf *ret);
#endif
