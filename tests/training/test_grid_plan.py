"""Grids as they are written: what jobs they make, what makes two jobs the same, what is wrong."""

import dataclasses
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from facecloak_train.cli import main
from facecloak_train.commands import COMMANDS, kinds
from facecloak_train.grid import files
from facecloak_train.grid.commands import LEAVES, options_of
from facecloak_train.grid.expand import expand
from facecloak_train.grid.identity import LIVE, code_version, identity
from facecloak_train.grid.reading import read

from facecloak.core.errors import ConfigError

GRIDS = Path(__file__).parents[2] / "training" / "grids"
KINDS = kinds()

FIT = """
[inputs]
data = "{folder}/data.npz"

[[stage]]
name = "fit"
command = "fit"
options = {{ data = "{{data}}", epochs = 3 }}
axes = {{ net = ["vgg19", "resnet14"], seed = [1, 2] }}
"""
ROBUSTNESS = """
[[stage]]
name = "robustness"
command = "robustness"
options = {{ data = "{{data}}", weights = "{{fit.out}}/best.safetensors", seed = "{{fit.seed}}" }}
axes = {{ eps = [2.0, 4] }}
"""


@pytest.fixture
def jobs_of(tmp_path):
    (tmp_path / "data.npz").write_text("faces")
    (tmp_path / "other.npz").write_text("faces")

    def make(*parts, code="1", **changes):
        text = "".join(part.format(folder=tmp_path) for part in parts)
        for before, after in changes.items():
            assert before in text
            text = text.replace(before, after)
        path = tmp_path / "grid.toml"
        path.write_text(text)
        return expand(read(path, KINDS), tmp_path / "out", code)

    return make


def test_one_job_for_each_combination(jobs_of, tmp_path):
    jobs = [*jobs_of(FIT, ROBUSTNESS).values()]
    assert [job.command for job in jobs] == ["fit"] * 4 + ["robustness"] * 8
    fits, last = {job.id: job for job in jobs[:4]}, jobs[-1]
    assert last.labels == {"eps": 4, "fit.net": "resnet14", "fit.seed": 2}
    (need,) = last.needs
    assert fits[need.job].labels == {"net": "resnet14", "seed": 2}
    assert need.file == "run/best.safetensors"
    line = " ".join(last.arguments)
    assert f"--weights={tmp_path}/out/{need.folder}/run/best.safetensors" in line
    assert "--seed=2" in line
    assert "--eps 4.0" in line
    assert line.startswith(f"robustness --data={tmp_path}/data.npz")


def test_the_arguments_are_those_of_the_command_line(jobs_of, monkeypatch, tmp_path):
    """What a grid says comes out of ``facecloak-train``'s own parser as these very settings."""
    seen = []
    for name in ("fit", "robustness"):
        monkeypatch.setitem(COMMANDS, name, (KINDS[name], seen.append))
    changes = {"epochs = 3": 'epochs = 3, "jitter-flip" = false, erase = 1, teachers = "{data}"'}
    for job in jobs_of(FIT, ROBUSTNESS, **changes).values():
        assert main(job.arguments) == 0
    first, last = seen[0], seen[-1]
    data = tmp_path / "data.npz"
    assert (first.data, first.epochs, first.net, first.teachers) == (data, 3, "vgg19", (data,))
    assert first.jitter.flip is False
    assert first.erase == 1.0
    assert last.eps == (4.0,)
    assert last.seed == 2


def test_exclusions_name_own_axes_and_those_of_earlier_stages(jobs_of):
    one = 'exclude = [{{ net = "vgg19", seed = 2 }}]\n'
    two = 'exclude = [{{ "fit.net" = "vgg19", eps = 2.0 }}]\n'
    jobs = [*jobs_of(FIT, one, ROBUSTNESS, two).values()]
    labels = [(job.labels["net"], job.labels["seed"]) for job in jobs if job.stage == "fit"]
    assert labels == [("vgg19", 1), ("resnet14", 1), ("resnet14", 2)]
    rest = [job.labels for job in jobs if job.stage == "robustness"]
    assert len(rest) == 5
    assert {"eps": 2.0, "fit.net": "vgg19", "fit.seed": 1} not in rest
    with pytest.raises(ConfigError, match="every job is excluded"):
        jobs_of(FIT, "exclude = [{{ seed = 1 }}, {{ seed = 2 }}]")


