// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the machine looks like, and what is attached to it: resolves the configured names to devices, attaches what is missing,
 * fills the interface table of the packet programs. Called at start and whenever the kernel reports a change.
 */
#include "daemon/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "daemon/log.h"

/* What a configured name names. A device that was renamed under the daemon is followed, until another has the name or is configured by its own. */
static const struct kh_link *named(const struct kh_core *core, struct kh_watch *watch)
{
	const struct kh_link *link = kh_link_by_name(core->links, watch->asked);

	watch->renamed = false;
	if (link || !watch->asked_ifindex)
		return link;
	link = kh_link_by_index(core->links, watch->asked_ifindex);
	for (size_t i = 0; link && i < core->watches_count; i++)
		if (!strcmp(core->watches[i].asked, link->name))
			return NULL;
	watch->renamed = link;
	return link;
}

/* The device for a configured name, or NULL with the reason in watch->problem. */
static const struct kh_link *device_for(const struct kh_core *core, struct kh_watch *watch)
{
	const struct kh_link *link = named(core, watch), *carrier = NULL;
	struct kh_error error = {};

	watch->asked_ifindex = link ? link->ifindex : 0;
	if (!link) {
		snprintf(watch->problem, sizeof(watch->problem), _("%s does not exist"), watch->asked);
		return NULL;
	}
	if (watch->role == KH_ROLE_WAN && kh_link_carrier(core->links, link, &carrier, &error) < 0) {
		snprintf(watch->problem, sizeof(watch->problem), "%s", error.text);
		return NULL;
	}
	return carrier ? carrier : link;
}

/* Counter rows belong to names for as long as the ledger lives: "number:eth0" -> 3. */
static uint8_t number_for(struct kh_core *core, const char *name)
{
	char key[IF_NAMESIZE + 16];
	int64_t number, next = 0;

	snprintf(key, sizeof(key), "number:%s", name);
	if (!kh_ledger_fact_get(core->ledger, key, &number))
		return (uint8_t)(number & (KH_INTERFACES_MAX - 1));
	kh_ledger_fact_get(core->ledger, "next-number", &next);
	number = next % KH_INTERFACES_MAX;
	if (!kh_ledger_begin(core->ledger, NULL)) {
		kh_ledger_fact_put(core->ledger, key, number, NULL);
		kh_ledger_fact_put(core->ledger, "next-number", next + 1, NULL);
		if (kh_ledger_commit(core->ledger, NULL) < 0)
			kh_log(LOG_WARNING, "event=interface-number-not-kept interface=%s", name);
	}
	return (uint8_t)number;
}

static void add_subnet(struct kh_interface *entry, const struct kh_range *range)
{
	kh_u128 mask = ~(range->first ^ range->last);

	if (range->family == 4) {
		if (entry->subnets_v4 == KH_SUBNETS_V4) {
			entry->any_source = 1;
			return;
		}
		entry->v4[entry->subnets_v4++] =
			(struct kh_subnet_v4){ .network = (uint32_t)range->first, .mask = (uint32_t)mask };
		return;
	}
	if (entry->subnets_v6 == KH_SUBNETS_V6) {
		entry->any_source = 1;
		return;
	}
	entry->v6[entry->subnets_v6++] = (struct kh_subnet_v6){ .high = (uint64_t)(range->first >> 64),
								.low = (uint64_t)range->first,
								.mask_high = (uint64_t)(mask >> 64),
								.mask_low = (uint64_t)mask };
}

static bool stands_on(const struct kh_core *core, uint32_t upper, uint32_t lower)
{
	const struct kh_link *a = kh_link_by_index(core->links, upper), *b = kh_link_by_index(core->links, lower);

	return upper == lower || (a && b && kh_link_is_above(core->links, a, b));
}

