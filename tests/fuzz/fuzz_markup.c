// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: web pages, and OpenIOC; the first byte says which, and how much of it stands there already. */
#include "fuzz.h"

static const struct {
	const char *before, *after;
} forms[] = {
	{ "<html>", "" },
	{ "<html><body><table><tr>", "</table>" },
	{ "<html><body><pre>", "" },
	{ "<ioc xmlns=\"http://schemas.mandiant.com/2010/ioc\" id=\"x\">", "</ioc>" },
	{ "<ioc xmlns=\"http://schemas.mandiant.com/2010/ioc\" id=\"x\"><definition><Indicator operator=\"OR\">",
	  "</Indicator></definition></ioc>" },
	{ "<?xml version=\"1.0\"?><ioc ", "" },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t form = size ? data[0] % KH_ARRAY_SIZE(forms) : 0;

	if (size)
		fuzz_read_within(forms[form].before, data + 1, size - 1, forms[form].after);
	return 0;
}
