// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The daemon's log. A line is put together in one buffer and written by one write(2), so that lines never mix.
 */
#include "daemon/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "common/text.h"

#define LINE_BYTES 2048

static bool to_journal;
static bool show_debug;

/* systemd names the journal's stream by device and inode, so that a redirected program can tell. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device = 0, inode = 0;
	struct stat status;

	if (!stream || sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &device, &inode) != 2)
		return false;
	return !fstat(STDERR_FILENO, &status) && status.st_dev == device && status.st_ino == inode;
}

void kh_log_init(void)
{
	const char *debug = getenv("KHIEN_DEBUG");

	to_journal = stderr_is_journal();
	show_debug = debug && !strcmp(debug, "1");
}

static void write_line(const char *line, size_t length)
{
	while (length) {
		ssize_t written = write(STDERR_FILENO, line, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) /* nobody is left to tell */
			return;
		line += written;
		length -= (size_t)written;
	}
}

void kh_log(int level, const char *format, ...)
{
	int saved_errno = errno;
	char text[LINE_BYTES], line[LINE_BYTES + 8];
	va_list arguments;
	int length;

	if (level == LOG_DEBUG && !show_debug)
		return;
	va_start(arguments, format);
	length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (length >= 0) {
		kh_text_printable(text);
		if (to_journal)
			length = snprintf(line, sizeof(line), "<%d>%s\n", level, text);
		else
			length = snprintf(line, sizeof(line), "%s\n", text);
		write_line(line, (size_t)length);
	}
	errno = saved_errno;
}

void kh_log_error(int level, const char *event, const struct kh_error *error)
{
	if (error->hint[0])
		kh_log(level, "event=%s error=\"%s\" hint=\"%s\"", event, error->text, error->hint);
	else
		kh_log(level, "event=%s error=\"%s\"", event, error->text);
}
