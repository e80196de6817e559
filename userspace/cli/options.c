// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Options: those that every command has, and the help of one command.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/render.h"
#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"

#define OPTIONS_MAX 16

enum { COMMON_JSON = 1000, COMMON_LANG, COMMON_SOCKET, COMMON_HELP };

static void show_help(const struct kh_command *command)
{
	kh_say(_("Usage: khien %s %s\n\n%s\n"), command->name, command->usage, gettext(command->summary));
	if (command->help)
		kh_say("\n%s", gettext(command->help));
	kh_say(_("\n  --json             one JSON object instead of text\n"
		 "  --lang vi|en       language of messages\n"
		 "  --socket PATH      another daemon's socket\n"));
}

int kh_next_option(struct kh_cli *cli, int argc, char **argv, const struct kh_option *options, size_t count, int *ret_exit)
{
	struct option all[OPTIONS_MAX + 5] = {
		{ "json", no_argument, NULL, COMMON_JSON },
		{ "lang", required_argument, NULL, COMMON_LANG },
		{ "socket", required_argument, NULL, COMMON_SOCKET },
		{ "help", no_argument, NULL, COMMON_HELP },
	};

	for (size_t i = 0; i < count && i < OPTIONS_MAX; i++)
		all[4 + i] = (struct option){ options[i].name, options[i].argument ? required_argument : no_argument, NULL, options[i].letter };
	opterr = 0;
	for (;;) {
		int letter = getopt_long(argc, argv, ":h", all, NULL);

		switch (letter) {
		case COMMON_JSON:
			cli->json = true;
			break;
		case COMMON_LANG:
			kh_cli_language(optarg);
			break;
		case COMMON_SOCKET:
			cli->socket = optarg;
			break;
		case COMMON_HELP:
		case 'h':
			show_help(cli->command);
			*ret_exit = KH_EXIT_DONE;
			return -2;
		case ':':
			*ret_exit = kh_usage_error(cli, _("%s needs a value"), argv[optind - 1]);
			return -2;
		case '?':
			*ret_exit = kh_usage_error(cli, _("there is no option \"%s\""), argv[optind - 1]);
			return -2;
		default:
			return letter;
		}
	}
}

int kh_usage_error(const struct kh_cli *cli, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	kh_text_printable(text);
	kh_complain("khien %s: %s", cli->command->name, text);
	kh_complain(_("usage: khien %s %s"), cli->command->name, cli->command->usage);
	return KH_EXIT_USAGE;
}

int kh_put_duration(const struct kh_cli *cli, json_t *request, const char *name, const char *text)
{
	int64_t seconds;

	if (kh_duration_parse(text, &seconds) < 0)
		return kh_usage_error(cli, _("\"%s\" is not a duration; write 30m, 4h, 7d or 2w"), text);
	json_object_set_new(request, name, json_integer(seconds));
	return 0;
}

json_t *kh_arguments(int argc, char **argv, int from)
{
	json_t *array = json_array();

	for (int i = from; i < argc; i++)
		json_array_append_new(array, json_string(argv[i]));
	return array;
}
