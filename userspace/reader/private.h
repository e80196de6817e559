/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of the reader. The way of a document:
 *
 *   formats.c | plain.c (tables) -> reader.c (size, encoding, table) -> list.c | prose.c -> collect.c -> struct kh_document
 *
 * Both readers go line by line: lines.c -> refang.c -> tokens.c (values.c, domain.c). prose.c asks shape.c how a
 * value stands on its line, context.c what the line is about, letter.c for the head, announced.c for the counts.
 */
#ifndef KHIEN_READER_PRIVATE_H
#define KHIEN_READER_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "model/document.h"
#include "reader/formats.h"
#include "reader/grades.h"
#include "reader/shape.h"
#include "reader/span.h"

/* ---- lines.c ------------------------------------------------------------------------------------ */

#define KH_LINE_MAX ((size_t)64 << 10) /* a longer line is handed out in pieces, cut between words */

struct kh_line {
	const char *text; /* not NUL-terminated; without the line end */
	size_t length;
	int number; /* 1-based */
	int page; /* 1-based; 0: the text has no form feeds */
};

struct kh_lines {
	const char *at, *end;
	int number, page;
};

void kh_lines_init(struct kh_lines *lines, const char *text, size_t length);
/* 1 and *ret_line; 0 at the end; -E2BIG: one word longer than KH_LINE_MAX (*ret_line says where). */
int kh_lines_next(struct kh_lines *lines, struct kh_line *ret_line);

/* unwrap.c: an item's link that goes on in the lines after it is put together in *joined, which *line then borrows; *lines moves past them. 0 or -ENOMEM. */
int kh_unwrap(struct kh_lines *lines, struct kh_line *line, struct kh_bytes *joined);

static inline bool kh_is_digit(char c)
{
	return c >= '0' && c <= '9';
}
static inline bool kh_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static inline bool kh_is_alnum(char c)
{
	return kh_is_digit(c) || kh_is_letter(c);
}
static inline bool kh_is_hex(char c)
{
	return kh_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
/* Part of a word: also every byte of a letter outside ASCII. */
static inline bool kh_is_word(char c)
{
	return kh_is_alnum(c) || c == '_' || (c & 0x80);
}
static inline bool kh_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}
static inline char kh_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* ---- words.c ------------------------------------------------------------------------------------ */

/* A line folded for key words: no Vietnamese marks, lower case. malloc'ed; NULL: out of memory. */
char *kh_fold(const char *text, size_t length);
/* Does `text` (folded) begin with the pattern? Bytes used, or 0. In a pattern a capital may be missing (recognition of
 * scans drops accented vowels: "phU lUc"), a space stands for any white space or none. */
size_t kh_word_match(const char *text, const char *pattern);
/* The first place, at word borders, where one of the patterns (NULL-terminated) stands; NULL: nowhere. */
const char *kh_word_find(const char *text, const char *const *patterns);
/* Vietnamese letters composed (NFC), white space runs as one space, ends trimmed. malloc'ed; NULL: out of memory. */
char *kh_compose(const char *text, size_t length);
/* The same in place, white space as it is. 0 or -ENOMEM. */
int kh_compose_all(struct kh_bytes *text);

/* ---- refang.c ----------------------------------------------------------------------------------- */

#define KH_DEFANGED 0x80000000u

/* A line with its defanging undone. origin[i] is where byte i began in the line, KH_DEFANGED set when it was
 * written defanged; origin[length] is the length of the line. */
struct kh_clean {
	char *text; /* NUL-terminated */
	uint32_t *origin;
	size_t length, text_capacity, origin_capacity;
};

/* Refangs at most KH_LINE_MAX bytes into *clean, whose buffers are reused. 0 or -ENOMEM. */
int kh_refang(const char *text, size_t length, struct kh_clean *clean);
void kh_clean_clear(struct kh_clean *clean);
static inline size_t kh_origin(const struct kh_clean *clean, size_t at)
{
	return clean->origin[at] & ~KH_DEFANGED;
}

