// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For LD_PRELOAD: the wall clock of one process is off by the seconds that stand in the file $SKEW, and is synchronised or not as stands behind them:
 * "86400 64" is a day ahead and not synchronised (STA_UNSYNC). So a clock can jump for khiend alone; the machine's is not touched.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timex.h>
#include <time.h>

static void read_skew(long *ret_seconds, int *ret_status)
{
	const char *path = getenv("SKEW");
	FILE *file = path ? fopen(path, "re") : NULL;

	*ret_seconds = 0;
	*ret_status = STA_UNSYNC;
	if (file && fscanf(file, "%ld %d", ret_seconds, ret_status) < 2)
		*ret_seconds = 0;
	if (file)
		fclose(file);
}

int clock_gettime(clockid_t id, struct timespec *ret_now)
{
	int (*real)(clockid_t, struct timespec *) =
		(int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	int result = real(id, ret_now), status;
	long seconds;

	if (!result && id == CLOCK_REALTIME) {
		read_skew(&seconds, &status);
		ret_now->tv_sec += seconds;
	}
	return result;
}

time_t time(time_t *ret_now)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (ret_now)
		*ret_now = now.tv_sec;
	return now.tv_sec;
}

int adjtimex(struct timex *look)
{
	long seconds;

	read_skew(&seconds, &look->status);
	return look->status & STA_UNSYNC ? TIME_ERROR : TIME_OK;
}
