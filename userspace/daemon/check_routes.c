/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which way traffic goes: WAN and LAN swapped, a default route or a forwarding interface that is not watched.
 */
#include "daemon/check_private.h"

#include <net/if_arp.h>
#include <string.h>

#include "common/lang.h"

static void hint_names(const struct kh_checked *checked, enum kh_config_key key, const char *insert)
{
	char names[KH_NAMES_TEXT];

	kh_check_names(checked->config, key, NULL, insert, names);
	kh_check_hint(checked->check, _("write: %s = %s"), kh_config_key_name(key), names);
}

/* The first listed interface of the role that `link` stands on. */
static const struct kh_listed *listed_for(const struct kh_checked *checked, const struct kh_link *link)
{
	for (size_t i = 0; i < checked->count; i++) {
		const struct kh_listed *listed = &checked->listed[i];

		if (listed->link == link ||
		    (listed->carrier &&
		     (listed->carrier == link || kh_link_is_above(checked->links, link, listed->carrier))))
			return listed;
	}
	return NULL;
}

/* wan takes the lan interface that faces the provider, lan keeps its others and takes what was wan. */
static void hint_swapped(const struct kh_checked *checked, const struct kh_listed *outside)
{
	char office[KH_NAMES_TEXT], wan[KH_NAMES_TEXT];

	kh_check_names(checked->config, KH_KEY_WAN, NULL, NULL, wan);
	if (checked->config->lan.count > 1)
		kh_check_names(checked->config, KH_KEY_LAN, outside->name, NULL, office);
	else
		office[0] = '\0';
	kh_check_hint(checked->check, _("write: wan = %s, and: lan = %s%s%s"), outside->name, wan, office[0] ? " " : "",
		      office);
}

static void swapped(const struct kh_checked *checked, const struct kh_link *link)
{
	const struct kh_listed *outside = listed_for(checked, link);

	kh_check_add(checked->check, checked->config, KH_ERROR, KH_KEY_WAN,
		     _("the default route leaves by %s, which is in lan: are wan and lan swapped?"), link->name);
	if (outside)
		hint_swapped(checked, outside);
}

static bool in_prefix(const struct kh_range *address, kh_u128 network, uint8_t length)
{
	struct kh_range prefix = kh_range_of_prefix(network, length, address->family);

	return kh_range_contains(&prefix, address);
}

/* Private use (RFC 1918, RFC 4193). The provider's shared space (RFC 6598) is not the office's. */
static bool is_private(const struct kh_range *address)
{
	if (address->family == 6)
		return in_prefix(address, (kh_u128)0xfc00 << 112, 7);
	return in_prefix(address, 0x0a000000, 8) || in_prefix(address, 0xac100000, 12) ||
	       in_prefix(address, 0xc0a80000, 16);
}

/* Could a machine on the internet have it? (unicast, no link-local) */
static bool is_public(const struct kh_range *address)
{
	if (address->family == 6)
		return in_prefix(address, (kh_u128)0x2000 << 112, 3);
	return !is_private(address) && !in_prefix(address, 0xa9fe0000, 16) && !in_prefix(address, 0x64400000, 10) &&
	       !in_prefix(address, 0x7f000000, 8) && !in_prefix(address, 0, 8);
}

