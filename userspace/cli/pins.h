/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is attached, read off the pins: names only, so that it takes neither the daemon nor libbpf.
 */
#ifndef KHIEN_CLI_PINS_H
#define KHIEN_CLI_PINS_H

#include <jansson.h>

/* The names of the links pinned under <folder>/v<N>/links, as "eth0 xdp". An array, empty when there are none; NULL with *ret_error, an
 * errno, when they cannot be seen (EACCES without root). A folder that is not there holds nothing. */
json_t *kh_pins_read(const char *folder, int *ret_error);

#endif
