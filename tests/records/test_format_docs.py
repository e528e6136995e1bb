"""knowledge/README.md is true: its examples are read, its refusals are refused in these words."""

import re
from pathlib import Path

import pytest

from rag_edit.core.atlas import default_atlas
from rag_edit.core.errors import InvalidRecordsError
from rag_edit.core.record import MAX_ITEMS, MAX_TEXT_CHARS
from rag_edit.records.files import read_records
from rag_edit.records.parse import FILE_FIELDS
from rag_edit.records.raw import Limits

README = Path(__file__).parents[2] / "knowledge" / "README.md"
BLOCKS = re.findall(r"```(\w+)( wrong)?\n(.*?)```(?:\n\n```text\n(.*?)```)?", README.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=[f"{b[0]}{b[1].replace(' ', '-')}-{n}" for n, b in enumerate(BLOCKS)])
def test_the_examples_of_the_format_page_do_what_it_says(
    block: tuple[str, str, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suffix, wrong, text, faults = block
    monkeypatch.chdir(tmp_path)
    example = Path(f"example.{suffix}")
    example.write_text(text, "utf-8")
    if wrong:
        with pytest.raises(InvalidRecordsError) as caught:
            read_records([example], default_atlas())
        assert list(caught.value.faults) == faults.splitlines()
    else:
        assert read_records([example], default_atlas()).records


def test_the_examples_say_what_the_text_beside_them_says(tmp_path: Path) -> None:
    yaml, csv = (
        next(b[2] for b in BLOCKS if b[0] == kind and ("defaults" in b[2] or kind == "csv")) for kind in ("yaml", "csv")
    )
    (tmp_path / "a.yaml").write_text(yaml, "utf-8")
    (tmp_path / "b.csv").write_text(csv, "utf-8")
    read = read_records([tmp_path], default_atlas())
    norway, emergency, hague, formula = (located.record for located in read.records)
    assert (norway.jurisdiction, emergency.jurisdiction, emergency.answer) == ("NO", "NO", "0112")
    assert read.retractions[0].retraction.id == "vat.reduced/NO/2019"
    assert hague.answer == 'The Hague, in Dutch "Den Haag"'
    assert hague.paraphrases == ("In which city?", "Which city is the seat?")
    assert formula.answer == "=C"
    assert formula.paraphrases == ("Which letter?", "A|B?")


def test_the_page_names_every_field_and_the_limits_in_force() -> None:
    page = README.read_text("utf-8")
    table = page.split("## Fields")[1].split("## Values")[0]
    named = set(re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in table.splitlines() if line.startswith("|"))))
    assert named - {"field"} == set(FILE_FIELDS)
    assert f"At most {MAX_TEXT_CHARS:,} characters" in page
    assert f"at most {MAX_ITEMS} items" in page
    limits = Limits()
    assert f"{limits.max_file_bytes >> 20} MiB a file (YAML: {limits.max_yaml_bytes >> 20} MiB)" in page
    assert f"at most {limits.max_depth} levels" in page
