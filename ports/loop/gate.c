#include "ports/loop/gate.h"

#include "base/must.h"

void
gate_init(struct gate *g, struct loop *l, unsigned max)
{
	*g = (struct gate){ .loop = l, .max = max };
	g->last = &g->first;
}

void
gate_fini(struct gate *g)
{
	if (g->loop != NULL)
		loop_cancel(g->loop, &g->timer);
}

static void
let_in(void *arg)
{
	struct gate *g = arg;

	g->timer = NULL;
	while (g->first != NULL && g->inside < g->max) {
		struct gate_pass *p = g->first;

		g->first = p->next;
		if (p->next != NULL)
			p->next->link = &g->first;
		else
			g->last = &g->first;
		p->is_waiting = false;
		p->is_inside = true;
		g->inside++;
		p->go(p->arg);
	}
}

static bool
plan(struct gate *g)
{
	if (g->timer == NULL)
		g->timer = loop_after(g->loop, 0, let_in, g);
	return g->timer != NULL;
}

bool
gate_enter(struct gate *g, struct gate_pass *p, loop_fn *go, void *arg)
{
	must(!p->is_waiting && !p->is_inside);
	if (!plan(g))
		return false;
	*p = (struct gate_pass){ .link = g->last, .is_waiting = true, .go = go, .arg = arg };
	*g->last = p;
	g->last = &p->next;
	return true;
}

void
gate_leave(struct gate *g, struct gate_pass *p)
{
	if (p->is_waiting) {
		*p->link = p->next;
		if (p->next != NULL)
			p->next->link = p->link;
		else
			g->last = p->link;
	} else if (p->is_inside) {
		g->inside--;
		if (g->first != NULL)
			(void)plan(
			    g); /* without memory the line moves on with the next one who enters or leaves */
	}
	p->is_waiting = p->is_inside = false;
}