/* ---- domain.c ----------------------------------------------------------------------------------- */

enum kh_doubt {
	KH_MEANT, /* in a list, or written defanged: the form is enough */
	KH_DOUBTED, /* in prose: file names, abbreviations and missing spaces after a full stop look the same */
};

bool kh_domain_plausible(const char *text, size_t length, enum kh_doubt doubt);
bool kh_domain_known_tld(const char *text, size_t length);
/* Sites of authorities and publishers, as letters link to them. */
bool kh_domain_reference(const char *host, size_t length);

/* names.c: a name as a list has it: "c2.example", "*.c2.example" (and all below), "tênmiền.example" (IDNA 2008, as RFC 5891 and UTS 46 say). 0, -EINVAL, -ENOMEM. */
int kh_name_read(const char *text, size_t length, struct kh_indicator *ret_indicator);
/* A name with letters outside ASCII at text + at (NUL-terminated), under a domain at the top that there is. 1, 0, -ENOMEM. */
int kh_name_scan(const char *text, size_t at, struct kh_indicator *ret_indicator, size_t *ret_end);
/* A name under which anybody may register ("com.vn", also "ddns.net"): the public suffix list. */
bool kh_name_is_public_suffix(const char *name);
/* "zip", "*.zip", ".zip", "zip.": a domain at the top. */
bool kh_name_is_top_level(const char *text, size_t length);

/* ---- tokens.c and values.c ---------------------------------------------------------------------- */

enum kh_token_kind {
	KH_TOKEN_VALUE,
	KH_TOKEN_MALFORMED, /* no value, or two; indicator.type is KH_TYPE_UNKNOWN */
	KH_TOKEN_CVE,
	KH_TOKEN_HASH,
};

struct kh_token {
	enum kh_token_kind kind;
	size_t start, end; /* in the clean line */
	bool defanged;
	bool host_bits; /* the indicator is the network */
	bool cut; /* perhaps: it may go on below (cut.c) */
	struct kh_indicator indicator; /* VALUE, MALFORMED: owned by the token */
};

struct kh_scanner {
	const struct kh_clean *line;
	enum kh_doubt doubt;
	bool wide; /* names with letters outside ASCII may stand in it */
	size_t at;
	/* "203.0.113.7 port 80, 443": the address goes on with further ports */
	struct kh_range address;
	size_t address_start, more_ports;
};

void kh_scan(struct kh_scanner *scanner, const struct kh_clean *line, enum kh_doubt doubt);
/* 1 and *ret_token; 0: no more; -ENOMEM. */
int kh_scan_next(struct kh_scanner *scanner, struct kh_token *ret_token);
void kh_token_clear(struct kh_token *token);

/* The tokens of one line. */
struct kh_tokens {
	struct kh_token *list;
	size_t count, capacity;
};
int kh_tokens_read(struct kh_tokens *tokens, const struct kh_clean *line,
		   enum kh_doubt doubt); /* 0 or -ENOMEM; replaces */
void kh_tokens_clear(struct kh_tokens *tokens); /* empties, keeps the room */
void kh_tokens_free(struct kh_tokens *tokens);
/* "*.c2.example": is the name written as one with all below it? */
bool kh_token_is_wildcard(const struct kh_clean *line, const struct kh_token *token);

/* What follows an address that stands at text[start..end): its prefix length, port, or the end of a range. */
enum kh_form {
	KH_FORM_NONE,
	KH_FORM_VALUE,
	KH_FORM_MALFORMED,
	KH_FORM_URL, /* an address with a path after it */
};
struct kh_value {
	struct kh_indicator indicator; /* no text */
	struct kh_range address; /* the address itself */
	size_t end;
	size_t more_ports; /* where further ports follow; 0: none */
	bool host_bits;
};
/* One address, prefix, range or address with port at text + at (NUL-terminated). */
enum kh_form kh_value_read(const char *text, size_t at, struct kh_value *ret_value);
/* A port number (with "/tcp" or "/udp") at text + at; bytes used, or 0. */
size_t kh_port_read(const char *text, size_t at, uint16_t *ret_port, uint8_t *ret_protocol);
/* ", 443" after a port; where the number starts, or 0. */
size_t kh_port_next(const char *text, size_t at);

