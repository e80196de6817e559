// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What time it is. Deadlines are times of the wall clock, and that can be wrong: a dead battery, a hardware clock in local time, a slip of the hand. It is
 * believed while it goes on from what was known before, when it is synchronised, or when an administrator says so (khien confirm clock). Otherwise
 * time goes on by what has passed since it was known: since the jump; since the time that the packet programs keep; after a reboot, since the latest that the
 * ledger knows. So nothing ends early. All of khiend asks kh_now(). One process has one clock: what is known of it is kept here.
 */
#include "daemon/private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timex.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "common/lang.h"
#include "daemon/log.h"
#include "ledger/unconfirmed.h"

#define SLACK_SECONDS 300 /* off by less: a clock that drifted, or was put right by hand */
#define FAR_SECONDS \
	21600 /* after a reboot: ahead by less may be the time without power; it is less than the 7 h of a hardware clock in local time */
#define STEP_SECONDS 2 /* a clock that moved by less was not set */
#define DOUBT_SECONDS 10 /* between two looks at a clock that is not believed */
#define ASK_USEC 1000000
#define LATEST "latest-time" /* in the ledger: the latest time that was believed */
/* In the ledger: 1 + the last change before the clock was doubted, negative where time goes on from the ledger's latest; 0: it is believed. */
#define DOUBTED "clock-doubted"

static struct {
	int64_t base; /* known time less the time since the machine started: moves when the clock is set, and not otherwise */
	bool doubted;
} known;

static int64_t seconds_of(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec;
}

static int64_t wall_base(void)
{
	return seconds_of(CLOCK_REALTIME) - seconds_of(CLOCK_BOOTTIME);
}

int64_t kh_now(void)
{
	return known.doubted ? known.base + seconds_of(CLOCK_BOOTTIME) : seconds_of(CLOCK_REALTIME);
}

bool kh_clock_doubted(void)
{
	return known.doubted;
}

/* systemd-timedated, which looks where the unit forbids us to (ProtectClock). Where nobody answers, it is not synchronised as far as we know. */
static bool asked_synchronised(void)
{
	sd_bus *bus = NULL;
	int yes = 0;

	if (sd_bus_open_system(&bus) < 0)
		return false;
	sd_bus_set_method_call_timeout(bus, ASK_USEC);
	if (sd_bus_get_property_trivial(bus, "org.freedesktop.timedate1", "/org/freedesktop/timedate1",
					"org.freedesktop.timedate1", "NTPSynchronized", NULL, 'b', &yes) < 0)
		yes = 0;
	sd_bus_close_unref(bus);
	return yes;
}

static bool synchronised(void)
{
	struct timex look = {};

	if (adjtimex(&look) >= 0)
		return !(look.status & STA_UNSYNC);
	return asked_synchronised();
}

/* ---- What the ledger knows -------------------------------------------------------------------------- */

static int64_t fact(struct kh_core *core, const char *name)
{
	int64_t value = 0;

	kh_ledger_fact_get(core->ledger, name, &value);
	return value;
}

static void put_fact(struct kh_core *core, const char *name, int64_t value)
{
	if (kh_ledger_begin(core->ledger, NULL) < 0)
		return;
	if (kh_ledger_fact_put(core->ledger, name, value, NULL) < 0 || kh_ledger_commit(core->ledger, NULL) < 0)
		kh_ledger_rollback(core->ledger);
}

/* Time that is believed and yet behind was put right. */
void kh_clock_remember(struct kh_core *core)
{
	int64_t now = kh_now(), latest = fact(core, LATEST);

	if (now > latest || (!known.doubted && now + SLACK_SECONDS < latest))
		put_fact(core, LATEST, now);
}

static int write_moved(struct kh_core *core, int64_t seconds, struct kh_error *error)
{
	int64_t doubted = fact(core, DOUBTED), before = llabs(doubted) - 1;
	/* somebody who waits to be let in again waits as long as was said; what was to end before a reboot ends by the time of day */
	int64_t rows = kh_ledger_unconfirmed_shift(core->ledger, doubted < 0 ? before : 0, seconds, error);

	if (rows >= 0 && doubted)
		rows = kh_ledger_deadlines_shift(core->ledger, before, seconds, error);
	if (rows >= 0)
		rows = kh_ledger_fact_put(core->ledger, DOUBTED, 0, error);
	return rows < 0 ? (int)rows : 0;
}

