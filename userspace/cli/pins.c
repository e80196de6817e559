// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The layout of the pins is userspace/kernel/kernel.h's: v<ABI>/links/<hook>-<ifindex>.
 */
#include "cli/pins.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "common/util.h"

/* "tc-ingress-2" -> "eth0 tc-ingress"; an interface that is gone keeps its number. */
static json_t *name_of(const char *pin)
{
	const char *dash = strrchr(pin, '-');
	char interface[IF_NAMESIZE], text[NAME_MAX + IF_NAMESIZE + 2];
	int64_t index;

	if (!dash || kh_number_parse(dash + 1, 1, INT32_MAX, &index) < 0)
		snprintf(text, sizeof(text), "%s", pin);
	else if (if_indextoname((unsigned int)index, interface))
		snprintf(text, sizeof(text), "%s %.*s", interface, (int)(dash - pin), pin);
	else
		snprintf(text, sizeof(text), "#%lld %.*s", (long long)index, (int)(dash - pin), pin);
	return json_string(text);
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int version(const struct dirent *entry)
{
	size_t digits = entry->d_name[0] == 'v' ? strspn(entry->d_name + 1, "0123456789") : 0;

	return digits && !entry->d_name[1 + digits];
}

static int scan(const char *folder, int (*wanted)(const struct dirent *), struct dirent ***ret_entries)
{
	int count = scandir(folder, ret_entries, wanted, alphasort);

	return count < 0 && errno == ENOENT ? 0 : count < 0 ? -errno : count;
}

static int add_links(const char *folder, json_t *links)
{
	struct dirent **entries = NULL;
	int count = scan(folder, not_hidden, &entries);

	for (int i = 0; i < count; i++) {
		json_array_append_new(links, name_of(entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	return count;
}

json_t *kh_pins_read(const char *folder, int *ret_error)
{
	struct dirent **entries = NULL;
	int count = scan(folder, version, &entries), code = count;
	json_t *links = json_array();

	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s/links", folder, entries[i]->d_name);
		if (code >= 0)
			code = add_links(path, links);
		free(entries[i]);
	}
	free(entries);
	if (code >= 0)
		return links;
	json_decref(links);
	*ret_error = -code;
	return NULL;
}
