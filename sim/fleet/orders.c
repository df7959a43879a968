#include "sim/fleet/inside.h"
#include <stdlib.h>
#include <string.h>
#include "core/site_ca.h"

/* Orders under way, as engine/orders.c has them: core/order decides, its four commit points are the stored row. */

enum { DIES_IN_ORDER = 2, DIES_AFTER_ACT = 3 };

static struct live_order_of_fleet *
new_live(struct fleet *f)
{
	struct live_order_of_fleet *l = f->live_free;

	if (l != NULL) {
		f->live_free = l->next_free;
		arena_clear(&l->keep);
	} else {
		l = calloc(1, sizeof *l);
		if (l == NULL)
			return NULL;
		arena_init(&l->keep, LIMIT_TURN_BYTES);
	}
	f->live_n++;
	return l;
}

static void
drop_live(struct fleet *f, struct order_row_of_fleet *row)
{
	if (row->live == NULL)
		return;
	f->room.in[row->live->lane]--;
	row->live->next_free = f->live_free;
	f->live_free = row->live;
	row->live = NULL;
	f->live_n--;
}

static uint32_t
new_row(struct fleet *f)
{
	uint32_t i = f->rows_free;

	if (i != 0) {
		f->rows_free = f->rows[i].next_free;
		return i;
	}
	if (f->rows_n + 1 >= f->rows_cap) {
		uint32_t cap = f->rows_cap == 0 ? 64 : 2 * f->rows_cap;
		struct order_row_of_fleet *grown = realloc(f->rows, cap * sizeof *grown);

		if (grown == NULL) {
			f->err = ERR_MEMORY;
			return 0;
		}
		f->rows = grown;
		f->rows_cap = cap;
	}
	return ++f->rows_n;
}

static void
close_row(struct fleet *f, uint32_t i)
{
	struct order_row_of_fleet *row = &f->rows[i];
	struct fleet_site *s = &f->sites[row->site];

	drop_live(f, row);
	if (row->draws)
		fleet_gate_settle(f, row->ca, row->new_orders);
	if (row->ca_number != 0)
		f->orders.at[row->ca_number].is_known = false;
	*row = (struct order_row_of_fleet){ .next_free = f->rows_free };
	f->rows_free = i;
	if (s->order_row == i)
		s->order_row = 0;
}

/* The clock was set. */
void
orders_of_fleet_move(struct fleet *f, struct span by)
{
	for (uint32_t i = 1; i <= f->rows_n; i++) {
		struct order_row_of_fleet *row = &f->rows[i];

		row->created = when_plus(row->created, by);
		if (row->live == NULL)
			continue;
		row->live->order.created = when_plus(row->live->order.created, by);
		row->live->order.deadline = when_plus(row->live->order.deadline, by);
	}
}

/* --- one step of an order --- */

static struct str
url_of(struct arena *a, char kind, uint32_t number)
{
	char text[12];
	size_t n = sizeof text;

	do
		text[--n] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	text[--n] = kind;
	return arena_str(a, (struct str){ text + n, sizeof text - n });
}

/* The CA had asked for the replacement of what is held until now. */
static void
note_replaced(struct fleet *f, uint32_t n)
{
	struct fleet_report *r = f->report;
	const struct held *h = &f->sites[n].site.held;

	if (!when_is_known(f->plan->replace_at) || h->id == 0 || !when_before(h->life.from, when_minus(f->plan->replace_at, SPAN_H(1))))
		return;
	if (f->now_ms >= f->plan->replace_at.s * 1000 && ++r->replaced == f->to_replace)
		r->all_replaced_at = fleet_true(f);
}

