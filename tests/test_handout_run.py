"""A class at scale: the same bytes however it was made, whole files only, one failure that harms no other."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from handout_fakes import CLASS, FakeSheets, handout, tree
from pypdf import PdfReader

from derive.errors import ChainruleError, ProblemError
from render.handout import crew
from render.handout.crew import Crew
from render.handout.run import Done, InterruptedRunError, hand_out
from render.handout.storing import WORK, Store, WritingStoppedError, digest, to_json

HERE = Path(__file__).parent
ROOT = HERE.parent
MANY = 40


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an undisturbed run writes."""
    folder = tmp_path_factory.mktemp("whole")
    assert hand_out(handout(folder)) == Done(5, 0, ())
    return tree(folder)


# ---- what there is -----------------------------------------------------------------------------


def test_every_student_has_a_sheet_a_solution_and_a_problem_file(whole: dict[str, bytes]) -> None:
    names = ["001_lovelace_ada", "002_wangxiaoming", "003_cmd_c_calc_a1", "004_mhmd_lfrsy", "005_robert_bob_oneill_jr"]
    assert list(whole) == sorted(
        [
            *("key.csv", "key.json", "key.xlsx", "key_mistakes.csv", "manifest.json", "marking.md"),
            *(f"sheets/{name}.{ending}" for name in names for ending in ("md", "toml")),
            *(f"solutions/{name}_solutions.md" for name in names),
        ]
    )
    for student, name in zip(CLASS, names, strict=True):
        head = whole[f"sheets/{name}.md"].decode()
        assert "sheet of" in head
        assert f"variant {student.number} points 12" in head
        assert "solution of" in whole[f"solutions/{name}_solutions.md"].decode()
    assert "王小明 0042" in whole["sheets/002_wangxiaoming.md"].decode()
    assert "marking of" in whole["marking.md"].decode()


@pytest.mark.parametrize(
    ("solutions", "folders"),
    [("none", {"sheets"}), ("separate", {"sheets", "solutions"}), ("only", {"solutions"})],
)
def test_solutions_are_beside_the_sheets_or_without_them(tmp_path: Path, solutions: str, folders: set[str]) -> None:
    hand_out(handout(tmp_path, solutions=solutions, workers=1))
    assert {name.partition("/")[0] for name in tree(tmp_path) if name.count("/") and name.endswith(".md")} == folders
    assert sum(name.endswith(".toml") for name in tree(tmp_path)) == len(CLASS)  # what the key is the key to


def test_several_problems_have_a_file_each(tmp_path: Path) -> None:
    hand_out(handout(tmp_path, FakeSheets(parts=2), students=CLASS[:1], workers=1))
    assert [name for name in tree(tmp_path) if name.endswith(".toml")] == [
        "sheets/001_lovelace_ada_p0.toml",
        "sheets/001_lovelace_ada_p1.toml",
    ]


def test_the_manifest_tells_what_every_file_is(whole: dict[str, bytes]) -> None:
    manifest = json.loads(whole["manifest.json"])
    assert manifest["choices"] == {"chainrule": "0.1.0", "seed": 7}
    told = manifest["files"] | {path: each for sheet in manifest["sheets"] for path, each in sheet["files"].items()}
    assert told == {path: digest(data) for path, data in whole.items() if path != "manifest.json"}
    assert [(sheet["number"], sheet["variant"], sheet["seed"]) for sheet in manifest["sheets"]] == [
        (number, number, 7000 + number) for number in range(1, 6)
    ]
    assert manifest["sheets"][1]["student"] == {"id": "0042", "name": "王小明"}
    assert whole["manifest.json"] == to_json(manifest)


# ---- the same bytes ----------------------------------------------------------------------------


@pytest.mark.parametrize(("workers", "method"), [(1, "fork"), (3, "fork"), (2, "spawn")])
def test_the_same_bytes_with_any_number_of_processes_of_any_kind(
    tmp_path: Path, whole: dict[str, bytes], workers: int, method: str
) -> None:
    hand_out(handout(tmp_path / "an other place", workers=workers, method=method))
    assert tree(tmp_path / "an other place") == whole


def test_writing_it_again_changes_nothing(tmp_path: Path, whole: dict[str, bytes]) -> None:
    for _ in range(2):
        hand_out(handout(tmp_path))
        assert tree(tmp_path) == whole


APART = """
import sys
from pathlib import Path
import handout_fakes as fakes
from render.handout.run import hand_out
students, workers = fakes.CLASS[:3], int(sys.argv[2])
made = fakes.handout(Path(sys.argv[1]), formats=("pdf",), students=students, combine=True, workers=workers, method="")
hand_out(made)
"""


