"""Command lines that cannot be carried out, each with a part of what it is told; and a grammar of
more.
"""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from harness.cli.parsers import PARSERS

DEEP = "[" * 1500
SWEEP = ["run", "-m"]
GHOSTS = ["run", "task=convergence", "task.alternatives=[ghost_batch_norm]", "task.ghost_batch=24"]
REFUSED: list[tuple[list[str], str]] = [
    # errors of Hydra's and OmegaConf's own
    (["run", "task=null"], "task=null: a name is wanted; allowed: conformance, "),
    (["run", "problem=null"], "problem=null: a name is wanted"),
    (["run", "experiment=null"], "a name is wanted; allowed: dtypes"),
    (["run", "task.name=convergence"], "choose a task with task=convergence"),
    (["run", "implementations=[{_target_: json.JSONDecoder, x: nan}]"], "give a finite one"),
    (["run", "implementations=[{a: 1}]"], "there is no _target_"),
    (["run", "task=conformance", "implementations=[5]"], "no implementation 5"),
    (["run", "task=conformance", "implementations=[{a: 1}]"], "there is no _target_"),
    (["run", "implementations=[{name: numpy, lable: x}]"], "did you mean 'label'?; allowed beside"),
    (["run", "implementations=[{name: numpy, label: canary}]"], "choose another label"),
    (["run", "implementations=[{name: numpy, python: nope/python}]"], "python=nope/python is not"),
    (["run", "implementations=[numpy,{name: numpy, variables: {A: b}}]"], "apart by a label"),
    (["run", *SWEEP[1:], "implementations=[{name: numpy}],[numpy]"], "a sweep cannot part them"),
    (["check", "{name: numpy, variables: {OMP_NUM_THREADS: '4'}}"], "would change the harness"),
    (["run", "baseline=v3", "implementations=[numpy]"], "there is no implementation 'v3'"),
    (["run", "hydra.nope=1"], "allowed of Hydra's own: hydra.mode"),
    (["run", "hydra.job.chdri=true"], "did you mean 'hydra.job.chdir'"),
    (["run", "hydra.mode=foo"], "expected one of [RUN, MULTIRUN]"),
    (["run", "hydra/launcher=jolib"], "did you mean 'joblib'"),
    (["run", f"problem.shapes={DEEP}"], "write key=value"),
    (["run", "device.threads=${oc.env:NOPE}"], "'NOPE' not found"),
    (["run", "seed=${seed}"], "seed: Recursive interpolation"),
    (["run", "results=???"], "missing mandatory value: results"),
    (["run", "results=r\udcff"], "not valid UTF-8"),
    (["run", "~seed"], "no key can be taken away"),
    (["run", "++colour=red"], "there is no key 'colour'"),
    (["run", "--config-dir", "presets", "experiment=broken"], "mapping values are not allowed"),
    (["run", "--config-dir", "presets", "experiment=unknown"], "there is no key 'colour'"),
    # messages
    (["run", "seed=1,2"], "seed=1,2 gives several values for one run; add -m to run each"),
    (["ui", "seed=1,2"], "has no effect on ui"),
    (["run", "task.phases=training_step"], "a list is wanted; write 'task.phases=[training_step]'"),
    (["run", "task.phases=inference,backward"], "write 'task.phases=[inference,backward]'"),
    (["run", "implementations=numpy"], "write 'implementations=[numpy]'"),
    (["run", "task.faces=kernel"], "write 'task.faces=[kernel]'"),
    (["run", "tracking.enabled=maybe"], "tracking.enabled=maybe; allowed: true or false"),
    (["run", "task.blocks=null"], "task.blocks=null; allowed: an integer"),
    (["run", "problem.batch=9999999"], "allowed: 1 to 1048576"),
    (["run", "seed=-1"], "allowed: 0 to 9223372036854775807"),
    (["run", "task.launches=4", "task.most_launches=2"], "task.most_launches=2 is less than"),
    (["run", "task.phases=[inference,inference]"], "has one of them twice"),
    (["run", "task=convergence", "task.alternatives=[none,none]"], "has one of them twice"),
    (["run", "task=convergence", "task.weight_decay=1"], "allowed under task=convergence: task.ac"),
    (["run", "--config-dir", "presets", "experiment=sweeping"], "experiment=sweeping sweeps over"),
    # sweeps
    ([*SWEEP, "task.learning_rate=interval(0.01,0.1)"], "an interval is sampled from"),
    ([*SWEEP, "seed=range(0,100000000)"], "a sweep of 100,000,000 jobs; allowed: 1 to 100,000"),
    ([*SWEEP, "seed=shuffle(range(0,100000000))"], "a sweep of 100,000,000 jobs"),
    ([*SWEEP, "seed=range(0,1000)", "task.blocks=range(1,1000)"], "a sweep of 999,000 jobs"),
    ([*SWEEP, "seed=range(5,5)"], "a sweep of 0 jobs"),
    ([*SWEEP, "seed=range(0,1,0)"], "STEP not 0"),
    ([*SWEEP, "margin=range(0,inf)"], "must be finite"),
    ([*SWEEP, "seed=1,1"], "has 1 twice"),
    ([*SWEEP, "problem=glob(nothing*)"], "matches nothing"),
    ([*SWEEP, "experiment=quick,dtypes"], "job 0 (experiment=quick): the preset sweeps over task"),
    ([*SWEEP, "implementations=[numpy],[torch_native]"], "a sweep cannot part them"),
    ([*SWEEP, "hydra.job.chdir=true,false"], "cannot be swept over"),
    ([*SWEEP, "--config-dir", "presets", "experiment=here,elsewhere"], "job 1 (experiment=elsewh"),
    ([*GHOSTS, "-m", "task.batch=48,64"], "job 1 (task.batch=64): task.batch=64 is no multiple"),
    (
        [*SWEEP, "problem.shapes=[[1,64]]", "task.phases=[inference],[training_step]"],
        "job 1 (task.phases=[training_step])",
    ),
    (
        [
            *SWEEP,
            "problem.shapes=[[4,3,5,5]],[[4,3]]",
            "problem.memory_format=contiguous,channels_last",
        ],
        "job 3 (problem.shapes=[[4,3]] problem.memory_format=channels_last): ",
    ),
    # journals, folders and disks
    (["run", "results=/dev/null"], "/dev/null"),
    (["run", "results=/proc/nowhere"], "folders to write to"),
    (["run", "journal=full/journal"], "full/journal/journal.jsonl: No space left on device; free"),
    (["run", f"results={'x' * 300}"], "give a shorter name"),
    (["compare", "--journal", "/nope"], "/nope: there is no journal"),
    (["compare", "results=ci"], "ci/journal: there is no journal"),
    (["compare", "seed=3"], "allowed: results=FOLDER"),
    (["compare", "one"], "two sessions are compared, and 1 given"),
    (["compare", "no_report", "no_report"], "no_report has no environment.json"),
    (["compare", "results=folder"], "a file is wanted there"),
    (["compare", "results=deep"], "two sessions"),
    (["compare", "results=binary"], "two sessions"),
    (["compare", "a", "b", "results=empty_figures"], "no session 'a'"),
    (["gate"], "the following arguments are required: BASE"),
    (["gate", "a", "b", "c"], "a gate is of two revisions, and 'c' is one more"),
    (["gate", "main", "gate.build=make"], "has no {folder}, where it has to put the package"),
    (["gate", "main", "baseline=numpy"], "baseline=numpy has no place in a gate"),
    (["gate", "main", "task=convergence"], "a gate is of task=throughput"),
    (["gate", "main", "gate.secnods=5"], "did you mean 'gate.seconds'?"),
    (["gate", "main", "task.launches=2,3"], "add -m to run each"),
    (["run", "gate.seconds=5"], "gate.seconds=5 has no effect: it is of bnbench gate"),
    (["run", "task=convergence", "gate.fail_if=slower"], "task=convergence finds nothing slower"),
    (["run", "gate.fail_if=faster"], "allowed: null, slower"),
    (["replay", "x", "gate.fail_if=slower"], "it is of bnbench gate; leave it out"),
    (["replay", "deep_report"], "not what a session wrote"),
    (["replay", "x", "results=folder"], "a file is wanted there"),
    (["replay", "x", "task.phases=a,b"], "x"),
    (["replay", "x" * 5000], "there is no run"),
    (["ui", "--port", "x"], "see bnbench ui --help"),
    (["doctor", "--seconds", "9"], "add --measure"),
    (["list", "--josn"], "see bnbench list --help"),
]

