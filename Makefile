# koshin. Targets: all check asan broken mutants tidy format bench clean install uninstall; settings may be kept in config.mk.
#   make                 the program: build/koshin
#   make check           unit tests, scenarios and tool/tidy; needs no server
#   make asan            the same, built by clang, under AddressSanitizer and UndefinedBehaviorSanitizer
#   make broken          the build that breaks when it is told to: where the kill sweep ends processes, and deliberate bugs
#   make mutants         … and what the simulator makes of each of those bugs
#   make V=1             shows each command whole
-include config.mk

CC ?= gcc
# Each command is told by what it makes; V=1 shows it whole.
ifeq ($(V),)
Q = @printf '  %s\n' $@ &&
endif
BUILD ?= build
PREFIX ?= /usr/local
FLAVOUR ?= release

PACKAGES = libcurl openssl sqlite3 libunbound libmicrohttpd jansson libcyaml libsodium libidn2 libpsl libseccomp ldns gmime-3.0 libxml-2.0 liboath libqrencode libfido2
# libunbound's own flags are none, and asking for them wants a package that it does not need here.
PKG_CFLAGS := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(filter-out libunbound,$(PACKAGES))))
PKG_LIBS := $(shell pkg-config --libs $(PACKAGES))

WARN = -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wvla -Wswitch-enum -Wundef -Wformat=2 -Wnull-dereference \
	-Wwrite-strings -Wcast-qual -Wpointer-arith -Wimplicit-fallthrough -Wdouble-promotion -Walloca -Wdate-time
HARDEN = -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -fPIE
LINK_HARDEN = -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code
ifneq ($(findstring clang,$(CC)),)
HARDEN += -ftrivial-auto-var-init=pattern
else
WARN += -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wcast-align=strict -Wformat-signedness
HARDEN += -ftrivial-auto-var-init=zero
endif
CFLAGS_release = -O2 $(HARDEN)
CFLAGS_asan = -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fPIE
CFLAGS_broken = -O2 $(HARDEN) -DKOSHIN_POINTS -DKOSHIN_MUTANTS
CFLAGS_fuzz = -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fPIE
LDFLAGS_release = $(LINK_HARDEN)
LDFLAGS_asan = -fsanitize=address,undefined -pie
LDFLAGS_fuzz = -fsanitize=address,undefined -pie
LDFLAGS_broken = $(LINK_HARDEN)

CPPFLAGS_ALL = -I. -I$(BUILD)/gen -DOPENSSL_API_COMPAT=30000 -DOPENSSL_NO_DEPRECATED $(PKG_CFLAGS)
CFLAGS_ALL = -std=c17 -g -fno-common -fno-omit-frame-pointer $(WARN) $(CFLAGS_$(FLAVOUR)) $(CFLAGS)
GNU = -D_GNU_SOURCE
LIBS = $(PKG_LIBS) -lm

# One static library for each folder. core, base and words are built without _GNU_SOURCE where they can be.
FOLDERS = base core words $(patsubst %/,%,$(wildcard ports/*/ sim/*/)) engine keeper installer http watch vantage sim
# The program that makes a table of the texts; it runs on the machine of the build.
WORDS_BUILD = words/build.c words/build_ts.c words/source.c words/source_ui.c
# The program that makes the table of routes of the API's description.
API_BUILD = $(wildcard http/openapi/*.c)
LIB_SRC = $(foreach f,$(FOLDERS),$(filter-out $(WORDS_BUILD),$(wildcard $(f)/*.c)))
LIB_OBJ = $(LIB_SRC:%.c=$(BUILD)/%.o) $(GEN_OBJ)
GEN_OBJ = $(addprefix $(BUILD)/gen/,words_table.o sql_table.o sql_present.o api_table.o)
LIBKOSHIN = $(BUILD)/libkoshin.a
CMD_SRC = $(wildcard cmd/*.c)
CMD_OBJ = $(CMD_SRC:%.c=$(BUILD)/%.o)
UNIT_SRC = $(wildcard test/unit/*.c)
UNIT = $(UNIT_SRC:%.c=$(BUILD)/%)
PEER_SRC = $(wildcard test/peer/*.c)
PEER = $(PEER_SRC:%.c=$(BUILD)/%)
BENCH_SRC = $(wildcard bench/*.c)
BENCH = $(BENCH_SRC:%.c=$(BUILD)/%)

all: $(BUILD)/koshin
# The panel is the same in every flavour, so it is made once.
ifeq ($(BUILD),build)
all: $(BUILD)/panel/index.html
endif

$(BUILD)/koshin: $(CMD_OBJ) $(LIBKOSHIN)
	$(Q)$(CC) $(LDFLAGS_$(FLAVOUR)) $(LDFLAGS) -o $@ $(CMD_OBJ) $(LIBKOSHIN) $(LIBS)

$(LIBKOSHIN): $(LIB_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/core/%.o: core/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/gen/%.o: $(BUILD)/gen/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(GNU) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(GNU) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# Texts and queries become C tables. The generators fail where something is missing.
WORDS_TXT = $(wildcard words/*.txt words/*/*.txt)
$(BUILD)/words-build: $(WORDS_BUILD) words/source.h words/table.h core/cause.tbl core/letter.tbl core/history.tbl
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(GNU) -std=c17 -g -O1 $(WARN) -o $@ $(WORDS_BUILD)
$(BUILD)/gen/words_table.c: $(BUILD)/words-build $(WORDS_TXT)
	@mkdir -p $(@D)
	$(BUILD)/words-build words > $@.new && mv $@.new $@
