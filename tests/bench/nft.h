/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A named counter of an nftables table of family netdev.
 */
#ifndef KHIEN_TESTS_BENCH_NFT_H
#define KHIEN_TESTS_BENCH_NFT_H

#include <stdint.h>

uint64_t bench_nft_counter(const char *table, const char *name); /* packets */

#endif
