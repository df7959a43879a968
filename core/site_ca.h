#ifndef KOSHIN_CORE_SITE_CA_H
#define KOSHIN_CORE_SITE_CA_H
/*
 * Which CA a site is with. The first in order of preference, always, but when an order is due, the first cannot give it, and it is
 * time: with a quarter of the certificate's life left, or without a certificate once the first has been ill for
 * `reserve_after`. Then it goes to the next that is ready, well, not held off by its own word, and that CAA lets issue for every name.
 * Where CAA alone keeps the reserve out, that is a finding (dns.caa.reserve) and the site stays with the first. Where the first is well,
 * but its validators do not see the site that our own check sees, the two take turns until one has issued. After a
 * certificate, and as soon as the first is well, it is with the first again.
 *
 * A site that changes leaves behind what is the other CA's: its refusals, its judgement of CAA, its back-off (which waits for it
 * in `left`), and looks at DNS anew before it orders.
 */
#include "core/site_findings.h"

enum { SITE_CAS_MAX = 31 }; /* ids of CAs are 1 to 31: each has a bit */
uint32_t site_ca_bit(int64_t ca_id);
/* Index in p->cas of the CA that the site is with; 0 where it is not known any more. */
size_t site_ca_index(const struct site *s, const struct policy *p);
/* Fills the fields of p that are one CA's. Nothing without p->cas. */
void site_ca_use(struct policy *p, size_t index);
/* Takes over what a check's CAA records say of each CA. */
void site_ca_judge(const struct step *st);
/* Nothing is under way: changes the CA if it has to be; st->p then speaks of the new one. */
void site_ca_pick(const struct step *st);
/* The same, with what its limits (site.limits) have against the order that would follow. */
void site_ca_decide(const struct step *st);
/* The next date on which another CA may come into question by the passing of time alone; WHEN_NEVER if none. */
struct when site_ca_wake(const struct site *s, const struct policy *p, struct when now);
/* The site was left with a CA that the installation has no longer: it goes by the first. */
bool site_ca_is_gone(const struct site *s, const struct policy *p);
/* After a certificate: with the first again, whose date, where it gave one, still holds. */
void site_ca_reset(const struct step *st);
#endif
