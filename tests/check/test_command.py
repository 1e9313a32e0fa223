"""The command: what it prints, what it leaves out, and its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from watchglass.check import options, output
from watchglass.check.command import main

CALL = 'import litellm\n\n\ndef ask():\n    return litellm.completion(model="m", messages=[])\n'
WARNS = "INPUT_COST_PER_TOKEN = 0.002\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one finding, in whose folder the command runs."""
    (tmp_path / "app.py").write_text(CALL, "utf-8")
    (tmp_path / "pyproject.toml").write_text("", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    return tmp_path


def configure(project: Path, text: str) -> None:
    (project / "pyproject.toml").write_text(f"[tool.watchglass.check]\n{text}\n", "utf-8")


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    """What `--json` prints."""
    main(["--json", *arguments])
    return json.loads(capsys.readouterr().out)


def rules(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    return [each["rule"] for each in found(capsys, *arguments)]


def test_findings_are_printed_with_place_and_what_to_do(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As text: path, line, column, severity, rule, once how to mend it; exit 1."""
    assert main([]) == 1
    printed = capsys.readouterr().out
    assert "app.py:5:12  error  WG002  litellm.completion" in printed
    assert "WG002: ask through multi_model_service" in printed and "check.md#wg002" in printed
    assert "1 finding in 1 file: 1 error" in printed


def test_json_is_an_array_of_the_agreed_objects(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each has path, line, column, rule, severity, message and fix, and a cell in notebooks alone."""
    [one] = found(capsys)
    assert list(one) == ["path", "line", "column", "rule", "severity", "message", "fix"]
    assert (one["path"], one["line"], one["column"], one["severity"]) == ("app.py", 5, 12, "error")


def test_nothing_found_is_exit_0_and_an_empty_array(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A clean project: exit code 0, `No findings.`, `[]`."""
    (project / "app.py").write_text("x = 1\n", "utf-8")
    assert main([]) == 0
    assert capsys.readouterr().out == "No findings.\n"
    assert found(capsys) == []


def test_fail_on_decides_what_fails(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A warning fails with `--fail-on warning` alone, an error not with `--fail-on critical`."""
    assert main(["--fail-on", "critical"]) == 0
    (project / "app.py").write_text(WARNS + "tokens = 1\n", "utf-8")
    assert main([]) == 0
    assert main(["--fail-on", "warning"]) == 1
    configure(project, 'fail-on = "warning"')
    assert main([]) == 1
    capsys.readouterr()


def test_rules_are_chosen_on_the_command_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--select` replaces, `--ignore` takes away."""
    assert rules(capsys, "--select", "WG010") == []
    assert rules(capsys, "--ignore", "wg002") == []
    assert rules(capsys, "--select", "ALL") == ["WG002"]


@pytest.mark.parametrize(
    ("setting", "left"),
    [
        ('select = ["WG010"]', 0),
        ('ignore = ["WG002"]', 0),
        ('exclude = ["*.py"]', 0),
        ('exempt = ["app.py"]', 0),
        ('allow = ["app.py"]', 0),
        ('allow = ["other.py"]', 1),
        ("instrumented = true", 0),
        ("instrumented = true\nrequire-service = true", 1),
        ('[tool.watchglass.check.per-file-ignores]\n"app.py" = ["WG002"]', 0),
        ('[tool.watchglass.check.per-file-ignores]\n"src/" = ["WG002"]', 1),
    ],
)
def test_the_project_configures_it(
    project: Path, capsys: pytest.CaptureFixture[str], setting: str, left: int
) -> None:
    """Each key of `[tool.watchglass.check]` does what it says."""
    configure(project, setting)
    assert len(found(capsys)) == left


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("selekt = []", "has no key 'selekt'"),
        ('select = "WG002"', "must be a list of texts"),
        ('select = ["WG999"]', "'WG999', which is no rule"),
        ('fail-on = "loud"', "must be one of critical, error, warning"),
        ("require-service = 1", "must be true or false"),
        ("per-file-ignores = []", "must be a table"),
        ("per-file-ignores = { 'app.py' = [2] }", "must have a list of rules"),
        ("select = [", "is no TOML"),
        ('baseline = "none.json"', "make it with --write-baseline"),
    ],
)
def test_a_setting_that_makes_no_sense_is_said(
    project: Path, capsys: pytest.CaptureFixture[str], setting: str, said: str
) -> None:
    """One line on stderr says which key is wrong and what it may be; exit code 2."""
    configure(project, setting)
    assert main([]) == 2
    error = capsys.readouterr().err
    assert said in error and error.startswith("watchglass check: ") and "Traceback" not in error


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.py"], "nowhere.py is not there"),
        (["--diff", "HEAD"], "--diff"),
        (["--diff", "--output=x"], "--diff"),
        (["--diff", ""], "--diff '' is no commit"),
        (["/dev/null"], "/dev/null is neither a file nor a folder"),
        ([""], "an empty path is not there"),
        (["--config", "/dev/zero"], "larger than 4 MiB"),
        (["--jobs", "many"], "--jobs is 'many'"),
        (["--baseline", "app.py"], "is no baseline"),
    ],
)
def test_a_question_that_makes_no_sense_is_exit_2(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """A path that is not there, a commit that is none, a wrong number: a sentence, and exit code 2."""
    try:
        assert main(arguments) == 2
    except SystemExit as left:  # argparse's own way, for a value that looks like an option
        assert left.code == 2
    assert said in capsys.readouterr().err


def test_a_baseline_knows_old_findings_wherever_they_move(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was there is left out, after lines are put above it too; a second equal call is new."""
    assert main(["--write-baseline", "known.json"]) == 0
    capsys.readouterr()
    assert found(capsys, "--baseline", "known.json") == []
    (project / "app.py").write_text("# one\n# two\n" + CALL, "utf-8")
    assert found(capsys, "--baseline", "known.json") == []
    (project / "app.py").write_text(CALL + "    " + CALL.splitlines()[-1].strip() + "\n", "utf-8")
    assert len(found(capsys, "--baseline", "known.json")) == 1
    configure(project, 'baseline = "known.json"')
    assert len(found(capsys)) == 1


def git(project: Path, *arguments: str) -> None:
    settings = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *settings, *arguments], cwd=project, check=True, capture_output=True)


def test_diff_keeps_findings_on_changed_lines(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the call that was added since the commit is found, and all of a file that git does not know."""
    git(project, "init")
    git(project, "add", ".")
    git(project, "commit", "-m", "one")
    assert found(capsys, "--diff", "HEAD") == []
    added = "\n\ndef more():\n    litellm.embedding(\n        model='m',\n        input=[],\n    )\n"
    (project / "app.py").write_text("# a line above\n" + CALL + added, "utf-8")
    assert [each["line"] for each in found(capsys, "--diff", "HEAD")] == [10]
    (project / "näw file.py").write_text(CALL, "utf-8")
    assert [each["path"] for each in found(capsys, "--diff", "main")] == ["app.py", "näw file.py"]
    assert main(["--diff", "nothing"]) == 2
    assert "there is no commit 'nothing'" in capsys.readouterr().err


def test_sarif_is_what_code_scanning_reads(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Version 2.1.0, rules with help, results with place and a fingerprint that lines do not change."""
    main(["--sarif"])
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, SARIF)
    [result] = document["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert (result["ruleId"], result["level"], place["artifactLocation"]["uri"]) == (
        "WG002",
        "error",
        "app.py",
    )
    assert place["region"]["startLine"] == 5
    (project / "app.py").write_text("\n" + CALL, "utf-8")
    main(["--sarif"])
    moved = json.loads(capsys.readouterr().out)["runs"][0]["results"][0]
    assert moved["partialFingerprints"] == result["partialFingerprints"]


TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name"],
                                "properties": {
                                    "rules": {
                                        "uniqueItems": True,
                                        "items": {
                                            "required": ["id"],
                                            "properties": {"shortDescription": TEXT, "help": TEXT},
                                        },
                                    }
                                },
                            }
                        },
                    },
                    "results": {
                        "items": {
                            "required": ["message"],
                            "properties": {
                                "message": TEXT,
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "partialFingerprints": {"additionalProperties": {"type": "string"}},
                            },
                        }
                    },
                },
            }
        },
    },
}
"""What of the published schema (sarif-2.1.0) the checker uses, by hand: the whole is 100 KB."""


@pytest.mark.skipif(os.name == "nt", reason="names of files are texts there")
@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_a_file_of_any_name_is_told_of(
    project: Path, capsys: pytest.CaptureFixture[str], form: str, tmp_path: Path
) -> None:
    """A name that is no UTF-8, or that would colour a terminal, is written as escapes in every form."""
    (project / os.fsdecode(b"odd-\xff\x1b[31m.py")).write_text(CALL, "utf-8")
    written = tmp_path / "report"
    assert main(["--format", form]) == main(["--format", form, "--output", str(written)]) == 1
    for told in (capsys.readouterr().out, written.read_text("utf-8")):
        assert "odd-" in told and (form == "github" or "\x1b" not in told)
    assert main(["--write-baseline", "known.json"]) == 0 == main(["--baseline", "known.json"])


def test_nothing_to_check_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing named is Python, a line says so: a gate that looks at nothing should not look green."""
    (project / "notes.md").write_text("# notes", "utf-8")
    assert main(["notes.md"]) == 0
    assert "no Python file and no notebook" in capsys.readouterr().err


def test_github_annotations_are_escaped(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One workflow command a finding, `%` and line ends escaped."""
    main(["--github"])
    printed = capsys.readouterr().out
    assert printed.startswith("::error file=app.py,line=5,endLine=5,col=12,title=WG002::litellm.completion")
    assert printed.count("\n") == 1


def test_explain_tells_a_rule(capsys: pytest.CaptureFixture[str]) -> None:
    """`--explain` prints reason, examples and remedy."""
    assert main(["--explain", "wg003"]) == 0
    printed = capsys.readouterr().out
    assert "WG003 crew-without-callbacks (warning)" in printed and "Right:" in printed


def test_it_starts_without_the_rest(project: Path) -> None:
    """Neither the command line's libraries nor OpenTelemetry nor another room is imported."""
    program = (
        "import sys; sys.argv = ['watchglass', 'check', 'app.py']\n"
        "from watchglass.__main__ import main\n"
        "try: main()\n"
        "except SystemExit as left: code = left.code\n"
        "print(code, sorted({name.partition('.')[0] for name in sys.modules if '.' not in name}\n"
        "  - set(sys.stdlib_module_names) - {'__main__'}))\n"
        "print(sorted(name for name in sys.modules if name[:11] == 'watchglass.' and '.check' not in name))"
    )
    clean = [sys.executable, "-S", "-c", program]
    source = str(Path(main.__code__.co_filename).parents[2])
    done = subprocess.run(
        clean, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": source}, check=True
    )
    assert done.stdout.splitlines()[-2:] == [
        "1 ['watchglass']",
        "['watchglass.__main__', 'watchglass.errors']",
    ]


def test_the_formats_are_those_that_can_be_written() -> None:
    """Each format that the options name is written in a way of its own."""
    assert len({output.written(each, []) for each in options.FORMATS}) == len(options.FORMATS)


def test_it_is_a_module_too(project: Path) -> None:
    """`python -m watchglass.check` is the same command."""
    done = subprocess.run(
        [sys.executable, "-m", "watchglass.check", "--json", "app.py"], capture_output=True, text=True
    )
    assert done.returncode == 1 and json.loads(done.stdout)[0]["rule"] == "WG002"
