// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which kernel worked: kept in the state folder, so that after an upgrade of the kernel that refuses the packet programs the alert can name the one
 * to boot.
 */
#include "daemon/kernels.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/file.h"
#include "common/lang.h"
#include "common/util.h"
#include "daemon/log.h"
#include "khien/proto.h"

#define WORKED "kernel.worked" /* in the state folder: a line, as uname -r says it */

static void path_of(const char *folder, const char *name, char ret_path[static PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%s/%s", folder, name);
}

/* "": none is known. */
static void read_worked(const char *state, char *ret_release, size_t size)
{
	char path[PATH_MAX], *text KH_CLEANUP(kh_freep) = NULL;
	size_t length;

	path_of(state, WORKED, path);
	ret_release[0] = '\0';
	if (kh_file_read(path, size - 1, &text, &length) < 0)
		return;
	memcpy(ret_release, text, length);
	ret_release[length] = '\0';
	ret_release[strcspn(ret_release, "\n")] = '\0';
}

void kh_kernels_worked(const char *state, const char *run)
{
	char path[PATH_MAX], before[sizeof(((struct utsname *)0)->release) + 2];
	struct utsname name;
	int code;

	path_of(run, KH_ALERT_FILE, path);
	unlink(path);
	read_worked(state, before, sizeof(before));
	if (uname(&name) < 0 || !strcmp(before, name.release))
		return;
	if (before[0])
		kh_log(LOG_NOTICE, "event=kernel-changed kernel=%s before=%s", name.release, before);
	path_of(state, WORKED, path);
	snprintf(before, sizeof(before), "%s\n", name.release);
	code = kh_file_write(path, before, strlen(before), 0600);
	if (code < 0)
		kh_log(LOG_WARNING, "event=kernel-not-kept path=%s error=\"%s\"", path, strerror(-code));
}

void kh_kernels_refused(const char *state, const char *run, struct kh_error *error)
{
	char path[PATH_MAX], text[sizeof(error->text) + sizeof(error->hint) + 4],
		last[sizeof(((struct utsname *)0)->release) + 2];
	struct utsname name;

	read_worked(state, last, sizeof(last));
	if (uname(&name) < 0 || !last[0] || !strcmp(last, name.release))
		return;
	kh_hint(error,
		_("the last kernel that worked is Linux %s: boot that one; khiend --check --load tries a kernel"),
		last);
	kh_log(LOG_ALERT, "event=kernel-refused kernel=%s last-worked=%s error=\"%s\"", name.release, last,
	       error->text);
	snprintf(text, sizeof(text), "%s\n%s\n", error->text, error->hint);
	path_of(run, KH_ALERT_FILE, path);
	kh_file_write(path, text, strlen(text), 0644);
}