VALUES = [
    "", "null", "nan", "-inf", "-1", "0", "1e400", "9" * 5000, "true", "abc", "[", "[]", "[1,", "{",
    "{a: 1}", "[[4,3],[3]]", "[null]", "${oc.env:NOPE}", "${seed}", "${", "???", "a,b", "1,2,3",
    "range(0,3)", "range(3)", "range(0,1,0)", "interval(0,1)", "glob(*)", "int(x)", "sort(3,2)",
    "shuffle(1)", "choice()", "choice(1,2)", "'", '"a', "\\", "größe", "x" * 3000, "[" * 400,
    "\x1b[31m", "[bold]", "a[/]b", "../..", "/dev/null", "~", "*", "r\udcff", "a=b", "a b", "@",
    "|",
]  # fmt: skip
KEYS = [
    "seed", "sed", "task", "task.name", "task.steps", "task.phases", "task.cases", "problem",
    "problem.shapes", "problem.dtype", "device", "device.threads", "device.name", "tracking",
    "tracking.uri", "tracking.enabled", "experiment", "implementations", "baseline", "margin",
    "resume", "results", "journal", "report", "hydra.mode", "hydra.job", "hydra/launcher", "hydra",
    "hydra.sweeper.params", "a.b", "", ".", "a..b", "+x", "++seed", "~seed", "~task", "a@b", "1",
]  # fmt: skip
FLAGS = [
    "-m", "--multirun", "--cfg", "job", "--json", "--margin", "--alpha", "--journal", "--level",
    "--port", "--seconds", "--threads", "--thorough", "--config-dir", "presets", "-x", "--", "-",
]  # fmt: skip
WORDS = st.one_of(
    st.builds("{}={}".format, st.sampled_from(KEYS), st.sampled_from(VALUES)),
    st.builds("{}={}".format, st.sampled_from(KEYS), st.text(max_size=6)),
    st.sampled_from([*FLAGS, *KEYS, *VALUES]),
)
COMMAND_LINES = st.builds(
    lambda command, words: [command, *words],
    st.sampled_from([*PARSERS, "run", "run", "run", "replay", "compare", "rnu", "", "help", "-"]),
    st.lists(WORDS, max_size=4),
)

