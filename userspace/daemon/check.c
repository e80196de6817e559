/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The check as a whole, its findings, and the keys that need no look at the links.
 */
#include "daemon/check.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/lang.h"
#include "daemon/check_private.h"
#include "daemon/source.h"
#include "daemon/trust.h"
#include "guard/guard.h"
#include "reader/issuers.h"

void kh_check_add(struct kh_check *check, const struct kh_config *config, enum kh_severity severity,
		  enum kh_config_key key, const char *format, ...)
{
	struct kh_check_finding *finding;
	size_t used;
	va_list args;

	if (check->count == KH_CHECK_MAX) {
		check->more++;
		return;
	}
	finding = &check->findings[check->count++];
	*finding = (struct kh_check_finding){ .severity = severity, .key = key, .line = config->lines[key] };
	used = (size_t)snprintf(finding->text, sizeof(finding->text), "%s: ", kh_config_key_name(key));
	va_start(args, format);
	vsnprintf(finding->text + used, sizeof(finding->text) - used, format, args);
	va_end(args);
}

void kh_check_hint(struct kh_check *check, const char *format, ...)
{
	va_list args;

	if (check->more > 0)
		return;
	va_start(args, format);
	vsnprintf(check->findings[check->count - 1].hint, sizeof(check->findings[0].hint), format, args);
	va_end(args);
}

void kh_check_append(char names[static KH_NAMES_TEXT], const char *name)
{
	size_t used = strlen(names), length = strlen(name);

	for (const char *at = strstr(names, name); at; at = strstr(at + 1, name))
		if ((at == names || at[-1] == ' ') && (at[length] == '\0' || at[length] == ' '))
			return; /* it stands there already */
	snprintf(names + used, KH_NAMES_TEXT - used, "%s%s", used > 0 ? " " : "", name);
}

char *kh_check_names(const struct kh_config *config, enum kh_config_key key, const char *drop, const char *insert,
		     char buffer[static KH_NAMES_TEXT])
{
	const struct kh_config_interfaces *list = key == KH_KEY_WAN ? &config->wan : &config->lan;

	buffer[0] = '\0';
	for (size_t i = 0; i < list->count; i++) {
		if (!drop || strcmp(list->names[i], drop) != 0)
			kh_check_append(buffer, list->names[i]);
		else if (insert)
			kh_check_append(buffer, insert);
	}
	if (!drop && insert)
		kh_check_append(buffer, insert);
	return buffer;
}

static bool is_loopback(const struct kh_range *address)
{
	return address->family == 4 ? (address->first >> 24) == 127 : address->first == 1;
}

/* The network of the first lan interface that has one: better than an example. */
static const struct kh_range *office_network(const struct kh_checked *checked)
{
	for (size_t i = 0; i < checked->links->addresses_count; i++) {
		const struct kh_link_address *address = &checked->links->addresses[i];
		const struct kh_link *link = kh_link_by_index(checked->links, address->ifindex);

		if (link && address->subnet.family == 4 && kh_check_role(checked, link) == KH_KEY_LAN)
			return &address->subnet;
	}
	return NULL;
}

static void check_values(const struct kh_checked *checked)
{
	const struct kh_config *config = checked->config;
	const struct kh_range *office = office_network(checked);
	char text[KH_RANGE_TEXT];

	if (config->management.count == 0) {
		kh_check_add(checked->check, config, KH_WARNING, KH_KEY_MANAGEMENT,
			     _("empty: a letter could block the network you administer this gateway from"));
		kh_check_hint(checked->check, _("write: %s = %s"), "management",
			      office ? kh_range_format(office, text) : "10.20.0.0/24");
	}
	if (config->listen_set && !is_loopback(&config->listen)) {
		kh_check_add(checked->check, config, KH_ERROR, KH_KEY_LISTEN,
			     _("%s is reached from other machines, and nobody is asked for a password there"),
			     kh_range_format(&config->listen, text));
		kh_check_hint(checked->check,
			      config->listen.family == 6 ? _("write: listen = [::1]:%d")
							 : _("write: listen = 127.0.0.1:%d"),
			      config->listen_port);
	}
	if (config->exempt.count > 0) {
		kh_check_add(checked->check, config, KH_WARNING, KH_KEY_EXEMPT,
			     config->exempt.count == 1
				     ? _("%s may be blocked although it is a special-purpose range")
				     : _("%s and others may be blocked although they are special-purpose ranges"),
			     kh_range_format(&config->exempt.ranges[0], text));
		kh_check_hint(checked->check, _("meant for laboratories: remove the line on a real gateway"));
	}
}

