#include "http/access_letter.h"
#include "http/audit.h"
#include "http/people.h"
#include "http/read.h"
#include "http/tries.h"

bool
access_letters_are_sent(const struct api_call *c)
{
	return c->api->config->mail.server != NULL && str_of(c->api->config->panel_url).n > 0;
}

static struct str
domain_of_sender(const struct api_call *c)
{
	struct str rest = str_of(c->api->config->mail.from);

	(void)str_cut(&rest, '@');
	return rest.n > 0 ? rest : STR("koshin.invalid");
}

enum err
access_letter_put(struct api_call *c, const struct access_letter *l)
{
	static const struct site nobody = { .id = 0 };
	AUTO_BUF subject = { .max = LIMIT_LETTER_BYTES }, body = { .max = LIMIT_LETTER_BYTES };
	const char *kind = letter_name(l->kind);
	uint64_t mark;

	c->api->clock.random(c->api->clock.ctx, &mark, sizeof mark);
	const struct words_context ctx = { .lang = lang_of(l->access.lang),
		.now = c->turn.now,
		.zone = config_zone(c->api->config),
		.panel_url = str_of(c->api->config->panel_url) };
	const struct letter_facts facts = {
		.kind = l->kind, .site = &nobody, .link = STR(LETTER_LINK_MARK), .inviter = l->inviter
	};
	words_letter(&facts, &ctx, c->a, &subject, &body);
	struct letter_row row = {
		.kind = l->kind,
		.key = arena_strf(c->a, "%s/%016llx", kind, (unsigned long long)mark),
		.message_id = arena_strf(c->a, "%s.%016llx@%.*s", kind, (unsigned long long)mark, STR_ARG(domain_of_sender(c))),
		.to = l->to,
		.subject = buf_str(&subject),
		.body = buf_str(&body),
		.created = c->turn.now,
		.next_try = c->turn.now,
		.sent_at = WHEN_UNKNOWN,
	};
	enum err err = subject.err != ERR_OK ? subject.err : body.err;
	if (err == ERR_OK)
		err = store_letter_put(c->api->store, &row);
	return err != ERR_OK ? err : store_letter_access_put(c->api->store, row.key, &l->access);
}

enum err
access_letter_count(struct api_call *c, struct str to, bool *ret_may_send)
{
	struct tries tries;
	struct when at;
	enum err err = tries_of_letter(c, to, &tries);

	if (err == ERR_OK)
		err = tries_put(c, &tries, &at);
	if (err == ERR_OK)
		*ret_may_send = !when_before(c->turn.now, at);
	return err;
}

/* --- a password that was forgotten --- */

/* The same is done for an address that nobody has, as far as it goes; and the same is answered. */
static enum err
send_reset(struct api_call *c, struct str mail)
{
	struct access_letter l = { .kind = LETTER_RESET };
	struct person_row p;
	bool may_send = false;
	enum err err = access_letter_count(c, mail, &may_send);

	if (err == ERR_OK)
		err = store_person_find(c->api->store, mail, c->a, &p);
	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	if (err != ERR_OK || !may_send || !access_letters_are_sent(c))
		return err;
	l.to = p.mail;
	l.access = (struct letter_access){ .lang = p.lang, .person_id = p.id };
	return access_letter_put(c, &l);
}

enum err
password_forgotten(struct api_call *c)
{
	struct str mail = STR_NONE;
	const struct read_field fields[] = { { "mail", READ_TEXT, &mail, NULL } };
	struct tries tries;
	enum err err = read_object(c->body, fields, sizeof fields / sizeof *fields, c->a);

	audit_leave_off(c);
	if (err != ERR_OK)
		return err;
	mail = str_trim(mail);
	if (!words_is_address(mail)) {
		why_set(&c->why, "field \"mail\": expected a mail address");
		return ERR_INVALID;
	}
	err = tries_of_address(c, "reset", &tries);
	if (err == ERR_OK)
		err = tries_count(c, &tries);
	if (err != ERR_OK || (err = store_begin(c->api->store)) != ERR_OK)
		return err;
	err = send_reset(c, mail);
	if (err == ERR_OK)
		err = audit_put(c, "password_forgotten", mail, STR_NONE);
	err = api_end(c, err);
	if (err != ERR_OK)
		return err;
	api_give(c, 202, json_pack("{s:b}", "is_taken", 1));
	return ERR_OK;
}
