#include "watch/inside.h"
#include "words/alarm.h"

/*
 * One letter at a time, straight to the mail server: no outbox, for the store may be the trouble. What was not taken is
 * tried again after the next look, under the same Message-ID.
 */

enum { TEXT_BYTES = 32 * 1024 };

static struct str
domain_of(struct str mail)
{
	struct str rest = mail;

	(void)str_cut(&rest, '@');
	return rest.n > 0 ? rest : STR("koshin.invalid");
}

static void
on_mailed(void *arg, const struct mail_answer *answer)
{
	struct watchdog *d = arg;

	d->is_writing = false;
	if (answer->err != ERR_OK) {
		watchdog_log("the letter about %s was not taken: %s: %.*s", alarm_name(d->letter.alarm),
		    err_words(answer->err), STR_ARG(answer->words));
		/* One that is refused does not hold the others up; it is tried again after the next look. */
		d->letter_from = d->letter.alarm + 1;
		letters_begin(d);
		return;
	}
	/* The date of the look, by which the next letter is chosen: a later one would be a clock that was set back, and the letter due again. */
	watch_told(&d->watch, &d->letter, d->now);
	watchdog_keep(d);
	letters_begin(d);
}

static void
put_id(const struct alarm_letter *l, struct when day, struct str domain, struct buf *out)
{
	words_alarm_id(l, day, out);
	buf_putf(out, "@%.*s", STR_ARG(domain));
}

static enum err
write_letter(struct watchdog *d)
{
	const struct alarm *a = &d->watch.alarms[d->letter.alarm];
	const struct alarm_letter first = { d->letter.alarm, false };
	AUTO_BUF subject = { .max = TEXT_BYTES }, body = { .max = TEXT_BYTES }, message = { .max = LIMIT_LETTER_BYTES },
		 id = { .max = TEXT_BYTES }, references = { .max = TEXT_BYTES };
	struct str from = str_of(d->config->mail.from), to = str_of(d->config->watch.operator_mail);
	const struct words_context c = {
		.lang = lang_of(str_of(d->config->language)),
		.now = d->now,
		.zone = config_zone(d->config),
	};

	words_alarm(&d->watch, &d->letter, &c, &subject, &body);
	put_id(&d->letter, d->now, domain_of(from), &id);
	if (when_is_known(a->told_first))
		put_id(&first, a->told_first, domain_of(from), &references);
	const struct letter_envelope envelope = {
		.from = from,
		.from_name = STR("koshin"),
		.to = to,
		.subject = buf_str(&subject),
		.body = buf_str(&body),
		.message_id = buf_str(&id),
		.references = buf_str(&references),
		.date = d->now,
		.lang = c.lang,
	};
	enum err e = words_message(&envelope, &message);
	if (e == ERR_OK)
		e = subject.err != ERR_OK ? subject.err : body.err != ERR_OK ? body.err : message.err;
	if (e != ERR_OK)
		return e;
	const struct mail_job job = { from, to, buf_str(&message) };
	struct mail port = smtp_port(d->smtp);
	return port.submit(port.ctx, &job, on_mailed, d);
}

void
letters_begin(struct watchdog *d)
{
	if (d->smtp == NULL || d->is_writing || !watch_letter(&d->watch, d->letter_from, d->now, &d->letter))
		return;
	enum err e = write_letter(d);
	d->is_writing = e == ERR_OK;
	if (e != ERR_OK)
		watchdog_log("the letter about %s cannot be written: %s", alarm_name(d->letter.alarm), err_words(e));
}
