# What a person runs before a commit is what CI runs.

python := ".venv/bin/python"

# format, lint, types, layers, tests
check: lint types layers test

setup:
    sh tests/run.sh --setup-only

format:
    {{python}} -m ruff format .
    {{python}} -m ruff check --fix .

lint:
    {{python}} -m ruff format --check .
    {{python}} -m ruff check .

types:
    {{python}} -m pyright --pythonpath {{python}}

layers:
    .venv/bin/lint-imports

test *arguments:
    {{python}} -m pytest {{arguments}}

demo:
    .venv/bin/zbus demo
