# SPDX-License-Identifier: GPL-2.0-or-later
#
# Khiên: everything is built under build/; sources are listed, never globbed. `make help` tells the targets.

VERSION := 0.1.0
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
LOCALSTATEDIR ?= /var/lib
DESTDIR ?=
CC ?= gcc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/bin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config
B := build
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)';)

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

# ---- Sources, by module -------------------------------------------------------------------------
# One archive a module, so that a test links only what the layers allow it.

SRC_common := error.c util.c address.c file.c text.c time.c lang.c
SRC_model := indicator.c decision.c document.c
SRC_reader := reader.c
SRC_guard := guard.c rules.c list.c judge.c
SRC_compile := compile.c
SRC_ledger := ledger.c
SRC_kernel := load.c generation.c clock.c counters.c attach.c
SRC_netlink := links.c stack.c resolvers.c wireguard.c monitor.c
SRC_daemon := main.c control.c client.c frame.c log.c options.c platform.c serve.c config.c config_lines.c config_values.c
SRC_cli := main.c

MODULES := common model reader guard compile ledger kernel netlink daemon cli

# ---- Flags --------------------------------------------------------------------------------------

WARN := -Wall -Wextra -Wconversion -Wshadow -Wformat=2 -Wvla -Wstrict-prototypes -Wmissing-prototypes \
	$(if $(WERROR),-Werror)
PKGS := libbpf libnl-3.0 libnl-route-3.0 libnl-genl-3.0 libmnl jansson libsystemd sqlite3 inih smartcols
CPPFLAGS_ALL = -D_GNU_SOURCE -DKH_VERSION='"$(VERSION)"' -DKH_PREFIX='"$(PREFIX)"' -DKH_SYSCONFDIR='"$(SYSCONFDIR)"' \
	-DKH_STATEDIR='"$(LOCALSTATEDIR)/khien"' -Iinclude -Iuserspace -isystem $(B)/bpf $(CPPFLAGS)
CFLAGS ?= -O2 -g
CFLAGS_ALL = -std=gnu11 $(WARN) -fstack-protector-strong $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null | sed 's/-I/-isystem /g') $(CFLAGS)
LDLIBS_kernel := $(shell $(PKG_CONFIG) --libs libbpf 2>/dev/null)
LDLIBS_netlink := $(shell $(PKG_CONFIG) --libs libnl-route-3.0 libnl-genl-3.0 libnl-3.0 libmnl 2>/dev/null)
LDLIBS_ledger := $(shell $(PKG_CONFIG) --libs sqlite3 2>/dev/null)
LDLIBS_daemon := $(shell $(PKG_CONFIG) --libs libsystemd inih jansson 2>/dev/null)
LDLIBS_cli := $(shell $(PKG_CONFIG) --libs smartcols jansson 2>/dev/null)

DAEMON_LIBS := daemon kernel netlink ledger compile guard reader model common
CLI_LIBS := cli guard reader model common

.PHONY: all
all: $(B)/khiend $(B)/khien

# ---- Modules ------------------------------------------------------------------------------------

define module_rules
$(B)/$(1).a: $$(SRC_$(1):%.c=$(B)/obj/$(1)/%.o)
	$$(call say,AR,$$@)rm -f $$@ && ar rcs $$@ $$^
$(B)/san/$(1).a: $$(SRC_$(1):%.c=$(B)/san/obj/$(1)/%.o)
	$$(call say,AR,$$@)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach m,$(MODULES),$(eval $(call module_rules,$(m))))

$(B)/obj/%.o: userspace/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1
$(B)/san/obj/%.o: userspace/%.c
	@mkdir -p $(@D)
	$(call say,CC.san,$<)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(SAN) -MMD -MP -c $< -o $@

$(B)/khiend: $(DAEMON_LIBS:%=$(B)/%.a)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -o $@ $^ $(foreach l,$(DAEMON_LIBS),$(LDLIBS_$(l)))
$(B)/khien: $(CLI_LIBS:%=$(B)/%.a)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -o $@ $^ $(foreach l,$(CLI_LIBS),$(LDLIBS_$(l)))

# ---- Packet programs ----------------------------------------------------------------------------

BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Iinclude -Ibpf \
	-isystem /usr/include/$(shell $(CC) -dumpmachine)
$(B)/bpf/khien.bpf.o: bpf/khien.bpf.c $(wildcard bpf/*.h) include/khien/abi.h include/khien/reasons.def
	@mkdir -p $(@D)
	$(call say,BPF,$<)$(CLANG) $(BPF_CFLAGS) -c $< -o $@
$(B)/bpf/khien.skel.h: $(B)/bpf/khien.bpf.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name khien_bpf > $@
$(B)/obj/kernel/load.o $(B)/san/obj/kernel/load.o: $(B)/bpf/khien.skel.h

# ---- Tests --------------------------------------------------------------------------------------
# test_X is tests/unit/test_X.c, linked (ASan + UBSan) with the modules named in LIBS_test_X.

UNIT_TESTS := test_control

LIBS_test_control := daemon common

UNIT_TESTS += test_guard test_guard_list test_guard_random test_rules
LIBS_test_guard := guard model common
LIBS_test_guard_list := guard model common
LIBS_test_guard_random := guard model common
LIBS_test_rules := guard model common

UNIT_TESTS += test_config
LIBS_test_config := daemon common

define unit_rules
$(B)/tests/$(1): tests/unit/$(1).c $$(LIBS_$(1):%=$(B)/san/%.a)
	@mkdir -p $$(@D)
	$$(call say,TEST,$$@)$$(CC) $$(CPPFLAGS_ALL) -Itests/unit $$(CFLAGS_ALL) $$(SAN) -MMD -MP -o $$@ $$< $$(LIBS_$(1):%=$(B)/san/%.a) -lcmocka $$(foreach l,$$(LIBS_$(1)),$$(LDLIBS_$$(l))) $$(EXTRA_$(1))
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_rules,$(t))))

.PHONY: clean
clean:
	$(Q)rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
