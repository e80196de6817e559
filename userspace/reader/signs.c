// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * By what packages, mail and HTML are known. Apart from their readers, so that a program without their libraries knows what it cannot read.
 */
#include <string.h>

#include "common/util.h"
#include "reader/private.h"

bool kh_package_is(const struct kh_input *input)
{
	return input->length >= 4 && (!memcmp(input->text, "PK\003\004", 4) || !memcmp(input->text, "PK\005\006", 4));
}

int kh_archive_recognise(const struct kh_input *input)
{
	return kh_package_is(input);
}

static bool is_header(const char *line, size_t length, const char *name)
{
	return length > strlen(name) && !strncasecmp(line, name, strlen(name)) && line[strlen(name)] == ':';
}

/* Two of the headers that every mail has, before the first empty line, and nothing there that is no header. */
int kh_mail_recognise(const struct kh_input *input)
{
	static const char *const names[] = { "From",	     "To",	 "Subject",	"Date",	       "Message-ID",
					     "MIME-Version", "Received", "Return-Path", "Content-Type" };
	const char *at = input->text, *end = at + input->length;
	size_t known = 0;

	for (int lines = 0; at < end && lines < 200; lines++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at)), *next = newline ? newline + 1 : end;
		size_t length = (size_t)(next - at), word = 0;

		if (*at == '\n' || *at == '\r')
			return known >= 2;
		while (word < length && at[word] > ' ' && at[word] < 0x7f && at[word] != ':')
			word++;
		if (*at != ' ' && *at != '\t' && (!word || word >= length || at[word] != ':') &&
		    (lines || length < 5 || strncmp(at, "From ", 5) != 0))
			return 0;
		for (size_t i = 0; i < KH_ARRAY_SIZE(names); i++)
			known += is_header(at, length, names[i]);
		at = next;
	}
	return known >= 3;
}

int kh_html_recognise(const struct kh_input *input)
{
	static const char *const starts[] = { "<!doctype html", "<html", "<head", "<body", "<div", "<p>", "<p ",
					      "<table",		"<span", "<meta", "<h1",   "<ul" };
	size_t at = 0;

	while (at < input->length && kh_is_blank(input->text[at]))
		at++;
	while (input->length - at > 4 &&
	       (!strncasecmp(input->text + at, "<!--", 4) || !strncasecmp(input->text + at, "<?xml", 5))) {
		const char *end = memchr(input->text + at, '>', input->length - at);

		if (!end)
			return 0;
		at = (size_t)(end + 1 - input->text);
		while (at < input->length && kh_is_blank(input->text[at]))
			at++;
	}
	for (size_t i = 0; i < KH_ARRAY_SIZE(starts); i++)
		if (input->length - at >= strlen(starts[i]) &&
		    !strncasecmp(input->text + at, starts[i], strlen(starts[i])))
			return 1;
	return 0;
}
