"""The resolution map: one root for one set of keys and values, and proofs that show what is there, or that nothing is."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_edit.core.digest import canonical_json
from rag_edit.provenance.canonical import read_json
from rag_edit.provenance.errors import ProvenanceError, VerificationError
from rag_edit.provenance.resolution import (
    EMPTY,
    KEY_BITS,
    LABEL,
    MapProof,
    ResolutionMap,
    found_in,
    key_of,
    read_map_proof,
    root_of,
    value_of,
)

quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])  # other work may slow it
PLACES, TOPICS, RECORDS = ("DE", "DE-BY", "FR"), ("", "tax.vat", "tax"), ("a", "b", "c")
names = st.tuples(st.sampled_from(PLACES), st.sampled_from(TOPICS), st.sampled_from(RECORDS))
asked = st.one_of(names, names.map(lambda name: name[:2]), names.map(lambda name: name[:1]))
contents = st.dictionaries(names, st.integers(1, 3), max_size=12)


def value(number: int) -> bytes:
    return value_of(f"x@{number}", f"sha256:{number:064x}")


def pairs_of(content: dict[tuple[str, ...], int]) -> dict[bytes, bytes]:
    return {key_of(*name): value(number) for name, number in content.items()}


def map_of(content: dict[tuple[str, ...], int]) -> ResolutionMap:
    return ResolutionMap().updated(pairs_of(content))


def oracle(pairs: dict[bytes, bytes]) -> bytes:
    """The root by its definition, from strings of zeros and ones."""

    def sha(tag: int, *parts: bytes) -> bytes:
        return hashlib.sha256(LABEL + bytes([tag]) + b"".join(parts)).digest()

    def over(rows: list[tuple[str, bytes, bytes]]) -> bytes:
        if len(rows) == 1:
            return sha(0, rows[0][1], rows[0][2])
        bits = next(n for n in range(KEY_BITS) if len({row[0][n] for row in rows}) > 1)
        shared = int(rows[0][0][:bits].ljust(KEY_BITS, "0"), 2).to_bytes(KEY_BITS // 8, "big")
        left, right = ([row for row in rows if row[0][bits] == side] for side in "01")
        return sha(1, bits.to_bytes(2, "big"), shared, over(left), over(right))

    rows = [("".join(f"{byte:08b}" for byte in key), key, value) for key, value in pairs.items()]
    return over(rows) if rows else sha(2)


@quick
@given(contents)
def test_the_root_is_that_of_its_definition(content: dict[tuple[str, ...], int]) -> None:
    assert map_of(content).root == oracle(pairs_of(content)) == root_of(list(pairs_of(content).items()))


@quick
@given(st.lists(st.dictionaries(names, st.one_of(st.none(), st.integers(1, 3)), max_size=5), max_size=6))
def test_the_root_depends_on_what_there_is_and_not_on_how_it_came_to_be(
    steps: list[dict[tuple[str, ...], int | None]],
) -> None:
    found, plain = ResolutionMap(), dict[tuple[str, ...], int]()
    for step in steps:
        before, root = found, found.root
        found = found.updated({key_of(*name): None if n is None else value(n) for name, n in step.items()})
        assert before.root == root
        plain = {name: n for name, n in {**plain, **step}.items() if n is not None}
        assert found.root == oracle(pairs_of(plain))


@quick
@given(contents, asked, st.sampled_from((0, 1, 100)))
def test_a_proof_shows_exactly_what_begins_so(content: dict[tuple[str, ...], int], name: tuple[str, ...], listed: int) -> None:
    made, wanted = map_of(content), key_of(*name)
    there = {key: value for key, value in pairs_of(content).items() if key.startswith(wanted)}
    assert dict(made.beneath(wanted)) == there
    found = found_in(read_map_proof(made.prove(wanted, listed=listed).to_json()), wanted, made.root)
    assert found is None or dict(found) == there
    assert (found is None) == (len(there) > max(1, listed))


@quick
@given(contents, asked, contents, asked)
def test_a_proof_holds_for_no_other_root_and_says_nothing_false_of_another_name(
    content: dict[tuple[str, ...], int], name: tuple[str, ...], others: dict[tuple[str, ...], int], other: tuple[str, ...]
) -> None:
    made, wanted, else_wanted = map_of(content), key_of(*name), key_of(*other)
    proof = made.prove(wanted, listed=100)
    if made.root != map_of(others).root:
        with pytest.raises(VerificationError):
            found_in(proof, wanted, map_of(others).root)
    try:
        found = found_in(proof, else_wanted, made.root)
    except VerificationError:
        return
    there = {key: value for key, value in pairs_of(content).items() if key.startswith(else_wanted)}
    assert there if found is None else dict(found) == there


@quick
@given(contents.filter(len), asked, st.data())
def test_whatever_is_changed_in_a_proof_it_does_not_show_anything_else(
    content: dict[tuple[str, ...], int], name: tuple[str, ...], data: st.DataObject
) -> None:
    made, wanted = map_of(content), key_of(*name)
    proof = made.prove(wanted, listed=data.draw(st.sampled_from((0, 100))))
    raw = bytearray(canonical_json(proof.to_json()))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ProvenanceError):
        found_in(read_map_proof(read_json(bytes(raw), where="proof")), wanted, made.root)


@quick
@given(contents.filter(lambda content: len(content) > 1), st.data())
def test_no_part_of_one_map_makes_a_proof_that_something_there_is_not(
    content: dict[tuple[str, ...], int], data: st.DataObject
) -> None:
    """Whoever puts proofs together from others' steps and ends shows nothing that is not so."""
    made = map_of(content)
    known = [made.prove(key_of(*name), listed=listed) for name in content for listed in (0, 100)]
    one, other = data.draw(st.sampled_from(known)), data.draw(st.sampled_from(known))
    forged = MapProof(one.steps[: data.draw(st.integers(0, len(one.steps)))], other.leaves, other.node)
    name = data.draw(st.sampled_from(sorted(content)))
    for wanted in (key_of(*name), key_of(*name[:2]), key_of(name[0])):
        try:
            found = found_in(forged, wanted, made.root)
        except VerificationError:
            continue
        there = {key: value for key, value in pairs_of(content).items() if key.startswith(wanted)}
        assert there if found is None else dict(found) == there


