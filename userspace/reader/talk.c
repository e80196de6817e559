// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whom a text speaks of: those who are to be blocked, or bystanders. Listed is not malicious: reports list name servers, scanners, victims and
 * contacts beside what attacked them. Text is folded (words.c). Where both are named, in a heading the first is whom it lists, unless it orders a block
 * or points ("các máy bị nhiễm kết nối tới máy chủ điều khiển sau:"); in a sentence it is whom a value follows.
 */
#include "reader/heed.h"

#include <string.h>

#include "common/util.h"

/* Infrastructure that anybody uses, and those who look or are asked. Any accusation overrules it. */
static const char *const services[] = { "mAy chU dns",
					"dns server",
					"dns servers",
					"name server",
					"name servers",
					"resolver",
					"resolvers",
					"public dns",
					"dns cOng cOng",
					"mAy chU phAn giAi",
					"bO phAn giAi",
					"dIch vU phAn giAi",
					"phAn giAi tEn miEn",
					"mAy chU tEn miEn",
					"ntp server",
					"ntp servers",
					"time server",
					"time servers",
					"mAy chU thOi gian",
					"scanner",
					"scanners",
					"mAy quEt",
					"mAy dO quEt",
					"mAy rA quEt",
					"honeypot",
					"honeypots",
					"sinkhole",
					"sinkholes",
					"sinkholed",
					"researcher",
					"researchers",
					"contact :",
					"contacts :",
					"contact us",
					"contact point",
					"contact points",
					"contact address",
					"contact addresses",
					"contact information",
					"reporting contact",
					"reporting contacts",
					"point of contact",
					"points of contact",
					"report to",
					"report incidents",
					"incident reporting",
					"liEn hE",
					"dAu mOi",
					"gUi bAo cAo",
					"bAo cAo vE",
					"bAo cAo tOi",
					"bAo cAo sU cO",
					"tiEp nhAn",
					NULL };

/* Those who were attacked. What attacked them ("mã độc") is named with them and does not overrule it. */
static const char *const victims[] = { "nAn nhAn",
				       "victim",
				       "victims",
				       "bI tAn cOng",
				       "bI nhiEm",
				       "bI lAy nhiEm",
				       "bI Anh hUOng",
				       "bI xAm nhAp",
				       "bI xAm hAi",
				       "bI giA mAo",
				       "bI chiEm quyEn",
				       "bI diEu khiEn",
				       "mUc tiEu",
				       "target :",
				       "targets :",
				       "target of",
				       "targets of",
				       "the targets",
				       "target hosts",
				       "target systems",
				       "target networks",
				       "target organizations",
				       "target organisations",
				       "targeted organizations",
				       "targeted organisations",
				       "targeted organization",
				       "targeted organisation",
				       "targeted hosts",
				       "targeted systems",
				       "targeted networks",
				       "targeted servers",
				       "targeted entities",
				       "targeted companies",
				       "targeted agencies",
				       "targeted institutions",
				       "infected",
				       "compromised hosts",
				       "compromised machines",
				       "compromised systems",
				       "compromised devices",
				       "compromised computers",
				       "compromised organizations",
				       "compromised organisations",
				       "affected",
				       "attacked",
				       "under attack",
				       NULL };

static const char *const accusations[] = { "c2",
					   "c&c",
					   "cnc",
					   "c2s",
					   "command and control",
					   "diEu khiEn",
					   "dOc hAi",
					   "malicious",
					   "chI bAo",
					   "ioc",
					   "iocs",
					   "indicators of compromise",
					   "dAu hiEu",
					   "kE tAn cOng",
					   "tin tAc",
					   "attacker",
					   "attackers",
					   "giA mAo",
					   "lUa dAo",
					   "phishing",
					   "rogue",
					   NULL };

/* Before infrastructure they accuse it ("malware name servers"), behind it they tell who used it. */
static const char *const weak_accusations[] = { "mA dOc",  "botnet", "malware", "tAn cOng",
						"hostile", "actor",  "actors",	NULL };

