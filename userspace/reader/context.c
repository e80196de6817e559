// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a line is about, by its key words, Vietnamese or English. Lines are folded: no marks, lower case; a capital in
 * a pattern is a vowel that recognition of scans likes to lose (words.c).
 */
#include "reader/heed.h"

#include <string.h>

#include "common/util.h"

static size_t words_of(const char *folded)
{
	size_t words = 0;

	for (const char *at = folded; *at; at++)
		words += kh_is_word(*at) && (at == folded || !kh_is_word(at[-1]));
	return words;
}

static char last_of(const char *text)
{
	size_t length = strlen(text);

	while (length && kh_is_blank(text[length - 1]))
		length--;
	return length ? text[length - 1] : '\0';
}

/* Is the line short, and does it begin with one of the patterns? */
static bool begins(const char *folded, const char *const *patterns, size_t most_words)
{
	folded += strspn(folded, " \t0123456789.)(*#-");
	for (; *patterns; patterns++) {
		size_t used = kh_word_match(folded, *patterns);

		if (used && !kh_is_word(folded[used]))
			return words_of(folded) <= most_words;
	}
	return false;
}

/* "I", "2", "B" after the word, and then an end or a break? */
static bool numbered(const char *rest)
{
	size_t used;

	rest += strspn(rest, " \t");
	used = strspn(rest, "0123456789ivx");
	if (!used && kh_is_letter(rest[0]))
		used = 1;
	return used && !kh_is_word(rest[used]);
}

bool kh_is_annex_heading(const char *folded, const char *text, size_t length)
{
	static const char *const others[] = { "annex",
					      "appendix",
					      "indicators of compromise",
					      "indicators of compromise (iocs)",
					      "iocs",
					      "danh sAch chI bAo",
					      "cAc chI bAo",
					      NULL };
	size_t indent = 0, used;
	char last = last_of(folded);

	while (indent < length && kh_is_blank(text[indent]))
		indent++;
	if (last == ',' || last == ';')
		return false;
	folded += strspn(folded, " \t\r\f\v");
	used = kh_word_match(folded, "phU lUc");
	if (!used || kh_is_word(folded[used]))
		return last != '.' && begins(folded, others, 8);
	if (indent >= length || text[indent] != 'P')
		return false;
	if (!folded[used + strspn(folded + used, " \t\r.:")] || numbered(folded + used))
		return true;
	/* "PHỤ LỤC DANH SÁCH ...", "Phụ lục kèm theo Công văn số ..." */
	return text[indent + 1] == 'H' || (last != '.' && words_of(folded) <= 14);
}

bool kh_is_reference_heading(const char *folded)
{
	static const char *const patterns[] = { "tAi liEu tham khAo", "nguOn tham khAo", "tham khAo",
						"references",	      "reference",	 NULL };

	return begins(folded, patterns, 7);
}

bool kh_is_reference_line(const char *folded)
{
	static const char *const patterns[] = {
		"tham khAo",	  "xem thEm", "xem chi tiEt", "chi tiEt tAi", "hUOng dAn", "bAn vA",   "cAp nhAt",
		"nguOn:",	  "nguOn :",  "references",   "reference",    "source:",   "see also", "refer to",
		"link tham khAo", NULL
	};

	return kh_word_find(folded, patterns);
}

bool kh_is_contact_line(const char *folded)
{
	static const char *const patterns[] = { "diEn thoAi",
						"dt:",
						"dt :",
						"tel",
						"fax",
						"email",
						"e-mail",
						"thU diEn tU",
						"hOm thU",
						"website",
						"trang thOng tin diEn tU",
						"cOng thOng tin diEn tU",
						"hotline",
						"dAu mOi",
						"liEn hE",
						NULL };

	return kh_word_find(folded, patterns);
}

bool kh_is_agent_line(const char *folded)
{
	static const char *const patterns[] = { "mozilla", "user-agent", "user agent", NULL };

	return kh_word_find(folded, patterns);
}

bool kh_is_exempting(const char *folded)
{
	static const char *const patterns[] = { "khOng chAn",
						"khOng dUOc chAn",
						"khOng ngAn chAn",
						"miEn chAn",
						"bO chAn",
						"gO chAn",
						"danh sAch trAng",
						"whitelist",
						"white list",
						"allowlist",
						"allow list",
						"hOp phAp",
						"hOp lE",
						"legitimate",
						"benign",
						"harmless",
						"vO hAi",
						"khOng dOc hAi",
						"khOng phAi mA dOc",
						"not malicious",
						"do not block",
						"must not be blocked",
						"should not be blocked",
						"loAi trU",
						"ngoAi trU",
						"trU cAc",
						"trU dIa chI",
						NULL };

	return kh_word_find(folded, patterns);
}

bool kh_is_sparing(const char *folded)
{
	static const char *const harmless[] = { "nAn nhAn", "victim", "victims", "sinkhole", "sinkholes", NULL };

	return kh_is_exempting(folded) || (kh_word_find(folded, harmless) && kh_talk_of(folded) != KH_TALK_ACCUSES);
}

bool kh_is_accusing(const char *folded)
{
	static const char *const patterns[] = { "c2",	  "c&c",     "cnc",	  "mA dOc",  "dOc hAi", "diEu khiEn",
						"botnet", "malware", "malicious", "lUa dAo", "giA mAo", "chI bAo",
						"ioc",	  "iocs",    "phishing",  NULL };

	return kh_word_find(folded, patterns);
}

bool kh_is_version_before(const char *folded)
{
	static const char *const patterns[] = { "phiEn bAn", "version", "ver",	    "lEn bAn", "cAc bAn", "bAn vA",
						"build",     "release", "firmware", "v",       NULL };

	/* "phiên bản từ 14.0.3.1": the word, and at most one more */
	for (const char *at = folded; (at = kh_word_find(at, patterns)); at++) {
		for (const char *const *pattern = patterns; *pattern; pattern++) {
			size_t used = kh_word_match(at, *pattern);

			if (used && !kh_is_word(at[used]) && words_of(at + used) <= 1)
				return true;
		}
	}
	return false;
}