/* Without a default route the addresses must tell: private ones outside and public ones inside. */
static void no_default_route(const struct kh_checked *checked)
{
	size_t wan_public = 0, wan_private = 0;
	const struct kh_link *lan_public = NULL;

	for (size_t i = 0; i < checked->links->addresses_count; i++) {
		const struct kh_link_address *address = &checked->links->addresses[i];
		const struct kh_link *link = kh_link_by_index(checked->links, address->ifindex);
		enum kh_config_key role = link ? kh_check_role(checked, link) : KH_KEY_COUNT;

		if (role == KH_KEY_WAN && is_public(&address->address))
			wan_public++;
		else if (role == KH_KEY_WAN && is_private(&address->address))
			wan_private++;
		else if (role == KH_KEY_LAN && is_public(&address->address))
			lan_public = link;
	}
	if (lan_public && wan_private > 0 && wan_public == 0) {
		const struct kh_listed *outside = listed_for(checked, lan_public);

		kh_check_add(
			checked->check, checked->config, KH_ERROR, KH_KEY_WAN,
			_("private addresses on wan and public ones on %s, which is in lan: are wan and lan swapped?"),
			lan_public->name);
		if (outside)
			hint_swapped(checked, outside);
		return;
	}
	kh_check_add(checked->check, checked->config, KH_WARNING, KH_KEY_WAN,
		     _("there is no default route: whether wan faces the provider cannot be told"));
	kh_check_hint(checked->check, _("check again when the connection is up"));
}

static void default_routes(const struct kh_checked *checked)
{
	const struct kh_link *by_wan = NULL, *by_lan = NULL, *by_other = NULL;

	for (size_t i = 0; i < checked->links->routes_count; i++) {
		const struct kh_link_route *route = &checked->links->routes[i];
		const struct kh_link *link =
			route->is_default ? kh_link_by_index(checked->links, route->ifindex) : NULL;
		enum kh_config_key role = link ? kh_check_role(checked, link) : KH_KEY_COUNT;

		if (!link || link->type == ARPHRD_LOOPBACK)
			continue;
		if (role == KH_KEY_WAN)
			by_wan = link;
		else if (role == KH_KEY_LAN)
			by_lan = link;
		else
			by_other = link;
	}
	if (by_lan && !by_wan)
		swapped(checked, by_lan);
	else if (by_lan) {
		kh_check_add(checked->check, checked->config, KH_WARNING, KH_KEY_LAN,
			     _("a default route leaves by %s too, which is in lan"), by_lan->name);
		kh_check_hint(checked->check, _("list it in wan when a provider is behind it"));
	}
	if (by_other) {
		kh_check_add(checked->check, checked->config, by_wan || by_lan ? KH_WARNING : KH_ERROR, KH_KEY_WAN,
			     _("a default route leaves by %s, which is in no role: what leaves there is not judged"),
			     by_other->name);
		hint_names(checked, KH_KEY_WAN, by_other->name);
	}
	if (!by_wan && !by_lan && !by_other)
		no_default_route(checked);
}

/* Link-local addresses come by themselves, on interfaces that nobody uses too. */
static bool has_address(const struct kh_links *links, const struct kh_link *link)
{
	for (size_t i = 0; i < links->addresses_count; i++)
		if (links->addresses[i].ifindex == link->ifindex &&
		    (is_public(&links->addresses[i].address) || is_private(&links->addresses[i].address) ||
		     links->addresses[i].address.family == 4))
			return true;
	return false;
}

static bool leads_default(const struct kh_links *links, const struct kh_link *link)
{
	for (size_t i = 0; i < links->routes_count; i++)
		if (links->routes[i].is_default && links->routes[i].ifindex == link->ifindex)
			return true;
	return false;
}

static void forwarding(const struct kh_checked *checked)
{
	for (size_t i = 0; i < checked->links->links_count; i++) {
		const struct kh_link *link = &checked->links->links[i];

		if (link->type == ARPHRD_LOOPBACK || !link->up || !(link->forwards_v4 || link->forwards_v6) ||
		    link->master != 0 || kh_check_role(checked, link) != KH_KEY_COUNT ||
		    !has_address(checked->links, link) || leads_default(checked->links, link)) /* said already */
			continue;
		kh_check_add(checked->check, checked->config, KH_WARNING, KH_KEY_LAN,
			     _("%s forwards and is in no role: what arrives there is not judged"), link->name);
		hint_names(checked, KH_KEY_LAN, link->name);
	}
}

void kh_check_routes(struct kh_checked *checked)
{
	default_routes(checked);
	forwarding(checked);
}