/* ---- doubt.c ------------------------------------------------------------------------------------ */

/* What the signs round text[start..end) say of it: KH_WHY_TABLE nothing, KH_WHY_UNCLEAR ("?203.0.113.7"), KH_WHY_CONTEXT ("!203.0.113.7", "@@c2.example"). */
enum kh_decision_reason kh_sign_of(const char *text, size_t start, size_t end);
/* "8,217.199.160", "34.243/214.122": an IPv4 address with another sign for one of its dots. Bytes used, or 0. */
size_t kh_guess_address(const char *text, size_t length, struct kh_indicator *ret_indicator);

/* ---- collect.c ---------------------------------------------------------------------------------- */

struct kh_index {
	uint32_t *slots; /* position + 1; 0: free */
	size_t size, used;
	uint64_t seed; /* the input is hostile: collisions must not be foreseeable */
};

/* index.c */
uint64_t kh_hash_mix(uint64_t value);
uint64_t kh_hash_text(uint64_t seed, const char *text);
/* Room for one more, at most three quarters full. 1: moved, the caller must put all again; 0; -ENOMEM. */
int kh_index_reserve(struct kh_index *index);
/* Puts `position` under `hash`; the caller has made room. */
void kh_index_put(struct kh_index *index, uint64_t hash, uint32_t position);
/* The next position under `hash`, from *at on, which moves past it; -1: no more. */
int64_t kh_index_next(const struct kh_index *index, uint64_t hash, size_t *at);

struct kh_collector {
	struct kh_document *document;
	size_t findings_capacity, cves_capacity, grades_capacity, hashes_capacity, parts_capacity;
	struct kh_index findings, cves, hashes;
	struct kh_grading grading;
	struct kh_error *error;
};

struct kh_place {
	enum kh_decision proposed;
	enum kh_decision_reason reason;
	enum kh_section section;
	int page, line;
	const char *raw;
	size_t raw_length;
	const char *column; /* heading of its table column; column_length 0: none */
	size_t column_length;
	int64_t starts, expires; /* Unix seconds; 0: not said */
};

int kh_collector_init(struct kh_collector *collector, const char *file, const char *format, struct kh_error *error);
void kh_collector_clear(struct kh_collector *collector); /* frees the document too, if it is still there */
/* Adds one value, or strengthens the one there. Takes *indicator in any case. 0, -ENOMEM, -EFBIG (with error). */
int kh_collect_take(struct kh_collector *collector, struct kh_indicator *indicator, const struct kh_place *place);
/* Adds a plain value of a long list, which kh_collect_bulk_end() sorts; the findings that are in it then go. 0, -ENOMEM, -EFBIG. */
int kh_collect_bulk(struct kh_collector *collector, const struct kh_range *range, int line);
int kh_collect_bulk_end(struct kh_collector *collector);
/* Adds a domain at the top (kh_name_is_top_level), which waits: it is all there is below it. Decision and reason of the place are not used. 0, -ENOMEM, -EFBIG. */
int kh_collect_top_level(struct kh_collector *collector, const char *text, size_t length, const struct kh_place *place);
int kh_collect_cve(struct kh_collector *collector, const char *text, size_t length);
/* facts.c: where in the document's list the CVE is, in capitals or not; -ENOENT, -ENOMEM. */
int64_t kh_collect_find_cve(const struct kh_collector *collector, const char *text, size_t length);
/* How grave the CVE at this position is; what is known of it already stays. 0 or -ENOMEM. */
int kh_collect_grade(struct kh_collector *collector, size_t position, const struct kh_grade *grade);
int kh_collect_hash(struct kh_collector *collector, const char *text, size_t length);
/* Adds a file that the file holds; copies. 0 or -ENOMEM. */
int kh_collect_part(struct kh_collector *collector, const char *name, const void *data, size_t length);
int kh_collect_note(struct kh_collector *collector, const char *format, ...) KH_PRINTF(2, 3);
/* The place of a token of a line; decision and reason are left to the caller. */
struct kh_place kh_place_of(const struct kh_line *line, const struct kh_clean *clean, const struct kh_token *token,
			    enum kh_section section);

