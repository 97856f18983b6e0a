# SPDX-License-Identifier: MIT
# One Makefile for everything. `make help` lists the targets.
#
#   BUILD=dir     where everything goes (default build)
#   WERROR=1      warnings are errors
#   SANITIZE=1    user programs with AddressSanitizer and UBSan
#   OPTIMIZE=-O2  optimisation flags
#   V=1           show the commands

BUILD    ?= build
OPTIMIZE ?= -O2
ifeq ($(origin CC),default)
CC := gcc
endif
CLANG    ?= clang
BPFTOOL  ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2
empty    :=
space    := $(empty) $(empty)
PROGRAMS := loader reader aggregator recorder report top httpd
ROOMS    := common $(PROGRAMS)

# One short line a step; V=1 shows the commands.
ifndef V
quiet = @printf '  %-6s %s\n' '$(1)' '$(2)';
endif

ifdef WERROR
WARNINGS += -Werror
endif
ifdef SANITIZE
SAN_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif

# -I$(BUILD): generated headers. The tree itself is the include root: "common/options.h".
CPPFLAGS += -D_GNU_SOURCE -I. -I$(BUILD) -MMD -MP
CFLAGS   += -std=gnu11 -g $(OPTIMIZE) $(WARNINGS) $(SAN_FLAGS) \
            -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection \
            $(if $(SANITIZE),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
LDFLAGS  += -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed $(SAN_FLAGS)

LIBS_loader     := -lbpf -lelf -lz -ljansson
LIBS_reader     := -lbpf -lelf -lz -lpcap -lseccomp
LIBS_aggregator := -ljansson -lseccomp
LIBS_httpd      := -lmicrohttpd -ljansson -lnettle -lz -lseccomp -lsqlite3
LIBS_recorder   := -lsqlite3 -ljansson -lpthread -lseccomp
LIBS_report     := -lsqlite3 -lseccomp
LIBS_top        := -lncursesw -ltinfo -lcurl -ljansson -lseccomp

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all install install-strip uninstall deps demo-deps check-deps bench-deps bench-docs bench-quick bench-build check check-build check-kernels check-all demo abuse faults bench month soak-browser fuzz fuzz-quick lint analyze format docs clean help

all: $(PROGRAMS:%=$(BUILD)/bin/%) $(BUILD)/bin/jopil ## build the programs to build/bin

## ---- what a machine needs ------------------------------------------------

DEPS_BUILD := build-essential clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev linux-libc-dev \
	libjansson-dev libmicrohttpd-dev nettle-dev libseccomp-dev libpcap-dev libsqlite3-dev \
	libncurses-dev libcurl4-openssl-dev python3
DEPS_DEMO  := iproute2 util-linux iputils-ping iperf3 curl jq
DEPS_DEB   := debhelper lintian fakeroot dpkg-dev
DEPS_BENCH := valgrind nginx-light wrk chromium nodejs npm
# What is measured beside: one that is not to be had is named in the table.
DEPS_PEERS := tcpdump tshark softflowd nfdump argus-server xdp-tools
# Other kernels in qemu; the kernels themselves come from the same mirror, see tests/kernels/debian.py.
DEPS_KERNELS := qemu-system-x86 busybox-static debian-archive-keyring
DEPS_CHECK := libcmocka-dev sqlite3 bats nftables tcpdump ethtool libclang-rt-dev clang-format openssl procps cppcheck \
	shellcheck valgrind chromium nodejs npm python3-jsonschema prometheus tmux mandoc man-db \
	systemd dbus zsh bash-completion

deps: ## install what building needs (Debian packages, only the missing ones)
	@tests/deps $(DEPS_BUILD)

demo-deps:
	@tests/deps $(DEPS_BUILD) $(DEPS_DEMO)

check-deps:
	@tests/deps $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_CHECK) $(DEPS_DEB)
	@tests/deps --npm tests/browser
	@tests/deps --npm tests/api

## ---- user programs -------------------------------------------------------