static void
received(struct fleet *f, uint32_t i)
{
	struct order_row_of_fleet *row = &f->rows[i];
	const struct certificate_info *c = &f->outcome.certificate;
	struct site_event ev = { .kind = SITE_ISSUED,
		.job = row->job,
		.issued = { .life = { c->not_before, c->not_after } },
		.issued_names = c->names,
		.issued_names_n = c->names_n,
		.retry_after = WHEN_UNKNOWN };
	uint32_t n = row->site;
	uint8_t ca = row->ca;

	memcpy(ev.issued.fingerprint, c->fingerprint, sizeof ev.issued.fingerprint);
	memcpy(&ev.issued.id, c->fingerprint, sizeof ev.issued.id);
	node_ca_told(f, ca, NULL, WHEN_UNKNOWN);
	fleet_gate_note_issue(f, ca, &f->sites[n].site, ev.issued.life);
	f->report->issued++;
	f->report->issued_in[(f->now_ms - f->start_ms) / (f->plan->bin.s * 1000)]++;
	note_replaced(f, n);
	/* One transaction: the order is closed and its certificate is the site's, or neither. */
	if (node_event(f, n, &ev)) {
		f->sites[n].is_of_reserve = ca > 0;
		close_row(f, i);
	}
	fleet_gate_take_waiting(f);
}

static void
failed(struct fleet *f, uint32_t i)
{
	struct order_row_of_fleet *row = &f->rows[i];
	const struct finding_list *l = &f->outcome.failures;
	const struct site_event ev = { .kind = SITE_ORDER_FAILED,
		.job = row->job,
		.failures = l->at,
		.failures_n = l->n,
		.retry_after = f->outcome.retry_after,
		.is_retry_at_once = f->outcome.is_retry_at_once };
	struct live_order_of_fleet *live = row->live;
	uint32_t n = row->site;

	f->report->order_failures++;
	node_ca_told(f, row->ca, l, f->outcome.retry_after);
	/* The findings are in the order's own memory: it goes last. */
	row->live = NULL;
	if (node_event(f, n, &ev))
		close_row(f, i);
	f->room.in[live->lane]--;
	live->next_free = f->live_free;
	f->live_free = live;
	f->live_n--;
	fleet_gate_take_waiting(f);
}

/* It is put to no use. What was asked for beyond the one order that was counted ahead is counted now. */
static void
canary_over(struct fleet *f, uint32_t i)
{
	struct order_row_of_fleet *row = &f->rows[i];
	bool is_good = row->live->order.phase == ORDER_RECEIVED;

	if (row->new_orders > 1)
		fleet_gate_spend(f, row->ca, row->new_orders - 1U);
	node_ca_told(f, row->ca, is_good ? NULL : &f->outcome.failures, f->outcome.retry_after);
	struct when retry_after = f->outcome.retry_after;
	close_row(f, i);
	node_canary_ended(f, is_good, is_good ? WHEN_UNKNOWN : retry_after);
	fleet_gate_take_waiting(f);
}

/* At the pace that the CA's front end takes; what has to wait is put into the queue. */
static void
send(struct fleet *f, uint32_t i, const struct acme_request *r)
{
	int64_t ms = fleet_gate_pace_ms(f, f->rows[i].ca, r->verb);

	if (r->verb == ACME_NEW_ORDER)
		f->rows[i].new_orders++;
	if (ms == 0) {
		authority_take(f, i, r);
		return;
	}
	fleet_put(f, ms, EV_SEND, (uint32_t)f->rows[i].serial, i | (uint32_t)r->verb << 24, r->index);
}