def test_pdfs_are_the_same_bytes_and_combined_each_begins_on_an_odd_page(tmp_path: Path) -> None:
    pytest.importorskip("typst")
    for workers, seed in (("1", "1"), ("2", "4711")):
        environment = os.environ | {"PYTHONPATH": f"{ROOT}:{HERE}", "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", APART, tmp_path / workers, workers], env=environment, check=True)
    assert tree(tmp_path / "1") == tree(tmp_path / "2")
    reader = PdfReader(tmp_path / "1" / "all_sheets.pdf")
    starts = [page for page, each in enumerate(reader.pages) if "sheet of" in each.extract_text()]
    assert starts == [0, 2, 4]
    assert len(reader.pages) == 6
    outline: list[Any] = reader.outline
    assert [each.title for each in outline] == ["001_lovelace_ada", "002_wangxiaoming", "003_cmd_c_calc_a1"]
    assert [reader.get_destination_page_number(each) for each in outline] == starts
    solutions = PdfReader(tmp_path / "1" / "all_solutions.pdf")
    assert "solution of" in solutions.pages[0].extract_text()


def test_where_the_compiler_has_run_processes_are_not_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", sys)
    assert crew.start_method() == "spawn"


# ---- failures ------------------------------------------------------------------------------------


def test_one_sheet_that_fails_harms_no_other(tmp_path: Path, whole: dict[str, bytes]) -> None:
    done = hand_out(handout(tmp_path, FakeSheets(fails=(2,), dies=(4,))))
    assert done.sheets == 3
    assert [(each.number, each.name) for each in done.failures] == [(2, "002_wangxiaoming"), (4, "004_mhmd_lfrsy")]
    assert [each.problem for each in done.failures] == [
        "variant 2 cannot be drawn",
        "the process that made it ended (killed by SIGKILL)",
    ]
    found = {name: data for name, data in tree(tmp_path).items() if not name.startswith(WORK)}
    failed = ("002_wangxiaoming", "004_mhmd_lfrsy")
    for name, data in whole.items():
        if "/" in name:
            assert found.get(name) == (None if any(each in name for each in failed) else data)
    manifest = json.loads(found["manifest.json"])
    assert [each["number"] for each in manifest["failed"]] == [2, 4]
    assert {sheet["number"] for sheet in json.loads(found["key.json"])["sheets"]} == {1, 3, 5}


def test_what_failed_is_tried_again_and_nothing_else(tmp_path: Path, whole: dict[str, bytes]) -> None:
    hand_out(handout(tmp_path, FakeSheets(fails=(2, 3))))
    assert hand_out(handout(tmp_path), resume=True) == Done(5, 3, ())
    assert tree(tmp_path) == whole


def test_a_defect_of_ours_is_told_with_its_place(tmp_path: Path) -> None:
    ours = os.getpid()

    class Defect(FakeSheets):
        def sheet(self, number: int) -> Any:
            if os.getpid() != ours and number == 2:
                raise KeyError("nothing")
            return super().sheet(number)

    done = hand_out(handout(tmp_path, Defect()))
    (failure,) = done.failures
    assert failure.problem.startswith("KeyError: 'nothing' (test_handout_run.py, line ")


def test_what_fails_on_every_sheet_is_said_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ChainruleError, match="variant 1 cannot be drawn"):
        hand_out(handout(tmp_path / "out", FakeSheets(fails=(1, 2, 3, 4, 5))))
    assert not (tmp_path / "out").exists()


