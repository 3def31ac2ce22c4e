# Everything a newcomer needs: `make run`, `make test`, `make dist`.
.PHONY: run test dist build format bench clean help

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: ## build, ask the embedded model, verify the answer, leave a server running
	@scripts/run.sh

test: ## run every test
	@scripts/test.sh

dist: ## one self-contained binary in dist/
	@scripts/dist.sh

build: ## build the release binary
	@scripts/build.sh

format: ## format every Swift source with the committed configuration
	@swift format --in-place --recursive --parallel Sources Tests Package.swift

bench: ## measure speed and memory; prints tables of medians
	@Benchmarks/run.sh

clean: ## remove build products
	@rm -rf .build dist
