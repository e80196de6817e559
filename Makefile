# SPDX-License-Identifier: GPL-2.0-or-later
#
# Khiên: everything is built under build/; sources are listed, never globbed. `make help` tells the targets.

VERSION := 0.1.0
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
LOCALSTATEDIR ?= /var/lib
UNITDIR ?= $(PREFIX)/lib/systemd/system
DESTDIR ?=
ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/bin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config
B := build
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)';)

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

.PHONY: all
all: $(B)/khiend $(B)/khien $(B)/khien-parse $(B)/khien-parse-documents $(B)/khien-fetch $(B)/khien-refresh locale man ## build the programs (the default)

# ---- What it takes ------------------------------------------------------------------------------
# The Debian packages, in one list. tests/run and `make demo` install them too when they run as root.

DEPS := gcc libc6-dev clang libclang-rt-dev llvm bpftool libbpf-dev libxdp-dev pkg-config libnl-3-dev libnl-route-3-dev libnl-genl-3-dev libmnl-dev \
	libjansson-dev libsystemd-dev libsqlite3-dev libinih-dev libsodium-dev libsmartcols-dev libseccomp-dev libzip-dev libexpat1-dev \
	libxml2-dev libgmime-3.0-dev libidn2-dev libpsl-dev libcurl4-openssl-dev ca-certificates openssl dnsmasq-base bind9-utils poppler-utils tesseract-ocr tesseract-ocr-eng tesseract-ocr-vie gettext scdoc dpkg-dev \
	libcmocka-dev clang-tidy clang-format cppcheck shellcheck groff-base iproute2 nftables procps curl ncat jq python3 minisign \
	qemu-system-x86 seabios busybox-static cpio kmod xz-utils
DEPS_MISSING = $(filter-out $(shell dpkg-query -W -f '$${db:Status-Abbrev}$${Package}\n' $(DEPS) $(MORE_DEPS) 2>/dev/null | sed -n 's/^ii //p'),$(DEPS) $(MORE_DEPS))

.PHONY: deps deps-missing
deps: ## install the Debian packages that building and testing take (as root)
	@missing="$(DEPS_MISSING)"; if [ -z "$$missing" ]; then echo "All packages are there."; \
	elif [ "$$(id -u)" != 0 ]; then echo "Missing: $$missing"; echo "As root: make deps"; exit 1; \
	else export DEBIAN_FRONTEND=noninteractive; apt-get -q update && apt-get -qy --no-install-recommends install $$missing; fi
deps-missing:
	@echo $(DEPS_MISSING)

# ---- Sources, by module -------------------------------------------------------------------------
# One archive a module, so that a test links only what the layers allow it.

SRC_common := error.c util.c memory.c bytes.c address.c file.c socket.c text.c time.c lang.c
SRC_model := indicator.c decision.c document.c bulk.c wire.c wire_read.c wire_set.c fetched.c
SRC_sandbox := sandbox.c confine.c filter.c
SRC_reader := reader.c formats.c plain.c signs.c value.c mark.c unwrap.c cut.c rejoin.c scanned.c flow.c table.c columns.c index.c package.c xml.c docx.c odf.c xlsx.c archive.c names.c domains.c dialects.c zone.c excepted.c doubt.c span.c hosts.c csv.c feed.c charset.c html.c mail.c tree.c pattern.c pattern_parse.c stix.c misp.c openioc.c signature.c lines.c words.c refang.c domain.c values.c tokens.c collect.c facts.c grades.c grade_words.c recognise.c list.c shape.c context.c talk.c heed.c glued.c prose.c prose_look.c head.c letter.c number.c issuers.c announced.c
SRC_intake := intake.c pages.c scan.c
SRC_parse := answer.c main.c documents.c
SRC_fetch := fetch.c http.c say.c copy.c taxii.c taxii_find.c misp.c main.c
SRC_refresh := main.c
SRC_guard := guard.c rules.c hosts.c list.c warninglist.c judge.c sift.c
SRC_compile := compile.c sort.c chains.c flatten.c v4.c cells.c filter.c filter_v6.c slice.c v6.c ports.c hash.c image.c check.c lookup.c
SRC_ledger := open.c files.c schema.c sql.c transaction.c key.c clock.c changes.c undo.c letters.c chain.c tallies.c orders.c list.c bulks.c bulk_members.c bulk_put.c bulk_out.c bulk_rows.c bulk_force.c allows.c force.c \
	fold.c sightings.c slots.c totals.c health.c sources.c audit.c unconfirmed.c sessions.c
SRC_kernel := load.c arrays.c generation.c outer.c records.c pending.c clock.c counters.c attach.c filters.c chain.c move.c versions.c
SRC_netlink := links.c stack.c pppoe.c resolvers.c wireguard.c monitor.c conntrack.c flow.c connections.c
SRC_daemon := main.c control.c client.c peer.c frame.c log.c options.c platform.c serve.c tasks.c config.c config_lines.c config_values.c check.c check_links.c check_routes.c detect.c core.c kernels.c audit.c audit_answer.c minisign.c trust_keys.c trust.c signed.c reading.c interfaces.c protect.c apply.c flows.c impact.c known.c cut.c collect.c prove.c verify.c requests.c rows.c plan.c plan_bulk.c plan_answer.c push.c letters.c alter.c decide.c withdraw.c clock.c confirm.c sessions.c sources.c source_terms.c proxy.c secrets.c kept.c refreshing.c fetching.c replace.c look.c status.c why.c
SRC_cli := main.c input.c options.c language.c nearest.c client.c text.c phrase.c table.c json.c rows.c plan.c impact.c letters.c push.c orders.c session.c list.c stats.c history.c attach.c \
	pins.c status.c why.c export.c source.c judged.c document.c read.c

MODULES := common sandbox model reader intake parse fetch refresh guard compile ledger kernel netlink daemon cli