/* ---- Text with marks -----------------------------------------------------------------------------
 * What is taken out of an office file or a web page is text of UTF-8 lines, one a paragraph, pages divided by form feeds. A table is in it
 * as rows: KH_MARK_TABLE alone on a line begins one (and ends one), each row is a line that begins with KH_MARK_ROW (a number and another KH_MARK_ROW after it
 * are the number of its line in the document), KH_MARK_CELL stands between its cells,
 * KH_MARK_BREAK between the lines of a cell. A document's own text never holds these characters (kh_mark_text). */

#define KH_MARK_TABLE '\x1d'
#define KH_MARK_ROW '\x1e'
#define KH_MARK_CELL '\x1f'
#define KH_MARK_BREAK '\x1c'
#define KH_MARK_ROW_MAX 999999999 /* a row of a higher number goes without one */

/* Appends a document's own text: control characters but tab and line feed are left out, so are zero-width and soft-hyphen characters; a
 * no-break space becomes a space. What is not UTF-8 becomes U+FFFD. In a cell (`cell`) a line feed becomes KH_MARK_BREAK and a tab a
 * space. 0 or -ENOMEM. */
int kh_mark_text(struct kh_bytes *text, const char *from, size_t length, bool cell);
/* Does the text hold characters that nobody sees? Appends it without them, a no-break space as a space. 1; 0: it holds none, nothing is appended; -ENOMEM. */
int kh_mark_unveil(struct kh_bytes *text, const char *from, size_t length);
static inline int kh_mark(struct kh_bytes *text, char mark)
{
	return kh_bytes_add(text, &mark, 1);
}

/* ---- table.c: rows of cells -> findings ---------------------------------------------------------- */

struct kh_cell {
	const char *text;
	size_t length;
};

#define KH_TABLE_COLUMNS 64 /* those behind count as one */

/* columns.c */
enum kh_role {
	KH_ROLE_UNKNOWN, /* no heading, or one that says nothing */
	KH_ROLE_VALUE,
	KH_ROLE_PORT,
	KH_ROLE_SOURCE, /* reports, links for reading */
	KH_ROLE_EXEMPT, /* victims, what is not to be blocked */
	KH_ROLE_REMARK,
	KH_ROLE_OTHER, /* dates, countries, file names, hashes, versions: no address is meant */
};

struct kh_column {
	enum kh_role role;
	char *heading; /* owned; NULL: none */
	enum kh_span_end span; /* by the heading */
};

/* Begins all zero but for the first four; one at a time. */
struct kh_table {
	struct kh_collector *collector;
	enum kh_section section; /* may change between rows */
	bool feed; /* a list, not a letter's table */
	bool spans; /* of a list without headings: two addresses beside each other are the ends of a range */
	bool valued; /* some heading names values */
	struct kh_heed *heed; /* of the text round it; NULL: none; title rows go to it */
	struct kh_column columns[KH_TABLE_COLUMNS];
	size_t rows, skipped, first_skipped; /* rows; those with content and without a value after the headings */
	size_t links; /* not taken as indicators */
	struct kh_clean clean;
	struct kh_tokens tokens;
};

/* Reads a row. The first ones, while they hold no value, are headings. 0, -ENOMEM, -EFBIG. */
int kh_table_row(struct kh_table *table, const struct kh_cell *cells, size_t count, int page, int line);
/* Headings that the caller knows to be some. 0 or -ENOMEM. */
int kh_table_heading(struct kh_table *table, const struct kh_cell *cells, size_t count);
/* Is it the heading of a column of values? 1, 0, -ENOMEM. */
int kh_table_names_values(const char *text, size_t length);
/* Notes what was left out. 0 or -ENOMEM. */
int kh_table_end(struct kh_table *table);
/* Forgets the headings: another table begins. */
void kh_table_begin(struct kh_table *table);
void kh_table_clear(struct kh_table *table);