def test_an_axis_of_named_sets_of_options(jobs_of):
    sets = '{ plain = {}, hard = { hardening-attack = "pgd", hardening-weight = 1 } }'
    jobs = [*jobs_of(FIT, **{'["vgg19", "resnet14"]': sets}).values()]
    assert [job.labels["net"] for job in jobs] == ["plain", "plain", "hard", "hard"]
    assert "--hardening-attack=pgd" in jobs[2].arguments
    assert "--hardening-attack=pgd" not in jobs[0].arguments


def test_two_stages_that_come_from_one_do_not_mix_its_jobs(jobs_of):
    export = """
[[stage]]
name = "export"
command = "export"
options = {{ data = "{{data}}", weights = "{{fit.out}}/best.safetensors", name = "{{fit.net}}" }}

[[stage]]
name = "attack"
command = "attack"
options = {{ data = "{{data}}", victims = ["{{export.out}}"] }}

[[stage]]
name = "evaluate"
command = "evaluate"
options = {{ data = "{{data}}", perturbation = "{{attack.out}}", models = ["{{export.out}}"] }}
"""
    jobs = jobs_of(FIT, export)
    last = [job for job in jobs.values() if job.stage == "evaluate"]
    assert len(last) == 4
    for job in last:
        attack, model = sorted((jobs[need.job] for need in job.needs), key=lambda one: one.command)
        assert attack.needs[0].job == model.id


def test_identities_do_not_depend_on_how_a_grid_is_written(jobs_of, tmp_path):
    before = {*jobs_of(FIT, ROBUSTNESS)}
    assert {*jobs_of(FIT, ROBUSTNESS, **{'"fit"\nc': '"learn"\nc', "{fit.": "{learn."})} == before
    assert {*jobs_of(FIT, ROBUSTNESS, **{"data.npz": "other.npz"})} == before
    usual = "epochs = 3, batch = 96, erase = 0, teachers = []"
    assert {*jobs_of(FIT, ROBUSTNESS, **{"epochs = 3": usual})} == before
    assert {*jobs_of(FIT)} < before


@pytest.mark.parametrize(
    "change",
    [
        {"epochs = 3": "epochs = 4"},
        {"epochs = 3": "epochs = 3, erase = 0.1"},
        {"seed = [1, 2]": "seed = [3, 4]"},
        {'command = "fit"': 'command = "fit"\nthreads = 2'},
        {'command = "fit"': 'command = "fit"\nprocesses = 2'},
    ],
)
def test_identities_change_with_what_a_result_depends_on(jobs_of, change):
    before, after = jobs_of(FIT, ROBUSTNESS), jobs_of(FIT, ROBUSTNESS, **change)
    assert not {*before} & {*after}  # robustness, too: it depends on other weights now
    assert len(before) == len(after)


ATTACK = """
[[stage]]
name = "attack"
command = "attack"
options = {{ data = "{{data}}", victims = ["{{data}}"], seed = 7 }}
"""


def test_a_default_that_is_spelt_out_is_the_same_job_and_that_of_another_command_is_not(jobs_of):
    """The faces of `attack` stray less than those of `fit`, whose class of settings they share."""
    before = {*jobs_of(FIT, ATTACK)}
    usual = "seed = 7, jitter-rotation-deg = 3, jitter-flip = false"
    assert {*jobs_of(FIT, ATTACK, **{"seed = 7": usual})} == before
    of_fit = {*jobs_of(FIT, ATTACK, **{"seed = 7": "seed = 7, jitter-rotation-deg = 12"})}
    assert len(of_fit - before) == 1


@pytest.mark.parametrize(
    ("protocol", "reports"),
    [
        ("", ("run/score.json",)),
        ('protocol = "80-20"', ("run/score.json",)),
        ('protocol = "all"', ()),
    ],
)
def test_what_tests_on_nobody_has_no_report(tmp_path, protocol, reports):
    (tmp_path / "clips").mkdir()
    grid = tmp_path / "grid.toml"
    options = ", ".join(filter(None, [f'data = "{tmp_path}/clips"', protocol]))
    grid.write_text(f'[[stage]]\ncommand = "fit-clips"\noptions = {{ {options} }}\n')
    (job,) = expand(read(grid, KINDS), tmp_path, "1").values()
    assert job.reports == reports


def test_identities_change_with_code_and_data(jobs_of, tmp_path):
    before = {*jobs_of(FIT, ROBUSTNESS)}
    assert not before & {*jobs_of(FIT, ROBUSTNESS, code="2")}
    (tmp_path / "data.npz").write_text("facet")
    assert not before & {*jobs_of(FIT, ROBUSTNESS)}


