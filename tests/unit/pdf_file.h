/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PDF files of our own: pages of lines of text, or of one grey picture each. */
#ifndef KHIEN_TESTS_PDF_FILE_H
#define KHIEN_TESTS_PDF_FILE_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/util.h"

struct pdf {
	struct kh_bytes bytes;
	size_t offsets[64];
	size_t objects; /* 1 and 2 are the catalogue and the pages, 3 the font */
	size_t pages[16], pages_count;
};

static void pdf_put(struct pdf *pdf, const void *data, size_t length)
{
	assert_int_equal(kh_bytes_add(&pdf->bytes, data, length), 0);
}

KH_PRINTF(2, 3) static void pdf_print(struct pdf *pdf, const char *format, ...)
{
	char text[2048];
	va_list values;
	int length;

	va_start(values, format);
	length = vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	assert_true(length >= 0 && (size_t)length < sizeof(text));
	pdf_put(pdf, text, (size_t)length);
}

static size_t pdf_object(struct pdf *pdf, size_t number)
{
	if (number > pdf->objects)
		pdf->objects = number;
	pdf->offsets[number] = pdf->bytes.length;
	pdf_print(pdf, "%zu 0 obj\n", number);
	return number;
}

static void pdf_begin(struct pdf *pdf)
{
	pdf_print(pdf, "%%PDF-1.4\n");
	pdf_object(pdf, 3);
	pdf_print(pdf, "<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>\nendobj\n");
}

/* A stream object with these bytes. */
static size_t pdf_stream(struct pdf *pdf, const char *dictionary, const void *data, size_t length)
{
	size_t number = pdf_object(pdf, pdf->objects + 1);

	pdf_print(pdf, "<< %s /Length %zu >>\nstream\n", dictionary, length);
	pdf_put(pdf, data, length);
	pdf_print(pdf, "\nendstream\nendobj\n");
	return number;
}

static void pdf_page(struct pdf *pdf, const char *resources, size_t content)
{
	pdf->pages[pdf->pages_count++] = pdf_object(pdf, pdf->objects + 1);
	pdf_print(
		pdf,
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << %s >> /Contents %zu 0 R >>\nendobj\n",
		resources, content);
}

/* Lines of ASCII without brackets, 14 points high. */
static void pdf_text_page(struct pdf *pdf, const char *const *lines)
{
	char content[4096] = "BT /F1 14 Tf 50 780 Td 22 TL\n";
	size_t used = strlen(content);

	for (; *lines; lines++)
		used += (size_t)snprintf(content + used, sizeof(content) - used, "(%s) Tj T*\n", *lines);
	used += (size_t)snprintf(content + used, sizeof(content) - used, "ET\n");
	assert_true(used < sizeof(content));
	pdf_page(pdf, "/Font << /F1 3 0 R >>", pdf_stream(pdf, "", content, used));
}

/* The page of a PGM picture ("P5 W H 255 bytes"). */
static void pdf_picture_page(struct pdf *pdf, const struct kh_bytes *pgm)
{
	unsigned int width, height, used = 0;
	char dictionary[256], resources[64];
	static const char content[] = "q 595 0 0 842 0 0 cm /Im Do Q\n";
	size_t image;

	assert_int_equal(sscanf((const char *)pgm->data, "P5 %u %u 255%n", &width, &height, (int *)&used), 2);
	assert_true(used && pgm->length >= used + 1 + (size_t)width * height);
	snprintf(dictionary, sizeof(dictionary),
		 "/Type /XObject /Subtype /Image /Width %u /Height %u /ColorSpace /DeviceGray /BitsPerComponent 8",
		 width, height);
	image = pdf_stream(pdf, dictionary, pgm->data + used + 1, (size_t)width * height);
	snprintf(resources, sizeof(resources), "/XObject << /Im %zu 0 R >>", image);
	pdf_page(pdf, resources, pdf_stream(pdf, "", content, sizeof(content) - 1));
}

static void pdf_end(struct pdf *pdf)
{
	size_t table;

	pdf_object(pdf, 2);
	pdf_print(pdf, "<< /Type /Pages /Count %zu /Kids [", pdf->pages_count);
	for (size_t i = 0; i < pdf->pages_count; i++)
		pdf_print(pdf, "%zu 0 R ", pdf->pages[i]);
	pdf_print(pdf, "] >>\nendobj\n");
	pdf_object(pdf, 1);
	pdf_print(pdf, "<< /Type /Catalog /Pages 2 0 R >>\nendobj\n");
	table = pdf->bytes.length;
	pdf_print(pdf, "xref\n0 %zu\n0000000000 65535 f \n", pdf->objects + 1);
	for (size_t i = 1; i <= pdf->objects; i++)
		pdf_print(pdf, "%010zu 00000 n \n", pdf->offsets[i]);
	pdf_print(pdf, "trailer << /Size %zu /Root 1 0 R >>\nstartxref\n%zu\n%%%%EOF\n", pdf->objects + 1, table);
}

#endif
