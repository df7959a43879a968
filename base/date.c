#include "base/date.h"
#include <stdio.h>
#include <string.h>

static bool
take_number(struct str *s, size_t digits, int *ret)
{
	int n = 0;

	if (s->n < digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		n = n * 10 + (s->p[i] - '0');
	}
	*ret = n;
	*s = (struct str){ s->p + digits, s->n - digits };
	return true;
}

static bool
take_char(struct str *s, const char *any)
{
	if (s->n == 0 || s->p[0] == '\0' || strchr(any, s->p[0]) == NULL)
		return false;
	*s = (struct str){ s->p + 1, s->n - 1 };
	return true;
}

/* "Z" or "+09:00", to the end. */
static bool
take_zone(struct str s, enum date_zone wanted, struct span *ret)
{
	int sign = s.n > 0 && s.p[0] == '-' ? -1 : 1, hours, minutes;

	*ret = SPAN_S(0);
	if (take_char(&s, "Zz") || (wanted == DATE_ZONE_OR_UTC && s.n == 0))
		return s.n == 0;
	if (!take_char(&s, "+-") || !take_number(&s, 2, &hours) || !take_char(&s, ":") ||
	    !take_number(&s, 2, &minutes) || s.n > 0 || hours > 23 || minutes > 59)
		return false;
	*ret = SPAN_MIN(sign * (hours * 60 + minutes));
	return true;
}

struct when
date_read(struct str s, enum date_zone wanted)
{
	struct civil c = { 0 };
	struct span zone;

	if (!take_number(&s, 4, &c.year) || !take_char(&s, "-") ||
	    !take_number(&s, 2, &c.month) || !take_char(&s, "-") ||
	    !take_number(&s, 2, &c.day) || !take_char(&s, "Tt ") ||
	    !take_number(&s, 2, &c.hour) || !take_char(&s, ":") ||
	    !take_number(&s, 2, &c.minute) || !take_char(&s, ":") ||
	    !take_number(&s, 2, &c.second))
		return WHEN_UNKNOWN;
	if (take_char(&s, ".")) {
		int digit;

		if (!take_number(&s, 1, &digit))
			return WHEN_UNKNOWN;
		while (take_number(&s, 1, &digit))
			continue;
	}
	if (c.second == 60) /* a leap second is the one before it */
		c.second = 59;
	struct when w = take_zone(s, wanted, &zone) ? when_of_civil(&c) : WHEN_UNKNOWN;
	return when_is_known(w) ? when_minus(w, zone) : WHEN_UNKNOWN;
}

void
date_put(struct when w, char ret[DATE_TEXT_BYTES])
{
	struct civil c = when_civil(w);

	(void)snprintf(ret, DATE_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

struct str
date_text(struct when w, struct arena *a)
{
	if (!when_is_known(w))
		return STR_NONE;
	char text[DATE_TEXT_BYTES];

	date_put(w, text);
	return arena_str(a, str_of(text));
}

void
date_put_day(struct when w, char ret[DATE_TEXT_BYTES])
{
	struct civil c = when_civil(w);

	(void)snprintf(ret, DATE_TEXT_BYTES, "%04d-%02d-%02d", c.year, c.month, c.day);
}

struct str
date_day_text(struct when w, struct arena *a)
{
	if (!when_is_known(w))
		return STR_NONE;
	char text[DATE_TEXT_BYTES];

	date_put_day(w, text);
	return arena_str(a, str_of(text));
}
