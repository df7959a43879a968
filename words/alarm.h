#ifndef KOSHIN_WORDS_ALARM_H
#define KOSHIN_WORDS_ALARM_H
/* The watchdog's letter to the operator: what is the matter, since when, what to do, and the count of sites by days left. */
#include "core/watch.h"
#include "words/words.h"

/* The alarm in a few words. */
void words_alarm_title(unsigned alarm, enum lang l, struct buf *out);
/* What the operator is asked to do about it. */
void words_alarm_todo(unsigned alarm, enum lang l, struct buf *out);
/* Subject (one line) and body (plain text, LF line ends). Of the context: language, now, zone. */
void words_alarm(const struct watch *w, const struct alarm_letter *l, const struct words_context *c,
    struct buf *ret_subject, struct buf *ret_body);
/* "alarm.own.process.stopped.20261126.end": one for an alarm and a day, in UTC; the part before the "@". day: of the letter. */
void words_alarm_id(const struct alarm_letter *l, struct when day, struct buf *out);
#endif