# ---- Flags --------------------------------------------------------------------------------------

WARN := -Wall -Wextra -Wconversion -Wshadow -Wformat=2 -Wvla -Wstrict-prototypes -Wmissing-prototypes \
	$(if $(WERROR),-Werror)
PKGS := libbpf libnl-3.0 libnl-route-3.0 libnl-genl-3.0 libmnl jansson libsystemd sqlite3 inih libsodium smartcols
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null | sed 's/-I/-isystem /g')
CPPFLAGS_ALL = -D_GNU_SOURCE -DKH_VERSION='"$(VERSION)"' -DKH_PREFIX='"$(PREFIX)"' -DKH_SYSCONFDIR='"$(SYSCONFDIR)"' \
	-DKH_STATEDIR='"$(LOCALSTATEDIR)/khien"' -Iinclude -Iuserspace -isystem $(B)/bpf $(CPPFLAGS)
CFLAGS ?= -O2 -g
CFLAGS_ALL = -std=gnu11 $(WARN) -fstack-protector-strong $(PKG_CFLAGS) $(CFLAGS)
# What the formats of the reader need is linked to khien-parse and to tests: no other program reads documents.
READER_PKGS := jansson libzip expat libxml-2.0 gmime-3.0 libidn2 libpsl
READER_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(READER_PKGS) 2>/dev/null | sed 's/-I/-isystem /g')
# private: else the file of flags, which they depend on, would change with what is built first, and all be built again.
$(B)/obj/reader/%.o $(B)/san/obj/reader/%.o: private PKG_CFLAGS += $(READER_CFLAGS)
LDLIBS_reader := $(shell $(PKG_CONFIG) --libs $(READER_PKGS) 2>/dev/null)
LDLIBS_guard := $(shell $(PKG_CONFIG) --libs jansson 2>/dev/null)
LDLIBS_sandbox := $(shell $(PKG_CONFIG) --libs libseccomp 2>/dev/null)
LDLIBS_fetch := $(shell $(PKG_CONFIG) --libs libcurl jansson 2>/dev/null)
LDLIBS_kernel := $(shell $(PKG_CONFIG) --libs libbpf 2>/dev/null)
LDLIBS_netlink := $(shell $(PKG_CONFIG) --libs libnl-route-3.0 libnl-genl-3.0 libnl-3.0 libmnl 2>/dev/null)
LDLIBS_ledger := $(shell $(PKG_CONFIG) --libs sqlite3 libsodium 2>/dev/null)
LDLIBS_daemon := $(shell $(PKG_CONFIG) --libs libsystemd inih jansson libsodium 2>/dev/null)
LDLIBS_cli := $(shell $(PKG_CONFIG) --libs smartcols jansson 2>/dev/null)

DAEMON_LIBS := daemon kernel netlink ledger compile guard reader model common
CLI_LIBS := cli intake guard reader model sandbox common
PARSE_LIBS := reader model common
FETCH_LIBS := fetch model common
REFRESH_LIBS := refresh intake model sandbox common

# Paths and flags are compiled in: objects made with others are made again.
.PHONY: FORCE
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL))' > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# ---- Modules ------------------------------------------------------------------------------------

define module_rules
$(B)/$(1).a: $$(SRC_$(1):%.c=$(B)/obj/$(1)/%.o)
	$$(call say,AR,$$@)rm -f $$@ && ar rcs $$@ $$^
$(B)/san/$(1).a: $$(SRC_$(1):%.c=$(B)/san/obj/$(1)/%.o)
	$$(call say,AR,$$@)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach m,$(MODULES),$(eval $(call module_rules,$(m))))

$(B)/obj/%.o: userspace/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1
$(B)/san/obj/%.o: userspace/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC.san,$<)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(SAN) -MMD -MP -c $< -o $@

$(B)/khiend: $(DAEMON_LIBS:%=$(B)/%.a)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -o $@ $^ $(foreach l,$(DAEMON_LIBS),$(LDLIBS_$(l)))
# Of the libraries only what is used: khien-parse is to start in little time.
$(B)/khien-parse: $(B)/obj/parse/main.o
$(B)/khien-parse-documents: $(B)/obj/parse/documents.o
$(B)/khien-parse $(B)/khien-parse-documents: $(B)/obj/parse/answer.o $(PARSE_LIBS:%=$(B)/%.a)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -Wl,--as-needed -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS_reader)
$(B)/khien-fetch: $(FETCH_LIBS:%=$(B)/%.a)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS_fetch)
$(B)/khien-refresh: $(REFRESH_LIBS:%=$(B)/%.a)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS_sandbox)
$(B)/khien: $(CLI_LIBS:%=$(B)/%.a)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -o $@ $^ $(foreach l,$(CLI_LIBS),$(LDLIBS_$(l)))

# ---- Packet programs ----------------------------------------------------------------------------

BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Iinclude -Ibpf \
	-isystem $(patsubst %/asm,%,$(firstword $(wildcard /usr/include/*-linux-gnu*/asm)))
