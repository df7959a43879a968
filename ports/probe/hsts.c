#include "ports/probe/hsts.h"

bool
hsts_is_promise(struct str value)
{
	while (value.n > 0) {
		struct str part = str_cut(&value, ';'), key = str_trim(str_cut(&part, '='));
		int64_t s = 0;

		part = str_trim(part);
		if (part.n >= 2 && part.p[0] == '"')
			part = (struct str){ part.p + 1, part.n - 2 };
		if (str_eq_nocase(key, STR("max-age")))
			return str_to_int(part, &s) && s > 0;
	}
	return false;
}

bool
hsts_counts_at(struct str url, struct str name)
{
	static const struct str scheme = { "https://", 8 };

	if (!str_starts(url, scheme))
		return false;
	url = (struct str){ url.p + scheme.n, url.n - scheme.n };
	struct str host = str_cut(&url, '/');
	return str_eq_nocase(str_cut(&host, ':'), name);
}
