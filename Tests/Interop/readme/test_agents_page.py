"""Every example of docs/agents.md is taken by `tandem check` as it stands there, and what it names exists."""

import os
import re
import subprocess

import pytest
from gateway import BINARY, REPOSITORY

PAGE = (REPOSITORY / "docs" / "agents.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
AGENTS = [example for example in EXAMPLES if example.startswith("agents:")]
(PLAN,) = [example for example in EXAMPLES if example.startswith("routes:")]


@pytest.mark.parametrize("agents", AGENTS, ids=[re.search(r"protocol: (\w+)", agents)[1] for agents in AGENTS])
def test_the_configuration_is_taken_with_the_plan(agents, tmp_path):
    (tmp_path / "dialplan.yaml").write_text(PLAN)
    configuration = tmp_path / "tandem.yaml"
    configuration.write_text(agents + "dialplan: dialplan.yaml\n")
    checked = subprocess.run(
        [str(BINARY), "check", "--config", str(configuration)], capture_output=True, text=True, timeout=30,
        env={**os.environ, "OPENAI_API_KEY": "key"})  # fmt: skip
    assert checked.returncode == 0 and "warning" not in checked.stdout + checked.stderr, checked.stdout + checked.stderr


def test_every_protocol_has_its_example():
    assert len(AGENTS) == 3


def test_the_files_it_names_exist():
    named = re.findall(r"(clients/\S+)", PAGE) + [f"docs/{link}" for link in re.findall(r"\]\(([^)#]+)\)", PAGE) if "://" not in link]
    assert len(named) > 5
    assert not [name for name in named if not (REPOSITORY / name).exists()]