def test_the_code_version_follows_the_sources_that_matter(tmp_path, monkeypatch):
    package = tmp_path / "facecloak_train"
    (package / "grid").mkdir(parents=True)
    for name in ("__init__.py", "training.py", "grid/store.py"):
        (package / name).write_text("x = 1\n")
    monkeypatch.setattr("facecloak_train.__file__", str(package / "__init__.py"))
    first = code_version()
    (package / "grid" / "store.py").write_text("x = 2\n")
    assert code_version() == first
    (package / "training.py").write_text("x = 2\n")
    assert code_version() != first


def test_the_code_version_knows_all_of_the_live_app_that_training_reaches():
    """A part that it forgot would leave old results standing after an edit."""
    script = (
        "import pkgutil, sys, facecloak_train\n"
        "for one in pkgutil.walk_packages(facecloak_train.__path__, 'facecloak_train.'):\n"
        "    if '.grid' not in one.name and not one.name.endswith('__main__'):\n"
        "        __import__(one.name)\n"
        "print(*{name.split('.')[1] for name in sys.modules if name.startswith('facecloak.')})"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    known = {name.removesuffix(".py") for name in LIVE}
    assert set(told.stdout.split()) == known


def test_canonical_json_has_one_form():
    assert identity({"a": 1, "b": [1.0, None]}) == identity({"b": [1.0, None], "a": 1})
    assert identity({"a": 1}) != identity({"a": 1.0})
    with pytest.raises(ValueError, match="JSON"):
        identity({"a": float("nan")})


def test_a_folder_has_a_digest_of_names_and_contents(tmp_path):
    for name, text in (("a/x/1", "1"), ("b/x/1", "1"), ("c/x/2", "1"), ("d/x/1", "2")):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    a, b, c, d = (files.digest_of(tmp_path / name) for name in "abcd")
    assert a == b
    assert len({a, c, d}) == 3


def test_all_faults_are_told_at_once_with_what_is_allowed(tmp_path):
    (tmp_path / "data.npz").write_text("faces")
    path = tmp_path / "grid.toml"
    path.write_text(f"""
colour = "red"
[inputs]
data = "{tmp_path}/data.npz"
[[stage]]
command = "fit"
options = {{ data = "{tmp_path}/none.npz", hardening-attack = "laser", epochs = "many", flip = 1 }}
axes = {{ net = ["vgg20"], seed = [] }}
exclude = [{{ depth = 3 }}, {{ net = "vgg19" }}]
[[stage]]
command = "prepare fer2013"
threads = 0
options = {{ source = "{{data}}", crops = true }}
[[stage]]
command = "dance"
[[stage]]
command = "robustness"
options = {{ data = "{{dat}}", weights = "{{fot.out}}/best.safetensors", out = "here" }}
axes = {{ eps = [true] }}
[[stage]]
command = "fit"
options = {{ learning-rate = "fast" }}
[[stage]]
command = "evaluate"
options = {{ data = "{{data}}", perturbation = "{{data}}", models = [], legs = ["lossy"] }}
""")
    with pytest.raises(ConfigError) as stop:
        read(path, KINDS)
    told = str(stop.value)
    for fault in (
        "knows no 'colour'; it knows name, inputs, stage",
        f"stage fit: data: there is no {tmp_path}/none.npz",
        "hardening_attack: 'laser' is none of none, fgsm, pgd, trades",
        "epochs: 'many' is not a whole number",
        "fit has no flip; it has data, net, start",
        "net: 'vgg20' is none of vgg19, resnet18, resnet14, cnn-landmarks-hog",
        "axis seed has no values",
        "there is no axis 'depth'; there are net",
        "exclude: net is never 'vgg19', but vgg20",
        "stage prepare-fer2013: threads is 0, not a whole number from 1 on",
        "prepare fer2013 has no crops; it has source",
        "stage dance: there is no command 'dance' for it; there are prepare fer2013",
        "nothing is called {dat}; there are {data}, {fit.out}",
        "nothing is called {fot.out}",
        "later stages call it {robustness.out}",
        "eps: True is not a number",
        "stage fit: another stage has this name",
        "stage fit: fit needs data",
        "learning_rate: 'fast' is not a number",
        "legs: 'lossy' is none of all, lossless, h264-720p-2500",
    ):
        assert fault in told
    assert told.count("\n  - ") == 20


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("stage = 3", "no .*stage"),
        ("inputs = 1", "inputs is no table"),
        ("[[stage]]\ncommand = 'fit'\noptions = 3", "options is no table"),
        ("[[stage]]\ncommand = 'fit'\naxes = {net = {a = 1}}", "axis net: a is no table"),
        ("[[stage]]\ncommand = 'fit'\nexclude = 3", "exclude is no list"),
        ("[[stage]]\ncommand = ['fit']", "there is no command"),
        ("[[stage", "is no grid"),
        ("[[stage]]\nname = 'a.b'\ncommand = 'fit'", "its name has other characters"),
        (
            "[[stage]]\ncommand = 'fit'\n"
            "axes = { system = { a = { data = 'grid.toml' }, b = { seed = 2 } } }",
            "fit needs data",
        ),
    ],
)
def test_what_is_no_grid_is_told(tmp_path, text, fault):
    path = tmp_path / "grid.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=fault):
        read(path, KINDS)
    with pytest.raises(ConfigError, match="is no grid"):
        read(tmp_path / "none.toml", KINDS)


