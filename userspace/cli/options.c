// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Options, by the tables of the commands; and those that every command has. Options and arguments may be mixed.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/language.h"
#include "cli/render.h"
#include "common/lang.h"
#include "common/text.h"

#define OPTIONS_MAX 16

enum { COMMON_JSON = 1000, COMMON_LANG, COMMON_SOCKET, COMMON_HELP, COMMON_VERSION };

static const struct option common_options[] = {
	{ "json", no_argument, NULL, COMMON_JSON },	      { "lang", required_argument, NULL, COMMON_LANG },
	{ "socket", required_argument, NULL, COMMON_SOCKET }, { "help", no_argument, NULL, COMMON_HELP },
	{ "version", no_argument, NULL, COMMON_VERSION },
};

static void take_common(struct kh_cli *cli, int letter)
{
	if (letter == COMMON_JSON)
		cli->json = true;
	else if (letter == COMMON_SOCKET)
		cli->socket = optarg;
	/* the language was found before anything was said, by kh_language_find() */
}

static int bad_option(const struct kh_cli *cli, int letter, const char *option)
{
	const char one[] = { '-', (char)optopt, '\0' };

	if (letter == '?' && optopt > 0 && optopt < 0x7f) /* of several letters behind one dash */
		option = one;
	return letter == ':' ? kh_usage_error(cli, _("%s needs a value"), option)
			     : kh_usage_error(cli, _("there is no option \"%s\""), option);
}

int kh_cli_begin(struct kh_cli *cli, int argc, char **argv, void (*help)(void), int *ret_exit)
{
	const char *socket = getenv(KH_SOCKET_ENV), *language;
	struct option all[KH_ARRAY_SIZE(common_options) + 1] = {};
	int letter;

	kh_lang_init();
	cli->socket = socket && socket[0] ? socket : KH_SOCKET_DEFAULT;
	language = kh_language_find(argc, argv);
	kh_text_begin(language);
	if (strcmp(language, "vi") != 0 && strcmp(language, "en") != 0) {
		*ret_exit = kh_usage_error(cli, _("--lang is vi or en, not \"%s\""), language);
		return -1;
	}
	memcpy(all, common_options, sizeof(common_options));
	opterr = 0;
	while ((letter = getopt_long(argc, argv, "+:h", all, NULL)) >= 0) {
		if (letter == COMMON_HELP || letter == 'h') {
			help();
			return -1;
		}
		if (letter == COMMON_VERSION) {
			kh_say("khien %s\n", KH_VERSION);
			return -1;
		}
		if (letter == ':' || letter == '?') {
			*ret_exit = bad_option(cli, letter, argv[optind - 1]);
			return -1;
		}
		take_common(cli, letter);
	}
	if (optind < argc)
		return optind;
	help();
	*ret_exit = KH_EXIT_USAGE;
	return -1;
}

/* ---- Help --------------------------------------------------------------------------------------- */

static void show_option(const char *name, const char *argument, const char *help)
{
	char left[64];

	snprintf(left, sizeof(left), "--%s%s%s", name, argument ? " " : "", argument ? argument : "");
	kh_say("  %-18s %s\n", left, help);
}

static void show_help(const struct kh_command *command)
{
	kh_say(_("Usage: khien %s %s\n\n%s\n"), command->name, command->usage, gettext(command->summary));
	if (command->help)
		kh_say("\n%s\n", gettext(command->help));
	kh_say("\n");
	for (const struct kh_option *option = command->options; option && option->kind; option++)
		show_option(option->name, option->argument, gettext(option->help));
	show_option("json", NULL, _("one JSON object instead of text"));
	show_option("lang", "vi|en", _("language of messages"));
	show_option("socket", "PATH", _("another daemon's socket"));
}

int kh_usage_error(const struct kh_cli *cli, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	kh_text_printable(text);
	if (cli->command) {
		kh_complain("khien %s: %s", cli->command->name, text);
		kh_complain(_("→ usage: khien %s %s"), cli->command->name, cli->command->usage);
	} else {
		kh_complain("khien: %s", text);
		kh_complain(_("→ khien --help lists the commands"));
	}
	return KH_EXIT_USAGE;
}

/* ---- Options into the request ------------------------------------------------------------------- */