$(B)/bpf/khien.bpf.o: bpf/khien.bpf.c $(wildcard bpf/*.h) include/khien/abi.h include/khien/hash.h include/khien/reasons.def
	@mkdir -p $(@D)
	$(call say,BPF,$<)$(CLANG) $(BPF_CFLAGS) -c $< -o $@
$(B)/bpf/khien.skel.h: $(B)/bpf/khien.bpf.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name khien_bpf > $@
$(B)/obj/kernel/load.o $(B)/san/obj/kernel/load.o: $(B)/bpf/khien.skel.h

# ---- Tests --------------------------------------------------------------------------------------
# test_X is tests/unit/test_X.c, linked (ASan + UBSan) with the modules named in LIBS_test_X.

UNIT_TESTS := test_control test_control_files test_frame test_peer test_log test_options
LIBS_test_frame := daemon common
EXTRA_test_frame := -Wl,--wrap=malloc
LIBS_test_peer := daemon common
LIBS_test_control := daemon common
LIBS_test_control_files := daemon common
LIBS_test_log := daemon common
LIBS_test_options := daemon common

UNIT_TESTS += test_address test_address_scan test_text test_file test_lang test_indicator test_bulk test_fetched
LIBS_test_address := common
LIBS_test_address_scan := common
LIBS_test_text := common
LIBS_test_file := common
LIBS_test_lang := common
LIBS_test_indicator := model common
LIBS_test_bulk := model common
LIBS_test_fetched := model common

UNIT_TESTS += test_fetch_copy
LIBS_test_fetch_copy := fetch model common

UNIT_TESTS += test_stack test_links test_connections test_flow test_conntrack
LIBS_test_stack := netlink common
LIBS_test_links := netlink common
LIBS_test_connections := netlink common
LIBS_test_flow := netlink common
LIBS_test_conntrack := netlink common

UNIT_TESTS += test_guard test_guard_list test_guard_names test_guard_random test_guard_bulk test_rules
LIBS_test_guard_names := guard model common
LIBS_test_guard := guard model common
LIBS_test_guard_list := guard model common
LIBS_test_guard_random := guard model common
LIBS_test_guard_bulk := guard model common
LIBS_test_rules := guard model common

COMPILE_TESTS := test_compile test_compile_shape test_compile_random test_compile_image test_compile_scale
UNIT_TESTS += $(COMPILE_TESTS)
$(foreach t,$(COMPILE_TESTS),$(eval LIBS_$(t) := compile model common)$(eval EXTRA_$(t) := tests/unit/naive.c))
EXTRA_test_compile_image += $(foreach f,malloc calloc realloc aligned_alloc,-Wl,--wrap=$(f))
EXTRA_test_compile_scale += tests/unit/nearby.c tests/unit/worlds.c
$(COMPILE_TESTS:%=$(B)/tests/%): tests/unit/naive.c
$(B)/tests/test_compile_scale: tests/unit/nearby.c tests/unit/worlds.c

LEDGER_TESTS := test_ledger test_ledger_letters test_ledger_undo test_ledger_force test_ledger_fold test_ledger_file test_ledger_damage \
	test_ledger_crash test_ledger_bulk test_ledger_sources test_ledger_chain test_audit test_ledger_unconfirmed
UNIT_TESTS += $(LEDGER_TESTS)
$(foreach t,$(LEDGER_TESTS),$(eval LIBS_$(t) := ledger model common))

UNIT_TESTS += test_config test_check test_source_terms test_impact test_minisign
LIBS_test_minisign := daemon common
LIBS_test_impact := daemon compile netlink model common
LIBS_test_source_terms := daemon model common
LIBS_test_check := daemon netlink guard reader model common
LIBS_test_config := daemon common

UNIT_TESTS += test_cli
LIBS_test_cli := cli common

UNIT_TESTS += test_sandbox
LIBS_test_sandbox := sandbox common
$(B)/tests/test_sandbox: $(B)/tests/victim
$(B)/tests/victim: tests/unit/victim.c
	@mkdir -p $(@D)
	$(call say,TOOL,$@)$(CC) -D_GNU_SOURCE -std=gnu11 $(WARN) -O2 -o $@ $<

UNIT_TESTS += test_intake test_pages
LIBS_test_intake := intake reader model sandbox common
LIBS_test_pages := intake reader model sandbox common
$(B)/tests/test_intake $(B)/tests/test_pages: $(B)/tests/khien-parse $(B)/tests/khien-parse-documents
$(B)/tests/khien-parse $(B)/tests/khien-parse-documents: $(B)/tests/%: $(B)/%
	@mkdir -p $(@D)
	$(Q)ln -sf ../$* $@

READER_TESTS := test_openioc test_cuts test_issuers test_grades test_letters test_lists test_dialects test_one_list test_forms test_office test_stix test_reader test_reader_bulk test_reader_values test_reader_memory test_wire
UNIT_TESTS += $(READER_TESTS)
$(foreach t,$(READER_TESTS),$(eval LIBS_$(t) := reader model common))
EXTRA_test_reader_memory := $(foreach f,malloc calloc realloc strdup strndup,-Wl,--wrap=$(f))

define unit_rules
$(B)/tests/$(1): tests/unit/$(1).c $$(LIBS_$(1):%=$(B)/san/%.a)
	@mkdir -p $$(@D)
	$$(call say,TEST,$$@)$$(CC) $$(CPPFLAGS_ALL) -Itests/unit $$(CFLAGS_ALL) $$(SAN) -MMD -MP -o $$@ $$< $$(LIBS_$(1):%=$(B)/san/%.a) -lcmocka $$(foreach l,$$(LIBS_$(1)),$$(LDLIBS_$$(l))) $$(EXTRA_$(1))
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_rules,$(t))))

# ---- Golden tests and fuzzing of the reader -------------------------------------------------------

GOLDEN_READER_FILES := $(sort $(wildcard tests/golden/reader/*.txt rules/advisories/*.txt))
$(B)/tests/golden_reader: tests/golden/golden_reader.c $(B)/san/reader.a $(B)/san/model.a $(B)/san/common.a
	@mkdir -p $(@D)
	$(call say,TEST,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(SAN) -MMD -MP -o $@ $(filter %.c %.a,$^) $(LDLIBS_reader)
# clang's fuzzer wants its own instrumentation: objects of their own, in which eight plain values are a long list. Comparisons are not traced: that took two
# thirds of the time and found no more than the dictionaries do. A run begins with the committed corpus, which stays as it is.
# FUZZ_RUNS=N: so many of each target. Without it 20,000, or what stands here: with the sanitizers a ledger takes 30 ms, a connection 2 ms.
FUZZ_RUNS_ledger := 500
FUZZ_RUNS_control := 5000
FUZZ_TARGETS := reader letter list json markup mail office value pattern wire fetched guard config minisign netlink ledger control
FUZZ_DOCUMENTS := $(foreach m,reader model common,$(SRC_$(m):%.c=$(m)/%))
FUZZ_OF_guard := $(foreach m,guard model common,$(SRC_$(m):%.c=$(m)/%))
FUZZ_OF_config := daemon/config daemon/config_lines daemon/config_values daemon/minisign daemon/proxy $(SRC_common:%.c=common/%)
FUZZ_OF_control := daemon/control daemon/client daemon/frame daemon/peer daemon/log $(SRC_common:%.c=common/%)
LINK_fuzz_control := $(LDLIBS_daemon)
FUZZ_OF_netlink := $(foreach m,netlink common,$(SRC_$(m):%.c=$(m)/%))
LINK_fuzz_netlink := $(LDLIBS_netlink)
FUZZ_OF_ledger := $(foreach m,ledger model common,$(SRC_$(m):%.c=$(m)/%))
LINK_fuzz_ledger := $(LDLIBS_ledger)
FUZZ_OF_minisign := daemon/minisign $(SRC_common:%.c=common/%)
LINK_fuzz_minisign := $(shell $(PKG_CONFIG) --libs libsodium 2>/dev/null)
LINK_fuzz_config := $(shell $(PKG_CONFIG) --libs inih libsodium 2>/dev/null)
FUZZ_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fsanitize-address-use-after-return=never -O2 -DKH_BULK_MIN=8
$(B)/fuzz/obj/%.o: userspace/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC.fuzz,$<)$(CLANG) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(READER_CFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp -MMD -MP -c $< -o $@
define fuzz_rules
$(B)/tests/fuzz_$(1): tests/fuzz/fuzz_$(1).c $$(patsubst %,$(B)/fuzz/obj/%.o,$$(or $$(FUZZ_OF_$(1)),$$(FUZZ_DOCUMENTS)))
	@mkdir -p $$(@D)
	$$(call say,FUZZ,$$@)$$(CLANG) $$(CPPFLAGS_ALL) $$(CFLAGS_ALL) $$(FUZZ_FLAGS) -fsanitize=fuzzer -MMD -MP -o $$@ $$(filter %.c %.o,$$^) $$(LDLIBS_reader) $$(LINK_fuzz_$(1))
endef
$(foreach t,$(FUZZ_TARGETS),$(eval $(call fuzz_rules,$(t))))
# The longest input, in bytes: enough for what a target can find, short enough for many runs.
FUZZ_MAX := 512
FUZZ_MAX_reader := 1024
FUZZ_MAX_letter := 1024
FUZZ_MAX_value := 128
FUZZ_MAX_wire := 2048
# Filling what is allotted, keeping long stacks, and more than an input of freed memory out of reach took two fifths of the time; who looks into a crash sets them
# again. A zone of its own spares libzip a look at the disk for each date.
FUZZ_ASAN := max_malloc_fill_size=0:malloc_context_size=1:quarantine_size_mb=1
FUZZ_SEEDS_reader := $(abspath tests/golden/reader)
.PHONY: fuzz list-fuzz $(FUZZ_TARGETS:%=fuzz-%)
fuzz: $(FUZZ_TARGETS:%=fuzz-%) ## a short fixed run of each fuzz target; fuzz-NAME FUZZ_RUNS=10000000 is a long one of one
list-fuzz:
	@printf '%s\n' $(FUZZ_TARGETS)
$(FUZZ_TARGETS:%=fuzz-%): fuzz-%: $(B)/tests/fuzz_%
	@mkdir -p $(B)/fuzz/$*
	$(Q)cd $(B)/fuzz && TZ=UTC0 ASAN_OPTIONS=$(FUZZ_ASAN) ../tests/fuzz_$* -seed=$(or $(FUZZ_SEED),1) -runs=$(or $(FUZZ_RUNS),$(FUZZ_RUNS_$*),20000) -max_len=$(or $(FUZZ_MAX_$*),$(FUZZ_MAX)) -timeout=20 -entropic=0 -reload=0 -verbosity=0 \
		$(patsubst %,-dict=%,$(wildcard $(abspath tests/fuzz/$*.dict))) $* $(abspath tests/fuzz/corpus/$*) $(FUZZ_SEEDS_$*)

.PHONY: golden
golden: $(B)/tests/golden_reader ## compare what the reader makes of the golden documents (UPDATE=1 rewrites)
	$(Q)$(B)/tests/golden_reader tests/golden/reader $(GOLDEN_READER_FILES)

# khien as people and programs see it, with the sanitizers, against a fake daemon.
$(B)/san/khien-parse $(B)/san/khien-parse-documents: $(B)/san/%: $(B)/%
	$(Q)ln -sf ../$* $@
$(B)/san/khien: $(CLI_LIBS:%=$(B)/san/%.a) | $(B)/san/khien-parse $(B)/san/khien-parse-documents
	$(call say,LD.san,$@)$(CC) $(LDFLAGS) $(SAN) -o $@ $^ $(foreach l,$(CLI_LIBS),$(LDLIBS_$(l)))
.PHONY: golden-cli
golden-cli: $(B)/san/khien locale ## compare the screens of khien with those kept (UPDATE=1 rewrites)
	$(Q)KHIEN_LOCALEDIR=$(abspath $(B))/locale tests/golden/cli/run.py $(B)/san/khien $(if $(UPDATE),--update)

# Tests on the real packet programs, as root; each has its own rule above and becomes $(B)/tests/NAME.
BPF_TESTS += $(PACKET_TESTS)
PACKET_TESTS := test_frames test_verdicts test_matrix test_random test_scale test_generations test_switching test_pending test_live test_sightings test_budget test_attach
PACKET_SOURCES := lab.c wire.c frames.c reference.c verdict_table.c
PACKET_LIBS := kernel compile model common
$(PACKET_TESTS:%=$(B)/tests/%): $(B)/tests/%: tests/bpf/%.c $(PACKET_SOURCES:%=tests/bpf/%) tests/unit/naive.c $(PACKET_LIBS:%=$(B)/san/%.a)
	@mkdir -p $(@D)
	$(call say,TEST,$@)$(CC) $(CPPFLAGS_ALL) -Itests/unit $(CFLAGS_ALL) $(SAN) -MMD -MP -o $@ $(filter %.c %.a,$^) -lcmocka $(LDLIBS_kernel) -lpthread $(LINK_$(@F))
$(B)/bpf/flood.bpf.o: tests/bpf/flood.bpf.c tests/bpf/flood_shared.h
	@mkdir -p $(@D)
	$(call say,BPF,$<)$(CLANG) $(BPF_CFLAGS) -c $< -o $@
$(B)/bpf/flood.skel.h: $(B)/bpf/flood.bpf.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name flood_bpf > $@
$(B)/tests/test_live: tests/bpf/flood.c $(B)/bpf/flood.skel.h
$(B)/tests/test_scale: tests/unit/nearby.c tests/unit/worlds.c
LINK_test_attach := -Wl,--wrap=bpf_link_create # plays a kernel without tcx

.PHONY: tests list-tests bpf-tests list-bpf-tests
bpf-tests: $(BPF_TESTS:%=$(B)/tests/%)
list-bpf-tests:
	@printf '%s\n' $(BPF_TESTS)
tests: $(UNIT_TESTS:%=$(B)/tests/%) ## build the unit tests
list-tests:
	@printf '%s\n' $(UNIT_TESTS)

.PHONY: check vm format
check: ## run everything there is to check (as root: also packets through real namespaces)
	$(Q)B=$(B) tests/run
vm: ## what depends on the kernel, on Debian's 6.1, 6.12 and newest, under QEMU (root; over an hour; KERNELS=6.1, WORDS="vm/ e2e/tc")
	$(Q)$(MAKE) --no-print-directory -s deps
	$(Q)B=$(B) tests/vm/kernels.sh $(WORDS) || [ $$? = 77 ]
format: ## bring all C sources into the house style
	$(Q)tests/check/clang-format.sh --apply

# ---- The laboratory ------------------------------------------------------------------------------

E2E_TOOLS := $(B)/tests/stream $(B)/tests/frame $(B)/tests/filtered
$(E2E_TOOLS): $(B)/tests/%: tests/e2e/%.c
	@mkdir -p $(@D)
	$(call say,TOOL,$@)$(CC) -D_GNU_SOURCE -std=gnu11 $(WARN) -O2 -o $@ $< $(LINK_$(@F))
LINK_filtered := $(LDLIBS_sandbox)
$(B)/tests/packets: tests/e2e/packets.c tests/bpf/frames.c tests/bpf/reference.c tests/unit/naive.c tests/unit/nearby.c $(B)/common.a
	@mkdir -p $(@D)
	$(call say,TOOL,$@)$(CC) $(CPPFLAGS_ALL) -Itests/unit -Itests/bpf $(CFLAGS_ALL) -MMD -MP -o $@ $(filter %.c %.a,$^) -lcmocka $(LDLIBS_kernel)
# khiend as another build and another version would be, to upgrade from and to (tests/e2e/upgrade.sh): other instructions; the ABI after this one.
OTHER_BUILDS := $(B)/other/build/khiend $(B)/other/abi/khiend
OTHER_MODULES := kernel compile
define other_rules
$(B)/other/$(1)/bpf/khien.bpf.o: bpf/khien.bpf.c $(wildcard bpf/*.h) include/khien/abi.h include/khien/hash.h include/khien/reasons.def
	@mkdir -p $$(@D)
	$$(call say,BPF,$$@)$$(CLANG) $$(BPF_CFLAGS) $(2) $(3) -c $$< -o $$@
$(B)/other/$(1)/bpf/khien.skel.h: $(B)/other/$(1)/bpf/khien.bpf.o
	$$(call say,SKEL,$$@)$$(BPFTOOL) gen skeleton $$< name khien_bpf > $$@
$(B)/other/$(1)/obj/%.o: userspace/%.c $(B)/other/$(1)/bpf/khien.skel.h
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)$$(CC) $(2) -isystem $(B)/other/$(1)/bpf $$(CPPFLAGS_ALL) $$(CFLAGS_ALL) -MMD -MP -c $$< -o $$@
$(B)/other/$(1)/khiend: $(foreach m,$(OTHER_MODULES),$(SRC_$(m):%.c=$(B)/other/$(1)/obj/$(m)/%.o)) $(DAEMON_LIBS:%=$(B)/%.a)
	$$(call say,LD,$$@)$$(CC) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) $$(filter-out $(OTHER_MODULES:%=$(B)/%.a),$$(filter %.a,$$^)) $$(foreach l,$$(DAEMON_LIBS),$$(LDLIBS_$$(l)))
endef
$(eval $(call other_rules,build,,-mcpu=v2))
$(eval $(call other_rules,abi,-DKH_ABI_VERSION=9999,))
$(B)/tests/kernel_before.so $(B)/tests/skewed.so: $(B)/tests/%.so: tests/e2e/%.c
	@mkdir -p $(@D)
	$(call say,TOOL,$@)$(CC) -D_GNU_SOURCE -std=gnu11 $(WARN) -O2 -fPIC -shared -o $@ $< -ldl
.PHONY: e2e-tools demo
e2e-tools: $(E2E_TOOLS) $(B)/tests/packets $(B)/tests/kernel_before.so $(B)/tests/skewed.so $(OTHER_BUILDS)
demo: ## watch a ministry letter become dropped packets, in a laboratory of network namespaces (root)
	$(Q)$(MAKE) --no-print-directory -s deps
	$(Q)$(MAKE) --no-print-directory -s all locale e2e-tools
	$(Q)KHIEN_LOCALEDIR=$(abspath $(B))/locale BUILD=$(abspath $(B)) tests/e2e/demo.sh

# ---- The benchmark -------------------------------------------------------------------------------
# tests/bench/bench.h says what is measured and how.

BENCH_BPF := $(B)/bpf/bench.bpf.o
$(BENCH_BPF): tests/bench/bench.bpf.c tests/bench/bench_shared.h bpf/parse.h bpf/packet.h include/khien/abi.h include/khien/hash.h
	@mkdir -p $(@D)
	$(call say,BPF,$<)$(CLANG) $(BPF_CFLAGS) -Itests/bench -c $< -o $@
$(B)/bpf/bench.skel.h: $(BENCH_BPF)
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name bench_bpf > $@

BENCH_LIBS := kernel compile model common
BENCH_SOURCES := lists.c setup.c harness.c
BENCH_TOOLS := $(B)/tests/bench-lookup $(B)/tests/bench-live $(B)/tests/bench-load $(B)/tests/bench-swaps
$(BENCH_TOOLS): $(B)/tests/bench-%: tests/bench/%.c $(BENCH_SOURCES:%=tests/bench/%) $(BENCH_LIBS:%=$(B)/%.a) $(B)/bpf/bench.skel.h
	@mkdir -p $(@D)
	$(call say,BENCH,$@)$(CC) $(CPPFLAGS_ALL) -Itests/bench $(CFLAGS_ALL) -MMD -MP -o $@ $(filter %.c %.a,$^) $(LDLIBS_kernel) -lpthread -lm
$(B)/tests/bench-live: tests/bench/nft.c
$(B)/tests/bench-live $(B)/tests/bench-swaps: tests/bench/traffic.c
$(B)/tests/bench-live: LDLIBS_kernel += $(shell $(PKG_CONFIG) --libs libmnl 2>/dev/null)
$(B)/tests/bench-timed: tests/bench/timed.c
	@mkdir -p $(@D)
	$(call say,BENCH,$@)$(CC) -D_GNU_SOURCE -std=gnu11 $(WARN) -O2 -o $@ $<
# The other firewalls; where they cannot be had, they are left out and the benchmark says so.
BENCH_DEPS := nftables iptables ipset
.PHONY: bench bench-tools
bench-tools: $(BENCH_TOOLS) $(B)/tests/bench-timed
bench: ## how fast: look-ups, live traffic, loading, against LPM trie, nft and ipset (root; QUICK=1: under three minutes)
	$(Q)$(MAKE) --no-print-directory -s deps
	$(Q)[ "$$(id -u)" != 0 ] || $(MAKE) --no-print-directory -s deps MORE_DEPS="$(BENCH_DEPS)" > /dev/null || echo "not all of these could be installed: $(BENCH_DEPS)"
	$(Q)$(MAKE) --no-print-directory -s all bench-tools
	$(Q)B=$(B) QUICK=$(QUICK) tests/bench/run.sh

# ---- Breaking things on purpose --------------------------------------------------------------------
# tests/torture/run says what a part is.

# khiend with its crash points (common/crash.h), and the same once more with packet programs of other code, which mean the same: an upgrade.
# The modules without a point are those of the build.
CRASH_MODULES := daemon kernel ledger common
CRASH_OBJECTS := $(foreach m,$(CRASH_MODULES),$(SRC_$(m):%.c=$(m)/%.o))
CRASH_LIBS := $(patsubst %,$(B)/%.a,$(filter-out $(CRASH_MODULES),$(DAEMON_LIBS)))
$(B)/crash/obj/%.o: userspace/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC.crash,$<)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -DKH_CRASH_POINTS -MMD -MP -c $< -o $@
$(B)/crash/obj/crash_points.o: tests/torture/crash_points.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC.crash,$<)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -DKH_CRASH_POINTS -MMD -MP -c $< -o $@
$(B)/crash/bpf/khien.bpf.o: bpf/khien.bpf.c $(B)/bpf/khien.bpf.o
	@mkdir -p $(@D)
	$(call say,BPF,$@)$(CLANG) $(BPF_CFLAGS) -O3 -c $< -o $@
$(B)/crash/bpf/khien.skel.h: $(B)/crash/bpf/khien.bpf.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name khien_bpf > $@
$(B)/crash/obj/kernel/load.o: $(B)/bpf/khien.skel.h
$(B)/crash/other/load.o: userspace/kernel/load.c $(B)/crash/bpf/khien.skel.h $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC.crash,$@)$(CC) -isystem $(B)/crash/bpf $(CPPFLAGS_ALL) $(CFLAGS_ALL) -DKH_CRASH_POINTS -MMD -MP -c $< -o $@
$(B)/crash/khiend: $(CRASH_OBJECTS:%=$(B)/crash/obj/%) $(B)/crash/obj/crash_points.o $(CRASH_LIBS)
$(B)/crash/khiend-upgraded: $(patsubst %,$(B)/crash/obj/%,$(filter-out kernel/load.o,$(CRASH_OBJECTS))) $(B)/crash/other/load.o $(B)/crash/obj/crash_points.o $(CRASH_LIBS)
$(B)/crash/khiend $(B)/crash/khiend-upgraded:
	$(call say,LD,$@)$(CC) $(LDFLAGS) -o $@ $^ $(foreach l,$(DAEMON_LIBS),$(LDLIBS_$(l)))

# Without sanitizers, since it runs by the million.
$(B)/tests/torture-frames: tests/torture/frames.c tests/torture/hostile.c $(PACKET_SOURCES:%=tests/bpf/%) tests/unit/naive.c $(PACKET_LIBS:%=$(B)/%.a)
	@mkdir -p $(@D)
	$(call say,TEST,$@)$(CC) $(CPPFLAGS_ALL) -Itests/unit -Itests/bpf -Itests/torture $(CFLAGS_ALL) -MMD -MP -o $@ $(filter %.c %.a,$^) -lcmocka $(LDLIBS_kernel)

# Loaded before libc into the shipped khiend: makes calls fail.
$(B)/tests/faults.so: tests/torture/faults.c
	@mkdir -p $(@D)
	$(call say,TOOL,$@)$(CC) -D_GNU_SOURCE -std=gnu11 $(WARN) -O2 -fPIC -shared -fno-builtin -o $@ $<

TORTURE_TOOLS := $(B)/crash/khiend $(B)/crash/khiend-upgraded $(B)/tests/faults.so $(B)/tests/torture-frames
.PHONY: torture torture-tools
torture-tools: $(TORTURE_TOOLS)
torture: ## break things on purpose: crashes, refused memory and disks, damaged ledgers, floods (root; QUICK=1: a quarter of an hour)
	$(Q)$(MAKE) --no-print-directory -s deps
	$(Q)$(MAKE) --no-print-directory -s all e2e-tools torture-tools
	$(Q)B=$(B) QUICK=$(QUICK) tests/torture/run $(WORDS)

# ---- Real lists ------------------------------------------------------------------------------------

CORPUS_LIBS := kernel compile reader model common
$(B)/tests/corpus: tests/bpf/corpus.c $(PACKET_SOURCES:%=tests/bpf/%) $(patsubst %,tests/unit/%.c,naive nearby worlds) $(CORPUS_LIBS:%=$(B)/san/%.a)
	@mkdir -p $(@D)
	$(call say,TEST,$@)$(CC) $(CPPFLAGS_ALL) -Itests/unit $(CFLAGS_ALL) $(SAN) -MMD -MP -o $@ $(filter %.c %.a,$^) -lcmocka $(LDLIBS_kernel) $(LDLIBS_reader)
.PHONY: corpus
corpus: ## real address lists against the naive matcher and iprange, real documents against what stands in them (CORPUS=../shared/corpus; as root: also packets)
	$(Q)$(MAKE) --no-print-directory -s deps
	$(Q)[ "$$(id -u)" != 0 ] || $(MAKE) --no-print-directory -s deps MORE_DEPS=iprange > /dev/null || echo "iprange could not be installed"
	$(Q)$(MAKE) --no-print-directory -s $(B)/tests/corpus all
	$(Q)B=$(B) tests/bpf/corpus.sh
	$(Q)tests/corpus/documents.py $(B)/khien $${CORPUS:-../shared/corpus} rules/never-block.d

# ---- Manual pages and translations ---------------------------------------------------------------

MAN := khien.1 khiend.8 khien.conf.5
LANGUAGES := vi

.PHONY: man locale
man: $(MAN:%=$(B)/man/%)
$(B)/man/%: userspace/man/%.scd
	@mkdir -p $(@D)
	$(call say,MAN,$@)scdoc < $< > $@

locale: $(LANGUAGES:%=$(B)/locale/%/LC_MESSAGES/khien.mo)
# What stands in _(), N_() and ngettext() of all modules, with the file it stands in (lines would make noise).
PO_SOURCES := $(foreach m,$(MODULES),$(SRC_$(m):%.c=userspace/$(m)/%.c)) userspace/model/decision.h userspace/cli/plan.h userspace/cli/cli.h
$(B)/khien.pot: $(PO_SOURCES)
	@mkdir -p $(@D)
	$(call say,POT,$@)xgettext --language=C --from-code=UTF-8 --keyword --keyword=_ --keyword=N_ --keyword=ngettext:1,2 --add-location=file \
		--package-name=khien --package-version=$(VERSION) -o - $(PO_SOURCES) | sed -e '/^"POT-Creation-Date:/d' -e 's/charset=CHARSET/charset=UTF-8/' > $@
.PHONY: po-update
po-update: $(B)/khien.pot ## bring the translations up to the sources; then look for what is left: msgattrib --untranslated
	$(Q)for l in $(LANGUAGES); do msgmerge --quiet --update --backup=off --no-fuzzy-matching --add-location=file userspace/po/$$l.po $<; \
		msgattrib --no-obsolete -o userspace/po/$$l.po userspace/po/$$l.po; msgfmt --statistics -o /dev/null userspace/po/$$l.po; done
$(B)/locale/%/LC_MESSAGES/khien.mo: userspace/po/%.po
	@mkdir -p $(@D)
	$(call say,MSGFMT,$@)msgfmt --check-format --check-domain -o $@ $<

# ---- Installing ---------------------------------------------------------------------------------

INSTALL_DIRS = $(PREFIX)/bin $(PREFIX)/sbin $(PREFIX)/libexec/khien $(SYSCONFDIR)/khien/never-block.d $(SYSCONFDIR)/khien/issuers.d $(UNITDIR) $(PREFIX)/lib/sysusers.d \
	$(foreach m,$(MAN),$(PREFIX)/share/man/man$(lastword $(subst ., ,$(m)))) $(PREFIX)/share/bash-completion/completions \
	$(LANGUAGES:%=$(PREFIX)/share/locale/%/LC_MESSAGES)
LISTS := $(patsubst rules/%,%,$(wildcard rules/never-block.d/*.list rules/issuers.d/*.list))
subst_paths = sed -e 's,@sbindir@,$(PREFIX)/sbin,g' -e 's,@libexecdir@,$(PREFIX)/libexec/khien,g' -e 's,@sysconfdir@,$(SYSCONFDIR),g' -e 's,/etc/khien,$(SYSCONFDIR)/khien,g'

.PHONY: install uninstall deb
install: all ## install under DESTDIR, PREFIX (/usr/local), SYSCONFDIR (/etc); configuration that is there stays
	$(Q)install -d $(addprefix $(DESTDIR),$(sort $(INSTALL_DIRS)))
	$(Q)install -m 0755 $(B)/khien $(DESTDIR)$(PREFIX)/bin/khien
	$(Q)install -m 0755 $(B)/khiend $(DESTDIR)$(PREFIX)/sbin/khiend
	$(Q)install -m 0755 $(B)/khien-parse $(B)/khien-parse-documents $(B)/khien-fetch $(B)/khien-refresh $(DESTDIR)$(PREFIX)/libexec/khien/
	$(Q)set -e; keep() { if [ ! -e "$$2" ] || cmp -s "$$1" "$$2"; then install -m 0644 "$$1" "$$2"; \
		else install -m 0644 "$$1" "$$2.new"; echo "kept $$2; the shipped one is $$2.new"; fi; }; \
	$(subst_paths) rules/khien.conf > $(B)/khien.conf; keep $(B)/khien.conf $(DESTDIR)$(SYSCONFDIR)/khien/khien.conf; \
	for f in $(LISTS); do keep rules/$$f $(DESTDIR)$(SYSCONFDIR)/khien/$$f; done
	$(Q)for u in khiend.service khien-refresh@.service; do $(subst_paths) userspace/systemd/$$u.in > $(DESTDIR)$(UNITDIR)/$$u; done
	$(Q)install -m 0644 userspace/systemd/khien-refresh.socket $(DESTDIR)$(UNITDIR)/
	$(Q)install -m 0644 userspace/systemd/khien.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/khien.conf
	$(Q)for m in $(MAN); do install -m 0644 $(B)/man/$$m $(DESTDIR)$(PREFIX)/share/man/man$${m##*.}/$$m; done
	$(Q)install -m 0644 userspace/completion/khien $(DESTDIR)$(PREFIX)/share/bash-completion/completions/khien
	$(Q)for l in $(LANGUAGES); do install -m 0644 $(B)/locale/$$l/LC_MESSAGES/khien.mo $(DESTDIR)$(PREFIX)/share/locale/$$l/LC_MESSAGES/khien.mo; done
	$(Q)if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ]; then groupadd --system --force khien; groupadd --system --force khien-admin; \
		if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi; \
		echo "Next: set wan and lan in $(SYSCONFDIR)/khien/khien.conf, then: khiend --check && systemctl enable --now khiend"; fi

uninstall: ## remove what install put there; the ledger and changed configuration stay (PURGE=1: they go too)
	$(Q)if [ -z "$(DESTDIR)" ] && [ -d /run/systemd/system ]; then systemctl disable --now khiend khien-refresh.socket 2>/dev/null || true; fi
	$(Q)if [ -z "$(DESTDIR)" ] && [ -d /sys/fs/bpf/khien ] && [ -x $(PREFIX)/sbin/khiend ]; then $(PREFIX)/sbin/khiend --detach || true; fi
	$(Q)rm -f $(addprefix $(DESTDIR)$(PREFIX)/,bin/khien sbin/khiend libexec/khien/khien-parse libexec/khien/khien-parse-documents libexec/khien/khien-fetch libexec/khien/khien-refresh lib/sysusers.d/khien.conf share/bash-completion/completions/khien \
		$(LANGUAGES:%=share/locale/%/LC_MESSAGES/khien.mo)) $(addprefix $(DESTDIR)$(UNITDIR)/,khiend.service khien-refresh.socket khien-refresh@.service)
	$(Q)for m in $(MAN); do rm -f $(DESTDIR)$(PREFIX)/share/man/man$${m##*.}/$$m; done
	$(Q)rmdir $(DESTDIR)$(PREFIX)/libexec/khien 2>/dev/null || true
	$(Q)e=$(DESTDIR)$(SYSCONFDIR)/khien; drop() { if cmp -s "$$1" "$$2"; then rm -f "$$2"; elif [ -e "$$2" ]; then echo "kept $$2: changed"; fi; rm -f "$$2.new"; }; \
	mkdir -p $(B); $(subst_paths) rules/khien.conf > $(B)/khien.conf; drop $(B)/khien.conf $$e/khien.conf; \
	for f in $(LISTS); do drop rules/$$f $$e/$$f; done; \
	rmdir $$e/never-block.d $$e/issuers.d $$e 2>/dev/null || true
	$(Q)if [ -n "$(PURGE)" ]; then rm -rf $(DESTDIR)$(LOCALSTATEDIR)/khien $(DESTDIR)$(SYSCONFDIR)/khien; \
		elif [ -d $(DESTDIR)$(LOCALSTATEDIR)/khien ]; then echo "kept $(LOCALSTATEDIR)/khien: the ledger (PURGE=1 removes it)"; fi

deb: ## build a Debian package under build/; what it needs at run time holds no compiler
	$(Q)userspace/packaging/deb.sh $(VERSION) $(B)

.PHONY: clean
clean: ## remove build/
	$(Q)rm -rf $(B)

.PHONY: help
help: ## this text
	@echo "Khiên: an XDP firewall add-on. Three journeys are the whole system; every source file is a step of one of them:"
	@echo
	@echo "  advisory - read - review - ledger - compile - install - verify     an order becomes enforcement"
	@echo "             userspace/: reader  guard  ledger  compile  kernel  daemon/prove.c"
	@echo "  packet   - parse - match - account - verdict                       enforcement meets traffic"
	@echo "             bpf/: khien.bpf.c  parse.h  match.h  account.h          a packet goes through these four files, in this order"
	@echo "  counter  - collect - ledger - present                              traffic becomes evidence"
	@echo "             userspace/: kernel/counters.c  daemon/collect.c  ledger  cli"
	@echo
	@echo "include/khien/abi.h is what the packet programs and user space share; userspace/daemon/core.h is where modules meet."
	@echo
	@echo "Targets (V=1 shows the commands, B=DIR builds elsewhere, WERROR=1 makes warnings fatal):"
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' Makefile

-include $(shell find $(B) -type f -name '*.d' 2>/dev/null)
