"""People, institutions, services and their keys, as the ledger knows them: pseudonyms and relations, no names.

A natural person is one person, however many keys they have and for however many institutions they act. A key speaks for one
person (or service) in one institution. A service is a program; a person answers for it.
"""

from dataclasses import dataclass

from rag_edit.authority.names import INSTITUTION, PERSON, SERVICE, check_name, check_party


@dataclass(frozen=True, slots=True)
class Person:
    """A natural person, by pseudonym."""

    id: str

    def __post_init__(self) -> None:
        check_party(self.id, PERSON)


@dataclass(frozen=True, slots=True)
class Institution:
    """An organisation on whose behalf people act."""

    id: str

    def __post_init__(self) -> None:
        check_party(self.id, INSTITUTION)


@dataclass(frozen=True, slots=True)
class Service:
    """A program that acts by itself, and the person who answers for it."""

    id: str
    answers: str

    def __post_init__(self) -> None:
        check_party(self.id, SERVICE)
        check_party(self.answers, PERSON)


@dataclass(frozen=True, slots=True)
class Key:
    """A key, whom it speaks for, and in which institution."""

    id: str
    holder: str
    institution: str

    def __post_init__(self) -> None:
        check_name(self.id)
        check_party(self.holder, PERSON, SERVICE)
        check_party(self.institution, INSTITUTION)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts.

    Attributes:
        holder: The person or service that the key speaks for.
        person: The natural person: the holder, or who answers for the service.
        institution: In which institution.
    """

    holder: str
    person: str
    institution: str
