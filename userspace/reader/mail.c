// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mail (RFC 5322, MIME), taken apart by GMime. The text is the document, quoted letters with it; what is attached are files to be read by themselves. Headers
 * are about the mail's way here, and hold no indicators.
 */
#include <errno.h>
#include <gmime/gmime.h>
#include <stdio.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "reader/html.h"

#define DEPTH_MAX 16
#define PARTS_MAX 500

struct mail {
	struct kh_collector *collector;
	struct kh_flow flow;
	size_t parts, pictures;
	int depth;
};

/* ---- Parts ------------------------------------------------------------------------------------------------ */

/* What the part holds, decoded. */
static int content_of(GMimePart *part, struct kh_bytes *ret_bytes)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GMimeStream *stream = g_mime_stream_mem_new();
	GByteArray *bytes;
	int result = 0;

	if (content && g_mime_data_wrapper_write_to_stream(content, stream) >= 0) {
		bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
		result = kh_bytes_add(ret_bytes, bytes->data ? (const void *)bytes->data : "", bytes->len);
	}
	g_object_unref(stream);
	return result;
}

/* Quote marks of forwarded letters ("> > ") are no part of a line. */
static int read_plain(struct mail *mail, const char *text)
{
	int result = 0;

	while (*text && !result) {
		size_t length = strcspn(text, "\n"), start = 0;

		while (start < length &&
		       (text[start] == '>' || (text[start] == ' ' && start && text[start - 1] == '>')))
			start++;
		result = kh_flow_text(&mail->flow, text + start, length - start);
		if (!result)
			result = kh_flow_break(&mail->flow);
		text += length + (text[length] == '\n');
	}
	return result;
}

static int read_text(struct mail *mail, GMimeTextPart *part, bool html)
{
	char *text = g_mime_text_part_get_text(part);
	int result = 0;

	if (text && html)
		result = kh_html_flow(text, strlen(text), &mail->flow);
	else if (text)
		result = read_plain(mail, text);
	g_free(text);
	return result ? result : kh_flow_break(&mail->flow);
}

static int attach(struct mail *mail, GMimePart *part, const char *name, const char *ending)
{
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {};
	char made[32];
	int result = content_of(part, &bytes);

	snprintf(made, sizeof(made), "part-%zu%s", mail->parts, ending);
	return result ? result
		      : kh_collect_part(mail->collector, name && *name ? name : made,
					bytes.data ? (const void *)bytes.data : "", bytes.length);
}

static int read_leaf(struct mail *mail, GMimePart *part)
{
	GMimeObject *object = GMIME_OBJECT(part);
	GMimeContentType *type = g_mime_object_get_content_type(object);
	const char *name = g_mime_part_get_filename(part), *disposition = g_mime_object_get_disposition(object);
	bool attached = (disposition && !strcasecmp(disposition, "attachment")) || name;

	if (!attached && GMIME_IS_TEXT_PART(object) &&
	    (g_mime_content_type_is_type(type, "text", "plain") || g_mime_content_type_is_type(type, "text", "html")))
		return read_text(mail, GMIME_TEXT_PART(object), g_mime_content_type_is_type(type, "text", "html"));
	if (g_mime_content_type_is_type(type, "application", "ms-tnef"))
		return kh_collect_note(
			mail->collector,
			_("NOT READ: winmail.dat, a format of Outlook: ask for the attachments as files"));
	if (g_mime_content_type_is_type(type, "application", "pkcs7-mime") ||
	    g_mime_content_type_is_type(type, "application", "pgp-encrypted"))
		return kh_collect_note(
			mail->collector,
			_("NOT READ: an encrypted part: open it in the mail program and save what it holds"));
	if (g_mime_content_type_is_type(type, "application", "pkcs7-signature") ||
	    g_mime_content_type_is_type(type, "application", "pgp-signature"))
		return 0;
	if (g_mime_content_type_is_type(type, "image", "*") && g_mime_part_get_content_id(part) &&
	    !(disposition && !strcasecmp(disposition, "attachment"))) {
		mail->pictures++;
		return 0;
	}
	return attach(mail, part, name, "");
}

static int read_object(struct mail *mail, GMimeObject *object);

