#include <stdlib.h>
#include "sim/world.h"

/* The clocks outside, which are always right: the Date header of the CAs, while one of them says anything. */

struct call {
	witness_done *done;
	void *arg;
};

static void
finish(struct sim *s, void *arg)
{
	struct call *call = arg;
	bool is_silent = true;

	for (size_t i = 0; i < s->cas_n; i++)
		is_silent &= s->now_ms < s->cas[i].faults.silent_until_ms;
	call->done(call->arg, is_silent ? WHEN_UNKNOWN : (struct when){ s->now_ms / 1000 });
	free(call);
}

static void
drop(struct sim *s, void *arg)
{
	(void)s;
	free(arg);
}

static enum err
ask(void *ctx, witness_done *done, void *arg)
{
	struct sim *s = ctx;
	struct call *call = calloc(1, sizeof *call);

	if (call == NULL)
		return ERR_MEMORY;
	*call = (struct call){ done, arg };
	enum err err = sim_after(s, s->cas[0].delay_ms, finish, drop, call);
	if (err != ERR_OK)
		free(call);
	return err;
}

struct witness
sim_witness_port(struct sim *s)
{
	return (struct witness){ s, ask };
}
