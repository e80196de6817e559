// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Golden test of the reader: what is made of each document is compared, as text, with FOLDER/NAME.expected.
 *
 *   golden_reader FOLDER FILE...    compare; UPDATE=1 in the environment writes the expected files anew
 *   golden_reader --dump FILE...    print only
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/util.h"
#include "reader/reader.h"

static void print_texts(FILE *out, const char *name, char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s: %s\n", name, texts[i]);
}

static void print_finding(FILE *out, const struct kh_finding *finding)
{
	char *value KH_CLEANUP(kh_freep) = kh_indicator_format(&finding->indicator);

	fprintf(out, "%s %s | %s %s | %s", kh_indicator_type_name(finding->indicator.type), value,
		kh_decision_name(finding->proposed), kh_decision_reason_name(finding->reason),
		kh_section_name(finding->section));
	if (finding->page)
		fprintf(out, " p%d", finding->page);
	fprintf(out, " l%d | %s\n", finding->line, finding->raw);
}

static void print_document(FILE *out, const struct kh_document *document)
{
	const struct kh_letter *letter = &document->letter;
	const char *fields[][2] = { { "number", letter->number },
				    { "date", letter->date },
				    { "issuer", letter->issuer },
				    { "subject", letter->subject } };

	fprintf(out, "format: %s\n", document->format);
	for (size_t i = 0; i < KH_ARRAY_SIZE(fields); i++) {
		if (fields[i][1])
			fprintf(out, "%s: %s\n", fields[i][0], fields[i][1]);
	}
	fprintf(out, "announced: addresses %d, domains %d, hashes %d\n", document->announced.addresses,
		document->announced.domains, document->announced.hashes);
	fprintf(out, "duplicates: %zu\n", document->duplicates);
	for (size_t i = 0; i < document->cves_count; i++) {
		struct kh_grade grade = kh_document_grade(document, i);

		fprintf(out, "cve: %s", document->cves[i]);
		if (grade.score)
			fprintf(out, " %u.%u", grade.score / 10, grade.score % 10);
		fprintf(out, "%s%s\n", grade.level ? " " : "", kh_level_name(grade.level));
	}
	print_texts(out, "hash", document->hashes, document->hashes_count);
	for (size_t i = 0; i < document->findings_count; i++)
		print_finding(out, &document->findings[i]);
	print_texts(out, "note", document->notes, document->notes_count);
}

/* The dump of one file; exits when it cannot be read at all. */
static char *dump(const char *path, size_t *ret_length)
{
	struct kh_document *document KH_CLEANUP(kh_document_freep) = NULL;
	struct kh_error error = { 0 };
	char *data KH_CLEANUP(kh_freep) = NULL, *text = NULL;
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	size_t length = 0;
	FILE *out = open_memstream(&text, ret_length);

	if (!out || kh_file_read(path, KH_READER_MAX_BYTES + 1, &data, &length) < 0) {
		fprintf(stderr, "%s: cannot be read\n", path);
		exit(1);
	}
	if (kh_reader_read(name, data, length, &document, &error))
		fprintf(out, "error: %s\nhint: %s\nat: line %d, byte %d\n", error.text, error.hint, error.line,
			error.column);
	else
		print_document(out, document);
	fclose(out);
	return text;
}

/* "a/x.txt" -> "FOLDER/x.expected" */
static void expected_path(const char *folder, const char *path, char *ret_path, size_t size)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

	snprintf(ret_path, size, "%s/%.*s.expected", folder, (int)strcspn(name, "."), name);
}

static bool compare(const char *folder, const char *path)
{
	char *expected KH_CLEANUP(kh_freep) = NULL, *found KH_CLEANUP(kh_freep) = NULL;
	char beside[4096], command[8400];
	size_t expected_length = 0, length = 0;
	FILE *diff;

	found = dump(path, &length);
	expected_path(folder, path, beside, sizeof(beside));
	if (getenv("UPDATE"))
		return kh_file_write(beside, found, length, 0644) == 0;
	if (kh_file_read(beside, KH_READER_MAX_BYTES, &expected, &expected_length) < 0) {
		printf("not ok %s: no file %s (UPDATE=1 writes it; read it before you commit it)\n", path, beside);
		return false;
	}
	if (expected_length == length && memcmp(expected, found, length) == 0) {
		printf("ok %s\n", path);
		return true;
	}
	printf("not ok %s\n", path);
	fflush(stdout);
	snprintf(command, sizeof(command), "diff -u '%s' -", beside);
	diff = popen(command, "w");
	if (diff) {
		fwrite(found, 1, length, diff);
		pclose(diff);
	}
	return false;
}

int main(int argc, char **argv)
{
	bool only_dump = argc > 1 && strcmp(argv[1], "--dump") == 0;
	int failed = 0;

	if (argc < 3) {
		fprintf(stderr, "golden_reader: no files\n");
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		if (only_dump) {
			size_t length;
			char *text KH_CLEANUP(kh_freep) = dump(argv[i], &length);

			fputs(text, stdout);
		} else {
			failed += !compare(argv[1], argv[i]);
		}
	}
	return failed ? 1 : 0;
}
