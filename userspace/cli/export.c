// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien export: the names that letters list, for the office's resolver, until the packet path takes them. A name alone and a name with all below it are kept apart;
 * what waits for review, is refused or was taken back is not in it, and no link widens to its host.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/render.h"
#include "common/lang.h"

struct form {
	const char *name;
	void (*head)(void);
	void (*entry)(const char *name, bool below);
	bool exact; /* cannot say "and all below" */
};

static void rpz_head(void)
{
	/* the serial is for the secondary's eyes; a resolver that reads the file needs none that grows */
	printf("$TTL 300\n@ SOA localhost. root.localhost. 1 3600 900 2592000 300\n@ NS localhost.\n");
}

static void rpz_entry(const char *name, bool below)
{
	printf("%s CNAME .\n", name);
	if (below)
		printf("*.%s CNAME .\n", name);
}

static void unbound_head(void)
{
	printf("server:\n");
}

static void unbound_entry(const char *name, bool below)
{
	if (below)
		printf("local-zone: \"%s.\" always_null\n", name);
	else
		printf("local-zone: \"%s.\" typetransparent\nlocal-data: \"%s. A 0.0.0.0\"\nlocal-data: \"%s. AAAA ::\"\n",
		       name, name, name);
}

static void dnsmasq_entry(const char *name, bool below)
{
	printf(below ? "address=/%s/\n" : "host-record=%s,0.0.0.0,::\n",
	       name); // NOLINT(clang-diagnostic-format-nonliteral)
}

static void hosts_entry(const char *name, bool below KH_UNUSED)
{
	printf("0.0.0.0 %s\n:: %s\n", name, name);
}

static const struct form forms[] = {
	{ "rpz", rpz_head, rpz_entry, false },
	{ "unbound", unbound_head, unbound_entry, false },
	{ "dnsmasq", NULL, dnsmasq_entry, false },
	{ "hosts", NULL, hosts_entry, true },
};

static const struct form *find_form(const char *name)
{
	for (size_t i = 0; name && i < KH_ARRAY_SIZE(forms); i++)
		if (!strcmp(forms[i].name, name))
			return &forms[i];
	return NULL;
}

/* The reply is the daemon's; the file is the resolver's: a name is letters, digits, '-', '_' and dots, or it is left out. */
static bool is_name(const char *name)
{
	return *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0' && strchr(name, '.');
}

struct count {
	size_t names, below, links, bad;
};

static int compare_rows(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The values, sorted; several letters may list one. */
static const char **sorted_values(const json_t *rows, size_t *ret_count, struct count *count)
{
	const char **values = calloc(json_array_size(rows) + 1, sizeof(const char *));

	for (size_t i = 0; values && i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		bool domain = !strcmp(kh_text_of(row, "type"), "domain");
		const char *value = json_string_value(json_object_get(row, "value"));

		count->links += !domain;
		if (domain && value)
			values[(*ret_count)++] = value;
	}
	if (values && *ret_count)
		qsort(values, *ret_count, sizeof(const char *), compare_rows);
	return values;
}

/* Is the name in it with all below it, too? */
static bool is_covered(const char **values, size_t count, const char *name)
{
	char *below KH_CLEANUP(kh_freep) = NULL;

	return asprintf(&below, "*.%s", name) >= 0 &&
	       bsearch(&below, values, count, sizeof(const char *), compare_rows);
}

static int write_all(const struct form *form, const json_t *rows, struct count *count)
{
	size_t values_count = 0;
	const char **values = sorted_values(rows, &values_count, count), *before = "";

	if (!values)
		return -1;
	if (form->head)
		form->head();
	for (size_t i = 0; i < values_count; i++) {
		bool below = !strncmp(values[i], "*.", 2);
		const char *name = values[i] + (below ? 2 : 0);

		if (!strcmp(values[i], before) || (!below && is_covered(values, values_count, name)))
			continue;
		before = values[i];
		if (!is_name(name)) {
			count->bad++;
			continue;
		}
		count->names++;
		count->below += below;
		form->entry(name, below);
	}
	free(values);
	return 0;
}

static int run_export(struct kh_cli *cli, json_t *request, int arguments KH_UNUSED, char **names KH_UNUSED)
{
	const char *name = json_string_value(json_object_get(request, ".format"));
	const struct form *form = find_form(name);
	json_t *reply KH_CLEANUP(kh_json_decrefp) = NULL;
	struct count count = {};
	int code;

	if (!form)
		return kh_usage_error(cli, _("--format takes rpz, unbound, dnsmasq or hosts"));
	json_object_set_new(request, "op", json_string("list"));
	json_object_set_new(request, "unenforceable", json_true());
	code = kh_call_all(cli, request, &reply);
	if (!reply)
		return code;
	if (cli->json) {
		kh_json_print(reply);
		return code;
	}
	if (write_all(form, json_object_get(reply, "indicators"), &count) < 0) {
		kh_show_error(cli, _("out of memory"), NULL);
		return KH_EXIT_FAILED;
	}
	kh_complain(_("khien export: names: %zu, of them with all below: %zu; links left out: %zu"), count.names,
		    count.below, count.links);
	if (form->exact && count.below)
		kh_complain(_("→ a hosts file cannot say \"and all below\": use --format rpz, unbound or dnsmasq"));
	if (count.bad)
		kh_complain(_("→ left out, not names of hosts: %zu"), count.bad);
	return KH_EXIT_DONE;
}

static const struct kh_option export_options[] = {
	{ KH_OPTION_TEXT, "format", "FORMAT", ".format", N_("rpz, unbound, dnsmasq or hosts") },
	{ KH_OPTION_TEXT, "ref", "NUMBER", "ref", N_("only of this letter") },
	{},
};

const struct kh_command kh_command_export = {
	.name = "export",
	.usage = "--format FORMAT [--ref NUMBER]",
	.summary = N_("the names that letters list, as a file for the office's resolver"),
	.help = N_(
		"The packet path does not block names yet; a resolver can. A name alone and a name with all below it are kept apart.\n"
		"What waits for review or is refused is not in it."),
	.options = export_options,
	.run = run_export,
};
