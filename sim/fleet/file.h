#ifndef KOSHIN_SIM_FLEET_FILE_H
#define KOSHIN_SIM_FLEET_FILE_H
/* A fleet as a file (etc/fleet.yaml is one with everything explained), and what an operator wants to know of its life. */
#include "sim/fleet/fleet.h"

/* CONFIG: "FILE:LINE: what was wrong; expected …" in why. */
MUST_USE enum err fleet_file_read(struct str yaml, const char *file, struct fleet_plan *ret, struct why *why);
/* For people: a table, and the certificates of each day as a plot of so many columns. */
void fleet_print(const struct fleet_plan *p, const struct fleet_report *r, struct buf *to, size_t columns);
/* The same for programs, one JSON object. */
void fleet_print_json(const struct fleet_plan *p, const struct fleet_report *r, struct buf *to);
#endif
