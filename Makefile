# Two commands matter: `make run` and `make test`. Each installs what it needs. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test build lint interop bench bench-rivals bench-vad bench-echo bench-concealment bench-plots fuzz soak sanitize clean-room dependencies test-dependencies debug

# Without the check an undeclared import between our modules compiles silently.
SWIFT_BUILD = swift build --explicit-target-dependency-import-check error
# Suites with real sockets run first and by themselves: among hundreds of scenarios that keep every core busy their limits,
# which are in real time, would run out.
SOCKET_SUITES = GatewayTests\.(HandshakeTests|EndTests|LivenessTests|MessageTests|TrustTests|SIPDriverTests|HTTPServerTests|WHIPTests|SignalSocketTests|SignalUserTests|DialplanAPITests|RecordsAPITests|CallControlAPITests|RecordingAPITests|TwilioRESTTests|WebhookTests|AdministratorAccessTests|DialplanServiceTests|RecordStoreTests|RecordQueryTests|PlanHistoryTests|LogHandlerTests)/

# Preloaded into the gateway by the bench, which looks for it beside itself.
ALLOCATION_COUNTER = libcountallocations.so

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build the release binary and start the gateway on conf/tandem.yaml
	@exec scripts/run.sh conf/tandem.yaml

test: debug build lint ## unit, scenario and interop tests on one debug build
	swift test --skip-build --filter '$(SOCKET_SUITES)'
	swift test --skip-build --skip '$(SOCKET_SUITES)'
	scripts/interop.sh

build: dependencies ## the release binary, .build/release/tandem
	$(SWIFT_BUILD) -c release --product tandem

lint: ## the house rules that a script can see
	scripts/lint.sh

interop: debug build ## the foreign peers alone; ARGS="-k sipp" picks some
	scripts/interop.sh $(ARGS)

bench: build ## ratios to bare C loops, and to rtpengine if it is there, in one run (Bench/README.md); ARGS=srtp picks rows
	$(SWIFT_BUILD) -c release --product Bench
	@scripts/build-allocation-counter.sh .build/release/$(ALLOCATION_COUNTER)
	@[ "$(ARGS)" = sound ] || .build/release/Bench $(ARGS)
	@[ -n "$(filter-out sound,$(ARGS))" ] || scripts/bench-sound.sh --if-installed

bench-rivals: build ## installs rtpengine and compares: CPU time, overload, what is heard (PESQ); ARGS=FOLDER keeps the plot there
	@scripts/install-dependencies.sh test
	@scripts/install-dependencies.sh bench
	@scripts/install-python.sh bench
	$(SWIFT_BUILD) -c release --product Bench
	@.build/release/Bench 'calls, browser ↔ trunk' 40
	@.build/release/Bench 'calls, overload'
	@scripts/bench-sound.sh $(ARGS)

bench-vad: dependencies test-dependencies ## our voice activity detector beside WebRTC's and speexdsp's, in noise
	@scripts/install-dependencies.sh bench
	$(SWIFT_BUILD) -c release --product Bench
	@scripts/bench-vad.sh

bench-echo: dependencies test-dependencies ## what our line echo canceller leaves of an echo, and of a voice over it
	@scripts/install-dependencies.sh bench
	$(SWIFT_BUILD) -c release --product Bench
	@scripts/bench-echo.sh

bench-concealment: dependencies test-dependencies ## what is heard (PESQ) where packets of G.711, G.722 and L16 are lost, beside spandsp's concealment
	@scripts/install-dependencies.sh bench
	$(SWIFT_BUILD) -c release --product Bench
	@scripts/bench-concealment.sh

bench-plots: build ## the plots of docs/performance.md anew, in seven minutes; ARGS=FOLDER puts them elsewhere
	@scripts/install-dependencies.sh test
	@scripts/install-dependencies.sh bench
	@scripts/install-python.sh bench
	$(SWIFT_BUILD) -c release --product Bench
	@scripts/bench-plots.sh $(ARGS)

fuzz: dependencies ## what reads bytes from outside, under libFuzzer, a minute a target; ARGS=srtp picks some, FUZZ_SECONDS=600 is longer
	scripts/fuzz.sh $(ARGS)

soak: build ## calls that come and go for ten minutes, or ARGS=MINUTES: nothing lost, nothing kept
	$(SWIFT_BUILD) -c release --product Bench
	@.build/release/Bench soak $(ARGS)

sanitize: dependencies test-dependencies ## tests once more under AddressSanitizer and ThreadSanitizer, an hour; ARGS=address or ARGS=thread is one of them
	SOCKET_SUITES='$(SOCKET_SUITES)' scripts/sanitize.sh $(ARGS)

clean-room: ## both commands in a bare Debian 12 root (needs root and debootstrap)
	scripts/clean-room.sh

# The one build that unit, scenario and interop tests share.
debug: dependencies test-dependencies
	$(SWIFT_BUILD) --build-tests

dependencies:
	@scripts/install-dependencies.sh build
	@command -v swift >/dev/null || { echo "No Swift toolchain in PATH: install Swift 6.2 or newer from https://www.swift.org/install/linux/" >&2; exit 1; }

test-dependencies:
	@scripts/install-dependencies.sh test
	@scripts/install-python.sh
