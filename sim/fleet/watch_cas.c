#include "sim/fleet/inside.h"

/* The watch over more than one CA: which of them could have issued, which an order goes to, and that what waits for one comes to an end. */

enum { FIRST_BACK_H = 3, CAA_SEEN_H = 30, ORDER_MOST_H = 3, PROVEN_D = 10 };

static int64_t
most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t
watch_law_ms(const struct fleet *f, uint32_t n, uint8_t ca)
{
	return fleet_ms(f, ca == 0 ? f->sites[n].watched.law_s : f->reserves[n].law_s);
}

void
watch_law(struct fleet *f, uint32_t n, uint8_t ca, int64_t until_ms)
{
	*(ca == 0 ? &f->sites[n].watched.law_s : &f->reserves[n].law_s) = fleet_s(f, until_ms);
}

void
watch_caa(struct fleet *f, uint32_t n)
{
	if (f->reserves != NULL)
		f->reserves[n].caa_s = fleet_s(f, f->now_ms);
}

int64_t
watch_caa_since(const struct fleet *f, uint32_t n)
{
	return f->reserves == NULL ? 0 : fleet_ms(f, f->reserves[n].caa_s);
}

/* Since when this CA could have issued for the site, as far as the CA itself goes. */
int64_t
watch_ca_clean_since(const struct fleet *f, uint32_t n, uint8_t ca)
{
	return most(f->cas[ca].clean_ms, watch_law_ms(f, n, ca));
}

bool
watch_does_caa_let(const struct fleet *f, uint32_t n, uint8_t ca)
{
	for (size_t k = 0; k < f->sites[n].site.names_n; k++)
		if (owners_lets_issue(f, n, k, ca))
			return true;
	return false;
}

/* … any of those that CAA lets issue. A reserve with a small account has none left for a site while others take what there is. */
int64_t
watch_cas_clean_since(const struct fleet *f, uint32_t n)
{
	int64_t since = watch_ca_clean_since(f, n, 0), other;

	if (f->cas_n == 1)
		return since;
	other = most(watch_ca_clean_since(f, n, 1), f->cas[1].used_ms);
	if (!watch_does_caa_let(f, n, 1) || (watch_does_caa_let(f, n, 0) && since < other))
		return since;
	return other;
}

/* By what a daily look could see: CAA has kept this CA out for longer than that. */
static bool
is_long_kept_out(const struct fleet *f, uint32_t n, uint8_t ca)
{
	const struct fleet_site *s = &f->sites[n];
	int64_t since = most(most(watch_caa_since(f, n), f->network_clean_ms), most(f->companies[s->company].silent_ms, f->clean_ms));

	return s->watched.looked_s != 0 && !watch_does_caa_let(f, n, ca) && owners_can_validate(f, n, 0) && !watch_clock_is_new(f) &&
	       f->now_ms - since > CAA_SEEN_H * FLEET_HOUR_MS;
}

/* An order: is it the right CA's? */
void
watch_choice(struct fleet *f, uint32_t n, uint8_t ca)
{
	const struct fleet_site *s = &f->sites[n];
	struct life life = s->site.held.life;

	if (ca == 0) {
		if (s->is_of_reserve)
			fleet_mark(f, FLEET_MARK_RESERVE_RENEWED);
		return;
	}
	if (s->site.held.id != 0 && !watch_clock_is_new(f) && when_before(fleet_true(f), when_minus(life_reduce_at(life), SPAN_H(2))))
		fleet_broken(f, n, "an order at the reserve with %.1f of %.1f days left",
		    (double)when_between(fleet_true(f), life.to).s / 86400, (double)life_length(life).s / 86400);
	int64_t since = most(most(watch_ca_clean_since(f, n, 0), most(f->clean_ms, f->network_clean_ms)),
	    most(watch_caa_since(f, n) + FLEET_DAY_MS, fleet_ms(f, s->watched.turned_s) + FLEET_DAY_MS));
	if (watch_does_caa_let(f, n, 0) && !watch_clock_is_new(f) && s->site.order_failures == 0 && f->now_ms - since > FIRST_BACK_H * FLEET_HOUR_MS)
		fleet_broken(f, n, "an order at the reserve, although the first CA has been well for %.1f hours",
		    (double)(f->now_ms - since) / (double)FLEET_HOUR_MS);
}

/* It went over to another CA. */
void
watch_change(struct fleet *f, uint32_t n)
{
	const struct site *s = &f->sites[n].site;

	if (s->ca_id == 0)
		fleet_mark(f, FLEET_MARK_RESERVE_LEFT);
	else if (is_long_kept_out(f, n, fleet_ca(s->ca_id)))
		fleet_broken(f, n, "it went over to the reserve, which its CAA has kept out for %.1f days",
		    (double)(f->now_ms - most(watch_caa_since(f, n), f->start_ms)) / (double)FLEET_DAY_MS);
}

/* Every order comes to an end, whatever its CA says or does not say; and the reserve is rehearsed. */
void
watch_waiting(struct fleet *f)
{
	int64_t up = most(f->clean_ms, f->clock_clean_ms);

	if (f->is_down || f->clock_step_s != 0)
		return;
	for (uint32_t i = 1; i <= f->rows_n; i++) {
		int64_t since = most(f->rows[i].begun_ms, up);

		if (f->rows[i].is_open && f->now_ms - since > ORDER_MOST_H * FLEET_HOUR_MS)
			fleet_broken(f, f->rows[i].site, "an order has waited for its CA for %.1f hours",
			    (double)(f->now_ms - since) / (double)FLEET_HOUR_MS);
	}
	if (f->cas_n == 1)
		return;
	const struct fleet_site *canary = &f->sites[fleet_canary(f)];
	int64_t well = most(most(most(f->cas[1].clean_ms, f->cas[1].issued_ms), up),
	    most(f->servers[canary->server].clean_ms, f->companies[canary->company].silent_ms));
	if (f->now_ms - well > PROVEN_D * FLEET_DAY_MS)
		fleet_broken(f, UINT32_MAX, "the reserve has issued nothing for %.1f days, not even as a rehearsal",
		    (double)(f->now_ms - f->cas[1].issued_ms) / (double)FLEET_DAY_MS);
}