static void
step(struct fleet *f, uint32_t i, const struct order_event *ev)
{
	struct order_row_of_fleet *row = &f->rows[i];
	struct live_order_of_fleet *live = row->live;
	struct order *o = &live->order;
	struct turn turn = { fleet_wall(f), (uint32_t)(fleet_random(&f->roll_seed) >> 32) };
	uint64_t serial = row->serial;

	arena_clear(&f->order_arena);
	struct policy policy = f->policy;

	site_ca_use(&policy, row->ca);
	order_step(o, ev, &turn, &policy, &live->keep, &f->order_arena, &f->outcome);
	/* Before the commit: the row stays as it was. */
	if (f->crash_in > 0 && node_dies(f, DIES_IN_ORDER)) {
		fleet_mark(f, FLEET_MARK_CRASH_BEFORE_COMMIT);
		return;
	}
	if (row->is_canary && (o->phase == ORDER_RECEIVED || o->phase == ORDER_FAILED)) {
		canary_over(f, i);
		return;
	}
	if (o->phase == ORDER_RECEIVED) {
		received(f, i);
		return;
	}
	if (o->phase == ORDER_FAILED) {
		failed(f, i);
		return;
	}
	row->phase = o->phase;
	row->has_certificate_url = o->certificate_url.n > 0;
	if (row->ca_number == 0 && o->url.n > 1) {
		struct str digits = { o->url.p + 1, o->url.n - 1 };
		int64_t number = 0;

		if (str_to_int(digits, &number) && number > 0 && number <= f->orders.n) {
			row->ca_number = (uint32_t)number;
			f->orders.at[number].is_known = true;
		}
	}
	if (f->outcome.wake_ms != ORDER_NO_WAKE)
		fleet_put(f, f->outcome.wake_ms, EV_ORDER_WAKE, ++live->wakes, i, serial);
	/* Between commit and act. */
	if (f->crash_in > 0 && f->outcome.requests_n > 0 && node_dies(f, DIES_IN_ORDER)) {
		fleet_mark(f, FLEET_MARK_CRASH_BEFORE_ACT);
		return;
	}
	for (size_t k = 0; k < f->outcome.requests_n && !f->report->is_broken; k++)
		send(f, i, &f->outcome.requests[k]);
	if (f->crash_in > 0 && f->outcome.requests_n > 0)
		(void)node_dies(f, DIES_AFTER_ACT);
}

/* The engine's memory of an order, from its row. */
static bool
load(struct fleet *f, uint32_t i)
{
	struct order_row_of_fleet *row = &f->rows[i];
	const struct site *s = &f->sites[row->site].site;
	struct live_order_of_fleet *l = new_live(f);

	if (l == NULL) {
		f->err = ERR_MEMORY;
		return false;
	}
	l->wakes = 0;
	l->lane = row->is_canary ? LANE_QUIET : plan_lane(s, fleet_wall(f));
	f->room.in[l->lane]++;
	l->order = (struct order){ .id = (int64_t)i,
		.site_id = s->id,
		.job = row->job,
		.phase = row->phase,
		.csr_der = STR("CSR"),
		.names = arena_get(&l->keep, s->names_n * sizeof *l->order.names),
		.created = row->created,
		.deadline = WHEN_UNKNOWN };
	if (row->ca_number != 0) {
		l->order.url = url_of(&l->keep, 'o', row->ca_number);
		l->order.finalize_url = url_of(&l->keep, 'f', row->ca_number);
		if (row->has_certificate_url)
			l->order.certificate_url = url_of(&l->keep, 'x', row->ca_number);
	}
	for (size_t k = 0; k < s->names_n; k++)
		if (name_set_has(row->names, k))
			l->order.names[l->order.names_n++] = s->names[k].name;
	row->live = l;
	return true;
}

void
orders_of_fleet_begin(struct fleet *f, const struct waiting_order *w)
{
	const struct order_event ev = { .kind = ORDER_EV_START };
	struct fleet_site *s = &f->sites[w->site];

	enum lane lane = w->is_canary ? LANE_QUIET : plan_lane(&s->site, fleet_wall(f));
	if (!fleet_gate_has_room(f, lane)) {
		fleet_gate_wait_for_room(f, lane, w);
		return;
	}
	if (s->order_row != 0) {
		fleet_broken(f, w->site, "P6: a second order is begun while one is open");
		return;
	}
	uint32_t i = new_row(f);
	if (i == 0)
		return;
	f->rows[i] = (struct order_row_of_fleet){ .site = w->site,
		.serial = ++f->row_serial,
		.job = w->job,
		.phase = ORDER_INTENT,
		.ca = w->ca,
		.is_canary = w->is_canary,
		.is_open = true,
		.draws = s->draws,
		.created = fleet_wall(f),
		.begun_ms = f->now_ms,
		.names = w->names };
	s->order_row = i;
	s->site.order_id = (int64_t)i;
	if (load(f, i))
		step(f, i, &ev);
}

