#ifndef KOSHIN_PORTS_STORE_QUESTIONS_H
#define KOSHIN_PORTS_STORE_QUESTIONS_H
/*
 * What people write to us, and what mail servers say of our letters. The web process writes what came in and what support
 * answers; the engine turns an answer into a letter. As in store.h: strings live in the arena, each verb is a transaction
 * or a part of the caller's.
 */
#include "ports/store/store.h"

struct question_row {
	int64_t id, site_id, owner_id, letter_id; /* 0: none; letter_id: the letter that it answers */
	struct str site;			  /* name of the site, ASCII form; read only */
	struct str writer, subject;
	struct str cause, about; /* id of the site's cause when it was asked, and the name that had it; empty: none */
	struct when asked_at, open_since; /* WHEN_UNKNOWN: answered */
};
struct question_part_row {
	int64_t id, question_id, letter_id; /* letter_id of an answer of ours: 0 while it is not written */
	struct when at;
	struct str by;	      /* mail address, or the name of who answered */
	bool is_ours, is_cut; /* is_cut: more was written than is kept */
	struct str text, message_id;
};
/* A letter as an incoming mail speaks of it. NOT_FOUND: none of ours. */
struct letter_found {
	int64_t id, site_id, owner_id;
	struct str to;
};
MUST_USE enum err store_letter_of_message(struct store *s, struct str message_id, struct arena *a, struct letter_found *ret);
/* Its mail server refused it. The first time stays. */
MUST_USE enum err store_letter_bounced(struct store *s, int64_t id, struct str words, struct when now);

/* Open from now on (asked_at). */
MUST_USE enum err store_question_put(struct store *s, const struct question_row *q, int64_t *ret_id);
/* EXISTS: a part with this message_id is there; nothing was changed. */
MUST_USE enum err store_question_part_put(struct store *s, const struct question_part_row *p);
/* The question that this message is a part of (NOT_FOUND: none), and who writes it. */
MUST_USE enum err store_question_of_message(
    struct store *s, struct str message_id, struct arena *a, int64_t *ret_id, struct str *ret_writer);
/* open_since WHEN_UNKNOWN: answered, or closed. NOT_FOUND. */
MUST_USE enum err store_question_set_open(struct store *s, int64_t id, struct when open_since);
MUST_USE enum err store_question_load(struct store *s, int64_t id, struct arena *a, struct question_row *ret);
/* Open ones, oldest first, with an id above after_id. */
MUST_USE enum err store_questions_open(
    struct store *s, int64_t after_id, size_t max, struct arena *a, struct question_row **ret, size_t *ret_n);
/* Of a site (0: of all, and of none), newest first, with an id below before_id (0: from the newest). */
MUST_USE enum err store_questions(
    struct store *s, int64_t site_id, int64_t before_id, size_t max, struct arena *a, struct question_row **ret, size_t *ret_n);
/* In their order, LIMIT_PAGE_ROWS at most. */
MUST_USE enum err store_question_parts(
    struct store *s, int64_t question_id, struct arena *a, struct question_part_row **ret, size_t *ret_n);

/* Answers that no letter has taken yet, oldest first. */
MUST_USE enum err store_answers_unwritten(struct store *s, size_t max, struct arena *a, struct question_part_row **ret, size_t *ret_n);
/* The letter with this key took the answer. */
MUST_USE enum err store_answer_written(struct store *s, int64_t part_id, struct str letter_key, struct str message_id);
#endif
