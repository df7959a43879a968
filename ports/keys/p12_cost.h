#ifndef KOSHIN_PORTS_KEYS_P12_COST_H
#define KOSHIN_PORTS_KEYS_P12_COST_H
/*
 * What it takes to open a PKCS#12 file of a stranger. The file itself says how many rounds its password goes through: two
 * thousand millions are asked for as easily as two thousand, and would keep us busy for an hour.
 */
#include <stdbool.h>

struct PKCS12_st;
/* All parts together stay within LIMIT_P12_ROUNDS, and none of them is made in a way whose cost is not known. Looks before it
 * opens: itself it never takes longer than that. */
bool p12_is_cheap(const struct PKCS12_st *p12, const char *password);
#endif
