/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists in the form of MISP's warninglists: what is often listed by mistake. Addresses and names are taken; patterns are not, since what they would spare cannot be
 * told beforehand.
 */
#include "guard/private.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"

struct warninglist {
	struct kh_guard *guard;
	const char *file;
	enum kh_decision_reason kind;
	bool below; /* names are meant with all below them */
	size_t taken;
};

static int refuse(const char *file, int line, const char *what, struct kh_error *error)
{
	kh_fail_at(error, -EINVAL, line, "%s: %s", file, what);
	kh_hint(error, _("write a .list file instead: one address, prefix, range or name a line"));
	return -EINVAL;
}

/* An address, prefix or name; other entries (parts of URLs, mail addresses) speak of nothing that is judged here, and
 * one of a whole address family would spare everything. */
static int take_entry(struct warninglist *list, size_t number, const char *text)
{
	struct kh_indicator indicator = { 0 };
	struct kh_range range;
	char rule[256];
	int code;

	snprintf(rule, sizeof(rule), "%s:%zu", list->file, number + 1);
	kh_text_printable(rule);
	if (!kh_range_parse(text, strlen(text), &range)) {
		if (range.first == 0 && range.last == kh_address_max(range.family))
			return 0;
		list->taken++;
		return kh_guard_add(list->guard, &range, list->kind, rule);
	}
	text += *text == '.';
	code = strchr(text, '/') ? -EINVAL : kh_indicator_parse(text, &indicator, NULL);
	if (code == -ENOMEM)
		return code;
	if (!code && indicator.type == KH_TYPE_DOMAIN) {
		indicator.subdomains = indicator.subdomains || list->below;
		list->taken++;
		code = kh_guard_add_host(list->guard, &indicator, list->kind, rule);
	} else {
		code = 0;
	}
	kh_indicator_clear(&indicator);
	return code;
}

static int read_root(struct warninglist *list, const json_t *root, struct kh_error *error)
{
	const char *type = json_string_value(json_object_get(root, "type"));
	const json_t *entries = json_object_get(root, "list");
	int code = 0;

	if (!json_is_array(entries))
		return refuse(list->file, 0, _("not a warninglist: it has no \"list\""), error);
	if (type && strcmp(type, "cidr") != 0 && strcmp(type, "string") != 0 && strcmp(type, "hostname") != 0)
		return refuse(list->file, 0, _("a warninglist of patterns, which is not used here"), error);
	list->below = type && !strcmp(type, "hostname");
	for (size_t i = 0; i < json_array_size(entries) && !code; i++) {
		const char *text = json_string_value(json_array_get(entries, i));

		code = text ? take_entry(list, i, text) : 0;
	}
	if (!code && !list->taken)
		return refuse(list->file, 0, _("a warninglist without an address or name"), error);
	return code;
}

int kh_guard_add_warninglist(struct kh_guard *guard, const char *name, const char *data, size_t length,
			     struct kh_error *error)
{
	size_t end = strlen(name);
	bool shared = end >= 12 && !strcmp(name + end - 12, ".shared.json");
	struct warninglist list = { .guard = guard, .file = name, .kind = shared ? KH_WHY_SHARED : KH_WHY_NEVER_BLOCK };
	json_error_t why;
	json_t *root = json_loadb(data, length, 0, &why);
	int code;

	if (!root) {
		kh_text_printable(why.text);
		return refuse(name, why.line, why.text, error);
	}
	code = read_root(&list, root, error);
	json_decref(root);
	return code;
}
