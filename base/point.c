#include "base/point.h"

#ifdef KOSHIN_POINTS
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long points_left; /* 0: this process is not meant, or the point has passed */
static const char *points_process = "";

void
point_process(const char *process)
{
	const char *path = getenv("KOSHIN_POINT_FILE");
	FILE *f = path != NULL ? fopen(path, "re") : NULL;
	char name[32];
	long n;

	points_process = process;
	points_left = 0;
	if (f == NULL)
		return;
	if (fscanf(f, "%31s %ld", name, &n) == 2 && strcmp(name, process) == 0)
		points_left = n;
	fclose(f);
}

void
point_pass(const char *name)
{
	const char *path = getenv("KOSHIN_POINT_FILE");

	if (points_left == 0 || path == NULL || --points_left > 0)
		return;
	(void)unlink(path); /* if it is gone already, the point counts all the same */
	fprintf(stderr, "koshin: point: %s dies at %s\n", points_process, name);
	(void)raise(SIGKILL);
}
#else
typedef int point_is_not_built; /* ISO C wants one declaration in a file */
#endif
