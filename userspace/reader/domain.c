// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is this a host name? In a list the form is enough; in prose "McAfee.exe", "an ninh.Do" and "ASP.NET" have the form
 * too, so the top-level domain must be one in use (country codes and the common generic ones, IANA root zone), and
 * what reads like a file name or an abbreviation is not taken.
 */
#include "reader/private.h"

#include <string.h>
#include <strings.h>

#include "common/util.h"

/* ISO 3166 codes in the root zone, and eu, su, uk, ac. */
static const char countries[] =
	" ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bv bw by bz ca cc cd cf "
	"cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gb gd ge gf gg "
	"gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp "
	"kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne "
	"nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl "
	"sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu "
	"wf ws ye yt za zm zw ";

static const char generics[] =
	" com net org info biz edu gov mil int arpa name pro mobi asia tel jobs cat travel aero coop museum post xxx example test "
	"invalid onion local internal lan academy agency app art autos baby bar beauty best bet bid bike blog boats boutique build "
	"business buzz cafe cam capital care cash casino center cfd chat cheap church city cleaning click cloud club codes coffee "
	"college company computer contact consulting cool country courses credit cyou dance date dating deals delivery design dev "
	"digital direct directory doctor dog domains download earth education email energy engineering enterprises events exchange "
	"expert express fail faith family fans farm finance financial fish fit fitness foundation fun fund futbol gallery game games "
	"garden gay gifts gives glass global gmbh gold golf goog google graphics group guide guru hair health help homes host hosting "
	"house icu immo inc industries ink institute international investments kim land law legal lgbt life lighting limited link live "
	"loan loans lol love ltd management market marketing markets mba media men microsoft moe mom money monster mov movie network "
	"news ninja nyc one online ooo page partners parts party pet photo photography photos pics pictures pink pizza place plus "
	"poker press productions properties pub quest racing realty recipes red rehab rent rentals repair report rest restaurant "
	"review reviews rip rocks run sale sbs school science security select services sex sexy shop shopping show site ski skin "
	"social software solar solutions space sport store stream studio style support surf systems tech technology tips tires today "
	"tokyo tools top tours town toys trade trading training tube university uno vacations ventures vet video vin vip vision vote "
	"watch webcam website wiki win wine work works world wtf xin xyz yachts yoga you zip zone ";

/* Endings of files, never top-level domains. */
static const char files[] =
	" exe dll sys bat cmd vbs vbe js jse wsf hta ps1 psm1 msi scr lnk jar doc docx docm xls xlsx xlsm ppt pptx pdf rtf txt csv "
	"log tmp dat bin cfg conf ini xml json html htm php asp aspx jsp png jpg jpeg gif bmp ico svg rar tar gz tgz iso img cab 7z "
	"apk ipa dmg deb rpm ko elf class war pem crt cer key sqlite bak old css yml yaml pst ost eml msg gdcb ";

/* Endings of files that are top-level domains as well: two labels in prose count as a file. */
static const char ambiguous[] = " sh py pl rs so ps md zip mov pub ";

/* Sites of authorities, standard bodies and publishers: a plain link to them in the text is for reading. */
static const char *const references[] = {
	"gov.vn",
	"chinhphu.vn",
	"khonggianmang.vn",
	"vncert.vn",
	"ncsc.vn",
	"nist.gov",
	"cve.org",
	"mitre.org",
	"cisa.gov",
	"us-cert.gov",
	"first.org",
	"microsoft.com",
	"cisco.com",
	"vmware.com",
	"fortinet.com",
	"fortiguard.com",
	"oracle.com",
	"adobe.com",
	"apache.org",
	"redhat.com",
	"debian.org",
	"ubuntu.com",
	"paloaltonetworks.com",
	"f5.com",
	"citrix.com",
	"atlassian.com",
	"juniper.net",
	"ivanti.com",
	"sonicwall.com",
	"virustotal.com",
};

static bool listed(const char *list, const char *word, size_t length)
{
	char key[24];

	if (length < 2 || length > sizeof(key) - 3)
		return false;
	key[0] = ' ';
	for (size_t i = 0; i < length; i++)
		key[i + 1] = kh_lower(word[i]);
	key[length + 1] = ' ';
	key[length + 2] = '\0';
	return strstr(list, key) != NULL;
}

bool kh_domain_known_tld(const char *text, size_t length)
{
	if (length > 4 && strncasecmp(text, "xn--", 4) == 0)
		return true;
	return listed(length == 2 ? countries : generics, text, length);
}

static bool all_letters(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!kh_is_letter(text[i]))
			return false;
	}
	return length >= 2;
}

/* Labels of letters, digits, '-' and '_', 1 to 63 bytes, not beginning or ending in '-'. How many; 0: not a name. */
static size_t labels(const char *text, size_t length, size_t *ret_last)
{
	size_t count = 0, start = 0;

	if (length < 3 || length > 253)
		return 0;
	for (size_t i = 0; i <= length; i++) {
		if (i < length && text[i] != '.') {
			if (!kh_is_alnum(text[i]) && text[i] != '-' && text[i] != '_')
				return 0;
			continue;
		}
		if (i == start || i - start > 63 || text[start] == '-' || text[i - 1] == '-')
			return 0;
		*ret_last = start;
		count++;
		start = i + 1;
	}
	return count;
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* "KH.CN", "an ninh.Do": an abbreviation, or two sentences without a space. */
static bool reads_like_prose(const char *text, size_t length, size_t last, size_t count)
{
	bool all_upper = true;

	if (is_upper(text[last]) && !is_upper(text[length - 1]))
		return true;
	for (size_t i = 0; i < length; i++)
		all_upper = all_upper && (is_upper(text[i]) || text[i] == '.');
	return all_upper && count == 2 && length - last <= 4 && last <= 5;
}

/* "win.live", "elf.team": families of malware as Malpedia names them. */
static bool is_family(const char *text, size_t last, size_t count)
{
	static const char platforms[] = " win elf apk osx ios jar js php asp vbs ps1 py symbian ";

	return count == 2 && listed(platforms, text, last - 1);
}

bool kh_domain_plausible(const char *text, size_t length, enum kh_doubt doubt)
{
	size_t last = 0, count = labels(text, length, &last), size = length - last;
	const char *tld = text + last;

	if (count < 2 || (!all_letters(tld, size) && !(size > 4 && strncasecmp(tld, "xn--", 4) == 0)))
		return false;
	if (listed(files, tld, size))
		return false;
	if (doubt == KH_MEANT)
		return true;
	if (!kh_domain_known_tld(tld, size) || (count == 2 && listed(ambiguous, tld, size)))
		return false;
	return !is_family(text, last, count) && !reads_like_prose(text, length, last, count);
}

bool kh_domain_reference(const char *host, size_t length)
{
	for (size_t i = 0; i < KH_ARRAY_SIZE(references); i++) {
		size_t size = strlen(references[i]);

		if (length < size || strncasecmp(host + length - size, references[i], size) != 0)
			continue;
		if (length == size || host[length - size - 1] == '.')
			return true;
	}
	return false;
}