/* The known time was put right by so many seconds: what was to last for a while lasts as long as was said. 0 or -errno with error. */
static int move_deadlines(struct kh_core *core, int64_t seconds, struct kh_error *error)
{
	int code;

	if (llabs(seconds) < STEP_SECONDS)
		seconds = 0;
	if (!fact(core, DOUBTED) && (!seconds || !kh_ledger_unconfirmed_next(core->ledger)))
		return 0;
	code = kh_ledger_begin(core->ledger, error);
	if (code < 0)
		return code;
	code = write_moved(core, seconds, error);
	if (code < 0) {
		kh_ledger_rollback(core->ledger);
		return code;
	}
	code = kh_apply(core, error);
	if (code >= 0 && seconds)
		kh_log(LOG_NOTICE, "event=deadlines-moved seconds=%lld", (long long)seconds);
	return code;
}

/* ---- Belief ------------------------------------------------------------------------------------------- */

static void tell_programs(struct kh_core *core)
{
	struct kh_error error = {};

	if (kh_kernel_set_clock(core->kernel, kh_now() - seconds_of(CLOCK_REALTIME), &error) < 0)
		kh_log_error(LOG_ERR, "clock-not-set", &error);
	core->calibrated = kh_now();
}

static void set_known(int64_t base, bool doubted)
{
	known.base = base;
	known.doubted = doubted;
}

static void doubt(struct kh_core *core, int64_t wall, bool guessed)
{
	int64_t mark = kh_ledger_last_change(core->ledger) + 1;

	if (!known.doubted)
		kh_log(LOG_WARNING, "event=clock-not-believed seconds=%lld", (long long)(wall - known.base));
	set_known(known.base, true);
	if (!fact(core, DOUBTED))
		put_fact(core, DOUBTED, guessed ? -mark : mark);
	tell_programs(core);
}

/* Deadlines move before the programs see a later time, and after they see an earlier one: no packet of what is in force passes between. */
static int believe(struct kh_core *core, int64_t wall, struct kh_error *error)
{
	int64_t base = known.base, moved = wall - base;
	bool doubted = known.doubted;
	int code;

	set_known(wall, false);
	if (moved < 0)
		tell_programs(core);
	code = core->detached ? 0 : move_deadlines(core, moved, error);
	if (code < 0)
		set_known(base, true);
	else if (doubted)
		kh_log(LOG_NOTICE, "event=clock-believed seconds=%lld", (long long)moved);
	tell_programs(core);
	return code;
}

void kh_clock_start(struct kh_core *core, int64_t kept)
{
	int64_t now = seconds_of(CLOCK_REALTIME), wall = wall_base(), then = kept ? kept : fact(core, LATEST);
	bool near = now + SLACK_SECONDS >= then && now <= then + (kept ? SLACK_SECONDS : FAR_SECONDS);

	if (!then || (near && !fact(core, DOUBTED))) {
		set_known(wall, false);
	} else {
		set_known(wall + then - now, false);
		doubt(core, wall, !kept);
	}
	tell_programs(core);
	if (known.doubted)
		core->calibrated = 0; /* kh_clock_tick() asks whether it is synchronised, when all is there */
	kh_clock_remember(core);
}

void kh_clock_watch(struct kh_core *core)
{
	int64_t wall = wall_base();
	struct kh_error error = {};

	if (llabs(wall - known.base) > SLACK_SECONDS && !synchronised())
		doubt(core, wall, false);
	else if (believe(core, wall, &error) < 0)
		kh_log_error(LOG_ERR, "deadlines-not-moved", &error);
}

void kh_clock_tick(struct kh_core *core)
{
	int64_t since = kh_now() - core->calibrated;

	if (since >= (known.doubted ? DOUBT_SECONDS : KH_CLOCK_SECONDS) || since < 0 ||
	    (!known.doubted && llabs(wall_base() - known.base) > SLACK_SECONDS))
		kh_clock_watch(core);
}

json_t *kh_clock_confirm(const struct kh_request *request)
{
	struct kh_error error = {};
	json_t *reply;

	if (!known.doubted)
		kh_fail(&error, -ENOENT, _("the clock is believed already"));
	else
		believe(request->core, wall_base(), &error);
	if (error.text[0])
		return kh_reply_error(KH_EXIT_FAILED, &error);
	kh_clock_remember(request->core);
	reply = kh_reply(KH_EXIT_DONE);
	json_object_set_new(reply, "confirmed", json_array());
	json_object_set_new(reply, "clock", json_string("believed"));
	json_object_set_new(reply, "time", kh_json_time(request->core, kh_now()));
	return reply;
}