void kh_check(const struct kh_config *config, const struct kh_links *links, struct kh_check *check)
{
	struct kh_checked checked = { .config = config, .links = links, .check = check };

	kh_check_interfaces(&checked);
	kh_check_routes(&checked);
	check_values(&checked);
}

static void check_list(const struct kh_config *config, struct kh_guard *guard, const char *name, struct kh_check *check)
{
	char *path KH_CLEANUP(kh_freep) = NULL;
	char *data KH_CLEANUP(kh_freep) = NULL;
	struct kh_error error = {};
	size_t length;
	int err = -ENOMEM;

	if (asprintf(&path, "%s/%s", config->never_block, name) >= 0)
		err = kh_file_read(path, KH_GUARD_LIST_BYTES, &data, &length);
	else
		path = NULL;
	if (err < 0) {
		kh_check_add(check, config, KH_ERROR, KH_KEY_NEVER_BLOCK, "%s: %s", path ? path : name, strerror(-err));
		kh_check_hint(check, _("the list must be readable by root, and a file"));
		return;
	}
	if (kh_guard_add_list(guard, name, data, length, &error) < 0) {
		kh_check_add(check, config, KH_ERROR, KH_KEY_NEVER_BLOCK, "%s/%s", config->never_block, error.text);
		kh_check_hint(check, "%s", error.hint);
	}
}

static void hint_folder(const struct kh_config *config, struct kh_check *check)
{
	static const char folder[] = KH_SYSCONFDIR "/khien/never-block.d";

	if (strcmp(config->never_block, folder) != 0)
		kh_check_hint(check, _("write: %s = %s"), "never_block", folder);
	else
		kh_check_hint(check, _("the lists come with khien: install it again"));
}

void kh_check_lists(const struct kh_config *config, struct kh_check *check)
{
	struct kh_guard *guard;
	struct dirent **names = NULL;
	int count = scandir(config->never_block, &names, kh_guard_is_list, alphasort);

	if (count < 0) {
		kh_check_add(check, config, KH_ERROR, KH_KEY_NEVER_BLOCK, "%s: %s", config->never_block,
			     strerror(errno));
		hint_folder(config, check);
		return;
	}
	if (count == 0) {
		kh_check_add(check, config, KH_WARNING, KH_KEY_NEVER_BLOCK,
			     _("no *.list file in %s: DNS and time servers could be blocked"), config->never_block);
		hint_folder(config, check);
	}
	guard = kh_guard_new();
	for (int i = 0; i < count; i++) {
		if (guard)
			check_list(config, guard, names[i]->d_name, check);
		free(names[i]);
	}
	free(names);
	if (!guard)
		kh_check_add(check, config, KH_ERROR, KH_KEY_NEVER_BLOCK, "%s", strerror(ENOMEM));
	kh_guard_free(guard);
}

/* ---- Issuers ------------------------------------------------------------------------------------ */

struct checked_issuers {
	const struct kh_config *config;
	struct kh_issuers *issuers;
	struct kh_check *check;
};

static int check_issuers_file(const char *name, int code, const char *data, size_t length, void *context)
{
	const struct checked_issuers *checked = context;
	const char *folder = checked->config->issuers;
	struct kh_error error = {};

	if (code < 0) {
		kh_check_add(checked->check, checked->config, KH_ERROR, KH_KEY_ISSUERS, "%s/%s: %s", folder, name,
			     strerror(-code));
		kh_check_hint(checked->check, _("the list must be readable by root, and a file"));
	} else if (kh_issuers_add(checked->issuers, name, data, length, &error) < 0) {
		kh_check_add(checked->check, checked->config, KH_ERROR, KH_KEY_ISSUERS, "%s/%s", folder, error.text);
		kh_check_hint(checked->check, "%s", error.hint);
	}
	return 0;
}