/* ---- Lists and what stands on their lines --------------------------------------------------------- */

/* Where the line's first byte that is not blank is; does a comment (or nothing) begin there? */
size_t kh_list_indent(const struct kh_line *line);
bool kh_list_is_comment(const struct kh_line *line, size_t at);
/* hosts.c: "0.0.0.0 c2.example"; a name that a machine has for itself. */
bool kh_hosts_line(const struct kh_clean *line, const struct kh_tokens *tokens);
bool kh_hosts_local(const char *name);

/* rejoin.c: text laid out as on its pages, with the cells of narrow columns put together. 0 or -ENOMEM. */
int kh_rejoin(const struct kh_input *input, struct kh_bytes *ret_text);

/* scanned.c: brackets as recognition reads them become "[.]" again; not longer than before. */
void kh_scanned_brackets(struct kh_bytes *text);

/* Says that a line is too long (lines.c gave -E2BIG); returns -EINVAL. */
int kh_fail_long_line(const struct kh_input *input, const struct kh_line *line, struct kh_error *error);

/* signature.c: a format that this version refuses, by name. *ret_hint is the next step. NULL: none of them.
 * `binary` asks for those known by their first bytes, else for those known by their text. Both translated. */
const char *kh_signature_find(const struct kh_input *input, bool binary, const char **ret_hint);

/* Where list markers ("- ", "1. ", "a) ", "| 3 |") end. */
size_t kh_marker_skip(const char *text);

/* ---- Letters ------------------------------------------------------------------------------------ */

/* Fills what is found of the head; *ret_overlaid when number or date were put together from a digital signature's
 * overlay. 0 or -ENOMEM. */
int kh_letter_read(const struct kh_input *input, struct kh_letter *ret_letter, bool *ret_overlaid);
/* number.c: "81/VNCERT-ĐPƯC", "674 /CATTT-NCSC", "/CATTT-NCSC941" at `at`: the number without spaces, NFC. 1, 0, -ENOMEM. */
int kh_letter_number(const char *at, const char *end, char **ret_number, bool *ret_overlaid);
/* Adds the number of a letter that it passes on, unless it is there, is its own or they are many; owns it in any case. 0 or -ENOMEM. */
int kh_letter_relay(struct kh_letter *letter, char *number_take);
/* The number of another letter that the line names first ("kèm theo Công văn số ..."). 1, 0, -ENOMEM. */
int kh_letter_named(const struct kh_line *line, char **ret_number);
bool kh_has_letter(const char *at, const char *end);
const char *kh_skip_blank(const char *at, const char *end);
/* Does the folded text begin as names of bodies do ("cuc", "so", "trung tam")? */
bool kh_is_body_name(const char *folded);
/* Fills what the text says of other letters, and until when it wants an answer; after the head. 0 or -ENOMEM. */
int kh_letter_asks(const struct kh_input *input, struct kh_letter *letter);
/* Counts the letter announces. 0 or -ENOMEM. */
int kh_announced_read(const struct kh_input *input, struct kh_announced *ret_announced);

/* context.c: what a line is about. All take the folded line. */
bool kh_is_annex_heading(const char *folded, const char *text, size_t length);
bool kh_is_reference_heading(const char *folded);
bool kh_is_reference_line(const char *folded); /* links for further reading */
bool kh_is_contact_line(const char *folded);
bool kh_is_agent_line(const char *folded); /* User-Agent strings */
bool kh_is_exempting(const char *folded); /* not to be blocked, whoever accuses */
bool kh_is_sparing(const char *folded); /* a remark: not to be blocked, a victim, a sinkhole */
bool kh_is_accusing(const char *folded); /* C2, malware, to be blocked */
bool kh_is_version_before(const char *folded); /* ends in "version", "phien ban" ... */

#endif
