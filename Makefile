# The front door. Set-up lists are plain files (tools/packages-*.txt), the build is CMake presets; nothing hides here.
#   make run     installs what is missing, builds, starts logboom on this machine and prints the page's address
#   make test    the same set-up plus what tests need, then every test
SHELL := /bin/bash
JOBS ?= $(shell nproc)
ROUNDS ?= 20
SECONDS_EACH ?= 60
BIN := build/release/src/app/logboom

.PHONY: run build test test-long check tidy bench fuzz crash install setup-build setup-test setup-test-long reference format clean

run: setup-build build
	exec $(BIN) up

build:
	@test -f build/release/build.ninja || cmake --preset release > /dev/null
	@cmake --build --preset release -j $(JOBS) --target logboom

setup-build:
	@tools/setup.sh tools/packages-build.txt
setup-test: setup-build
	@tools/setup.sh tools/packages-test.txt
	@python3 tests/servers/kafka.py fetch
	@python3 tests/servers/opensearch.py fetch
	@python3 tests/servers/etcd.py fetch
	@python3 tests/servers/influxdb.py fetch

# Format, layers and unit tests of the development build: before each commit.
check:
	@python3 tools/check_layers.py
	@tools/check_format.sh
	@test -f build/dev/build.ninja || cmake --preset dev > /dev/null
	@cmake --build --preset dev -j $(JOBS)
	@ctest --test-dir build/dev -j $(JOBS) --output-on-failure --timeout 300 | tail -n 15

# clang-tidy over every source: some 20 CPU minutes. PARTS="src/http src/server": only paths with one of these in them.
tidy: setup-test
	@cmake --preset clang > /dev/null
	@python3 tools/tidy.py build/clang $(PARTS)

test: setup-test
	@tools/test.sh

setup-test-long: setup-test
	@tools/setup.sh tools/packages-test-long.txt
	@python3 tests/servers/opensearch.py fetch all
	@python3 tests/servers/kafka.py fetch all
	@python3 tests/servers/opensearch3.py fetch
	@python3 tests/servers/elasticsearch8.py fetch
	@python3 tests/servers/secured.py fetch
	@python3 tests/servers/java_jobs.py fetch

test-long: setup-test-long
	@tools/test_long.sh $(SECONDS_EACH)

crash: build
	python3 tests/system/crash.py --binary $(BIN) --rounds $(ROUNDS)

bench: setup-test
	@test -f build/release/build.ninja || cmake --preset release > /dev/null
	@cmake --build --preset release -j $(JOBS)
	python3 bench/run.py --build build/release

fuzz: setup-test
	@test -f build/fuzz/build.ninja || cmake --preset fuzz > /dev/null
	@cmake --build --preset fuzz -j $(JOBS)
	tools/fuzz.sh build/fuzz $(SECONDS_EACH)

install: build
	install -D -m 0755 $(BIN) $(DESTDIR)/usr/local/bin/logboom

reference: build
	$(BIN) reference commands > docs/reference/commands.md
	$(BIN) reference settings > docs/reference/settings.md

format:
	@git ls-files '*.h' '*.cc' | xargs clang-format-14 -i

clean:
	rm -rf build