/* Networks behind the interface: its addresses' and its routes', also of what stands on it (VLANs, a bridge). Link-local sources are machines too. */
static void add_subnets(const struct kh_core *core, const struct kh_watch *watch, struct kh_interface *entry)
{
	struct kh_range link_local = kh_range_of_prefix((kh_u128)0xfe80 << 112, 10, 6);

	add_subnet(entry, &link_local);
	for (size_t i = 0; i < core->links->addresses_count; i++) {
		const struct kh_link_address *address = &core->links->addresses[i];

		if (stands_on(core, address->ifindex, watch->ifindex))
			add_subnet(entry, &address->subnet);
	}
	for (size_t i = 0; i < core->links->routes_count; i++) {
		const struct kh_link_route *route = &core->links->routes[i];

		if (route->gateway.family && !route->is_default && stands_on(core, route->ifindex, watch->ifindex))
			add_subnet(entry, &route->destination);
		if (route->is_default && stands_on(core, route->ifindex, watch->ifindex))
			entry->any_source = 1;
	}
}

/* A packet that comes up through a device stacked on a watched one was judged below. */
static void add_covered(const struct kh_core *core, struct kh_interface *table, size_t *count)
{
	for (size_t i = 0; i < core->links->links_count && *count < KH_INTERFACE_PLACES / 2; i++) {
		const struct kh_link *link = &core->links->links[i];
		bool own = false, covered = false;

		for (size_t j = 0; j < core->watches_count; j++) {
			own = own || core->watches[j].ifindex == link->ifindex;
			covered = covered ||
				  (core->watches[j].ifindex && core->watches[j].attached.mode != KH_ATTACHED_NONE &&
				   stands_on(core, link->ifindex, core->watches[j].ifindex));
		}
		if (covered && !own)
			table[(*count)++] = (struct kh_interface){ .ifindex = link->ifindex, .role = KH_ROLE_COVERED };
	}
}

static int write_table(struct kh_core *core, struct kh_error *error)
{
	struct kh_interface *table KH_CLEANUP(kh_freep) = calloc(KH_INTERFACE_PLACES, sizeof(*table));
	size_t count = 0;

	if (!table)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	for (size_t i = 0; i < core->watches_count; i++) {
		const struct kh_watch *watch = &core->watches[i];

		if (!watch->ifindex || watch->attached.mode == KH_ATTACHED_NONE)
			continue;
		table[count] = (struct kh_interface){ .ifindex = watch->ifindex,
						      .role = (uint8_t)watch->role,
						      .number = watch->number };
		add_subnets(core, watch, &table[count++]);
	}
	add_covered(core, table, &count);
	return kh_kernel_set_interfaces(core->kernel, table, count, error);
}

static enum kh_mode_wanted wanted_mode(const struct kh_core *core)
{
	switch (core->config->mode) {
	case KH_MODE_NATIVE:
		return KH_WANT_NATIVE;
	case KH_MODE_TC:
		return KH_WANT_TC;
	case KH_MODE_GENERIC:
		return KH_WANT_GENERIC;
	case KH_MODE_AUTO:
	case KH_MODE_COUNT:
		break;
	}
	return KH_WANT_AUTO;
}

/* What the journal says when something changed. */
static void tell(struct kh_core *core, const struct kh_watch *watch, const struct kh_watch *before)
{
	bool was_on = before->attached.mode != KH_ATTACHED_NONE, is_on = watch->attached.mode != KH_ATTACHED_NONE;

	if (watch->renamed && !before->renamed)
		kh_log(LOG_WARNING, "event=renamed interface=%s name=%s", watch->asked, watch->name);
	if (!is_on && (was_on || before->ifindex != watch->ifindex))
		kh_log(LOG_ERR, "event=unprotected interface=%s error=\"%s\"", watch->asked, watch->problem);
	if (!is_on || (!watch->attached.anew && was_on && before->ifindex == watch->ifindex))
		return;
	kh_log(LOG_NOTICE, "event=attached interface=%s asked=%s mode=%s egress=%d again=%d", watch->name, watch->asked,
	       kh_attached_mode_name(watch->attached.mode), watch->attached.egress, was_on);
	if (was_on && watch->attached.anew) /* a moment that no reading of the state in between has seen */
		snprintf(core->gap, sizeof(core->gap),
			 before->ifindex == watch->ifindex
				 ? _("%s was without protection for a moment: what was attached had been taken off")
				 : _("%s was without protection for a moment: it had been made anew"),
			 watch->asked);
}

