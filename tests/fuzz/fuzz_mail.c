// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: mail. The first byte says which headers stand before the bytes; what is attached is read as well. */
#include "fuzz.h"

#define HEAD "From: a@a.example\nTo: b@b.example\nSubject: x\nMIME-Version: 1.0\n"

static const struct {
	const char *before, *after;
} forms[] = {
	{ "", "" },
	{ HEAD, "" },
	{ HEAD "\n", "" },
	{ HEAD "Content-Type: text/html; charset=utf-8\n\n", "" },
	{ HEAD "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n", "" },
	{ HEAD "Content-Type: text/plain; charset=windows-1258\nContent-Transfer-Encoding: quoted-printable\n\n", "" },
	{ HEAD "Content-Type: multipart/mixed; boundary=b\n\n--b\n", "\n--b--\n" },
	{ HEAD "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n", "\n--b--\n" },
	{ HEAD "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: attachment; filename=a\n\n",
	  "\n--b--\n" },
	{ HEAD "Content-Type: message/rfc822\n\n", "" },
	{ "From x Mon Jan  2 03:04:05 2023\n" HEAD "\n", "\nFrom y\n" },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t form = size ? data[0] % KH_ARRAY_SIZE(forms) : 0;

	if (size)
		fuzz_read_within(forms[form].before, data + 1, size - 1, forms[form].after);
	return 0;
}
