#include "cmd/places.h"
#include "http/doctor.h"
#include "ports/keys/master.h"
#include "ports/vantage/ask.h"

enum { PATIENCE_MS = 60000 };

enum err
places_own_key(const struct config *config, struct why *why, struct question_key **ret)
{
	AUTO_ARENA a = { .max = 64 * 1024 };
	AUTO_SECRET master = { 0 };
	enum err err = master_key_read(doctor_master_key_file(config, &a).p, why, &master);

	return err == ERR_OK ? question_key_new(master.p, ret) : err;
}

enum err
places_key(const struct config *config, struct why *why, struct question_key **ret)
{
	*ret = NULL;
	return config->vantages_n > 0 ? places_own_key(config, why, ret) : ERR_OK;
}

struct asking {
	void (*told)(void *arg, const struct view_evidence *v);
	void *arg;
	bool is_done;
};

static void
on_place(void *arg, struct name_evidence *n, const struct view_evidence *v)
{
	const struct asking *k = arg;

	(void)n;
	k->told(k->arg, v);
}

static void
on_done(void *arg)
{
	struct asking *k = arg;

	k->is_done = true;
}

enum err
places_ask(const struct config *config, const struct clock *clock, const struct question_key *key,
    void (*told)(void *arg, const struct view_evidence *v), void *arg)
{
	AUTO_ARENA a = { .max = 1024 * 1024 };
	struct asking k = { .told = told, .arg = arg };
	struct loop *loop = NULL;
	struct vantages *v = NULL;
	struct vantage_ask *ask = NULL;
	const struct vantages_options o = { .config = config, .key = key };
	const struct vantage_target t = { .arena = &a, .within_ms = PATIENCE_MS, .told = on_place, .done = on_done, .arg = &k };
	enum err err = loop_new(clock, &loop);

	if (err == ERR_OK)
		err = vantages_new(loop, clock, &o, &v);
	if (err == ERR_OK)
		err = vantages_ask(v, &t, &ask);
	while (err == ERR_OK && !k.is_done)
		err = loop_round(loop, -1);
	vantages_free(&v);
	loop_free(&loop);
	return err;
}