$(BUILD)/gen/panel_words.ts $(BUILD)/gen/help_words.ts: $(BUILD)/gen/%_words.ts: $(BUILD)/words-build $(WORDS_TXT)
	@mkdir -p $(@D)
	$(BUILD)/words-build words $* > $@.new && mv $@.new $@
SQL_TXT = $(sort $(wildcard sql/*.sql))
# The description of the API becomes the server's table of routes and the panel's types.
$(BUILD)/api-build: $(API_BUILD) http/openapi/source.h
	@mkdir -p $(@D)
	$(Q)$(CC) -I. $(GNU) -std=c17 -g -O1 $(WARN) -o $@ $(API_BUILD) -lyaml
$(BUILD)/gen/api_table.h: $(BUILD)/api-build doc/openapi.yaml
	@mkdir -p $(@D)
	$(BUILD)/api-build header doc/openapi.yaml > $@.new && mv $@.new $@
$(BUILD)/gen/api_table.c: $(BUILD)/api-build doc/openapi.yaml
	@mkdir -p $(@D)
	$(BUILD)/api-build table doc/openapi.yaml > $@.new && mv $@.new $@
$(BUILD)/gen/api.ts: $(BUILD)/api-build doc/openapi.yaml
	@mkdir -p $(@D)
	$(BUILD)/api-build types doc/openapi.yaml > $@.new && mv $@.new $@
$(patsubst %.c,$(BUILD)/%.o,$(wildcard http/*.c)) $(BUILD)/gen/api_table.o: $(BUILD)/gen/api_table.h

# The panel. Its packages are those of package-lock.json; what is in the folder is made in one run.
PANEL_SRC = $(wildcard panel/*.json panel/*.mjs panel/*.html panel/*.svg panel/src/*.ts* panel/src/*/*.ts* panel/src/*/*/*.ts* panel/src/*/*.css)
PANEL_GEN = $(addprefix $(BUILD)/gen/,api.ts panel_words.ts help_words.ts)
panel/node_modules/.package-lock.json: panel/package-lock.json
	$(Q)cd panel && npm ci --loglevel=error --no-audit --no-fund --no-update-notifier >/dev/null && touch node_modules/.package-lock.json
$(BUILD)/panel/index.html: panel/node_modules/.package-lock.json $(PANEL_SRC) $(PANEL_GEN)
	$(Q)cd panel && node_modules/.bin/tsc --noEmit -p . && node build.mjs

$(BUILD)/gen/sql_table.h: tool/embed-sql $(SQL_TXT)
	@mkdir -p $(@D)
	sh tool/embed-sql -h $(SQL_TXT) > $@.new && mv $@.new $@
$(BUILD)/gen/sql_table.c: tool/embed-sql $(SQL_TXT) $(BUILD)/gen/sql_table.h
	@mkdir -p $(@D)
	sh tool/embed-sql $(SQL_TXT) > $@.new && mv $@.new $@
# What the migrations make together: a new store is made of that.
MIGRATIONS = $(sort $(wildcard sql/[0-9]*.sql))
$(BUILD)/sql-build: sql/build.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(GNU) -std=c17 -g -O1 $(WARN) -o $@ $< -lsqlite3
$(BUILD)/gen/sql_present.c: $(BUILD)/sql-build $(MIGRATIONS)
	@mkdir -p $(@D)
	$(BUILD)/sql-build $(MIGRATIONS) > $@.new && mv $@.new $@
$(patsubst %.c,$(BUILD)/%.o,$(wildcard ports/store/*.c test/unit/store*.c)) $(BUILD)/gen/sql_present.o: $(BUILD)/gen/sql_table.h

$(BUILD)/test/unit/%: $(BUILD)/test/unit/%.o $(LIBKOSHIN)
	$(Q)$(CC) $(LDFLAGS_$(FLAVOUR)) $(LDFLAGS) -o $@ $< $(LIBKOSHIN) $(LIBS) -lcmocka
# The sweep over allocations stands between koshin and the C library's.
$(BUILD)/test/unit/sweep_memory: LDFLAGS += $(foreach f,malloc calloc realloc reallocarray strdup strndup free arena_get arena_str arena_strf,-Wl,--wrap=$(f))
# What reads bytes of strangers: replayed by a unit test, searched by tool/fuzz.
FUZZ_OBJ = $(BUILD)/test/fuzz/targets.o
$(BUILD)/test/unit/fuzz: $(BUILD)/test/unit/fuzz.o $(FUZZ_OBJ) $(LIBKOSHIN)
	$(Q)$(CC) $(LDFLAGS_$(FLAVOUR)) $(LDFLAGS) -o $@ $< $(FUZZ_OBJ) $(LIBKOSHIN) $(LIBS) -lcmocka
$(BUILD)/test/fuzz/libfuzzer: $(BUILD)/test/fuzz/libfuzzer.o $(FUZZ_OBJ) $(LIBKOSHIN)
	$(Q)$(CC) -fsanitize=fuzzer $(LDFLAGS_$(FLAVOUR)) -o $@ $< $(FUZZ_OBJ) $(LIBKOSHIN) $(LIBS)
# Programs that talk to servers which somebody else wrote: test/e2e starts those.
$(BUILD)/test/peer/%: $(BUILD)/test/peer/%.o $(LIBKOSHIN)
	$(Q)$(CC) $(LDFLAGS_$(FLAVOUR)) $(LDFLAGS) -o $@ $< $(LIBKOSHIN) $(LIBS)
$(BUILD)/bench/%: $(BUILD)/bench/%.o $(LIBKOSHIN)
	$(Q)$(CC) $(LDFLAGS_$(FLAVOUR)) $(LDFLAGS) -o $@ $< $(LIBKOSHIN) $(LIBS)

unit: $(UNIT)
peer: $(PEER)
check: all unit
	tool/run-checks $(BUILD)
asan:
	$(MAKE) CC=clang FLAVOUR=asan BUILD=build-asan check
broken:
	$(MAKE) FLAVOUR=broken BUILD=build-broken all
mutants: broken
	tool/run-mutants build-broken
tidy:
	tool/tidy $(BUILD)
bench: all $(BENCH)
format:
	clang-format -i $(LIB_SRC) $(CMD_SRC) $(UNIT_SRC) $(BENCH_SRC) $(WORDS_BUILD) $(API_BUILD) sql/build.c

# What is installed, and where: uninstall takes away exactly this, and folders of koshin's own that are empty then.
SHARE = $(DESTDIR)$(PREFIX)/share
COMPLETION = $(SHARE)/bash-completion/completions/koshin
install: all
	install -D -m 755 $(BUILD)/koshin $(DESTDIR)$(PREFIX)/sbin/koshin
	install -D -m 644 etc/koshin.yaml $(SHARE)/koshin/koshin.yaml
	for file in etc/nginx/*; do install -D -m 644 $$file $(SHARE)/koshin/nginx/$${file##*/} || exit 1; done
	for page in doc/man/*; do install -D -m 644 $$page $(SHARE)/man/man$${page##*.}/$${page##*/} || exit 1; done
	install -D -m 644 etc/completion.bash $(COMPLETION)
	rm -rf $(SHARE)/koshin/panel
	for file in $$(cd $(BUILD)/panel && echo *.* assets/*); do install -D -m 644 $(BUILD)/panel/$$file $(SHARE)/koshin/panel/$$file || exit 1; done
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/koshin $(SHARE)/koshin/koshin.yaml $(COMPLETION)
	for file in etc/nginx/*; do rm -f $(SHARE)/koshin/nginx/$${file##*/}; done
	for page in doc/man/*; do rm -f $(SHARE)/man/man$${page##*.}/$${page##*/}; done
	rm -rf $(SHARE)/koshin/panel
	for folder in $(SHARE)/koshin/nginx $(SHARE)/koshin; do [ ! -d $$folder ] || rmdir --ignore-fail-on-non-empty $$folder; done

clean:
	rm -rf build build-asan build-broken build-fuzz

.PHONY: all unit peer check asan broken mutants tidy bench format install uninstall clean
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
