// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fills the error that travels up to a person.
 */
#include "common/error.h"

#include <stdio.h>
#include <string.h>

static int fill(struct kh_error *error, int code, int line, const char *format, va_list arguments)
{
	if (!error)
		return code;
	memset(error, 0, sizeof(*error));
	error->line = line;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the callers' formats are checked by KH_PRINTF */
	vsnprintf(error->text, sizeof(error->text), format, arguments);
#pragma GCC diagnostic pop
	return code;
}

int kh_fail(struct kh_error *error, int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fill(error, code, 0, format, arguments);
	va_end(arguments);
	return code;
}

int kh_fail_at(struct kh_error *error, int code, int line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fill(error, code, line, format, arguments);
	va_end(arguments);
	return code;
}

void kh_hint(struct kh_error *error, const char *format, ...)
{
	va_list arguments;

	if (!error)
		return;
	va_start(arguments, format);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	vsnprintf(error->hint, sizeof(error->hint), format, arguments);
#pragma GCC diagnostic pop
	va_end(arguments);
}
