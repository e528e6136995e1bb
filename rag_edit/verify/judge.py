"""What a trial's outcome says: passed or not, and if not, the cause. Pure: outcomes come in, findings go out.

A trial of the record's own passes where the record answers, or one that says the same, or one that outranks it by rule, and the text
states what it has to. A trial of others passes where all is as before the change. The cause names what an editor has to mend.
"""

from typing import Final

from rag_edit.core.decision import Reason, Route
from rag_edit.core.record import Record, RecordVersion
from rag_edit.verify.finding import Cause, Finding, Kind, Ran, Side, Trial, Want, fold, of_record, share_a_name

_BY_RANK: Final = frozenset({Reason.DEROGATION, Reason.LEX_SUPERIOR, Reason.LEX_SPECIALIS, Reason.LEX_POSTERIOR})
_YES_NO: Final = frozenset("yes no ja nein oui non sí si no sì sim não nee".split())  # which many facts have for an answer
_LIGHT: Final = frozenset(  # of a question: articles, copulas, prepositions, and words that ask for a value
    "the a an of in on for to per at is are was were be do does did there what which how high much der die das den dem des ein eine einer im von zu"
    " wie hoch ist sind beträgt welche welcher welches le la les l un une de du des d au à est sont quel quelle quels quelles combien el los las una"
    " del en es son cuál cuáles cuánto il lo gli i di della è sono qual quale quanto o os as um uma do da é qual quais het een hoe hoog".split()
)
_OF_PLACE: Final = frozenset({Reason.OTHER_PLACE})
_OF_TIME: Final = frozenset({Reason.OTHER_DATE, Reason.EXPIRED, Reason.NOT_YET_VALID})


def judge(trial: Trial, own: RecordVersion, before: Ran | None, after: Ran) -> Finding:
    """Return what a trial says.

    Args:
        trial: What was asked.
        own: The record under test.
        before: Without the change; None where that was not asked, or is the same by construction.
        after: With it.
    """
    if trial.want is Want.RECORD:
        cause, note = _answered(trial, own, before, after)
        expected = f"{trial.expected} answers"
    else:
        cause, note = _kept(trial, own, before, after)
        expected = "answered as before" if before is not None else f"not answered by {trial.of}"
    side = before.side() if before is not None else after.side() if trial.want is not Want.RECORD else Side()
    found = Finding(
        trial.kind,
        own.name,
        cause is Cause.NONE,
        cause,
        trial.question,
        trial.jurisdiction,
        trial.as_of.isoformat(),
        trial.made,
        expected,
        note,
        after.record if after.record != trial.of else trial.expected if trial.expected != trial.of else "",
        side,
        after.side(),
        key=trial.key,
    )
    return of_record(own, found)


def _answered(trial: Trial, own: RecordVersion, before: Ran | None, after: Ran) -> tuple[Cause, str]:
    winner = after.winner
    if trial.kind is Kind.EFFICACY and before is not None and _was_said(own.record, before):
        return Cause.DUPLICATE, f"{before.record} answers it already, and says the same"
    if trial.kind is Kind.EFFICACY and before is not None and (said := _asked_the_same(own.record, before)) is not None:
        return contradiction(own.record, said, trial.question), f"{said.id} answers it already, and says something else"
    if trial.kind is Kind.PARAPHRASE and before is not None and _took(trial.question, own.record, before, after):
        return Cause.OVER_BROAD, f"{before.record} answered it: the wording asks for that"
    if winner is not None and (winner.record.id == trial.expected or after.same_answer):
        if trial.said and fold(trial.said) not in fold(after.text):
            return Cause.TEXT, f"the answer does not say {trial.said!r}"
        if after.holds is False:
            return (Cause.OLD_ANSWER if trial.kind is Kind.RESTORING else Cause.TEXT), after.why
        return Cause.NONE, ""
    if winner is not None and trial.kind is Kind.EFFICACY and before is not None and _is_late(own.record, before, after):
        return Cause.STALE_DATE, f"{winner.record.id}, which is newer, goes on answering it"
    if winner is not None and after.same_fact and after.reason in _BY_RANK:
        return Cause.NONE, f"answered by {winner.record.id}, which outranks it"
    if trial.kind is Kind.PORTABILITY and (winner is not None or after.route is Route.ABSTAIN):
        return Cause.UNREACHABLE, f"{winner.record.id if winner is not None else 'nobody'} answers"  # no slip of this record
    if winner is not None:
        return _taken(trial, own.record, winner.record), f"{winner.record.id} answers"
    if after.route is Route.ABSTAIN:
        other = after.other
        cause = contradiction(own.record, other.record, trial.question) if other else Cause.CONTRADICTION
        return cause, f"nobody answers: contradicted by {other.record.id if other else ', '.join(after.contenders)}"
    if trial.kind is Kind.RESTORING:
        return Cause.OLD_ANSWER, f"the base model answers ({after.reason})"
    return _unreached(after)


