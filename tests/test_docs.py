"""The documentation is held to the program: commands, options, exit codes, version, links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from seqkit import errors
from seqkit.cli.main import seqkit as root_command
from seqkit.version import __version__

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")

SHELL = {"sh", "bash", "shell"}
# What may stand before `seqkit` in a command line of the shell.
PROGRAM = re.compile(r"(?:\.venv/bin/)?seqkit")


def walk(
    command: click.Command = root_command, context: click.Context | None = None
) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command with its full name and a context."""
    context = context or click.Context(command, info_name="seqkit", **command.context_settings)
    yield context.command_path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from walk(child, click.Context(child, info_name=name, parent=context))


COMMANDS = {path: (command, context) for path, command, context in walk()}


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_and_option_has_help(path: str) -> None:
    command, _ = COMMANDS[path]
    assert command.help
    assert command.help.strip().endswith((".", ")", "!", "?")) or "\n" in command.help
    for param in command.params:
        if isinstance(param, click.Option):
            assert param.help, f"{path} {param.opts[0]} has no help"


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_is_in_the_readme(path: str) -> None:
    assert re.search(rf"{re.escape(path)}\b", README), f"README.md does not mention `{path}`"


def code_blocks(text: str) -> Iterator[tuple[str, str]]:
    """Language and content of each fenced block."""
    for match in re.finditer(r"^```([a-z]*)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        yield match[1], match[2].replace("\\\n", " ")


def shell_lines(text: str) -> Iterator[str]:
    """The command lines of a page: whole blocks in a shell's language, `$ ` lines in console blocks."""
    for language, block in code_blocks(text):
        for line in block.splitlines():
            if language in SHELL:
                yield line
            elif language == "console" and line.startswith("$ "):
                yield line[2:]


def seqkit_calls(line: str) -> Iterator[list[str]]:
    """The arguments of each call of seqkit in a shell line, without redirections."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="();<>|&")
    lexer.whitespace_split = True
    words: list[str] = []
    for token in [*lexer, ";"]:
        if set(token) <= set("();|&"):
            completes = bool(words) and words[0].startswith("_SEQKIT_COMPLETE=")
            while words and re.fullmatch(r"\w+=.*", words[0]):
                words = words[1:]  # VARIABLE=value before the program
            if words and PROGRAM.fullmatch(words[0]) and not completes:
                yield words[1:]
            words = []
        elif set(token) <= set("<>"):
            words.append(">")
        elif words and words[-1] == ">":
            words.pop()  # the target of a redirection
        else:
            words.append(token)


def check_call(arguments: list[str]) -> None:
    """Raise click's own error if the command or an option does not exist or a value is impossible."""
    command: click.Command = root_command
    context = click.Context(command, info_name="seqkit", **command.context_settings)
    while True:
        values, arguments, _ = command.make_parser(context).parse_args(list(arguments))
        for param in command.params:
            if isinstance(param, click.Option) and isinstance(values.get(param.name), str | list):
                param.type_cast_value(context, values[param.name])
        if not isinstance(command, click.Group) or not arguments:
            break
        name, command, arguments = command.resolve_command(context, arguments)  # type: ignore[assignment]
        context = click.Context(command, info_name=name, parent=context)
    if any(values.get(name) is True for name in ("help", "version")):
        return  # --help, --version
    assert not isinstance(command, click.Group), f"{context.command_path}: which command?"
    for param in command.params:
        # Where nothing is given, click leaves a sentinel that is true.
        given = isinstance(value := values.get(param.name), str | tuple | list) and bool(value)
        assert given or not param.required, f"{context.command_path}: {param.name} is missing"
    assert not arguments, f"{context.command_path}: too many arguments: {arguments}"


CALLS = [(page.name, line) for page in PAGES for line in shell_lines(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("page", "line"), CALLS, ids=[f"{page}: {line}" for page, line in CALLS])
def test_command_lines_in_the_docs_exist(page: str, line: str) -> None:
    for arguments in seqkit_calls(line):
        check_call(arguments)


def test_the_docs_have_command_lines() -> None:
    assert sum(1 for _, line in CALLS for _ in seqkit_calls(line)) >= 10


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_commands_named_in_the_text_exist(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for span in re.findall(r"`(seqkit [^`]+)`", text):
        words = span.split()
        for length in range(2, len(words) + 1):
            name, parent = words[length - 1], " ".join(words[: length - 1])
            if parent not in COMMANDS or not isinstance(COMMANDS[parent][0], click.Group):
                break
            if re.fullmatch(r"[a-z][a-z-]*", name):
                assert " ".join(words[:length]) in COMMANDS, span


@pytest.mark.parametrize(
    "line",
    [
        "seqkit embed trian x -o y",
        "seqkit embed train x --vector-sise 3 -o y",
        "seqkit embed train x --method cbwo -o y",
        "cat x | seqkit embed similar",
        "seqkit embed",
        "A=1 .venv/bin/seqkit demo --nope",
        "seqkit embed analogy v a b c d",
    ],
)
def test_the_check_of_command_lines_sees_a_planted_fault(line: str) -> None:
    with pytest.raises((click.UsageError, AssertionError)):
        test_command_lines_in_the_docs_exist("page", line)


@pytest.mark.slow
def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = [block for language, block in code_blocks(README) if language == "python"]
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})
    assert (tmp_path / "kingdom.bin").is_file()


def test_exit_codes_are_the_documented_ones() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| (\d+) \| (.*) \|$", page, flags=re.MULTILINE))
    assert set(table) == {"0", "2", "65", "66", "69", "70", "71", "74", "76", "130", "143"}
    for name, cls in vars(errors).items():
        public = isinstance(cls, type) and issubclass(cls, errors.SeqkitError) and not name.startswith("_")
        if public and cls is not errors.InterruptedTraining:
            assert f"`{name}`" in table[str(cls.exit_code)], f"docs/cli.md: {name} under {cls.exit_code}"


def test_the_changelog_has_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[?{re.escape(__version__)}\]?", changelog, flags=re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, by GitHub's rule."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_relative_links_resolve(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):  # in code, `f[x](y)` is no link
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        file = (page.parent / place).resolve() if place else page
        assert file.exists(), f"{page.name}: {target}"
        assert file.is_relative_to(ROOT), f"{page.name}: {target} leaves the repository"
        assert not anchor or anchor in anchors(file), f"{page.name}: {target}"


def test_the_test_line_is_marked_for_ci() -> None:
    """.ci/run takes its set-up line from here, so that README and CI cannot drift apart."""
    marked = re.findall(r"<!-- test line -->\n```sh\n(.+)\n```", README)
    assert len(marked) == 1
    assert "pytest" in marked[0]
