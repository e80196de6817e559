/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text in other encodings than UTF-8: UTF-16, and those that Vietnamese was written in before: Windows-1258, TCVN3 (TCVN 5712:1993, ABC fonts), VNI. Which one is found
 * by what reads as Vietnamese; values are ASCII in all of them, so a wrong guess changes words, not addresses.
 */
#ifndef KHIEN_READER_CHARSET_H
#define KHIEN_READER_CHARSET_H

#include "reader/private.h"

/* 1: *ret_text is the text in UTF-8 and *ret_name its encoding, a constant; 0: it is UTF-8, or no text; -ENOMEM. */
int kh_charset_decode(const struct kh_input *input, struct kh_bytes *ret_text, const char **ret_name);

#endif