def _was_said(own: Record, before: Ran) -> bool:
    """Return whether another record of the same place answered the question before, with the same words that say something."""
    other = _beside(own, before)
    if other is None or not before.same_answer or _named_apart(own, other):
        return False
    return fold(own.target or own.answer) not in _YES_NO


def _asked_the_same(own: Record, before: Ran) -> Record | None:
    """Return the record of the same place that answered the question before, asked by the same words in another order, and says something else.

    Of the very same question fields speak already: those two are rivals, of which the newer may take the older one's place.
    """
    other = _beside(own, before)
    if other is None or before.same_answer or before.same_fact:
        return None
    asked = _weighty(own.question)
    alike = [text for text in other.questions() if _weighty(text) == asked]
    return other if len(asked) > 1 and alike and fold(own.question) not in map(fold, alike) else None


def _took(question: str, own: Record, before: Ran, after: Ran) -> bool:
    """Return whether a record takes a wording that another one of its place, about something else, answered before.

    Where that one answered the record's own question too, the record is its narrower case: then the wording has to speak of the other.
    """
    other = _beside(own, before)
    if other is None or after.record != own.id or before.same_answer or before.same_fact:
        return False
    theirs, ours = _marks(other, question), _marks(own, question)
    return not before.ceded or (bool(theirs - _marks(own)) and not ours - _marks(other))


def _beside(own: Record, before: Ran) -> Record | None:
    """Return the record that answered before, where it is another one of the same place that stays beside this one."""
    other = before.winner.record if before.winner is not None else None
    if other is None or other.id in (own.id, *own.supersedes, *own.derogates) or other.jurisdiction != own.jurisdiction:
        return None
    return other


def _marks(record: Record, question: str = "") -> set[str]:
    """Return by what a question is known to speak of a record: its names and its relation, folded; with a question those that stand in it."""
    found = {fold(text) for text in (*record.names(), record.relation) if fold(text)}
    return {mark for mark in found if f" {mark} " in f" {fold(question)} "} if question else found


def _weighty(question: str) -> set[str]:
    """Return the words of a question but for those that any question has."""
    return set(fold(question).split()) - _LIGHT


def _is_late(own: Record, before: Ran, after: Ran) -> bool:
    """Return whether a record says what a newer one of its place, that stood before it came, says otherwise."""
    newer = after.winner.record if after.winner is not None else own
    if newer.id == own.id or before.record != newer.id or newer.jurisdiction != own.jurisdiction or after.same_answer:
        return False
    return own.valid_from is not None and newer.valid_from is not None and own.valid_from < newer.valid_from


def _named_apart(own: Record, other: Record) -> bool:
    """Return whether two records' questions name two different things, each its own: what they say alike is no duplicate."""
    ours, theirs = fold(own.subject), fold(other.subject)
    if not ours or not theirs or share_a_name(own, other):
        return False
    asked, there = f" {fold(own.question)} ", f" {fold(other.question)} "
    return f" {ours} " in asked and f" {theirs} " in there and f" {theirs} " not in asked and f" {ours} " not in there


def _taken(trial: Trial, own: Record, winner: Record) -> Cause:
    """Return why another record answers a wording of ``own``."""
    if fold(winner.question) == fold(own.question) or (
        own.relation and fold(winner.relation) == fold(own.relation) and share_a_name(own, winner)
    ):
        return contradiction(own, winner, trial.question)
    if share_a_name(own, winner) and fold(own.subject) != fold(winner.subject):
        return Cause.NAMESAKE
    return Cause.OVER_BROAD if trial.kind is Kind.PARAPHRASE else Cause.UNREACHABLE


