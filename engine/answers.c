#include "engine/inside.h"
#include "ports/names/names.h"
#include "ports/store/questions.h"

/*
 * Answers of support: each is left in the store by the web process, and becomes a letter in the transaction that marks it as
 * written. It refers to what was asked, so that mail programs keep question and answer in one thread.
 */

enum { ANSWERS_A_TURN = 20 };

/* "Re: Re: AW: …" -> what it is about. */
static struct str
bare_subject(struct str s)
{
	static const struct str marks[] = { { "re:", 3 }, { "aw:", 3 }, { "fwd:", 4 }, { "fw:", 3 } };

	for (size_t i = 0; i < sizeof marks / sizeof *marks;) {
		s = str_trim(s);
		if (s.n >= marks[i].n && str_eq_nocase((struct str){ s.p, marks[i].n }, marks[i])) {
			s = (struct str){ s.p + marks[i].n, s.n - marks[i].n };
			i = 0;
		} else {
			i++;
		}
	}
	return s;
}

/* The newest mail of who asked. */
static enum err
asked_with(struct engine *e, int64_t question_id, struct str *ret)
{
	struct question_part_row *parts;
	size_t n;
	enum err err = store_question_parts(e->ports.store, question_id, &e->arena, &parts, &n);

	*ret = STR_NONE;
	for (size_t i = 0; err == ERR_OK && i < n; i++)
		if (!parts[i].is_ours && words_is_address(parts[i].message_id))
			*ret = parts[i].message_id;
	return err;
}

static enum err
write_answer(struct engine *e, const struct question_part_row *part)
{
	static const struct site nobody = { .id = 0 };
	struct arena *a = &e->arena;
	struct question_row q;
	struct owner_row owner = { .lang = STR_NONE };
	enum err err = store_question_load(e->ports.store, part->question_id, a, &q);

	if (err == ERR_OK && q.owner_id != 0)
		err = store_owner_load(e->ports.store, q.owner_id, a, &owner);
	if (err != ERR_OK)
		return err;
	struct str about = bare_subject(q.subject);
	struct letter_out o = {
		.site_id = q.site_id,
		.owner_id = q.owner_id,
		.to = q.writer,
		.key = arena_strf(a, "answer/%lld", (long long)part->id),
		.message_id = letters_message_id(e, arena_strf(a, "%lld.answer.%lld", (long long)q.id, (long long)part->id)),
		.ctx = { .lang = lang_of(owner.lang.n > 0 ? owner.lang : str_of(e->config->language)),
		    .now = e->turn.now,
		    .zone = config_zone(e->config),
		    .for_people = names_for_people },
		.facts = { .kind = LETTER_ANSWER, .site = &nobody, .answer = part->text, .asked = about.n > 0 ? about : q.site },
	};
	err = asked_with(e, q.id, &o.references);
	if (err == ERR_OK)
		err = letters_put(e, &o);
	return err != ERR_OK ? err : store_answer_written(e->ports.store, part->id, o.key, o.message_id);
}

enum err
answers_write(struct engine *e)
{
	struct question_part_row *parts;
	size_t n;
	enum err err = store_answers_unwritten(e->ports.store, ANSWERS_A_TURN, &e->arena, &parts, &n);

	for (size_t i = 0; err == ERR_OK && i < n; i++)
		err = write_answer(e, &parts[i]);
	return err;
}
