// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: lists and tables in text. The first byte says what the first line is: nothing, or the heading or dialect that makes a list of its kind of the lines
 * after it.
 */
#include "fuzz.h"

static const char *const heads[] = {
	"",
	"127.0.0.1 localhost\n0.0.0.0 a.example\n",
	"address=/a.example/#\n",
	"server:\nlocal-zone: \"a.example.\" always_null\n",
	"||a.example^\n",
	"$TTL 1h\n@ IN SOA a. b. (1 2 3 4 5)\n IN NS c.\na.example CNAME .\n",
	"ip,port,note\n203.0.113.1,443,x\n",
	"start;end;count\n203.0.113.0;203.0.113.255;24\n",
	"#fields\tindicator\tindicator_type\n203.0.113.1\tIntel::ADDR\n",
	"type,value,comment\nip,203.0.113.1,\"x\"\n",
	"203.0.113.1\n203.0.113.2\n203.0.113.3\n203.0.113.4\n203.0.113.5\n203.0.113.6\n203.0.113.7\n203.0.113.8\n",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size)
		fuzz_read_within(heads[data[0] % KH_ARRAY_SIZE(heads)], data + 1, size - 1, "");
	return 0;
}
