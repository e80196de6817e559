/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wan and lan against the links: does each exist, what carries it, and is anything listed twice in another shape.
 */
#include "daemon/check_private.h"

#include <net/if_arp.h>
#include <string.h>

#include "common/lang.h"
#include "daemon/config_lines.h"

static bool is_kind(const struct kh_link *link, const char *kind)
{
	return strcmp(link->kind, kind) == 0;
}

static void hint_names(const struct kh_checked *checked, enum kh_config_key key, const char *drop, const char *insert)
{
	char names[KH_NAMES_TEXT];

	kh_check_names(checked->config, key, drop, insert, names);
	kh_check_hint(checked->check, _("write: %s = %s"), kh_config_key_name(key), names);
}

static void no_such_link(const struct kh_checked *checked, const struct kh_listed *listed)
{
	const char *names[64];
	const char *nearest;
	char all[200] = "";
	size_t count = 0;

	for (size_t i = 0; i < checked->links->links_count && count < KH_ARRAY_SIZE(names); i++) {
		const struct kh_link *link = &checked->links->links[i];
		size_t used = strlen(all);

		if (link->type == ARPHRD_LOOPBACK)
			continue;
		snprintf(all + used, sizeof(all) - used, "%s%s", used > 0 ? " " : "", link->name);
		names[count++] = link->name;
	}
	kh_check_add(checked->check, checked->config, KH_ERROR, listed->key, _("%s: no such interface; there are: %s"),
		     listed->name, all[0] ? all : _("none"));
	nearest = kh_config_nearest(listed->name, names, count);
	if (nearest && !kh_config_has(&checked->config->wan, nearest) && !kh_config_has(&checked->config->lan, nearest))
		hint_names(checked, listed->key, listed->name, nearest);
	else
		kh_check_hint(checked->check, _("an interface that comes later is attached to when it comes"));
}

/* The list with every name replaced by what carries it. */
static void hint_carriers(const struct kh_checked *checked, enum kh_config_key key)
{
	char names[KH_NAMES_TEXT] = "";

	for (size_t i = 0; i < checked->count; i++) {
		const struct kh_listed *listed = &checked->listed[i];

		if (listed->key == key)
			kh_check_append(names, listed->carrier ? listed->carrier->name : listed->name);
	}
	kh_check_hint(checked->check, _("write: %s = %s"), kh_config_key_name(key), names);
}

/* Finds the link and its carrier, and says what is special about them. */
static void resolve(const struct kh_checked *checked, struct kh_listed *listed)
{
	struct kh_error error = { 0 };

	listed->link = kh_link_by_name(checked->links, listed->name);
	if (!listed->link) {
		no_such_link(checked, listed);
		return;
	}
	if (listed->link->type == ARPHRD_LOOPBACK) {
		kh_check_add(checked->check, checked->config, KH_ERROR, listed->key,
			     _("%s is the loopback: nothing comes from outside there"), listed->name);
		kh_check_hint(checked->check, _("khiend --detect proposes interfaces"));
		listed->link = NULL;
		return;
	}
	if (kh_link_carrier(checked->links, listed->link, &listed->carrier, &error) < 0) {
		listed->carrier = NULL;
		kh_check_add(checked->check, checked->config, KH_ERROR, listed->key, "%s", error.text);
		kh_check_hint(checked->check, "%s", error.hint);
		return;
	}
	if (!listed->link->up) {
		kh_check_add(checked->check, checked->config, KH_NOTICE, listed->key, _("%s is down"), listed->name);
		kh_check_hint(checked->check, "ip link set %s up", listed->name);
	}
}

/* One of the two stands on the other, and both are listed. */
static void both_listed(const struct kh_checked *checked, const struct kh_listed *upper, const struct kh_listed *lower)
{
	kh_check_add(checked->check, checked->config, KH_ERROR, upper->key, _("%s runs over %s, and both are listed"),
		     upper->name, lower->name);
	if (upper->key == lower->key)
		hint_names(checked, upper->key, upper->name, NULL);
	else
		kh_check_hint(checked->check, _("wan and lan each need an Ethernet port of their own"));
}

static void same_carrier(const struct kh_checked *checked, const struct kh_listed *a, const struct kh_listed *b)
{
	if (a->key != b->key) {
		kh_check_add(checked->check, checked->config, KH_ERROR, b->key,
			     _("%s and %s are both carried by %s: one port cannot be wan and lan"), a->name, b->name,
			     a->carrier->name);
		kh_check_hint(checked->check, _("wan and lan each need an Ethernet port of their own"));
		return;
	}
	kh_check_add(checked->check, checked->config, KH_NOTICE, b->key,
		     _("%s and %s are both carried by %s, which is watched once"), a->name, b->name, a->carrier->name);
	hint_carriers(checked, b->key);
}

