#!/usr/bin/env python3
"""Verify what was live by a ledger of rag_edit, or that nothing was, with nothing but Python's standard library.

    python verify_map.py claim FILE... --ledger-key KEY
    python verify_map.py ledger DIR --ledger-key KEY [--at POSITION]

FILE is what ``rag-edit ledger prove --out FILE`` writes, DIR what ``rag-edit ledger export DIR`` does; KEY is as for
verify_rag_edit.py, which lies beside this file and is read first: notes, trees and entries are its work. ``ledger`` replays the
whole ledger, computes the map anew at every entry that gives a root (or at POSITION alone, the last one before it), and lists what
is live. The exit status is 0 when all holds, 1 when something does not, 2 when the call makes no sense. See docs/verifier.md.
"""

import argparse
import sys

import verify_rag_edit as base
from verify_rag_edit import Refused, ask, hashlib

LABEL = b"rag-edit/map/v1\0"
KEY_BITS = 768
MAX_CLAIM = 64 * 1024 * 1024


def sha(tag, *parts):
    """Return the hash over the map's label, a tag and parts."""
    return hashlib.sha256(LABEL + bytes([tag]) + b"".join(parts)).digest()


EMPTY = sha(2)


def key_of(names):
    """Return the key of jurisdiction, topic and record; of fewer, what all keys begin with that begin so."""
    ask(1 <= len(names) <= 3 and all(isinstance(name, str) and "\0" not in name for name in names), "one to three names wanted")
    return b"".join(sha(3, "\0".join(names[: end + 1]).encode()) for end in range(len(names)))


def pair_of(live):
    """Return key and value of a live version {jurisdiction, topic, name, content}."""
    live = base.table(live, "content", "jurisdiction", "name", "topic")
    ask(all(isinstance(each, str) for each in live.values()), "texts wanted")
    record = live["name"].rpartition("@")[0]
    value = sha(4, live["name"].encode(), b"\0", live["content"].encode())
    return key_of([live["jurisdiction"], live["topic"], record]), value


def bit(number, at):
    """Return a bit of a key."""
    return number >> (KEY_BITS - 1 - at) & 1


def masked(number, bits):
    """Return a key's first bits with zeros behind."""
    return number >> (KEY_BITS - bits) << (KEY_BITS - bits)


def hash_node(bits, key, left, right):
    """Return the hash of a node over two children whose keys share ``bits`` bits of ``key``."""
    return sha(1, bits.to_bytes(2, "big"), masked(key, bits).to_bytes(96, "big"), left, right)


def root_of(pairs):
    """Return the root over keys and values, sorted by key, each key once."""
    if len(pairs) < 2:
        return sha(0, *pairs[0]) if pairs else EMPTY
    first, last = (int.from_bytes(pairs[at][0], "big") for at in (0, -1))
    bits = KEY_BITS - (first ^ last).bit_length()
    low, high = 0, len(pairs) - 1  # the last whose bit is 0, the first whose bit is 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if bit(int.from_bytes(pairs[middle][0], "big"), bits) else (middle, high)
    return hash_node(bits, first, root_of(pairs[:high]), root_of(pairs[high:]))


def found_in(proof, beginning, root):
    """Return the keys and values under ``root`` whose keys begin so; None: some are there, not listed."""
    base.table(proof, "leaves", "node", "steps")
    wanted, length = int.from_bytes(beginning.ljust(96, b"\0"), "big"), 8 * len(beginning)
    pairs = [(base.from_base64(key, 96), base.from_base64(value, 32)) for key, value in proof["leaves"]]
    keys, meets = [key for key, _ in pairs], False
    ask(keys == sorted(set(keys)), "leaves each once and sorted wanted")
    if proof["node"] is None:
        found = root_of(pairs)
        ask(pairs or not proof["steps"], "something at the end of the steps wanted")
    else:
        bits, label, left, right = proof["node"]
        ask(not pairs and type(bits) is int and 0 <= bits < KEY_BITS, "either leaves or a node wanted")
        shared = int.from_bytes(base.from_base64(label, 96), "big")
        meets = KEY_BITS - (shared ^ wanted).bit_length() >= min(bits, length)
        ask(masked(shared, bits) == shared and not (meets and bits < length), "a node at or beside the end of the way wanted")
        found = hash_node(bits, shared, base.from_base64(left, 32), base.from_base64(right, 32))
    for bits, sibling in reversed(proof["steps"]):
        ask(type(bits) is int and 0 <= bits < length, "steps within the key, each before the next, wanted")
        sides = (base.from_base64(sibling, 32), found) if bit(wanted, bits) else (found, base.from_base64(sibling, 32))
        found, length = hash_node(bits, wanted, *sides), bits
    ask(found == root, "the proof does not lead to the root")
    return None if meets else [pair for pair in pairs if pair[0].startswith(beginning)]


def read_statement(leaf):
    """Return kind, subjects and predicate of an entry whose place in a signed ledger was verified."""
    kind, subjects, plain, _ = base.read_entry(leaf, lambda _key: False)
    return kind, subjects, plain


def root_given(statement):
    """Return the root that an entry gives, else None."""
    kind, _, plain = statement
    return bytes.fromhex(plain["map"][7:]) if kind == "edits" and base.DIGEST.fullmatch(str(plain.get("map"))) else None