@pytest.mark.parametrize(
    ("how", "fault"),
    [
        ('command = "score"\nprocesses = 2', "score is one process; of several are fit"),
        ('command = "fit"\nnodes = 7', "batch 96 does not part into 7 equal shares"),
    ],
)
def test_what_cannot_be_shared_between_processes_is_told(tmp_path, how, fault):
    (tmp_path / "data.npz").touch()
    grid = tmp_path / "grid.toml"
    options = f'data = "{tmp_path}/data.npz"'
    options += f', weights = "{tmp_path}/data.npz"' if "score" in how else ""
    grid.write_text(f'[[stage]]\nname = "one"\n{how}\noptions = {{ {options} }}\n')
    with pytest.raises(ConfigError, match=fault):
        expand(read(grid, KINDS), tmp_path, "1")


def test_a_value_from_an_earlier_stage_must_fit(jobs_of):
    with pytest.raises(ConfigError, match="stage robustness: steps: 'vgg19' is not a whole number"):
        jobs_of(FIT, ROBUSTNESS, **{'seed = "{fit.seed}"': 'steps = "{fit.net}"'})


def test_a_path_made_of_an_earlier_option_must_exist(jobs_of):
    with pytest.raises(ConfigError) as stop:
        jobs_of(FIT, ROBUSTNESS, **{'"{fit.out}/best.safetensors"': '"{fit.net}.onnx"'})
    for net in ("vgg19", "resnet14"):
        assert f"{net}.onnx: No such file" in str(stop.value)


@pytest.mark.warns_in_log  # errors
def test_faults_end_the_command_before_anything_starts(tmp_path, caplog, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("grid.toml").write_text("[[stage]]\ncommand = 'dance'")
    assert main(["grid", "grid.toml"]) == 2
    assert "there is no command 'dance'" in caplog.text
    assert main(["grid", "grid.toml", "--engine", "steam", "--attempts", "0"]) == 2
    assert "no engine 'steam'; there are local, ray; --attempts is 1 or more" in caplog.text
    assert main(["grid", "status", "nowhere"]) == 2
    assert main(["grid", "export", "nowhere"]) == 2
    assert [*tmp_path.iterdir()] == [tmp_path / "grid.toml"]


def test_every_command_of_a_grid_has_settings_with_an_out():
    for name in LEAVES:
        assert "out" in {field.name for field in dataclasses.fields(KINDS[name])}
        assert options_of(KINDS[name])


@pytest.mark.parametrize("grid", sorted(GRIDS.glob("*.toml")), ids=lambda path: path.stem)
def test_the_grids_of_the_repository_can_be_run(grid, tmp_path, monkeypatch):
    """With files in place of the inputs that they name."""
    monkeypatch.chdir(tmp_path)
    for name in tomllib.loads(grid.read_text())["inputs"].values():
        path = Path(name)
        assert not path.is_absolute()
        path.parent.mkdir(exist_ok=True)
        path.touch()
    jobs = expand(read(grid, KINDS), tmp_path, "1")
    assert all(need.job in jobs for job in jobs.values() for need in job.needs)
    if grid.stem == "fer2013":
        assert len(jobs) == 59
        attacks = Counter(job.labels["eps"] for job in jobs.values() if job.stage == "attack")
        assert attacks == {2: 5, 4: 5, 8: 5}