def test_a_full_disk_ends_the_run_in_one_line_and_is_gone_on_from(
    tmp_path: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if "003_cmd" in path.name:
            write(path, data[:5])
            raise OSError(28, "No space left on device")
        return write(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(
            WritingStoppedError, match=r"003_cmd.*: cannot be written: No space left on device; \d of 5"
        ):
            hand_out(handout(tmp_path, method="fork"))
    assert {name: whole.get(name) for name in tree(tmp_path) if not name.startswith(WORK)}.items() <= whole.items()
    assert hand_out(handout(tmp_path), resume=True).sheets == 5
    assert tree(tmp_path) == whole


def test_something_in_the_way_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "solutions").write_text("a file")
    with pytest.raises(WritingStoppedError, match=r"solutions/.*: cannot be written: ") as found:
        hand_out(handout(tmp_path))
    assert "\n" not in str(found.value)
    assert (tmp_path / "solutions").read_text() == "a file"


# ---- another handout in the folder ---------------------------------------------------------------


def test_a_handout_of_other_choices_is_not_mixed_with(tmp_path: Path, whole: dict[str, bytes]) -> None:
    hand_out(handout(tmp_path))
    with pytest.raises(ProblemError, match=r"was made with other choices: seed was 7 and is 8; .* --force"):
        hand_out(handout(tmp_path, choices={"seed": 8}))
    assert tree(tmp_path) == whole


@pytest.mark.parametrize("kept", [None, "mine.txt", "sheets/mine.txt"])
def test_force_removes_what_the_other_handout_has_written_and_nothing_else(tmp_path: Path, kept: str | None) -> None:
    hand_out(handout(tmp_path / "out"))
    mine = {} if kept is None else {kept: b"mine"}
    for name, data in mine.items():
        (tmp_path / "out" / name).write_bytes(data)
    other = {"choices": {"seed": 8}, "students": CLASS[:2], "solutions": "none"}
    hand_out(handout(tmp_path / "out", **other), force=True)
    hand_out(handout(tmp_path / "fresh", **other))
    assert tree(tmp_path / "out") == tree(tmp_path / "fresh") | mine


def test_force_touches_nothing_outside_whatever_a_manifest_says(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    out = tmp_path / "out"
    out.mkdir()
    files = {"../outside": "", str(outside): ""}
    (out / "manifest.json").write_bytes(to_json({"choices": {"seed": 1}, "files": files, "sheets": [{"files": files}]}))
    hand_out(handout(out), force=True)
    assert outside.read_text() == "mine"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"choices": 3}', '{"choices": null, "sheets": 3}'])
def test_a_manifest_that_is_none_of_ours_is_in_nobodys_way(tmp_path: Path, whole: dict[str, bytes], text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    hand_out(handout(tmp_path), resume=True)
    assert tree(tmp_path) == whole


def test_two_runs_at_once_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("render.handout.storing.PATIENCE", 0.1)
    with Store(tmp_path).locked(), pytest.raises(ProblemError, match="another run is writing to it"):
        hand_out(handout(tmp_path))
    assert tree(tmp_path) == {}


# ---- interrupted and gone on with ----------------------------------------------------------------

SCRIPT = """
import sys
from pathlib import Path
import handout_fakes as fakes
from render.handout.run import hand_out
if __name__ == "__main__":
    students = (fakes.CLASS * 8)
    sheets = fakes.FakeSheets(seconds=float(sys.argv[2]))
    made = fakes.handout(Path(sys.argv[1]), sheets, students=students, method=sys.argv[3])
    hand_out(made, resume="resume" in sys.argv)
"""


def start(folder: Path, *arguments: str, seconds: float = 0.02, method: str = "fork") -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{HERE}"}
    command = [sys.executable, "-c", SCRIPT, str(folder), str(seconds), method, *arguments]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def alive(session: int) -> list[int]:
    """The processes of a session that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, its_session = stat.read_text().rpartition(")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        if int(its_session) == session and state != "Z":
            found.append(int(stat.parent.name))
    return found


def until(true: Any, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.005)


def made_sheets(folder: Path) -> int:
    return len(list(folder.glob("sheets/*.md")))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("many")
    hand_out(handout(folder, students=CLASS * 8))
    return tree(folder)


@pytest.fixture(scope="module", params=[0, 1, 17, MANY])
def remains(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is left of a run that was killed when so many sheets were there."""
    folder = tmp_path_factory.mktemp("killed") / "out"
    with start(folder) as process:
        until(lambda: (folder / WORK).exists() and made_sheets(folder) >= request.param)
        process.kill()
    until(lambda: not alive(process.pid), 5)  # its workers find out by themselves
    return folder


@pytest.fixture
def killed(remains: Path, tmp_path: Path) -> Path:
    return shutil.copytree(remains, tmp_path / "out")


def test_killed_at_any_moment_it_leaves_whole_files_only(killed: Path, many: dict[str, bytes]) -> None:
    found = tree(killed)
    for name, data in found.items():
        assert name.startswith(f"{WORK}/") or data == many[name]


def test_killed_and_gone_on_with_it_is_the_same(killed: Path, many: dict[str, bytes]) -> None:
    before = made_sheets(killed)
    done = hand_out(handout(killed, students=CLASS * 8), resume=True)
    assert done.sheets == MANY
    assert abs(done.before - before) <= 2, "what is whole is not made again"
    assert tree(killed) == many


def test_a_file_that_was_damaged_since_is_made_again(killed: Path, many: dict[str, bytes]) -> None:
    for path in list(killed.glob("s*/*.md"))[:2]:
        path.write_text("damaged")
    hand_out(handout(killed, students=CLASS * 8), resume=True)
    assert tree(killed) == many


def test_without_resume_an_unfinished_handout_is_not_written_over(killed: Path) -> None:
    if not (killed / WORK / "plan.json").exists():
        return  # killed before it had begun, or when it was done
    before = tree(killed)
    with pytest.raises(ProblemError, match="holds a handout that is not finished; go on with --resume"):
        hand_out(handout(killed, students=CLASS * 8))
    with pytest.raises(ProblemError, match=r"the unfinished handout in .* seed was 7 and is 8"):
        hand_out(handout(killed, students=CLASS * 8, choices={"seed": 8}), resume=True)
    assert tree(killed) == before


def test_a_whole_handout_is_not_made_again(tmp_path: Path, whole: dict[str, bytes]) -> None:
    hand_out(handout(tmp_path))
    start = time.perf_counter()
    assert hand_out(handout(tmp_path, FakeSheets(seconds=0.2)), resume=True) == Done(5, 5, ())
    assert time.perf_counter() - start < 1.0
    (tmp_path / "key.csv").unlink()
    hand_out(handout(tmp_path), resume=True)
    assert tree(tmp_path) == whole


def test_a_run_that_ended_while_it_tidied_up_has_done_all(tmp_path: Path, whole: dict[str, bytes]) -> None:
    """Half of the records are gone already, and the manifest is there: nothing is made again."""
    hand_out(handout(tmp_path))
    store = Store(tmp_path)
    store.begin(handout(tmp_path).told, resume=True, force=False)
    assert hand_out(handout(tmp_path), resume=True) == Done(5, 5, ())
    assert tree(tmp_path) == whole


def test_resume_where_there_is_nothing_begins(tmp_path: Path, whole: dict[str, bytes]) -> None:
    assert hand_out(handout(tmp_path / "out"), resume=True) == Done(5, 0, ())
    assert tree(tmp_path / "out") == whole


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_interrupted_it_ends_at_once_and_leaves_nobody_at_work(
    tmp_path: Path, many: dict[str, bytes], method: str
) -> None:
    folder = tmp_path / "out"
    with start(folder, seconds=0.05, method=method) as process:
        until(lambda: made_sheets(folder) >= 4)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
        began = time.monotonic()
        _, told = process.communicate(timeout=10)
    assert time.monotonic() - began < 2
    assert told.splitlines()[-1].startswith("render.handout.run.InterruptedRunError: (")
    assert told.count("Traceback") <= 2, "no worker has anything to say"
    until(lambda: not alive(process.pid), 2)  # what counts the semaphores of spawned ones goes a moment later
    for name, data in tree(folder).items():
        assert name.startswith(f"{WORK}/") or data == many[name]
    hand_out(handout(folder, students=CLASS * 8), resume=True)
    assert tree(folder) == many


def test_interrupted_while_the_key_is_written_it_is_gone_on_with(
    tmp_path: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("render.handout.run.key_files", interrupted)
        with pytest.raises(InterruptedRunError) as found:
            hand_out(handout(tmp_path))
    assert (found.value.whole, found.value.total) == (5, 5)
    assert hand_out(handout(tmp_path), resume=True) == Done(5, 5, ())
    assert tree(tmp_path) == whole


# ---- the crew ------------------------------------------------------------------------------------


def square(number: int) -> None:
    if number % 7 == 3:
        raise ChainruleError(f"{number}")
    if number % 7 == 5:
        os._exit(9)


@pytest.mark.parametrize("workers", [1, 3])
def test_each_number_is_done_once_whoever_dies(workers: int) -> None:
    with Crew(square, workers, "fork") as there:
        found = {outcome.number: outcome.problem for outcome in there.outcomes(range(1, 30))}
    assert sorted(found) == list(range(1, 30))
    assert {number for number, problem in found.items() if problem} == {n for n in range(1, 30) if n % 7 in (3, 5)}
    assert found[3] == "3"
    assert found[5] == "the process that made it ended (exit status 9)"


def test_a_crew_is_gone_when_it_is_done() -> None:
    with Crew(square, 2, "fork") as there:
        workers = [worker.process for worker in there._workers]
        assert all(process.is_alive() for process in workers)
        next(there.outcomes([1, 2]))
    assert not any(process.is_alive() for process in workers)