PRESETS = {
    "broken": "a: b: c",
    "unknown": "# @package _global_\ncolour: red\n",
    "sweeping": "# @package _global_\nhydra: {sweeper: {params: {seed: '1,2'}}}\n",
    "here": "# @package _global_\nseed: 1\n",
    "elsewhere": "# @package _global_\nresults: another\n",
}


def lay_out(folder: Path) -> None:
    """Journals, reports and presets in a folder, with whatever can be wrong with them."""
    (folder / "presets/experiment").mkdir(parents=True)
    for name, text in PRESETS.items():
        (folder / f"presets/experiment/{name}.yaml").write_text(text)
    for name in ("folder", "deep", "binary", "empty_figures", "full"):
        (folder / name / "journal").mkdir(parents=True)
    (folder / "folder/journal/journal.jsonl").mkdir()
    (folder / "full/journal/journal.jsonl").symlink_to("/dev/full")
    (folder / "deep/journal/journal.jsonl").write_text("[" * 100_000 + "\n")
    (folder / "binary/journal/journal.jsonl").write_bytes(b"\xff\xfe\x00\n{}\n")
    (folder / "no_report").mkdir()
    (folder / "deep_report").mkdir()
    for name in ("environment.json", "jobs.jsonl", "records.jsonl"):
        (folder / "deep_report" / name).write_text("[" * 100_000)