def _unreached(after: Ran) -> tuple[Cause, str]:
    why = f" ({after.own_note})" if after.own_note else ""
    reason = Reason(after.own_reason) if after.own_reason else after.reason
    if reason in _OF_PLACE:
        return Cause.WRONG_JURISDICTION, f"its own words do not reach it{why}"
    if reason in _OF_TIME:
        return Cause.STALE_DATE, f"its own words do not reach it{why}"
    return Cause.UNREACHABLE, f"nobody answers by a record: {reason}{why}"


def _kept(trial: Trial, own: RecordVersion, before: Ran | None, after: Ran) -> tuple[Cause, str]:
    mine = after.record == trial.of
    if trial.want is Want.AWAY:
        return (Cause.OVER_BROAD, f"{trial.of} answers") if mine else (Cause.NONE, "")
    involved = mine or own.name in after.contenders
    if before is None:
        if not involved or (after.same_fact and trial.kind is Kind.NEIGHBOUR):
            return Cause.NONE, ""
        return (_hijacked(trial, own, None, after), f"{own.record.id} answers, or contradicts, what belongs to others")
    if (before.route, before.record, before.contenders) == (after.route, after.record, after.contenders):
        return Cause.NONE, ""
    if before.winner is not None and after.winner is not None and _says_the_same(before.winner.record, after.winner.record):
        return Cause.NONE, "another record says the same"
    if before.winner is not None and mine and after.same_fact and after.reason in _BY_RANK:
        return Cause.NONE, f"{own.record.id} displaces {before.record} by rank: {after.reason}"
    if not involved and before.record == trial.of:
        return Cause.NONE, "the record no longer takes it"
    if involved and before.route is Route.BASE and trial.kind is Kind.NEIGHBOUR:
        return Cause.OVER_BROAD, f"{own.record.id} answers what no record answered"
    if involved:
        was = before.record or str(before.route)
        return _hijacked(
            trial, own, before, after
        ), f"{own.record.id} {'answers' if mine else 'contradicts'} what {was} answered"
    if before.route is Route.BASE and after.winner is not None:
        return Cause.NONE, f"{after.record} of the same change answers: its own trials judge that"
    return Cause.CHANGED, f"{after.record or after.route} answers what {before.record or before.route} answered"


def _hijacked(trial: Trial, own: RecordVersion, before: Ran | None, after: Ran) -> Cause:
    """Return why the record under test answers what is not its own."""
    if trial.kind is Kind.JURISDICTION:
        return Cause.WRONG_JURISDICTION
    if trial.kind is Kind.NAMESAKE:
        return Cause.NEAR_NAME
    other = before.winner if before is not None and before.winner is not None else after.other
    if other is not None:
        theirs = other.record
        if fold(theirs.question) == fold(own.record.question):
            return contradiction(own.record, theirs, trial.question)
        asked = {fold(text) for text in own.record.paraphrases}
        if fold(trial.question) in asked:
            return Cause.OVER_BROAD
        if share_a_name(own.record, theirs) and fold(own.record.subject) != fold(theirs.subject):
            return Cause.NAMESAKE
        if after.same_fact:
            return contradiction(own.record, theirs, trial.question)
    return Cause.OVER_BROAD


def contradiction(own: Record, other: Record, about: str) -> Cause:
    """Return why two records say different things of the same.

    Args:
        own: The record under test.
        other: The one that it contradicts.
        about: The wording, or the name and relation, that both share.
    """
    shared, same_subject = fold(about), fold(own.subject) == fold(other.subject)
    theirs = {fold(other.question)} | (set() if same_subject else {fold(text) for text in other.paraphrases})
    if shared in {fold(text) for text in own.paraphrases} and shared != fold(own.question) and shared in theirs:
        return Cause.OVER_BROAD
    if (
        not same_subject
        and own.subject
        and other.subject
        and fold(own.question) != fold(other.question)
        and share_a_name(own, other)
        and not _same_under_another_name(own, other)
    ):
        return Cause.NAMESAKE
    if own.valid_from is not None and other.valid_from is not None and own.valid_from < other.valid_from:
        return Cause.STALE_DATE
    return Cause.CONTRADICTION


def _same_under_another_name(own: Record, other: Record) -> bool:
    """Return whether the one asks what the other asks, but for another of its names."""
    named = fold(own.subject) in {fold(name) for name in other.names()}
    return named and fold(other.question).replace(fold(other.subject), fold(own.subject)) == fold(own.question)


def _says_the_same(a: Record, b: Record) -> bool:
    return a.id == b.id or fold(a.target or a.answer) == fold(b.target or b.answer)
