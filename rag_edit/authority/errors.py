"""The errors of authority. A refusal is none of them: it is a value, `rag_edit.authority.verdict.Denial`.

RagEditError
    MalformedActError    a stored statement is not an act in its one form
    ConfigError
        PolicyFileError  a policy file does not say what a policy says
"""

from rag_edit.core.errors import ConfigError, RagEditError


class MalformedActError(RagEditError):
    """A stored statement is not an act in its one form; nothing of it was believed."""

    def __init__(self, where: str, wanted: str, found: str) -> None:
        self.where, self.wanted, self.found = where, wanted, found
        super().__init__(f"{where}: wanted {wanted}, found {found}", hint="rag-edit ledger verify")


class PolicyFileError(ConfigError):
    """A policy file does not say what a policy says; none of it is in force."""

    def __init__(self, where: str, wanted: str, found: str) -> None:
        self.where, self.wanted, self.found = where, wanted, found
        super().__init__(f"{where}: wanted {wanted}, found {found}", hint=f"mend {where}; docs/adr/0008-authority.md has one")
