#ifndef KOSHIN_CMD_SIMULATE_H
#define KOSHIN_CMD_SIMULATE_H
/* koshin simulate: scenarios, fleets by seed, and fleets from a file. */
#include "cmd/cmd.h"
#include "sim/fleet/fleet.h"

struct seeds {
	uint64_t first, last;
	size_t jobs;
	bool is_patient; /* goes on after a broken promise */
};
struct seeds_result {
	enum err err;
	uint64_t seeds, broken, first_broken;
	struct fleet_tally tally;
	struct buf words; /* of the first broken promise */
};
/* Runs one fleet for each seed, in `jobs` processes. */
void simulate_seeds(const struct fleet_plan *plan, const struct seeds *seeds, struct seeds_result *ret);
void seeds_result_fini(struct seeds_result *r);
int simulate_fleet(struct cmd *c);
/* A fleet from a file: what an operator wants to know of it. */
int simulate_fleet_file(const struct cmd *c, struct str yaml, const char *file);
#endif