static const char *const orders[] = {
	"ngAn chAn", "chAn kEt nOi", "chAn cAc",     "chAn dIa chI", "chAn ip",	       "chAn truy cAp", "cAn chAn",
	"phAi chAn", "chAn ngay",    "yEu cAu chAn", "dE nghI chAn", "danh sAch chAn", "danh sAch den", "block",
	"blocked",   "blocking",     "blocklist",    "blacklist",    "deny list",      "denylist",	NULL
};

/* Before it, a word says nothing of the kind: "không phải C2", "tránh bị tấn công". */
static const char *const denials[] = { "khOng phAi lA ", "khOng phAi ", "khOng ", "not ",   "not a ",	 "not an ",
				       "nguy cO ",	 "trAnh ",	"non-",	  "never ", "khA nAng ", "bI " };

static bool ends_in(const char *text, const char *end, const char *pattern)
{
	size_t most = strlen(pattern) + 2;
	const char *from = (size_t)(end - text) > most ? end - most : text;

	for (; from < end; from++) {
		size_t used = from > text && kh_is_word(from[-1]) ? 0 : kh_word_match(from, pattern);

		if (used && from + used == end)
			return true;
	}
	return false;
}

static bool is_denied(const char *text, const char *at)
{
	for (size_t i = 0; i < KH_ARRAY_SIZE(denials); i++)
		if (ends_in(text, at, denials[i]))
			return true;
	return false;
}

/* The first place of one of the patterns that is not denied, from `from` on. */
static const char *find(const char *text, const char *from, const char *const *patterns)
{
	for (; (from = kh_word_find(from, patterns)); from++)
		if (!is_denied(text, from))
			return from;
	return NULL;
}

static const char *find_last(const char *text, const char *const *patterns)
{
	const char *last = NULL;

	for (const char *at = text; (at = find(text, at, patterns)); at++)
		last = at;
	return last;
}

static const char *earlier(const char *a, const char *b)
{
	return !a || (b && b < a) ? b : a;
}

static const char *later(const char *a, const char *b)
{
	return !a || (b && b > a) ? b : a;
}

static bool is_ordering(const char *folded)
{
	return find(folded, folded, orders);
}

char *kh_talk_fold(const struct kh_clean *clean, const struct kh_tokens *tokens)
{
	char *copy KH_CLEANUP(kh_freep) = strndup(clean->text, clean->length);

	for (size_t i = 0; copy && i < tokens->count; i++)
		memset(copy + tokens->list[i].start, ' ', tokens->list[i].end - tokens->list[i].start);
	return copy ? kh_fold(copy, clean->length) : NULL;
}

enum kh_talk kh_talk_of(const char *folded)
{
	static const char *const points[] = { "sau", "dUOi dAy", "following", "below", "these", NULL };
	const char *service = find(folded, folded, services), *victim = find(folded, folded, victims);
	const char *accusation = find(folded, folded, accusations), *weak = find(folded, folded, weak_accusations);

	if (is_ordering(folded))
		return KH_TALK_ACCUSES;
	if (!victim && !service)
		return accusation || weak ? KH_TALK_ACCUSES : KH_TALK_NEUTRAL;
	if (!victim)
		return accusation || (weak && weak < service) ? KH_TALK_ACCUSES : KH_TALK_BYSTANDERS;
	if (!accusation)
		return KH_TALK_BYSTANDERS;
	if (accusation < earlier(victim, service))
		return KH_TALK_ACCUSES;
	return kh_word_find(accusation, points) ? KH_TALK_ACCUSES : KH_TALK_BYSTANDERS;
}

enum kh_talk kh_talk_before(const char *folded)
{
	const char *bystander = later(find_last(folded, services), find_last(folded, victims));
	const char *accusation = later(find_last(folded, accusations), find_last(folded, orders));

	if (!bystander)
		return accusation ? KH_TALK_ACCUSES : KH_TALK_NEUTRAL;
	return accusation && accusation > bystander ? KH_TALK_ACCUSES : KH_TALK_BYSTANDERS;
}
