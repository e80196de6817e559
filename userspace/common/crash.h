/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Named places at which a crash is tried out. Nothing at all in what is shipped: they exist where KH_CRASH_POINTS is defined, in the daemon that
 * `make torture-tools` builds (tests/torture/crash_points.c). A name says what has just been done: "push.written", "ledger.committed".
 *
 * Wherever a step of a change, of a migration or of an upgrade leaves something that outlives the process (the ledger, a map, a pin, a file), there is
 * a point before and one after it.
 */
#ifndef KHIEN_COMMON_CRASH_H
#define KHIEN_COMMON_CRASH_H

#ifdef KH_CRASH_POINTS
void kh_crash_point(const char *name);
/* The list of all of them is a section of the program, so that a test can tell which it never came by. */
#define KH_CRASH_POINT(name)                                                                             \
	do {                                                                                             \
		static const char *kh_point_ __attribute__((section("kh_crash_points"), used)) = (name); \
		kh_crash_point(kh_point_);                                                               \
	} while (0)
#else
#define KH_CRASH_POINT(name) ((void)0)
#endif

#endif
