// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Formats that are not read, known by their signature or content: refused by name with the next step, so that
 * nothing half-read is ever enforced. A reader for one of them takes its line out of here.
 */
#include "reader/private.h"

#include <string.h>

#include "common/lang.h"
#include "common/util.h"

#define LOOK_BYTES ((size_t)4096)

#define SAVE_AS_TEXT N_("save it as plain text (UTF-8) and read that")
#define TYPE_OFF \
	N_("type the values into a list, one a line, or run text recognition and check its result against the letter")
#define UNPACK N_("unpack it and read the files in it")
#define TO_LIST N_("save the values as a list, one a line, and read that")

struct signature {
	const char *name;
	const char *bytes;
	size_t length;
	size_t offset;
	const char *inside; /* must also occur near the start; NULL: no more */
	const char *hint;
};

#define SIGNATURE(name, bytes, offset, inside, hint)                 \
	{                                                            \
		name, bytes, sizeof(bytes) - 1, offset, inside, hint \
	}

static const struct signature binaries[] = {
	SIGNATURE("old Office file (DOC, XLS), or one locked with a password", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0,
		  NULL, SAVE_AS_TEXT),
	SIGNATURE("RTF document", "{\\rtf", 0, NULL, SAVE_AS_TEXT),
	SIGNATURE("PNG image", "\x89PNG\r\n", 0, NULL, TYPE_OFF),
	SIGNATURE("JPEG image", "\xff\xd8\xff", 0, NULL, TYPE_OFF),
	SIGNATURE("GIF image", "GIF8", 0, NULL, TYPE_OFF),
	SIGNATURE("TIFF image", "II*\0", 0, NULL, TYPE_OFF),
	SIGNATURE("TIFF image", "MM\0*", 0, NULL, TYPE_OFF),
	SIGNATURE("WebP image", "WEBP", 8, NULL, TYPE_OFF),
	SIGNATURE("HEIC image", "ftyphei", 4, NULL, TYPE_OFF),
	SIGNATURE("gzip archive", "\x1f\x8b\x08", 0, NULL, UNPACK),
	SIGNATURE("xz archive",
		  "\xfd"
		  "7zXZ\0",
		  0, NULL, UNPACK),
	SIGNATURE("7-Zip archive", "7z\xbc\xaf\x27\x1c", 0, NULL, UNPACK),
	SIGNATURE("RAR archive", "Rar!\x1a\x07", 0, NULL, UNPACK),
};

static const struct signature texts[] = {
	SIGNATURE("JSON", "{", 0, "\":", TO_LIST),
	SIGNATURE("JSON", "[", 0, "\":", TO_LIST),
	SIGNATURE("STIX 1 package (XML), an unsupported version", "<", 0, "stix:STIX_Package",
		  N_("ask the sender for STIX 2.0 or 2.1, or for a list")),
	SIGNATURE("XML", "<?xml", 0, NULL, TO_LIST),
};

static bool matches(const struct signature *signature, const char *text, size_t length)
{
	size_t look = length < LOOK_BYTES ? length : LOOK_BYTES;

	if (length < signature->offset + signature->length)
		return false;
	if (memcmp(text + signature->offset, signature->bytes, signature->length) != 0)
		return false;
	return !signature->inside || memmem(text, look, signature->inside, strlen(signature->inside));
}

const char *kh_signature_find(const struct kh_input *input, bool binary, const char **ret_hint)
{
	const struct signature *table = binary ? binaries : texts;
	size_t count = binary ? KH_ARRAY_SIZE(binaries) : KH_ARRAY_SIZE(texts), start = 0;

	while (!binary && start < input->length && kh_is_blank(input->text[start]))
		start++;
	for (size_t i = 0; i < count; i++) {
		if (!matches(&table[i], input->text + start, input->length - start))
			continue;
		*ret_hint = _(table[i].hint);
		return _(table[i].name);
	}
	return NULL;
}