void kh_check_issuers(const struct kh_config *config, struct kh_check *check)
{
	struct kh_issuers *issuers KH_CLEANUP(kh_issuers_freep) = kh_issuers_new();
	struct checked_issuers checked = { config, issuers, check };
	int code = issuers ? kh_folder_read(config->issuers, KH_ISSUERS_ENDING, KH_ISSUERS_FILE_BYTES,
					    check_issuers_file, &checked)
			   : -ENOMEM;

	if (code >= 0 || (code == -ENOENT && !config->lines[KH_KEY_ISSUERS])) /* an installation of before they came */
		return;
	kh_check_add(check, config, KH_ERROR, KH_KEY_ISSUERS, "%s: %s", config->issuers, strerror(-code));
	kh_check_hint(check, _("write: %s = %s"), "issuers", KH_SYSCONFDIR "/khien/issuers.d");
}

/* ---- Proxy -------------------------------------------------------------------------------------- */

static void forget(char *secret)
{
	if (!secret)
		return;
	explicit_bzero(secret, strlen(secret));
	free(secret);
}

void kh_check_proxy(const struct kh_config *config, struct kh_check *check)
{
	char *user = NULL, *password = NULL;
	struct kh_error error = {};

	if (!config->proxy_credentials[0])
		return;
	if (!config->proxy[0]) {
		kh_check_add(check, config, KH_ERROR, KH_KEY_PROXY_CREDENTIALS, _("there is no proxy to show them to"));
		kh_check_hint(check, _("write: %s = %s"), "proxy", "http://proxy.example:3128");
	} else if (kh_secrets_read(config->proxy_credentials, &user, &password, NULL, &error) < 0) {
		kh_check_add(check, config, KH_ERROR, KH_KEY_PROXY_CREDENTIALS, "%s", error.text);
		kh_check_hint(check, "%s",
			      error.hint[0] ? error.hint : _("write two lines, user = NAME and password = TEXT"));
	}
	forget(user);
	forget(password);
}

/* ---- Trust -------------------------------------------------------------------------------------- */

void kh_check_trust(const struct kh_config *config, struct kh_check *check)
{
	struct kh_error error = {};
	struct kh_trust trust;

	if (kh_trust_read(config, &trust, &error) >= 0)
		return;
	kh_check_add(check, config, KH_ERROR, KH_KEY_TRUST_KEYS, "%s", error.text);
	kh_check_hint(check, "%s", error.hint[0] ? error.hint : _("a file of public keys of minisign, one a line"));
}

enum kh_severity kh_check_worst(const struct kh_check *check)
{
	enum kh_severity worst = KH_NOTICE;

	for (size_t i = 0; i < check->count; i++)
		if (check->findings[i].severity > worst)
			worst = check->findings[i].severity;
	return worst;
}

const char *kh_severity_name(enum kh_severity severity)
{
	static const char *const names[] = { N_("notice"), N_("warning"), N_("error") };

	_Static_assert(KH_ARRAY_SIZE(names) == KH_SEVERITY_COUNT, "every severity has a name");
	return _(names[severity]);
}

void kh_check_print(FILE *out, const char *file, const struct kh_check *check)
{
	for (size_t i = 0; i < check->count; i++) {
		const struct kh_check_finding *finding = &check->findings[i];

		if (finding->line > 0)
			fprintf(out, "%s:%d: ", file, finding->line);
		else
			fprintf(out, "%s: ", file);
		fprintf(out, "%s: %s\n", kh_severity_name(finding->severity), finding->text);
		if (finding->hint[0])
			fprintf(out, "    %s\n", finding->hint);
	}
	if (check->more > 0)
		fprintf(out, _("%s: and %zu more\n"), file, check->more);
}