/* As engine/orders.c: what was asked for without an answer is counted, and to ask again takes a place in the limit. */
static bool
may_ask_again(struct fleet *f, uint32_t i)
{
	struct order_row_of_fleet *row = &f->rows[i];

	if (row->ca_number != 0 || !row->draws || row->new_orders == 0)
		return true;
	if (!fleet_gate_has_token(f, row->ca))
		return false;
	fleet_gate_spend(f, row->ca, row->new_orders);
	row->new_orders = 0;
	return true;
}

void
orders_of_fleet_resume(struct fleet *f, uint32_t n, uint64_t job)
{
	const struct order_event ev = { .kind = ORDER_EV_START };
	uint32_t i = f->sites[n].order_row;

	if (i == 0) {
		fleet_broken(f, n, "P7: the open order that is to be resumed is not there");
		return;
	}
	f->rows[i].job = job;
	if (f->rows[i].live != NULL) {
		f->rows[i].live->order.job = job;
		return;
	}
	if (!load(f, i))
		return;
	if (may_ask_again(f, i)) {
		step(f, i, &ev);
		return;
	}
	f->outcome.failures.n = 0;
	f->outcome.retry_after = WHEN_UNKNOWN;
	f->outcome.is_retry_at_once = true;
	failed(f, i);
}

void
orders_of_fleet_abandon(struct fleet *f, uint32_t n)
{
	if (f->sites[n].order_row == 0)
		return;
	close_row(f, f->sites[n].order_row);
}

static bool
is_late(struct fleet *f, uint32_t i, uint64_t serial, uint16_t generation)
{
	bool is_late = generation != f->generation || f->rows[i].serial != serial ||
		       f->rows[i].live == NULL || f->is_down;

	if (is_late)
		fleet_mark(f, FLEET_MARK_LATE_ANSWER);
	return is_late;
}

void
orders_of_fleet_answer(struct fleet *f, const struct fleet_event *ev)
{
	uint32_t i = ev->arg & 0xffffff;
	const struct order_event told = { .kind = ORDER_EV_ANSWER, .answer = &f->answer };

	if (is_late(f, i, ev->site, ev->generation))
		return;
	authority_answer(f, ev, &f->answer);
	int64_t until_ms = f->told_until_ms;
	uint32_t n = f->rows[i].site;
	uint8_t ca = f->rows[i].ca;
	step(f, i, &told);
	/* An engine that died over the answer does not know of the date. */
	if (until_ms == 0 || ev->generation != f->generation)
		return;
	if (f->rows[i].serial == ev->site)
		f->rows[i].not_before_ms = until_ms;
	if (f->answer.verb == ACME_NEW_ORDER)
		watch_law(f, n, ca, until_ms);
}

void
orders_of_fleet_send(struct fleet *f, const struct fleet_event *ev)
{
	uint32_t i = ev->arg & 0xffffff;
	struct acme_request r = { .verb = (enum acme_verb)(ev->arg >> 24), .index = (uint32_t)ev->extra };

	if (is_late(f, i, ev->site, ev->generation))
		return;
	if (r.verb != ACME_NEW_ORDER)
		r.url = url_of(&f->rows[i].live->keep, 'o', f->rows[i].ca_number);
	authority_take(f, i, &r);
}

void
orders_of_fleet_wake(struct fleet *f, const struct fleet_event *ev)
{
	const struct order_event told = { .kind = ORDER_EV_WAKE };

	if (is_late(f, ev->arg, ev->extra, ev->generation) || f->rows[ev->arg].live->wakes != ev->site)
		return;
	step(f, ev->arg, &told);
}

void
orders_of_fleet_forget(struct fleet *f)
{
	for (uint32_t i = 1; i <= f->rows_n; i++) {
		drop_live(f, &f->rows[i]);
		/* Nothing of a rehearsal is stored. */
		if (f->rows[i].is_canary)
			close_row(f, i);
	}
}