SRCS  := $(foreach r,$(ROOMS),$(wildcard $(r)/*.c))
MAINS := $(PROGRAMS:%=%/main.c)
OBJS  := $(SRCS:%.c=$(BUILD)/obj/%.o)

objs_of = $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out $(1)/main.c,$(wildcard $(1)/*.c)))

define ROOM_rules
$(BUILD)/lib/$(1).a: $(call objs_of,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	@$(AR) rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call ROOM_rules,$(r))))

define PROGRAM_rules
$(BUILD)/bin/$(1): $(BUILD)/obj/$(1)/main.o $(BUILD)/lib/$(1).a $(BUILD)/lib/common.a
	@mkdir -p $$(@D)
	$$(call quiet,link,$$@)$(CC) $(LDFLAGS) -o $$@ $$^ $(LIBS_$(1))
endef
$(foreach p,$(PROGRAMS),$(eval $(call PROGRAM_rules,$(p))))

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,cc,$<)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

## ---- BPF programs: one file a probe, linked, embedded as a skeleton -------

BPF_SRCS   := $(wildcard bpf/*.bpf.c)
# Maps are defined in probe.bpf.c and extern elsewhere; libbpf's linker (1.1) wants the definition first.
BPF_OBJS   := $(patsubst %.bpf.c,$(BUILD)/obj/%.bpf.o,bpf/probe.bpf.c $(filter-out bpf/probe.bpf.c,$(BPF_SRCS)))
BPF_CFLAGS := -std=gnu11 -g -O2 -fno-strict-aliasing -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 \
	-Wall -Wextra -Wno-unused-parameter $(if $(WERROR),-Werror) -I. -MMD -MP

$(BUILD)/obj/bpf/%.bpf.o: bpf/%.bpf.c Makefile
	@mkdir -p $(@D)
	$(call quiet,bpf,$<)$(CLANG) $(BPF_CFLAGS) -MF $(@:.o=.d) -c -o $@ $<

$(BUILD)/bpf/jopil.bpf.o: $(BPF_OBJS)
	@mkdir -p $(@D)
	@$(BPFTOOL) gen object $@ $^

$(BUILD)/bpf/jopil.skel.h: $(BUILD)/bpf/jopil.bpf.o
	@$(BPFTOOL) gen skeleton $< name jopil_bpf > $@

$(filter $(BUILD)/obj/loader/%,$(OBJS)): | $(BUILD)/bpf/jopil.skel.h

## ---- the page, embedded into httpd ----------------------------------------

WEB_FILES := $(shell find web -type f ! -name '*.md' 2>/dev/null | LC_ALL=C sort)

$(BUILD)/web/assets.inc: web/embed $(WEB_FILES)
	@mkdir -p $(@D)
	@web/embed web > $@

$(filter $(BUILD)/obj/httpd/%,$(OBJS)): | $(BUILD)/web/assets.inc

## ---- documents that come out of common/events.def --------------------------

$(BUILD)/bin/events_doc: docs/events_doc.c common/events.def $(BUILD)/lib/common.a
	@mkdir -p $(@D)
	$(call quiet,cc,$<)$(CC) $(CPPFLAGS) $(CFLAGS) -MF $@.d $(LDFLAGS) -o $@ $< $(BUILD)/lib/common.a

$(BUILD)/bin/metrics_doc: docs/metrics_doc.c $(BUILD)/lib/httpd.a $(BUILD)/lib/common.a
	@mkdir -p $(@D)
	$(call quiet,cc,$<)$(CC) $(CPPFLAGS) $(CFLAGS) -MF $@.d $(LDFLAGS) -o $@ $< $(BUILD)/lib/httpd.a $(BUILD)/lib/common.a $(LIBS_httpd)

docs: $(BUILD)/bin/events_doc $(BUILD)/bin/metrics_doc ## write what is made from tables anew
	$(BUILD)/bin/events_doc markdown > docs/EVENTS.md
	$(BUILD)/bin/events_doc schema > docs/events.schema.json
	$(BUILD)/bin/events_doc man > docs/man/jopil-lines.5
	$(BUILD)/bin/metrics_doc docs/PROMETHEUS.md > $(BUILD)/PROMETHEUS.md
	cp $(BUILD)/PROMETHEUS.md docs/PROMETHEUS.md

## ---- install --------------------------------------------------------------

# GNU names, and DESTDIR. With /usr or /usr/local, /etc is where distributions look.
PREFIX      ?= /usr/local
prefix      ?= $(PREFIX)
exec_prefix ?= $(prefix)
bindir      ?= $(exec_prefix)/bin
sbindir     ?= $(exec_prefix)/sbin
datarootdir ?= $(prefix)/share
datadir     ?= $(datarootdir)
mandir      ?= $(datarootdir)/man
docdir      ?= $(datarootdir)/doc/jopil
sysconfdir  ?= $(if $(filter /usr /usr/local,$(prefix)),/etc,$(prefix)/etc)
localstatedir ?= $(if $(filter /usr /usr/local,$(prefix)),/var,$(prefix)/var)
bashcompletiondir ?= $(datadir)/bash-completion/completions
zshcompletiondir  ?= $(datadir)/zsh/site-functions
unitdir     ?= $(prefix)/lib/systemd/system
sysusersdir ?= $(prefix)/lib/sysusers.d
tmpfilesdir ?= $(prefix)/lib/tmpfiles.d
udevrulesdir ?= $(prefix)/lib/udev/rules.d

INSTALL         ?= install
INSTALL_PROGRAM ?= $(INSTALL)
INSTALL_SCRIPT  ?= $(INSTALL)
INSTALL_DATA    ?= $(INSTALL) -m 644

# What is only for root is in sbin. A program is jopil-NAME wherever others can see it.
SBIN_PROGRAMS := loader
PROGRAM_ROWS  := $(foreach p,$(PROGRAMS),$(BUILD)/bin/$(p):$(if $(filter $(p),$(SBIN_PROGRAMS)),$(sbindir),$(bindir))/jopil-$(p))
SCRIPT_ROWS   := $(BUILD)/systemd/jopil:$(bindir)/jopil
DATA_ROWS     := $(foreach m,$(wildcard docs/man/*),$(m):$(mandir)/man$(subst .,,$(suffix $(m)))/$(notdir $(m))) \
	$(foreach d,README.md LICENSE $(wildcard docs/*.md docs/*.json),$(d):$(docdir)/$(notdir $(d))) \
	grafana/jopil.json:$(datadir)/jopil/grafana/jopil.json \
	prometheus/jopil.rules.yml:$(datadir)/jopil/prometheus/jopil.rules.yml
UNITS         := $(notdir $(wildcard systemd/*.service systemd/*.socket systemd/*.target))
DATA_ROWS     += $(foreach u,$(UNITS),$(BUILD)/systemd/$(u):$(unitdir)/$(u)) systemd/jopil.sysusers:$(sysusersdir)/jopil.conf \
	systemd/jopil.tmpfiles:$(tmpfilesdir)/jopil.conf systemd/jopil.rules:$(udevrulesdir)/90-jopil.rules
COMMANDS      := jopil $(PROGRAMS:%=jopil-%)
DATA_ROWS     += $(foreach c,$(COMMANDS),$(BUILD)/completions/bash/$(c):$(bashcompletiondir)/$(c) \
	$(BUILD)/completions/zsh/_$(c):$(zshcompletiondir)/_$(c))
CONF_ROWS     := systemd/jopil.conf:$(sysconfdir)/jopil/jopil.conf
OWN_DIRS      := $(sysconfdir)/jopil $(docdir) $(datadir)/jopil/grafana $(datadir)/jopil/prometheus $(datadir)/jopil

# $(1): how, $(2): SOURCE:DESTINATION
define install_row
	@mkdir -p '$(DESTDIR)$(dir $(lastword $(subst :, ,$(2))))'
	$(call quiet,inst,$(lastword $(subst :, ,$(2))))$(1) '$(firstword $(subst :, ,$(2)))' '$(DESTDIR)$(lastword $(subst :, ,$(2)))'

endef

# A script, of which doctor is a part; $(1): sysconfdir, $(2): localstatedir.
make_jopil = sed -e '/^@doctor@$$/{r jopil/doctor' -e 'd}' jopil/jopil | sed -e 's|@sysconfdir@|$(1)|' \
	-e 's|@localstatedir@|$(2)|' -e "s|@version@|$$(sed -n 's/.*JOPIL_VERSION "\(.*\)"/\1/p' common/version.h)|"

$(BUILD)/bin/jopil: jopil/jopil jopil/doctor common/version.h Makefile
	@mkdir -p $(@D)
	@$(call make_jopil,/etc,/var) > $@
	@chmod 755 $@

$(BUILD)/completions/stamp: completions/make $(PROGRAMS:%=$(BUILD)/bin/%) $(BUILD)/bin/jopil
	@completions/make $(BUILD)/bin $(BUILD)/completions jopil $(PROGRAMS)
	@touch $@

# Units and the script say where files are, so they are made for each installation anew.
.PHONY: units
units:
	@mkdir -p $(BUILD)/systemd
	@$(call make_jopil,$(sysconfdir),$(localstatedir)) > $(BUILD)/systemd/jopil
	@for unit in $(UNITS); do \
		sed -e '/^@sandbox@$$/{r systemd/sandbox.conf' -e 'd}' -e '/^@stage@$$/{r systemd/stage.conf' -e 'd}' \
			systemd/$$unit | sed -e 's|@bindir@|$(bindir)|g' -e 's|@sbindir@|$(sbindir)|g' \
			-e 's|@sysconfdir@|$(sysconfdir)|g' -e 's|@localstatedir@|$(localstatedir)|g' \
			> $(BUILD)/systemd/$$unit || exit 1; \
	done

# A configuration that is there already is its owner's.
define install_conf
	@[ -e '$(DESTDIR)$(lastword $(subst :, ,$(1)))' ] || \
		$(INSTALL_DATA) -D '$(firstword $(subst :, ,$(1)))' '$(DESTDIR)$(lastword $(subst :, ,$(1)))'

endef

install: all units $(BUILD)/completions/stamp ## install below PREFIX (/usr/local); DESTDIR and GNU's directory names are heeded
	$(foreach r,$(PROGRAM_ROWS),$(call install_row,$(INSTALL_PROGRAM),$(r)))
	$(foreach r,$(SCRIPT_ROWS),$(call install_row,$(INSTALL_SCRIPT),$(r)))
	$(foreach r,$(DATA_ROWS),$(call install_row,$(INSTALL_DATA),$(r)))
	$(foreach r,$(CONF_ROWS),$(call install_conf,$(r)))

install-strip:
	@$(MAKE) --no-print-directory INSTALL_PROGRAM='$(INSTALL_PROGRAM) -s' install

define uninstall_conf
	@cmp -s '$(firstword $(subst :, ,$(1)))' '$(DESTDIR)$(lastword $(subst :, ,$(1)))' && \
		rm '$(DESTDIR)$(lastword $(subst :, ,$(1)))' || :

endef

uninstall: ## remove what install put there, but not a configuration that was changed
	rm -f $(foreach r,$(PROGRAM_ROWS) $(SCRIPT_ROWS) $(DATA_ROWS),'$(DESTDIR)$(lastword $(subst :, ,$(r)))')
	$(foreach r,$(CONF_ROWS),$(call uninstall_conf,$(r)))
	-@rmdir $(OWN_DIRS:%='$(DESTDIR)%') 2>/dev/null

## ---- Debian package --------------------------------------------------------

VERSION := $(shell sed -n 's/.*JOPIL_VERSION "\(.*\)"/\1/p' common/version.h)

.PHONY: deb
# From a copy of the sources, so that nothing is left in the tree.
deb: ## build jopil_VERSION_ARCH.deb to build/deb, and read it with lintian
	@tests/deps $(DEPS_BUILD) $(DEPS_DEB)
	@rm -rf $(BUILD)/deb
	@mkdir -p $(BUILD)/deb/jopil-$(VERSION)
	@git ls-files -z -co --exclude-standard | xargs -0 cp -a --parents -t $(BUILD)/deb/jopil-$(VERSION)
	cd $(BUILD)/deb/jopil-$(VERSION) && env -u MAKEFLAGS -u MAKELEVEL dpkg-buildpackage -us -uc -b -d >../build.log 2>&1 || \
		{ tail -20 ../build.log; exit 1; }
	@rm -rf $(BUILD)/deb/jopil-$(VERSION)
	lintian --fail-on error,warning --tag-display-limit 0 $(BUILD)/deb/*.changes

## ---- tests ---------------------------------------------------------------

UNIT_BINS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
BPF_BINS  := $(patsubst tests/bpf/%.c,$(BUILD)/tests/bpf/%,$(wildcard tests/bpf/test_*.c))
FUZZ_BINS := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCH_BINS := $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(filter-out %.bpf.c,$(wildcard tests/bench/*.c)))
TOOL_BINS := $(patsubst tests/netns/%.c,$(BUILD)/tests/netns/%,$(wildcard tests/netns/*.c))
# Of all fuzzers together.
FUZZ_SECONDS ?= 60
MINUTES ?= 5
HOURS ?= 1

# A test links the rooms whose headers it includes: programs may use the same names.
rooms_of = $(shell sed -nE 's!^.include "($(subst $(space),|,$(PROGRAMS)))/.*!\1!p' $(1) | sort -u)
libs_of  = $(sort $(foreach r,$(call rooms_of,$(1)),$(LIBS_$(r))) -ljansson -lsqlite3)

define TEST_rules
$(BUILD)/$(1): $(1).c $(foreach r,common $(call rooms_of,$(1).c),$(BUILD)/lib/$(r).a) Makefile | $(BUILD)/bpf/jopil.skel.h
	@mkdir -p $$(@D)
	$$(call quiet,test,$$@)$$(CC) $$(CPPFLAGS) $$(CFLAGS) -MF $$@.d $$(LDFLAGS) -o $$@ $$< \
		$(foreach r,$(call rooms_of,$(1).c) common,$(BUILD)/lib/$(r).a) $(2) $(call libs_of,$(1).c)
endef
$(foreach t,$(wildcard tests/unit/test_*.c),$(eval $(call TEST_rules,$(t:.c=),-lcmocka)))
$(foreach t,$(wildcard tests/bpf/test_*.c),$(eval $(call TEST_rules,$(t:.c=),-lcmocka -lbpf)))
$(foreach t,$(wildcard tests/netns/*.c),$(eval $(call TEST_rules,$(t:.c=),)))
$(foreach t,$(filter-out %.bpf.c,$(wildcard tests/bench/*.c)),$(eval $(call TEST_rules,$(t:.c=),-lbpf)))

# Programs of the benchmarks' own; which of them a tool includes, its dependencies say.
BENCH_BPF := $(patsubst %.bpf.c,$(BUILD)/%,$(wildcard tests/bench/*.bpf.c))

$(BENCH_BPF:%=%.bpf.o): $(BUILD)/%.bpf.o: %.bpf.c Makefile
	@mkdir -p $(@D)
	$(call quiet,bpf,$<)$(CLANG) $(BPF_CFLAGS) -MF $(@:.o=.d) -c -o $@ $<

$(BENCH_BPF:%=%.skel.h): %.skel.h: %.bpf.o
	@$(BPFTOOL) gen skeleton $< name $(notdir $*)_bpf > $@

$(BENCH_BINS): | $(BENCH_BPF:%=%.skel.h)

# Fuzzers include the real .c, so they are built from source, not from the archives.
$(BUILD)/tests/fuzz/%: tests/fuzz/%.c Makefile
	@mkdir -p $(@D)
	$(call quiet,fuzz,$@)$(CLANG) $(CPPFLAGS) -MF $@.d -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -o $@ $< -Wl,--as-needed -ljansson -lz -lpcap -lm

# As many at a time as there are processors, if make was not told how many.
JOBS = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

check-build: all $(UNIT_BINS) $(BPF_BINS) $(FUZZ_BINS) $(TOOL_BINS) $(BENCH_BINS) $(BUILD)/bin/events_doc $(BUILD)/bin/metrics_doc
	$(MAKE) --no-print-directory SANITIZE=1 BUILD=$(BUILD)/asan all \
		$(patsubst $(BUILD)/%,$(BUILD)/asan/%,$(UNIT_BINS) $(TOOL_BINS))

check: ## install what is missing, and pass every test
	@$(MAKE) --no-print-directory check-deps
	@$(MAKE) --no-print-directory $(JOBS) check-build
	@tests/run --build $(BUILD) --fuzz-seconds $(FUZZ_SECONDS) $(SUITES)

check-kernels: ## what speaks to the kernel, on Debian's 5.10, 6.1, 6.12, 6.18 and 7.x in qemu
	@tests/deps $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_CHECK) $(DEPS_KERNELS)
	@$(MAKE) --no-print-directory $(JOBS) all $(BPF_BINS) $(TOOL_BINS)
	@tests/run --build $(BUILD) kernels

check-all: ## check, and check-kernels where qemu is to be had, with one line of totals
	@$(MAKE) --no-print-directory check-deps
	@tests/deps $(DEPS_KERNELS) || echo "check: other kernels are left out, and named"
	@$(MAKE) --no-print-directory $(JOBS) check-build
	@tests/run --build $(BUILD) --fuzz-seconds $(FUZZ_SECONDS) --kernels

fuzz-quick: ## every fuzzer, FUZZ_SECONDS (default 60) in all: what make check does, too
	@$(MAKE) --no-print-directory check-deps
	@$(MAKE) --no-print-directory $(JOBS) $(FUZZ_BINS)
	@tests/run --build $(BUILD) --fuzz-seconds $(FUZZ_SECONDS) fuzz

# What is found stays in build/fuzz, from where the next run goes on.
fuzz: ## every fuzzer for long: RUNS=100000000 or FUZZ_SECONDS=3600, of all of them together; FUZZERS="records pcapng": of these
	@$(MAKE) --no-print-directory check-deps
	@$(MAKE) --no-print-directory $(JOBS) $(FUZZ_BINS)
	@tests/fuzz/run --build $(BUILD) --keep $(if $(RUNS),--runs $(RUNS),--seconds $(FUZZ_SECONDS)) $(FUZZERS)

.PHONY: hostile
# The same tests as in make check, with other amounts.
hostile: check-build ## lines of 1 GiB, a million nasty names, 10^7 5-tuples for a minute, chosen collisions
	@JOPIL_LONG_LINE=1073741824 JOPIL_NAMES=1000000 BIN=$(abspath $(BUILD))/bin BUILD=$(abspath $(BUILD)) \
		bats --tap tests/pipe/hostile_lines.bats tests/pipe/names.bats
	@JOPIL_FLOOD_SECONDS=60 JOPIL_FLOOD_FLOWS=65536 BIN=$(abspath $(BUILD))/bin BUILD=$(abspath $(BUILD)) bats --tap tests/netns/tuples.bats
	@tests/bench/collisions $(abspath $(BUILD))/bin

abuse: check-build ## what ill-meaning clients do to httpd, for longer, with 10 000 idle connections
	@IDLE=10000 ROUNDS=5 ABUSE_CONNECTIONS=12000 BIN=$(abspath $(BUILD))/asan/bin BUILD=$(abspath $(BUILD)) \
		bats --tap tests/pipe/httpd_abuse.bats

FAULTS ?= 100

faults: ## what may happen in years: each stage, and the loader, killed FAULTS times (100) under load, and more
	@$(MAKE) --no-print-directory check-deps
	@$(MAKE) --no-print-directory $(JOBS) all $(TOOL_BINS)
	@JOPIL_FAULTS=$(FAULTS) JOPIL_FAULTS_SECONDS=60 JOPIL_FAULTS_INTERFACES=64 \
		BIN=$(abspath $(BUILD))/bin BUILD=$(abspath $(BUILD)) bats --tap tests/netns/faults.bats
	@JOPIL_LOADER_KILLS=$(FAULTS) BIN=$(abspath $(BUILD))/bin BUILD=$(abspath $(BUILD)) \
		bats --tap -f 'killed at any moment' tests/netns/loader.bats

bench-deps: ## install what make bench needs, the tools that it measures beside included
	@tests/deps $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_BENCH)
	@for p in $(DEPS_PEERS); do tests/deps $$p || echo "bench: no $$p: its rows are left out, and named"; done
	@tests/deps --npm tests/browser

bench-build: all $(BENCH_BINS) $(TOOL_BINS)

bench: bench-deps ## measure: a table of ratios to peers and floors of the same run, and build/bench.json
	@$(MAKE) --no-print-directory $(JOBS) bench-build
	@tests/bench/run --build $(BUILD) $(THEMES)

bench-quick: bench-deps ## the same in under two minutes, less exactly and without curves
	@$(MAKE) --no-print-directory $(JOBS) bench-build
	@tests/bench/run --build $(BUILD) --quick $(THEMES)

month: all ## a month of a busy host through recorder: report's sums, the size of a day, times
	@tests/pipe/report_month.py $(BUILD)/bin

bench-docs: ## plots, table and sizing of docs/PERFORMANCE.md anew, from what make bench has measured
	@tests/bench/plot $(BUILD)/bench.json docs/images
	@tests/bench/document $(BUILD)/bench.json docs/PERFORMANCE.md

.PHONY: soak
soak: ## the pipeline at 50 000 packets/s for HOURS (default 1): memory flat, descriptors constant, books exact
	@tests/deps $(DEPS_BUILD) $(DEPS_DEMO)
	@$(MAKE) --no-print-directory $(JOBS) all $(BUILD)/tests/bench/pump $(BUILD)/tests/netns/balance
	@tests/soak/run --build $(BUILD) --hours $(HOURS) --csv $(BUILD)/soak.csv

soak-browser: ## feed a page 10 000 flows a second for MINUTES (default 5): its memory stays flat
	@$(MAKE) --no-print-directory check-deps
	@$(MAKE) --no-print-directory $(JOBS) all
	@BIN=$(abspath $(BUILD))/bin node tests/browser/soak.mjs $(MINUTES)

demo: ## install what is missing, build, and run the pipeline on real traffic
	@$(MAKE) --no-print-directory demo-deps
	@$(MAKE) --no-print-directory $(JOBS) all $(TOOL_BINS)
	@tests/demo/run --build $(BUILD)

analyze: ## clang-tidy over all C of user space, some minutes
	@tests/deps $(DEPS_BUILD) clang-tidy
	@$(MAKE) --no-print-directory $(JOBS) all
	@tests/analyze $(BUILD)

lint: ## static analysis and layer rules
	@$(MAKE) --no-print-directory check-deps
	@tests/lint

.PHONY: valgrind
valgrind: ## the unit tests under valgrind
	@tests/deps $(DEPS_BUILD) libcmocka-dev valgrind
	@$(MAKE) --no-print-directory $(UNIT_BINS)
	@tests/valgrind --build $(BUILD)

format: ## what clang-format would change
	clang-format --dry-run $(SRCS) $(wildcard $(ROOMS:%=%/*.h))

clean: ## remove the build directory
	rm -rf $(BUILD)

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

-include $(OBJS:.o=.d) $(BPF_OBJS:.o=.d) $(BUILD)/bin/events_doc.d $(BUILD)/bin/metrics_doc.d \
	$(addsuffix .d,$(UNIT_BINS) $(BPF_BINS) $(FUZZ_BINS) $(BENCH_BINS) $(TOOL_BINS)) $(BENCH_BPF:%=%.bpf.d)
