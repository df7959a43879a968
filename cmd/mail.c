#include <sysexits.h>
#include <unistd.h>
#include "cmd/client.h"
#include "ports/mail/intake.h"

/*
 * koshin mail receive: one mail on the standard input, as a mail server pipes it. The exit status is the mail server's language
 * (sysexits.h): what can be read later is asked for again (75), so that nothing that a person wrote is lost.
 */

static enum err
read_all(int fd, struct buf *out)
{
	char part[65536];
	ssize_t n;

	while ((n = read(fd, part, sizeof part)) > 0 && out->err == ERR_OK)
		buf_put(out, part, (size_t)n);
	return n < 0 ? ERR_IO : out->err;
}

static bool
put_text(json_t *o, const char *key, struct str s)
{
	return json_object_set_new(o, key, json_stringn(s.p == NULL ? "" : s.p, s.n)) == 0;
}

static json_t *
document_of(const struct intake *in)
{
	static const char *const kinds[] = { [INTAKE_ANSWER] = "answer", [INTAKE_BOUNCE] = "bounce", [INTAKE_DELAYED] = "delayed",
		[INTAKE_AUTOMATIC] = "automatic" };
	json_t *o = json_object(), *references = json_array();
	bool ok = o != NULL && references != NULL;

	for (size_t i = 0; ok && i < in->references_n; i++)
		ok = json_array_append_new(references, json_stringn(in->references[i].p, in->references[i].n)) == 0;
	ok = ok && put_text(o, "kind", str_of(kinds[in->kind])) && put_text(o, "from", in->from) && put_text(o, "subject", in->subject) &&
	     put_text(o, "message_id", in->message_id) && put_text(o, "text", in->text) && put_text(o, "recipient", in->recipient) &&
	     put_text(o, "status", in->status) && put_text(o, "words", in->words) &&
	     json_object_set_new(o, "is_cut", json_boolean(in->is_cut)) == 0 && json_object_set(o, "references", references) == 0;
	json_decref(references);
	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

/* A sender that is no address, as some mail servers have, is nobody who could be answered. */
static void
settle(struct intake *in)
{
	if (words_is_address(in->from))
		return;
	in->from = STR_NONE;
	if (in->kind == INTAKE_ANSWER)
		in->kind = INTAKE_AUTOMATIC;
}

static int
hand_over(struct cmd *c, struct intake *in)
{
	json_t *body, *taken = NULL;
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return EX_TEMPFAIL;
	settle(in);
	body = document_of(in);
	status = body == NULL ? CMD_FAILED : client_ask(cl, "POST", STR("/mail"), body, &taken);
	if (status == CMD_DONE && c->is_json)
		client_print_json(taken);
	json_decref(taken);
	json_decref(body);
	client_close(&cl);
	return status == CMD_DONE ? EX_OK : EX_TEMPFAIL;
}

int
cmd_mail_receive(struct cmd *c)
{
	AUTO_BUF message = { .max = INTAKE_BYTES_MAX + 1 };
	AUTO_ARENA a = { .max = 0 };
	struct why why = { .text = "" };
	struct intake in;
	enum err err = read_all(STDIN_FILENO, &message);

	arena_init(&a, 16 * INTAKE_BYTES_MAX);
	if (err == ERR_OK)
		err = intake_read(buf_str(&message), &a, &in, &why);
	else
		why_set(&why, "%s", err_words(err));
	if (err == ERR_OK)
		return hand_over(c, &in);
	CMD_SAY(c, stderr, "cli.error", str_of(why.text));
	return err == ERR_INVALID || err == ERR_TOO_LONG ? EX_DATAERR : EX_TEMPFAIL;
}
