/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khiend --detect: a [gateway] section from what the machine looks like. WAN is where default routes leave; LAN is what
 * else has addresses, down to the devices that carry them.
 */
#include "daemon/check.h"

#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "daemon/check_private.h"

#define NOTE_BYTES 200

struct proposal {
	const struct kh_links *links;
	char wan[KH_NAMES_TEXT], lan[KH_NAMES_TEXT];
	const struct kh_link *wan_devices[KH_CONFIG_INTERFACES_MAX];
	size_t wan_count;
	FILE *notes; /* comment lines: one for each interface that needs a word */
};

KH_PRINTF(2, 3)
static void note(struct proposal *proposal, const char *format, ...)
{
	char text[NOTE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(proposal->notes, "# %s\n", text);
}

static bool is_wan(const struct proposal *proposal, const struct kh_link *link)
{
	for (size_t i = 0; i < proposal->wan_count; i++)
		if (proposal->wan_devices[i] == link ||
		    kh_link_is_above(proposal->links, link, proposal->wan_devices[i]))
			return true;
	return false;
}

/* Containers and virtual machines name their ends so, and take them away again. */
static bool is_passing(const struct kh_link *port)
{
	static const char *const prefixes[] = { "veth", "vnet", "tap" };

	for (size_t i = 0; i < KH_ARRAY_SIZE(prefixes); i++)
		if (strncmp(port->name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

/* The ports of a bridge that stay. False: it has none. */
static bool propose_ports(struct proposal *proposal, const struct kh_link *bridge, bool wan)
{
	bool found = false;

	for (size_t i = 0; i < proposal->links->links_count; i++) {
		const struct kh_link *port = &proposal->links->links[i];

		if (port->master != bridge->ifindex || is_passing(port))
			continue;
		note(proposal, _("%s: a port of %s"), port->name, bridge->name);
		kh_check_append(wan ? proposal->wan : proposal->lan, port->name);
		if (wan && proposal->wan_count < KH_ARRAY_SIZE(proposal->wan_devices))
			proposal->wan_devices[proposal->wan_count++] = port;
		found = true;
	}
	return found;
}

static void propose_wan(struct proposal *proposal, const struct kh_link *link)
{
	const struct kh_link *carrier;
	struct kh_error error;

	if (is_wan(proposal, link) || proposal->wan_count == KH_ARRAY_SIZE(proposal->wan_devices))
		return;
	if (kh_link_carrier(proposal->links, link, &carrier, &error) < 0) {
		note(proposal, "%s", error.text);
		return;
	}
	if (carrier == link)
		note(proposal, _("%s: the default route leaves here"), link->name);
	else
		note(proposal, _("%s: carries %s, where the default route leaves"), carrier->name, link->name);
	if (strcmp(carrier->kind, "bridge") == 0 && propose_ports(proposal, carrier, true))
		return;
	kh_check_append(proposal->wan, carrier->name);
	proposal->wan_devices[proposal->wan_count++] = carrier;
}

/* Is it the way out itself, or below it? */
static bool leads_out(const struct proposal *proposal, const struct kh_link *link)
{
	const struct kh_links *links = proposal->links;

	for (size_t i = 0; i < proposal->wan_count; i++)
		if (proposal->wan_devices[i] == link)
			return true;
	for (size_t i = 0; i < links->routes_count; i++) {
		const struct kh_link *out =
			links->routes[i].is_default ? kh_link_by_index(links, links->routes[i].ifindex) : NULL;

		if (out && (out == link || kh_link_is_above(links, out, link)))
			return true;
	}
	return false;
}

static void propose_lan(struct proposal *proposal, const struct kh_link *link, const struct kh_range *subnet)
{
	const struct kh_link *carrier;
	char text[KH_RANGE_TEXT];
	struct kh_error error;

	if (kh_link_carrier(proposal->links, link, &carrier, &error) < 0) {
		note(proposal, "%s", error.text);
		return;
	}
	if (is_wan(proposal, carrier)) {
		note(proposal, _("%s: left out, it shares %s with the WAN; give the office a port of its own"),
		     link->name, carrier->name);
		return;
	}
	if (strcmp(carrier->kind, "bridge") == 0) {
		if (!propose_ports(proposal, carrier, false))
			note(proposal, _("%s: left out, a bridge without ports that stay"), carrier->name);
		return;
	}
	if (carrier == link)
		note(proposal, _("%s: %s"), link->name, kh_range_format(subnet, text));
	else
		note(proposal, _("%s: carries %s, %s"), carrier->name, link->name, kh_range_format(subnet, text));
	kh_check_append(proposal->lan, carrier->name);
}

/* The subnet that speaks for the interface: IPv4 first, link-local never. NULL: none. */
static const struct kh_range *subnet_of(const struct kh_links *links, const struct kh_link *link)
{
	const struct kh_range *found = NULL;

	for (size_t i = 0; i < links->addresses_count; i++) {
		const struct kh_link_address *address = &links->addresses[i];
		const struct kh_range local = kh_range_of_prefix((kh_u128)0xfe80 << 112, 10, 6);

		if (address->ifindex != link->ifindex || kh_range_contains(&local, &address->address))
			continue;
		if (!found || (found->family == 6 && address->subnet.family == 4))
			found = &address->subnet;
	}
	return found;
}

static void propose(struct proposal *proposal)
{
	const struct kh_links *links = proposal->links;

	for (size_t i = 0; i < links->routes_count; i++) {
		const struct kh_link *link =
			links->routes[i].is_default ? kh_link_by_index(links, links->routes[i].ifindex) : NULL;

		if (link && link->type != ARPHRD_LOOPBACK)
			propose_wan(proposal, link);
	}
	for (size_t i = 0; i < links->links_count; i++) {
		const struct kh_link *link = &links->links[i];
		const struct kh_range *subnet = subnet_of(links, link);

		if (link->type == ARPHRD_LOOPBACK || link->master != 0)
			continue;
		if (subnet && !leads_out(proposal, link))
			propose_lan(proposal, link, subnet);
	}
}

char *kh_check_detect(const struct kh_links *links)
{
	struct proposal proposal = { .links = links };
	char *notes KH_CLEANUP(kh_freep) = NULL;
	char *text = NULL;
	size_t length;
	int written;

	proposal.notes = open_memstream(&notes, &length);
	if (!proposal.notes)
		return NULL;
	propose(&proposal);
	if (fclose(proposal.notes) != 0)
		return NULL;
	written = asprintf(&text, "[gateway]\n%swan = %s%s\nlan = %s%s\n", notes, proposal.wan,
			   proposal.wan[0] ? "" : _("# no default route: name the interface that faces the provider"),
			   proposal.lan,
			   proposal.lan[0] ? "" : _("# none found: name the interfaces that face the office"));
	return written < 0 ? NULL : text;
}