static void attach(struct kh_core *core, struct kh_watch *watch)
{
	const struct kh_watch before = *watch;
	const struct kh_link *device;
	struct kh_error error = {};

	watch->problem[0] = watch->todo[0] = '\0';
	watch->taken = false;
	memset(&watch->attached, 0, sizeof(watch->attached));
	device = device_for(core, watch);
	watch->ifindex = device ? device->ifindex : 0;
	if (device) {
		struct kh_attach wish = { .ifindex = device->ifindex,
					  .name = device->name,
					  .ethernet = kh_link_is_ethernet(device),
					  .egress = watch->role == KH_ROLE_WAN,
					  .wanted = wanted_mode(core) };
		int code;

		/* Native XDP can interrupt the link: who was served by tc stays so, also when the filter has to be put back. */
		if (before.ifindex == device->ifindex && before.attached.mode == KH_ATTACHED_TC &&
		    wish.wanted == KH_WANT_AUTO &&
		    !kh_kernel_is_attached(core->kernel, device->ifindex, &before.attached))
			wish.wanted = KH_WANT_TC;
		snprintf(watch->name, sizeof(watch->name), "%s", device->name);
		code = kh_kernel_attach(core->kernel, &wish, &watch->attached, &error);
		if (code < 0) {
			watch->taken = code == -EBUSY;
			snprintf(watch->problem, sizeof(watch->problem), "%s", error.text);
			snprintf(watch->todo, sizeof(watch->todo), "%s", error.hint);
		} else if (before.ifindex == watch->ifindex && before.attached.mode == watch->attached.mode &&
			   before.attached.notice[0]) { /* it says why, and attaching found it done already */
			memcpy(watch->attached.notice, before.attached.notice, sizeof(before.attached.notice));
		}
	}
	tell(core, watch, &before);
}

static void add_watches(struct kh_core *core, const struct kh_config_interfaces *names, enum kh_role role)
{
	for (size_t i = 0; i < names->count && core->watches_count < KH_INTERFACES_MAX; i++) {
		struct kh_watch *watch = &core->watches[core->watches_count++];

		watch->role = role;
		snprintf(watch->asked, sizeof(watch->asked), "%s", names->names[i]);
		snprintf(watch->name, sizeof(watch->name), "%s", names->names[i]);
		watch->number = number_for(core, names->names[i]);
	}
}

static void detach_unwanted(uint32_t ifindex, const struct kh_attached *attached, void *context)
{
	struct kh_core *core = context;
	struct kh_error error = {};

	(void)attached;
	for (size_t i = 0; i < core->watches_count; i++)
		if (core->watches[i].ifindex == ifindex)
			return;
	if (kh_kernel_detach(core->kernel, ifindex, &error) < 0)
		kh_log_error(LOG_WARNING, "detach-failed", &error);
	else
		kh_log(LOG_NOTICE, "event=detached ifindex=%u", ifindex);
}

int kh_interfaces_refresh(struct kh_core *core, struct kh_error *error)
{
	struct kh_links *links;
	int code = kh_links_read(&links, error);

	if (code < 0)
		return code;
	kh_links_free(core->links);
	core->links = links;
	if (!core->watches_count) {
		add_watches(core, &core->config->wan, KH_ROLE_WAN);
		add_watches(core, &core->config->lan, KH_ROLE_LAN);
	}
	for (size_t i = 0; i < core->watches_count; i++)
		attach(core, &core->watches[i]);
	kh_kernel_attachments(core->kernel, detach_unwanted, core);
	return write_table(core, error);
}

