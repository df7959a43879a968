#include "base/when.h"

struct span
span_min(struct span a, struct span b)
{
	return a.s < b.s ? a : b;
}

struct span
span_max(struct span a, struct span b)
{
	return a.s > b.s ? a : b;
}

/* Days of the proleptic Gregorian calendar, counted in eras of 400 years from March. */
struct civil
when_civil(struct when w)
{
	int64_t days = w.s / 86400, rest = w.s % 86400;

	if (rest < 0) {
		rest += 86400;
		days--;
	}
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	int64_t month = mp < 10 ? mp + 3 : mp - 9, weekday = (days + 4) % 7;

	return (struct civil){
		.year = (int)(yoe + era * 400 + (month <= 2)),
		.month = (int)month,
		.day = (int)(doy - (153 * mp + 2) / 5 + 1),
		.hour = (int)(rest / 3600),
		.minute = (int)(rest / 60 % 60),
		.second = (int)(rest % 60),
		.weekday = (int)(weekday < 0 ? weekday + 7 : weekday),
	};
}

struct when
when_of_civil(const struct civil *c)
{
	static const int days_in[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (c->year < 1 || c->year > 9999 || c->month < 1 || c->month > 12 || c->day < 1 ||
	    c->day > days_in[c->month - 1] || c->hour < 0 || c->hour > 23 || c->minute < 0 ||
	    c->minute > 59 || c->second < 0 || c->second > 60)
		return WHEN_UNKNOWN;
	int64_t y = c->year - (c->month <= 2), era = y / 400, yoe = y - era * 400;
	int64_t doy = (153 * (c->month + (c->month > 2 ? -3 : 9)) + 2) / 5 + c->day - 1;
	int64_t days = era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;

	return (struct when){ days * 86400 + c->hour * 3600 + c->minute * 60 + c->second };
}