def check_claim(data, keys, report):
    """Refuse a claim at the first step that does not hold; report what it shows."""
    claim = base.table(base.read_json(data, MAX_CLAIM), "about", "checkpoint", "entries", "position", "v")
    origin, size, root = base.open_checkpoint(str(claim["checkpoint"]), keys)
    report("head", f"{origin}, {size} entries, signed")
    position, shown = claim["position"], [base.table(each, "index", "leaf", "path") for each in claim["entries"]]
    ask(claim["v"] == 1 and type(position) is int and 0 <= position <= size, f"version 1 and a position up to {size} wanted")
    statements, first = [], position - len(shown)
    for index, each in enumerate(shown, first):
        leaf = each["leaf"].encode()
        ask(type(each["index"]) is int and each["index"] == index, f"entry {index} wanted")
        base.check_inclusion(base.hash_leaf(leaf), index, size, [base.from_base64(one, 32) for one in each["path"]], root)
        statements.append(read_statement(leaf))
    moving = [at for at, statement in enumerate(statements) if statement[0] == "edits"]
    given = root_given(statements[0]) if moving == [0] else EMPTY if not moving and first == 0 else None
    ask(given is not None, "an entry that gives the root, and none after it that names versions, wanted")
    report("root", f"of entry {first}, as of {position} entries" if moving else "nothing was ever live")
    for each in claim["about"]:
        base.table(each, "live", "parts", "proof")
        found = found_in(each["proof"], key_of(each["parts"]), given)
        said = None if each["live"] is None else [pair_of(live) for live in each["live"]]
        ask(said == found, f"what is proved of {'/'.join(each['parts'])} is another list")
        names = [live["name"] for live in each["live"] or ()]
        report("/".join(each["parts"]), "some are live" if found is None else ", ".join(names) or "nothing was live")


class Replay:
    """What is live by the entries heard: ``live`` by record."""

    def __init__(self):
        self.live, self.items, self.newest, self.has_root = {}, {}, {}, False

    def hear(self, kind, subjects, plain):
        """Take the next entry."""
        if kind in ("draft", "propose"):
            found = {item["record"]: (item["remit"], item["content"]) for item in plain["items"]}
            self.items[plain["change"]] = found
            self.newest.update(found)
        elif kind == "edits":
            ask(len(plain["acts"]) == len(subjects), "an act for each version wanted")
            agreed = self.items.get(plain["change"], {})
            for act, (name, content) in zip(plain["acts"], subjects):  # noqa: B905 (Python 3.9)
                record = name.rpartition("@")[0]
                self.live.pop(record, None)
                if act in ("add", "change"):
                    remit, committed = agreed.get(record) or self.newest[record]
                    fits = record in agreed and committed == content
                    ask(fits or not self.has_root, f"{name}: not the content that change {plain['change']} commits to")
                    place, topic = remit["jurisdiction"], remit.get("topic", "")
                    self.live[record] = {"content": content, "jurisdiction": place, "name": name, "topic": topic}
            self.has_root = self.has_root or "map" in plain

    def root(self):
        """Return the root of the map of what is live."""
        return root_of(sorted(map(pair_of, self.live.values())))


def check_ledger(directory, keys, report, at=None):
    """Refuse an exported ledger unless the roots that it gives are those of what is live; return what is, by record."""
    leaves, note = base.read_tiles(directory)
    ledger, replay, roots = base.Ledger(leaves, note, keys, report), Replay(), 0
    ask(at is None or 0 <= at <= ledger.size, f"a position up to {ledger.size} wanted")
    entries = [entry[:3] for entry in ledger.entries[:at]]
    given = [index for index, entry in enumerate(entries) if root_given(entry) is not None]
    for index, entry in enumerate(entries):
        replay.hear(*entry)
        if index in given[-1:] if at is not None else root_given(entry) is not None:
            ask(replay.root() == root_given(entry), f"entry {index} gives another root than what is live has")
            roots += 1
    report("map", f"{roots} roots as the entries lead to, {len(replay.live)} records live after {len(entries)} entries")
    return replay.live


def main(argv=None):
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    claim = commands.add_parser("claim", help="verify proofs of what was live")
    claim.add_argument("files", nargs="+", metavar="FILE")
    ledger = commands.add_parser("ledger", help="replay an exported ledger")
    ledger.add_argument("directory", metavar="DIR")
    ledger.add_argument("--at", type=int, metavar="POSITION", help="as of so many entries")
    for each in (claim, ledger):
        each.add_argument("--ledger-key", action="append", default=[], required=True, metavar="KEY")
    args = parser.parse_args(argv)

    def report(step, found):
        print(f"ok    {step}: {found}")

    failed = False
    for path in args.files if args.command == "claim" else [args.directory]:
        print(path)
        try:
            keys = base.read_keys(args.ledger_key)
            if args.command == "claim":
                check_claim(base.read_file(path), keys, report)
            else:
                found = check_ledger(path, keys, report, args.at)
                for live in (found[record] for record in sorted(found)):
                    print(f"live  {live['jurisdiction']} {live['topic'] or '-'} {live['name']} {live['content']}")
        except (Refused, ValueError, KeyError, TypeError, AttributeError) as error:
            print(f"FAIL  {type(error).__name__}: {error}")
            failed = True
    print("does not hold" if failed else "holds")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