bool kh_interfaces_look(struct kh_core *core)
{
	bool changed = false;
	struct kh_error error = {};

	for (size_t i = 0; i < core->watches_count; i++) {
		struct kh_watch *watch = &core->watches[i];
		enum kh_attached_mode mode = watch->attached.mode;

		if (!watch->ifindex || (mode == KH_ATTACHED_NONE && !watch->taken) ||
		    (mode != KH_ATTACHED_NONE && kh_kernel_is_attached(core->kernel, watch->ifindex, &watch->attached)))
			continue;
		attach(core, watch);
		changed = changed || mode != watch->attached.mode || watch->attached.anew;
	}
	if (changed && write_table(core, &error) < 0)
		kh_log_error(LOG_ERR, "interface-table-not-written", &error);
	return changed;
}

const char *kh_interface_name(const struct kh_core *core, uint8_t number)
{
	for (size_t i = 0; i < core->watches_count; i++)
		if (core->watches[i].number == number)
			return core->watches[i].asked;
	return NULL;
}

json_t *kh_op_reattach(const struct kh_request *request)
{
	const char *name = kh_request_text(request->body, "interface");
	struct kh_core *core = request->core;
	json_t *array = json_array(), *reply;
	struct kh_error error = {};
	bool found = false;

	if (core->detached) { /* the maps went with the pins: only a new start builds them again */
		json_decref(array);
		kh_fail(&error, -ESHUTDOWN, _("everything was taken off by khien detach"));
		kh_hint(&error, _("to protect again: systemctl restart khiend"));
		return kh_reply_error(KH_EXIT_FAILED, &error);
	}
	for (size_t i = 0; i < core->watches_count; i++) {
		struct kh_watch *watch = &core->watches[i];

		if (name && name[0] && strcmp(name, watch->asked) && strcmp(name, watch->name))
			continue;
		found = true;
		if (watch->ifindex && kh_kernel_detach(core->kernel, watch->ifindex, &error) < 0)
			kh_log_error(LOG_WARNING, "detach-failed", &error);
		memset(&watch->attached, 0, sizeof(watch->attached)); /* whatever served it: the best mode is tried */
	}
	if (!found) {
		json_decref(array);
		return kh_reply_usage(_("%s is neither wan nor lan in the configuration"), name);
	}
	if (kh_interfaces_refresh(core, &error) < 0) {
		json_decref(array);
		return kh_reply_error(KH_EXIT_FAILED, &error);
	}
	for (size_t i = 0; i < core->watches_count; i++)
		json_array_append_new(array, json_pack("{s:s, s:s, s:o}", "name", core->watches[i].asked, "mode",
						       kh_attached_mode_name(core->watches[i].attached.mode), "problem",
						       kh_json_text(core->watches[i].problem)));
	reply = kh_reply(KH_EXIT_DONE);
	json_object_set_new(reply, "interfaces", array);
	return reply;
}

static void on_removed(const char *what, void *context)
{
	json_array_append_new(context, json_string(what));
}

/* Takes everything off; the daemon goes on answering, and protects again when it is restarted. */
json_t *kh_op_detach(const struct kh_request *request)
{
	struct kh_core *core = request->core;
	json_t *removed = json_array(), *reply;
	struct kh_error error = {};

	kh_collect(core, &error);
	core->detached = true;
	for (size_t i = 0; i < core->watches_count; i++)
		memset(&core->watches[i].attached, 0, sizeof(core->watches[i].attached));
	if (kh_kernel_remove(core->bpffs, on_removed, removed, &error) < 0) {
		json_decref(removed);
		return kh_reply_error(KH_EXIT_FAILED, &error);
	}
	kh_log(LOG_WARNING, "event=detached-all uid=%u", (unsigned int)request->peer->uid);
	reply = kh_reply(KH_EXIT_DONE);
	json_object_set_new(reply, "removed", removed);
	return reply;
}
