/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHIEN_READER_HTML_H
#define KHIEN_READER_HTML_H

#include "reader/flow.h"

/* What a browser would show of it (UTF-8), onto the end of the flow. 0, -ENOMEM, -EFBIG. */
int kh_html_flow(const char *text, size_t length, struct kh_flow *flow);

#endif