static int put_option(const struct kh_cli *cli, json_t *request, const struct kh_option *option)
{
	json_t *array;
	int64_t number;

	if (option->kind != KH_OPTION_FLAG && kh_utf8_check(optarg, strlen(optarg)) != strlen(optarg))
		return kh_usage_error(cli, _("the value of --%s is not UTF-8"), option->name);
	switch (option->kind) {
	case KH_OPTION_FLAG:
		json_object_set_new(request, option->member, json_true());
		break;
	case KH_OPTION_TEXT:
		if (!optarg[0])
			return kh_usage_error(cli, _("--%s needs a value"), option->name);
		json_object_set_new(request, option->member, json_string(optarg));
		break;
	case KH_OPTION_TEXTS:
		array = json_object_get(request, option->member);
		if (!array) {
			array = json_array();
			json_object_set_new(request, option->member, array);
		}
		json_array_append_new(array, json_string(optarg));
		break;
	case KH_OPTION_DURATION:
		if (kh_duration_parse(optarg, &number) < 0)
			return kh_usage_error(cli, _("\"%s\" is not a duration; write 30m, 4h, 7d or 2w"), optarg);
		json_object_set_new(request, option->member, json_integer(number));
		break;
	case KH_OPTION_NUMBER:
		if (kh_number_parse(optarg, 1, INT32_MAX, &number) < 0)
			return kh_usage_error(cli, _("--%s takes a number, 1 or more"), option->name);
		json_object_set_new(request, option->member, json_integer(number));
		break;
	case KH_OPTION_END:
		break;
	}
	return 0;
}

bool kh_option_flag(json_t *request, const char *member)
{
	bool given = json_is_true(json_object_get(request, member));

	json_object_del(request, member);
	return given;
}

/* Reads all options. 0: run the command; else the command is over with *ret_exit. */
static int read_options(struct kh_cli *cli, int argc, char **argv, json_t *request, int *ret_exit)
{
	const struct kh_option *options = cli->command->options;
	struct option all[OPTIONS_MAX + KH_ARRAY_SIZE(common_options) + 1] = {};
	size_t count = 0;
	int letter;

	for (; options && options[count].kind && count < OPTIONS_MAX; count++)
		all[count] = (struct option){ options[count].name,
					      options[count].kind == KH_OPTION_FLAG ? no_argument : required_argument,
					      NULL, (int)count + 1 };
	memcpy(&all[count], common_options, sizeof(common_options));
	optind = 0; /* anew, for GNU getopt: other arguments than before */
	while ((letter = getopt_long(argc, argv, ":h", all, NULL)) >= 0) {
		if (letter >= 1 && letter <= (int)count) {
			*ret_exit = put_option(cli, request, &options[letter - 1]);
			if (*ret_exit)
				return -1;
		} else if (letter == COMMON_HELP || letter == 'h') {
			show_help(cli->command);
			return -1;
		} else if (letter == ':' || letter == '?' || letter == COMMON_VERSION) {
			*ret_exit = bad_option(cli, letter, argv[optind - 1]);
			return -1;
		} else {
			take_common(cli, letter);
		}
	}
	return 0;
}

/* Arguments become JSON: what is not UTF-8 cannot. A file's name may be any bytes, but nobody has such. */
static int check_arguments(const struct kh_cli *cli, int count, char **arguments)
{
	const struct kh_command *command = cli->command;

	for (int i = 0; i < count; i++)
		if (kh_utf8_check(arguments[i], strlen(arguments[i])) != strlen(arguments[i]))
			return kh_usage_error(cli, _("argument %d is not UTF-8"), i + 1);
	if (count < command->arguments_min)
		return kh_usage_error(cli, _("something is missing"));
	if (command->arguments_max >= 0 && count > command->arguments_max)
		return kh_usage_error(cli, _("\"%s\" is too much"), arguments[command->arguments_max]);
	return 0;
}

int kh_cli_run(struct kh_cli *cli, int argc, char **argv)
{
	json_t *request KH_CLEANUP(kh_json_decrefp) = kh_request(cli->command->name);
	int code = KH_EXIT_DONE;

	if (read_options(cli, argc, argv, request, &code))
		return code;
	code = check_arguments(cli, argc - optind, argv + optind);
	return code ? code : cli->command->run(cli, request, argc - optind, argv + optind);
}

void kh_put_arguments(json_t *request, const char *member, int count, char **arguments)
{
	json_t *array = json_array();

	for (int i = 0; i < count; i++)
		json_array_append_new(array, json_string(arguments[i]));
	json_object_set_new(request, member, array);
}
