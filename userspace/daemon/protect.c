// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Builds the guard: what must never be blocked on this machine now. Lists that ship, management networks, sessions at work, and what the kernel says
 * of own addresses, gateways, peers and resolvers; lists of exempt ranges lift special-purpose ones (laboratories).
 */
#include "daemon/private.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/lang.h"
#include "common/util.h"
#include "daemon/log.h"

#define LETTER_IPV4 65536

static int add_file(struct kh_guard *guard, const char *folder, const char *name, struct kh_error *error)
{
	char path[PATH_MAX], *data KH_CLEANUP(kh_freep) = NULL;
	size_t length;
	int code;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return kh_fail(error, -ENAMETOOLONG, "%s/%s: %s", folder, name, strerror(ENAMETOOLONG));
	code = kh_file_read(path, KH_GUARD_LIST_BYTES, &data, &length);
	if (code < 0)
		return kh_fail(error, code, _("never-block list %s: %s"), path, strerror(-code));
	return kh_guard_add_list(guard, name, data, length, error);
}

/* A list that cannot be read is a problem to show, not a reason to be without the others. */
static void add_lists(struct kh_core *core, struct kh_guard *guard)
{
	struct dirent **entries = NULL;
	struct kh_error error = {};
	int count;

	core->guard_problem[0] = '\0';
	if (!core->config->never_block[0])
		return;
	count = scandir(core->config->never_block, &entries, kh_guard_is_list, alphasort);
	if (count < 0)
		snprintf(core->guard_problem, sizeof(core->guard_problem), _("never-block folder %s: %s"),
			 core->config->never_block, strerror(errno));
	for (int i = 0; i < count; i++) {
		if (add_file(guard, core->config->never_block, entries[i]->d_name, &error) < 0) {
			snprintf(core->guard_problem, sizeof(core->guard_problem), "%s", error.text);
			kh_log_error(LOG_ERR, "never-block-unreadable", &error);
		}
		free(entries[i]);
	}
	free(entries);
}

static int add_named(struct kh_guard *guard, const struct kh_core *core, const struct kh_range *range,
		     enum kh_decision_reason reason, uint32_t ifindex)
{
	const struct kh_link *link = kh_link_by_index(core->links, ifindex);

	return kh_guard_add(guard, range, reason, link ? link->name : "");
}

/* Is this default-like network (a /0 on a tunnel, say) too wide to be called the office's own? */
static bool is_own_width(const struct kh_range *subnet)
{
	int length = kh_range_prefix_length(subnet);

	return length >= (subnet->family == 4 ? 8 : 16);
}

/* Is this device a watched LAN interface, or stacked on one (VLAN, bridge)? Its watch, or NULL. */
static const struct kh_watch *lan_watch(const struct kh_core *core, uint32_t ifindex)
{
	const struct kh_link *link = kh_link_by_index(core->links, ifindex);

	for (size_t i = 0; i < core->watches_count && link; i++) {
		const struct kh_link *watched = kh_link_by_index(core->links, core->watches[i].ifindex);

		if (core->watches[i].role == KH_ROLE_LAN && watched &&
		    (watched == link || kh_link_is_above(core->links, link, watched)))
			return &core->watches[i];
	}
	return NULL;
}

static int add_machine(const struct kh_core *core, struct kh_guard *guard)
{
	const struct kh_links *links = core->links;
	int code = 0;

	for (size_t i = 0; i < links->addresses_count && code >= 0; i++) {
		const struct kh_link_address *address = &links->addresses[i];

		code = add_named(guard, core, &address->address, KH_WHY_OWN_ADDRESS, address->ifindex);
		if (code >= 0 && address->peer.family)
			code = add_named(guard, core, &address->peer, KH_WHY_GATEWAY, address->ifindex);
		if (code >= 0 && is_own_width(&address->subnet))
			code = add_named(guard, core, &address->subnet, KH_WHY_OWN_SUBNET, address->ifindex);
	}
	for (size_t i = 0; i < links->routes_count && code >= 0; i++) {
		const struct kh_link_route *route = &links->routes[i];
		if (route->is_default && route->gateway.family)
			code = add_named(guard, core, &route->gateway, KH_WHY_GATEWAY, route->ifindex);
		if (code >= 0 && !route->is_default && lan_watch(core, route->ifindex) &&
		    is_own_width(&route->destination)) /* networks routed behind the LAN */
			code = add_named(guard, core, &route->destination, KH_WHY_OWN_SUBNET, route->ifindex);
	}
	for (size_t i = 0; i < links->resolvers_count && code >= 0; i++)
		code = kh_guard_add(guard, &links->resolvers[i], KH_WHY_RESOLVER, "resolv.conf");
	for (size_t i = 0; i < links->endpoints_count && code >= 0; i++)
		code = kh_guard_add(guard, &links->endpoints[i], KH_WHY_TUNNEL, "wireguard");
	return code;
}

static int add_configured(const struct kh_core *core, struct kh_guard *guard)
{
	const struct kh_config *config = core->config;
	int code = 0;

	for (size_t i = 0; i < config->management.count && code >= 0; i++) {
		char text[KH_RANGE_TEXT], rule[KH_RANGE_TEXT + 16];

		kh_range_format(&config->management.ranges[i], text);
		snprintf(rule, sizeof(rule), "management: %s", text);
		code = kh_guard_add(guard, &config->management.ranges[i], KH_WHY_MANAGEMENT, rule);
	}
	for (size_t i = 0; i < config->exempt.count && code >= 0; i++)
		code = kh_guard_exempt(guard, &config->exempt.ranges[i]);
	for (size_t i = 0; i < core->sessions_count && code >= 0; i++) {
		char connection[KH_CONNECTION_TEXT], rule[KH_CONNECTION_TEXT + 8];

		snprintf(rule, sizeof(rule), "ssh: %s", kh_connection_format(&core->sessions[i], connection));
		code = kh_guard_spare(guard, &core->sessions[i].peer, rule);
	}
	return code;
}

int kh_protect(struct kh_core *core, struct kh_error *error)
{
	struct kh_guard_limits limits = { .widest_ipv4 = core->config->widest_ipv4,
					  .widest_ipv6 = core->config->widest_ipv6,
					  .letter_ipv4 = LETTER_IPV4 };
	struct kh_guard *guard = kh_guard_new();
	int code = -ENOMEM;

	if (guard) {
		kh_guard_set_limits(guard, &limits);
		add_lists(core, guard);
		code = add_configured(core, guard);
	}
	if (code >= 0)
		code = add_machine(core, guard);
	if (code >= 0)
		code = kh_guard_seal(guard);
	if (code < 0) {
		kh_guard_free(guard);
		return kh_fail(error, code, _("out of memory"));
	}
	kh_guard_free(core->guard);
	core->guard = guard;
	return 0;
}

int kh_is_machine(const struct kh_core *core, const struct kh_range *address, const char **ret_interface)
{
	const struct kh_watch *watch = NULL;

	for (size_t i = 0; i < core->links->addresses_count && !watch; i++)
		if (kh_range_contains(&core->links->addresses[i].subnet, address))
			watch = lan_watch(core, core->links->addresses[i].ifindex);
	for (size_t i = 0; i < core->links->routes_count && !watch; i++)
		if (!core->links->routes[i].is_default &&
		    kh_range_contains(&core->links->routes[i].destination, address))
			watch = lan_watch(core, core->links->routes[i].ifindex);
	if (!watch)
		return 0;
	*ret_interface = watch->asked;
	return 1;
}
