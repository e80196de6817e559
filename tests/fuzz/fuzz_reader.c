// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: any bytes as a file, of any format and encoding. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_read(data, size, 1);
	return 0;
}
