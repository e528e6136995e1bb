"""The mean of several trained weights."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from rag_edit.scope.training.weights import HEAD, UPDATE, average


def artefact(folder: Path, head: list[float], update: list[float]) -> Path:
    folder.mkdir()
    save_file({"a": np.array(head, np.float16)}, folder / HEAD)
    save_file({"b": np.array(update, np.float16)}, folder / UPDATE)
    (folder / "head.json").write_text('{"shape": {"d": 2}}')
    (folder / "manifest.json").write_text(json.dumps({"run": {"tuning": {"steps": len(head)}}}))
    return folder


def test_the_mean_of_artefacts_is_theirs_tensor_by_tensor_and_says_of_which_it_is(tmp_path: Path) -> None:
    several = [artefact(tmp_path / "one", [1, 2], [4]), artefact(tmp_path / "two", [3, 2], [-4])]
    average(several, tmp_path / "work", tmp_path / "mean")
    assert load_file(tmp_path / "mean" / HEAD)["a"].tolist() == [2.0, 2.0]
    assert load_file(tmp_path / "mean" / UPDATE)["b"].tolist() == [0.0]
    assert load_file(tmp_path / "mean" / HEAD)["a"].dtype == np.float16
    assert (tmp_path / "mean" / "head.json").read_text() == '{"shape": {"d": 2}}'
    runs = json.loads((tmp_path / "work" / "run.json").read_text())["mean_of"]
    assert [(run["tuning"], len(run["files"])) for run in runs] == [({"steps": 2}, 2)] * 2


def test_artefacts_of_other_forms_have_no_mean_and_nothing_is_written(tmp_path: Path) -> None:
    several = [artefact(tmp_path / "one", [1, 2], [4]), artefact(tmp_path / "two", [3, 2], [4, 5])]
    with pytest.raises(ValueError, match="wanted the same tensors"):
        average(several, tmp_path / "work", tmp_path / "mean")
    assert not (tmp_path / "mean").exists()