/* Each pair once. True when the second of them has been explained by it. */
static bool compare_pairs(const struct kh_checked *checked, size_t index)
{
	const struct kh_listed *b = &checked->listed[index];
	bool explained = false;

	for (size_t i = 0; i < checked->count; i++) {
		const struct kh_listed *a = &checked->listed[i];

		if (i == index || !a->link || !b->link)
			continue;
		if (kh_link_is_above(checked->links, b->link, a->link)) {
			both_listed(checked, b, a);
			explained = true;
		} else if (i < index && a->carrier && a->carrier == b->carrier &&
			   !kh_link_is_above(checked->links, a->link, b->link)) {
			same_carrier(checked, a, b);
		}
	}
	return explained;
}

/* wan = ppp0 or eth0.11: right in substance, so it is said where the programs go. */
static void carried(const struct kh_checked *checked, const struct kh_listed *listed)
{
	if (!listed->carrier || listed->carrier == listed->link)
		return;
	kh_check_add(checked->check, checked->config, KH_NOTICE, listed->key,
		     _("%s is carried by %s: the programs are attached there"), listed->name, listed->carrier->name);
	hint_carriers(checked, listed->key);
}

static void bridge(const struct kh_checked *checked, const struct kh_listed *listed)
{
	char ports[KH_NAMES_TEXT] = "";

	if (!listed->link || !is_kind(listed->link, "bridge"))
		return;
	for (size_t i = 0; i < checked->links->links_count; i++) {
		const struct kh_link *port = &checked->links->links[i];
		size_t used = strlen(ports);

		if (port->master == listed->link->ifindex)
			snprintf(ports + used, sizeof(ports) - used, "%s%s", used > 0 ? " " : "", port->name);
	}
	kh_check_add(checked->check, checked->config, KH_WARNING, listed->key,
		     _("%s is a bridge: list its ports, where native XDP can be attached"), listed->name);
	if (ports[0])
		hint_names(checked, listed->key, listed->name, ports);
	else
		kh_check_hint(checked->check, _("it has no ports yet"));
}

/* A port of the same bridge that is in no role lets traffic through unjudged. */
static void other_ports(const struct kh_checked *checked, const struct kh_listed *listed)
{
	const struct kh_link *master;

	if (!listed->link || listed->link->master == 0)
		return;
	master = kh_link_by_index(checked->links, listed->link->master);
	for (size_t i = 0; master && is_kind(master, "bridge") && i < checked->links->links_count; i++) {
		const struct kh_link *port = &checked->links->links[i];

		if (port->master != master->ifindex || kh_check_role(checked, port) != KH_KEY_COUNT)
			continue;
		kh_check_add(checked->check, checked->config, KH_WARNING, listed->key,
			     _("%s is a port of %s like %s, and in no role: what arrives there is not judged"),
			     port->name, master->name, listed->name);
		hint_names(checked, listed->key, NULL, port->name);
	}
}

static void list(struct kh_checked *checked, const struct kh_config_interfaces *interfaces, enum kh_config_key key)
{
	for (size_t i = 0; i < interfaces->count; i++)
		checked->listed[checked->count++] = (struct kh_listed){ .name = interfaces->names[i], .key = key };
}

enum kh_config_key kh_check_role(const struct kh_checked *checked, const struct kh_link *link)
{
	for (size_t i = 0; i < checked->count; i++) {
		const struct kh_listed *listed = &checked->listed[i];

		if (listed->link && (listed->link == link || listed->link->ifindex == link->master))
			return listed->key;
		if (listed->carrier &&
		    (listed->carrier == link || kh_link_is_above(checked->links, link, listed->carrier)))
			return listed->key;
	}
	return KH_KEY_COUNT;
}

void kh_check_interfaces(struct kh_checked *checked)
{
	list(checked, &checked->config->wan, KH_KEY_WAN);
	list(checked, &checked->config->lan, KH_KEY_LAN);
	for (size_t i = 0; i < checked->count; i++)
		resolve(checked, &checked->listed[i]);
	for (size_t i = 0; i < checked->count; i++) {
		if (compare_pairs(checked, i))
			continue;
		carried(checked, &checked->listed[i]);
		bridge(checked, &checked->listed[i]);
		other_ports(checked, &checked->listed[i]);
	}
}
