#ifndef KOSHIN_BASE_POINT_H
#define KOSHIN_BASE_POINT_H
/*
 * Places at which the kill sweep ends a process: before and after each commit and each effect. In the ordinary
 * build they are nothing. In the build with -DKOSHIN_POINTS, the file that the environment variable
 * KOSHIN_POINT_FILE names holds "PROCESS N"; the Nth point that this process passes removes the file and kills
 * the process with SIGKILL. So one run dies at most once, and its successor lives.
 */
#ifdef KOSHIN_POINTS
void point_process(const char *process); /* names this process, once, after the fork */
void point_pass(const char *name);
#define POINT_PROCESS(process) point_process(process)
#define POINT(name) point_pass(name)
#else
#define POINT_PROCESS(process) ((void)0)
#define POINT(name) ((void)0)
#endif
#endif
