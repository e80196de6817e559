// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: khien.conf. A file is taken with everything that must be in it, or refused with the line and what to write there. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "common/util.h"
#include "daemon/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_names(const struct kh_config_interfaces *interfaces)
{
	assert(interfaces->count >= 1 && interfaces->count <= KH_CONFIG_INTERFACES_MAX);
	for (size_t i = 0; i < interfaces->count; i++)
		assert(interfaces->names[i][0] && memchr(interfaces->names[i], '\0', IF_NAMESIZE));
}

static void check_prefixes(const struct kh_config_prefixes *prefixes)
{
	assert(prefixes->count <= KH_CONFIG_PREFIXES_MAX);
	for (size_t i = 0; i < prefixes->count; i++)
		assert(prefixes->ranges[i].first <= prefixes->ranges[i].last);
}

static void check_config(const struct kh_config *config, int lines)
{
	check_names(&config->wan);
	check_names(&config->lan);
	check_prefixes(&config->management);
	check_prefixes(&config->exempt);
	assert(config->mode < KH_MODE_COUNT && config->name[0]);
	assert(kh_utf8_check(config->name, strlen(config->name)) == strlen(config->name));
	assert(!strcmp(config->language, "vi") || !strcmp(config->language, "en"));
	assert(config->widest_ipv4 >= 0 && config->widest_ipv4 <= 32);
	assert(config->widest_ipv6 >= 0 && config->widest_ipv6 <= 128);
	assert(config->trust_keys_count <= KH_TRUST_KEYS_MAX &&
	       (!config->trust_file[0] || config->trust_file[0] == '/'));
	assert(!config->listen_set || config->listen_port);
	assert(!config->never_block[0] || config->never_block[0] == '/');
	for (size_t i = 0; i < KH_KEY_COUNT; i++)
		assert(config->lines[i] >= 0 && config->lines[i] <= lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kh_config config;
	struct kh_error error = { 0 };
	int lines = 1, result;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	config.wan.count = SIZE_MAX;
	result = kh_config_parse("fuzz", (const char *)data, size, &config, &error);
	assert(result == 0 || result == -EINVAL);
	if (!result) {
		check_config(&config, lines);
	} else {
		assert(config.wan.count == SIZE_MAX && error.text[0]);
		assert(error.line >= 0 && error.line <= lines);
	}
	return 0;
}