/* Of several forms of one text: the one with tables, else the plain one. */
static int read_alternative(struct mail *mail, GMimeMultipart *multipart)
{
	GMimeObject *plain = NULL, *html = NULL;
	int count = g_mime_multipart_get_count(multipart), result = 0;
	bool tables = false;

	for (int i = 0; i < count; i++) {
		GMimeObject *part = g_mime_multipart_get_part(multipart, i);
		GMimeContentType *type = g_mime_object_get_content_type(part);

		if (GMIME_IS_TEXT_PART(part) && g_mime_content_type_is_type(type, "text", "plain")) {
			plain = part;
		} else if (GMIME_IS_TEXT_PART(part) && g_mime_content_type_is_type(type, "text", "html")) {
			char *text = g_mime_text_part_get_text(GMIME_TEXT_PART(part));

			html = part;
			tables = text && strcasestr(text, "<table");
			g_free(text);
		} else if (!result) {
			result = read_object(mail, part);
		}
	}
	if (result || (!plain && !html))
		return result;
	return read_object(mail, html && (tables || !plain) ? html : plain);
}

static int read_message(struct mail *mail, GMimeMessage *message)
{
	GMimeObject *object = message ? g_mime_message_get_mime_part(message) : NULL;

	return object ? read_object(mail, object) : 0;
}

static int read_multipart(struct mail *mail, GMimeMultipart *multipart)
{
	int count = g_mime_multipart_get_count(multipart), result = 0;

	if (GMIME_IS_MULTIPART_ENCRYPTED(multipart))
		return kh_collect_note(
			mail->collector,
			_("NOT READ: an encrypted part: open it in the mail program and save what it holds"));
	if (g_mime_content_type_is_type(g_mime_object_get_content_type(GMIME_OBJECT(multipart)), "multipart",
					"alternative"))
		return read_alternative(mail, multipart);
	for (int i = 0; i < count && !result; i++)
		result = read_object(mail, g_mime_multipart_get_part(multipart, i));
	return result;
}

static int read_object(struct mail *mail, GMimeObject *object)
{
	int result = 0;

	if (++mail->parts > PARTS_MAX || mail->depth >= DEPTH_MAX) {
		kh_fail(mail->collector->error, -EFBIG, _("%s: more than %d parts, or nested deeper than %d"),
			mail->collector->document->file, PARTS_MAX, DEPTH_MAX);
		kh_hint(mail->collector->error, _("save its attachments and read those"));
		return -EFBIG;
	}
	mail->depth++;
	if (GMIME_IS_MULTIPART(object))
		result = read_multipart(mail, GMIME_MULTIPART(object));
	else if (GMIME_IS_MESSAGE_PART(object))
		result = read_message(mail, g_mime_message_part_get_message(GMIME_MESSAGE_PART(object)));
	else if (GMIME_IS_PART(object))
		result = read_leaf(mail, GMIME_PART(object));
	mail->depth--;
	return result;
}

/* ---- The mail ------------------------------------------------------------------------------------------------ */

static int read_head(struct mail *mail, GMimeMessage *message)
{
	struct kh_letter *letter = &mail->collector->document->letter;
	const char *subject = g_mime_message_get_subject(message);
	GDateTime *date = g_mime_message_get_date(message);
	char *text = NULL;

	if (subject) {
		letter->subject = kh_compose(subject, strlen(subject));
		if (!letter->subject)
			return -ENOMEM;
		kh_text_printable(letter->subject);
	}
	if (date)
		text = g_date_time_format(date, "%Y-%m-%d");
	if (text) {
		letter->date = strdup(text);
		g_free(text);
	}
	return text && !letter->date ? -ENOMEM : 0;
}

int kh_mail_extract(const struct kh_input *input, struct kh_collector *collector, struct kh_bytes *ret_text)
{
	struct mail mail = { .collector = collector, .flow = { .text = ret_text } };
	bool box = !strncmp(input->text, "From ", input->length < 5 ? input->length : 5);
	GMimeStream *stream;
	GMimeParser *parser;
	GMimeMessage *message;
	int result = 0;

	g_mime_init();
	stream = g_mime_stream_mem_new_with_buffer(input->text, input->length);
	parser = g_mime_parser_new_with_stream(stream);
	g_mime_parser_set_format(parser, box ? GMIME_FORMAT_MBOX : GMIME_FORMAT_MESSAGE);
	message = g_mime_parser_construct_message(parser, NULL);
	if (message)
		result = read_head(&mail, message);
	if (!result)
		result = read_message(&mail, message);
	if (!result && box && !g_mime_parser_eos(parser))
		result = kh_collect_note(
			collector, _("NOT READ: a mailbox; only its first mail was read: save the others as files"));
	if (!result && mail.pictures)
		result = kh_collect_note(collector,
					 _("pictures in it: %zu; what they show is not read: compare with the letter"),
					 mail.pictures);
	if (message)
		g_object_unref(message);
	g_object_unref(parser);
	g_object_unref(stream);
	kh_flow_clear(&mail.flow);
	return result;
}