def test_presence_and_absence_are_not_both_proved_under_the_root_of_a_tree_that_nobody_should_make() -> None:
    """The maker hides a record of DE beneath a node that is said to be of another place: the way to it has no proof any more."""
    hidden, shown = key_of("DE", "tax", "a"), key_of("FR", "tax", "b")
    both = ResolutionMap().updated({hidden: value(1), shown: value(2)})
    split, sibling = both.prove(hidden, listed=1).steps[0]
    label = bytes([shown[0] ^ 0x80, *bytes(95)])
    wrong = MapProof((), (), (8, label, sibling, root_of([(hidden, value(1))])))
    root = root_of_node(wrong)
    assert found_in(wrong, key_of("DE"), root) == ()  # the lie: nothing of DE
    for steps in ([(split, sibling)], [(8, sibling)], [(0, sibling)], []):
        with pytest.raises(VerificationError):
            found_in(MapProof(tuple(steps), ((hidden, value(1)),)), hidden, root)


def root_of_node(proof: MapProof) -> bytes:
    assert proof.node is not None
    bits, label, left, right = proof.node
    return hashlib.sha256(LABEL + b"\x01" + bits.to_bytes(2, "big") + label + left + right).digest()


def test_the_empty_map_has_a_root_of_its_own_and_shows_that_nothing_is_there() -> None:
    empty = ResolutionMap()
    assert empty.root == EMPTY == hashlib.sha256(b"rag-edit/map/v1\0\x02").digest()
    assert found_in(empty.prove(key_of("DE"), listed=9), key_of("DE"), EMPTY) == ()
    with pytest.raises(VerificationError):
        found_in(MapProof(((0, EMPTY),)), key_of("DE"), EMPTY)


def test_a_list_that_is_short_of_one_is_refused() -> None:
    made = map_of({("DE", "tax", name): 1 for name in "abc"})
    proof = made.prove(key_of("DE"), listed=9)
    with pytest.raises(VerificationError):
        found_in(replace(proof, leaves=proof.leaves[1:]), key_of("DE"), made.root)


@pytest.mark.parametrize("parts", [(), ("a",) * 4, ("D\0E",)], ids=["none", "four", "a NUL"])
def test_what_is_no_name_has_no_key(parts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="1 to 3 parts"):
        key_of(*parts)


@pytest.mark.parametrize(
    "plain",
    [
        None,
        {},
        {"leaves": [], "node": None, "steps": [[1]]},
        {"leaves": [], "node": None, "steps": [1]},
        {"leaves": [], "node": None, "steps": [[768, "A" * 43 + "="]]},
        {"leaves": [], "node": None, "steps": [[True, "A" * 43 + "="]]},
        {"leaves": [["AA==", "AA=="]], "node": None, "steps": []},
        {"leaves": [], "node": [], "steps": []},
        {"leaves": [], "node": [1], "steps": []},
        {"leaves": {}, "node": None, "steps": []},
    ],
    ids=lambda plain: str(plain)[:60],
)
def test_another_form_is_refused(plain: object) -> None:
    with pytest.raises(ProvenanceError):
        read_map_proof(plain)  # type: ignore[arg-type]
