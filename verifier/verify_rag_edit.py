#!/usr/bin/env python3
"""Verify receipts and ledgers of rag_edit with nothing but Python's standard library.

    python verify_rag_edit.py receipt FILE... --receipts-key KEY --ledger-key KEY [--ledger DIR] [--text LABEL SALT FILE]
    python verify_rag_edit.py ledger DIR --ledger-key KEY [--old FILE]... [--first-key KEY]
    python verify_rag_edit.py receipts DIR --receipts-key KEY [--old FILE]...

KEY is a note key, ``name+hash+base64``, obtained from whoever runs the service by another way than the files to be checked;
it may also be the name of a file with one such key a line. DIR is what ``rag-edit ledger export`` writes. Each step is a
line; the exit status is 0 when all hold, 1 when one does not, 2 when the call makes no sense. See docs/verifier.md.

This file is meant to be read before it is believed. It imports nothing of rag_edit and needs Python 3.9 or later.

Sources: RFC 8032 (Ed25519), RFC 6962 and RFC 9162 (Merkle trees), c2sp.org signed-note, tlog-checkpoint, tlog-proof@v1,
tlog-tiles; secure-systems-lab/dsse; in-toto Statement v1.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import re
import sys


class Refused(Exception):
    """Something does not hold, or is not in the one form that is accepted."""


def ask(held, message):
    """Refuse with ``message`` unless ``held``."""
    if not held:
        raise Refused(message)


# --- Ed25519 (RFC 8032, section 5.1), points as (X, Y, Z, T) with x = X/Z, y = Y/Z, x*y = T/Z --------------------------------
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)


def add(a, b):
    """Return the sum of two points."""
    x = (a[1] - a[0]) * (b[1] - b[0]) % P
    y = (a[1] + a[0]) * (b[1] + b[0]) % P
    t = 2 * a[3] * b[3] * D % P
    z = 2 * a[2] * b[2] % P
    e, f, g, h = y - x, z - t, z + t, y + x
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def double(a):
    """Return twice a point."""
    x, y, z = a[0] * a[0] % P, a[1] * a[1] % P, 2 * a[2] * a[2] % P
    h, g = x + y, x - y
    e, f = h - (a[0] + a[1]) ** 2 % P, z + g
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def decode_point(data):
    """Return the point of 32 bytes in its one spelling, else None."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x * ROOT_OF_MINUS_ONE % P if (x * x - square) % P else x
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


def encode_point(a):
    """Return a point's 32 bytes."""
    inverse = pow(a[2], P - 2, P)
    x, y = a[0] * inverse % P, a[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = decode_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def verify_ed25519(public, message, signature):
    """Return whether ``signature`` (64 bytes) of ``message`` is the public key's. Keys of small order sign anything: refused."""
    if len(public) != 32 or len(signature) != 64:
        return False
    point, s = decode_point(public), int.from_bytes(signature[32:], "little")
    if point is None or s >= L or encode_point(double(double(double(point)))) == encode_point(NEUTRAL):
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    minus = (P - point[0], point[1], 1, P - point[3])
    table = (None, BASE, minus, add(BASE, minus))
    found = NEUTRAL  # s * BASE - h * point, both at once
    for bit in reversed(range(max(s.bit_length(), h.bit_length()))):
        found = double(found)
        pick = table[(s >> bit & 1) | (h >> bit & 1) << 1]
        found = add(found, pick) if pick else found
    return encode_point(found) == signature[:32]


# --- one spelling: JSON and base64 -------------------------------------------------------------------------------------------
MAX_ENTRY = 60 * 1024
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def from_base64(text, length=None):
    """Return the bytes of standard base64 in its one spelling."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, AttributeError):
        raise Refused(f"base64 wanted, found {text!r:.60}") from None
    ask(base64.b64encode(data).decode() == text, f"base64 in its one spelling wanted, found {text!r:.60}")
    ask(length is None or len(data) == length, f"{length} bytes wanted, found {len(data)}")
    return data


def read_json(data, most=MAX_ENTRY):
    """Return the value of JSON that has one meaning: no key twice, no floats, integers up to 2^53 - 1, 16 levels."""
    ask(len(data) <= most, f"at most {most} bytes of JSON wanted, found {len(data)}")

    def pairs(items):
        ask(len(dict(items)) == len(items), "JSON with each key once wanted, found one twice")
        return dict(items)

    def integer(digits):
        ask(len(digits) <= 17 and re.fullmatch("-?[0-9]+", digits), f"integers and no other numbers wanted, found {digits:.24}")
        ask(abs(int(digits)) < 2**53, f"an integer up to 2^53 - 1 wanted, found {digits}")
        return int(digits)

    def look(value, depth):
        if isinstance(value, str):
            clean = "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
            ask(clean, "text without NUL and surrogates wanted")
        elif isinstance(value, (dict, list)):
            ask(depth, "at most 16 levels wanted")
            for inner in [*value, *value.values()] if isinstance(value, dict) else value:
                look(inner, depth - 1)

    try:
        text = data.decode("utf-8")
        value = json.loads(text, object_pairs_hook=pairs, parse_float=integer, parse_constant=integer, parse_int=integer)
    except (ValueError, RecursionError) as error:
        raise Refused(f"JSON wanted: {error}") from None
    look(value, 16)
    return value


def table(value, *keys):
    """Return ``value`` if it is an object with exactly these keys."""
    ask(isinstance(value, dict) and set(value) == set(keys), f"an object with {', '.join(sorted(keys))} wanted")
    return value


# --- Merkle trees (RFC 6962, section 2.1; RFC 9162, section 2.1.3.2) ---------------------------------------------------------
def hash_leaf(leaf):
    """Return the hash of an entry."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def hash_node(left, right):
    """Return the hash of a node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes):
    """Return the root over leaf hashes."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    row = list(hashes)
    while len(row) > 1:  # an odd last one moves up as it is: the same tree as RFC 6962's, from below
        paired = [hash_node(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]
        row = paired + row[len(row) - len(row) % 2 :]
    return row[0]


def check_inclusion(leaf_hash, index, size, path, root):
    """Refuse unless the leaf stands at ``index`` of the tree of ``size`` leaves with this root."""
    ask(0 <= index < size, f"an index below {size} wanted, found {index}")
    fn, sn, found = index, size - 1, leaf_hash
    for sibling in path:
        ask(sn, "an inclusion proof of fewer hashes wanted")
        if fn & 1 or fn == sn:
            found = hash_node(sibling, found)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = hash_node(found, sibling)
        fn, sn = fn >> 1, sn >> 1
    ask(sn == 0 and found == root, f"entry {index} does not lead to the signed root")


# --- signed notes, checkpoints, proofs (C2SP) --------------------------------------------------------------------------------
NUMBER = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
DASH = "\u2014 "


def is_name(name):
    """Return whether a key may have this name."""
    return bool(name) and "+" not in name and name.isprintable() and not any(c.isspace() for c in name)


def read_note_key(text):
    """Return (name, key hash, public key) of ``name+hash+base64``; the hash announces the key in a signature line."""
    name, _, rest = text.strip().partition("+")
    digest, _, blob = rest.partition("+")
    data = from_base64(blob, 33)
    ask(is_name(name) and data[0] == 1, f"an Ed25519 note key wanted, found {text!r:.80}")
    announced = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    ask(digest == announced.hex(), f"the key hash of {name} does not fit the key")
    return name, announced, data[1:]


def split_note(note):
    """Return a note's text and its signatures (name, key hash and signature)."""
    text, blank, rest = note.rpartition("\n\n")
    ask(blank and rest.endswith("\n"), "a note wanted: text, a blank line, signature lines")
    text += "\n"
    ask(not any(c < " " and c != "\n" for c in text), "a note without control characters wanted")
    lines = rest[:-1].split("\n")
    ask(len(lines) <= 16, "at most 16 signatures wanted")
    signatures = []
    for line in lines:
        name, space, blob = line[len(DASH) :].partition(" ")
        ask(line.startswith(DASH) and space and is_name(name), f"a signature line wanted, found {line!r:.60}")
        signed = from_base64(blob)
        ask(len(signed) >= 5, "a signature wanted")
        signatures.append((name, signed))
    return text, signatures


def read_checkpoint(text):
    """Return (origin, size, root) of a checkpoint's three lines."""
    lines = text.split("\n")
    ask(len(lines) == 4 and not lines[3] and is_name(lines[0]), "a checkpoint of three lines wanted: origin, size, root")
    ask(NUMBER.fullmatch(lines[1]), f"a size in decimal wanted, found {lines[1]!r:.24}")
    return lines[0], int(lines[1]), from_base64(lines[2], 32)


def open_checkpoint(note, keys):
    """Return (origin, size, root) of a checkpoint that one of ``keys`` signed under the log's own name."""
    text, signatures = split_note(note)
    origin, size, root = read_checkpoint(text)
    signed = False
    for name, blob in signatures:
        for known, announced, public in keys:
            if known == name == origin and blob[:4] == announced:
                ask(verify_ed25519(public, text.encode(), blob[4:]), f"the signature of {name} on size {size} does not hold")
                signed = True
    ask(signed, f"no trusted key signed the checkpoint of {origin!r}")
    return origin, size, root


def read_proof(text):
    """Return (index, path, checkpoint) of a tlog-proof without extra data."""
    head, blank, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    ask(blank and lines[0] == "c2sp.org/tlog-proof@v1" and 2 <= len(lines) <= 65, "a proof c2sp.org/tlog-proof@v1 wanted")
    index = lines[1][len("index ") :]
    ask(lines[1].startswith("index ") and NUMBER.fullmatch(index), f"index NUMBER wanted, found {lines[1]!r:.40}")
    return int(index), [from_base64(line, 32) for line in lines[2:]], checkpoint


# --- statements in DSSE envelopes, and the keyring that they build -----------------------------------------------------------
PAYLOAD_TYPE = "application/vnd.rag-edit.statement+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
KIND = re.compile(r"urn:rag-edit:([a-z][a-z0-9-]{0,40}):v1")
KEY_NAME = re.compile(r"ed25519:[0-9a-f]{64}")


def read_entry(leaf, counts):
    """Return (kind, subjects, predicate, signers) of an entry; signatures of keys that count(key) are verified before parsing."""
    envelope = table(read_json(leaf), "payload", "payloadType", "signatures")
    again = json.dumps(envelope, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    ask(again.encode() == leaf, "an envelope in its one spelling wanted")
    ask(envelope["payloadType"] == PAYLOAD_TYPE, f"the payload type {PAYLOAD_TYPE} wanted")
    payload = from_base64(envelope["payload"])
    message = b"DSSEv1 %d %b %d %b" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
    ask(isinstance(envelope["signatures"], list) and 1 <= len(envelope["signatures"]) <= 16, "1 to 16 signatures wanted")
    signers, seen = set(), set()
    for each in envelope["signatures"]:
        key, signature = table(each, "keyid", "sig")["keyid"], from_base64(each["sig"], 64)
        ask(isinstance(key, str) and KEY_NAME.fullmatch(key) and key not in seen, "each signing key once, by its name, wanted")
        seen.add(key)
        if counts(key):
            ask(verify_ed25519(bytes.fromhex(key[8:]), message, signature), f"the signature of {key[:24]}... does not hold")
            signers.add(key)
    plain = table(read_json(payload), "_type", "predicate", "predicateType", "subject")
    kind = KIND.fullmatch(str(plain["predicateType"]))
    ask(plain["_type"] == STATEMENT_TYPE and kind, "an in-toto statement of rag_edit wanted")
    ask(isinstance(plain["predicate"], dict) and isinstance(plain["subject"], list) and plain["subject"], "subjects wanted")
    subjects = []
    for each in plain["subject"]:
        digest = "sha256:" + str(table(table(each, "name", "digest")["digest"], "sha256")["sha256"])
        ask(isinstance(each["name"], str) and DIGEST.fullmatch(digest), "subjects of a name and a SHA-256 wanted")
        subjects.append((each["name"], digest))
    return kind.group(1), subjects, plain["predicate"], signers


class Keyring:
    """Which keys the ledger made known, and where they count: a fold over its entries. It asks for one custodian, no quorum."""

    def __init__(self):
        self.lines = {}  # key: [holder, first position, first position no more or None, compromised since or None]
        self.custodians = set()

    def stands(self, key, index):
        """Return whether a key's signature counts at ``index``."""
        line = self.lines.get(key)
        return line is not None and line[1] <= index and (line[2] is None or index < line[2])

    def admit(self, leaf, index):
        """Return (kind, subjects, predicate, signers) of the next entry, after its effect on the keys."""
        first = not self.lines
        kind, subjects, plain, signers = read_entry(leaf, lambda key: first or self.stands(key, index))
        ask(signers, "no key that counts here signed it")
        ask(first == (kind == "found"), "a founding entry, the first and no other, wanted")
        custodian = any(self.lines[key][0] in self.custodians for key in signers) if not first else True
        party = plain.get("party")
        if kind == "found":
            for each in listed(plain, "keys"):
                self.enrol(each, 0)
            ask(signers <= set(self.lines), "the first entry is signed by a key that it does not name")
        if kind in ("found", "entrust"):
            ask(custodian, "the signature of a custodian wanted")
            self.custodians |= set(map(str, listed(plain, "custodians")))
        elif kind == "enrol" and isinstance(party, dict) and party.get("kind") == "key":
            ask(custodian, "the signature of a custodian wanted")
            self.enrol(party, index + 1)
        elif kind == "remove" and plain.get("id") in self.lines:
            line, since = self.lines[plain["id"]], plain.get("compromised_since")
            ask(since is None or (type(since) is int and 0 <= since <= index), "a position up to this entry wanted")
            line[2] = index + 1 if line[2] is None else line[2]
            line[3] = min((each for each in (line[3], since) if each is not None), default=None)
        ask(plain.get("by") in {None, *signers}, "the entry speaks for a key that did not sign it")
        return kind, subjects, plain, signers

    def enrol(self, party, since):
        """Note a key {id, holder}; one that is known already stays as it is."""
        ask(isinstance(party, dict) and KEY_NAME.fullmatch(str(party.get("id"))), "a key's name wanted")
        ask(isinstance(party.get("holder"), str), "a key's holder wanted")
        self.lines.setdefault(party["id"], [party["holder"], since, None, None])


def listed(plain, name):
    """Return the list of this name, which has something in it."""
    ask(isinstance(plain.get(name), list) and plain[name], f"{name} as a list wanted")
    return plain[name]


# --- the ledger --------------------------------------------------------------------------------------------------------------
def read_file(*parts):
    """Return a file's bytes."""
    try:
        with open(os.path.join(*parts), "rb") as file:
            return file.read()
    except OSError as error:
        raise Refused(f"{os.path.join(*parts)}: {error.strerror}") from None


def to_text(data):
    """Return the text of UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("UTF-8 wanted") from None


def read_tiles(directory):
    """Return the entries and the checkpoint of an exported ledger. Its hash tiles are not read: hashes are computed."""
    note = to_text(read_file(directory, "checkpoint"))
    size = read_checkpoint(split_note(note)[0])[1]
    leaves = []
    while len(leaves) < size:
        width = min(256, size - len(leaves))
        digits = f"{len(leaves) // 256:03d}"
        groups = [digits.zfill(-(-len(digits) // 3) * 3)[i : i + 3] for i in range(0, -(-len(digits) // 3) * 3, 3)]
        path = "/".join(["tile/entries", *("x" + group for group in groups[:-1]), groups[-1]]) + f".p/{width}" * (width < 256)
        bundle, at, count = read_file(directory, path), 0, 0
        while at + 2 <= len(bundle) and count < width:
            end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
            leaves.append(bundle[at + 2 : end])
            at, count = end, count + 1
        ask(at == len(bundle) and count == width, f"{path}: {width} entries wanted")
    return leaves, note


def open_log(leaves, note, keys, report, old=()):
    """Return the leaf hashes of a log that has the signed head, repeats no entry, and begins as each old checkpoint says."""
    origin, size, root = open_checkpoint(note, keys)
    report("head", f"{origin}, {size} entries, signed")
    hashes = [hash_leaf(leaf) for leaf in leaves]
    ask(len(hashes) == size, f"{size} entries wanted, found {len(hashes)}")
    ask(root_of(hashes) == root, "the entries do not have the signed root")
    ask(len(set(hashes)) == size, "an entry stands twice: what was signed once was repeated")
    report("entries", "have the signed root")
    for each in old:
        origin, size, before = open_checkpoint(each, keys)
        ask(size <= len(hashes), f"the {size} entries of the old checkpoint of {origin} wanted, found {len(hashes)}: cut")
        ask(root_of(hashes[:size]) == before, f"the entries do not begin with those of the old checkpoint at {size}")
        report("old checkpoint", f"{origin} at {size}: extended")
    return hashes


class Ledger:
    """A ledger of which every step held: ``hashes`` of its entries, ``entries`` as read, the ``keyring`` after them."""

    def __init__(self, leaves, note, keys, report, old=(), first_key=None):
        self.hashes, self.roots = open_log(leaves, note, keys, report, old), {}
        self.size, self.keyring, self.entries = len(self.hashes), Keyring(), []
        for index, leaf in enumerate(leaves):
            try:
                self.entries.append(self.keyring.admit(leaf, index))
            except Refused as error:
                raise Refused(f"entry {index}: {error}") from None
        if first_key is not None:
            first = {key for key, line in self.keyring.lines.items() if line[1] == 0}
            ask("ed25519:" + first_key[2].hex() in first, "the first key of the ledger is not the one that was given")
        report("statements", f"{self.size} signed by keys that stood at their positions")
        for key, line in sorted(self.keyring.lines.items()):
            if line[3] is not None:
                doubted = [str(i) for i, entry in enumerate(self.entries) if i >= line[3] and key in entry[3]]
                report("doubted", f"{key[:24]}... since {line[3]}: entries {', '.join(doubted) or 'none'}")


# --- receipts ----------------------------------------------------------------------------------------------------------------
TEXT, ANY, MAYBE = re.compile(r".+", re.DOTALL), re.compile(r".*", re.DOTALL), re.compile(r"(sha256:[0-9a-f]{64})?")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
CANDIDATE = {"record": TEXT, "version": int, "partition": TEXT, "score_u6": int, "reason": TEXT, "facts": dict}
USED = {"record": TEXT, "version": int, "content": DIGEST, "index": int, "leaf": TEXT, "path": [TEXT, 63]}
BODY = {
    "v": int, "id": TEXT, "issued": TIME, "flags": [TEXT, 64], "ledger": ANY, "used": [USED, 16],
    "answer": {"commitment": DIGEST, "rung": TEXT},
    "asked": {
        "question": DIGEST, "turns": MAYBE, "language": ANY, "jurisdiction": TEXT, "origin": TEXT, "valid_at": DAY, "known_at": int
    },
    "decided": {
        "route": TEXT, "reason": TEXT, "form": TEXT, "winner": ANY, "contenders": [TEXT, 64], "chain": [TEXT, 64],
        "policy": DIGEST, "cut_u6": int, "margin_u6": int, "candidates": [CANDIDATE, 16],
    },
    "models": {"base": MAYBE, "encoder": MAYBE, "scope": MAYBE, "index": MAYBE, "adapter": MAYBE},
}  # fmt: skip


def fit(value, shape, where):
    """Refuse unless ``value`` has the shape: an object with its keys, a list [of what, at most], a text's pattern, or a type."""
    if isinstance(shape, dict):
        for key, inner in table(value, *shape).items():
            fit(inner, shape[key], key)
    elif isinstance(shape, list):
        ask(isinstance(value, list) and len(value) <= shape[1], f"{where}: a list of at most {shape[1]} wanted")
        for inner in value:
            fit(inner, shape[0], where)
    elif isinstance(shape, type):
        fits = type(value) is shape and (shape is dict or value >= 0)
        ask(fits, f"{where}: {shape.__name__} from 0 on wanted: {value!r:.60}")
    else:
        ask(isinstance(value, str) and shape.fullmatch(value), f"{where}: {shape.pattern} wanted, found {value!r:.80}")


def read_body(data):
    """Return a receipt's body: every field there, of its form, and no other."""
    body = read_json(data)
    fit(body, BODY, "body")
    ask(body["v"] == 1, "version 1 wanted")
    for each in body["decided"]["candidates"] + body["used"]:
        each["name"] = f"{each['record']}@{each['version']}"
    for each in body["used"]:
        each["leaf"], each["path"] = from_base64(each["leaf"], 32), [from_base64(one, 32) for one in each["path"]]
    return body


def check_coherent(body, size):
    """Refuse a body that contradicts itself. ``size`` is that of the ledger head it names, or None."""
    asked, decided = body["asked"], body["decided"]
    weighed = {each["name"]: each for each in decided["candidates"]}
    serving = [name for name in (decided["winner"], *decided["contenders"]) if name]
    ask(size is None or asked["known_at"] == size, "known_at is not the position of the ledger's head")
    ask(bool(decided["winner"]) == (decided["route"] in ("OVERRIDE", "ADAPTER")), "a winner on OVERRIDE and ADAPTER only")
    ask(not decided["contenders"] or decided["route"] == "ABSTAIN", "contenders on ABSTAIN only wanted")
    ask(len(weighed) == len(decided["candidates"]) and set(serving) <= set(weighed), "those served once among the candidates")
    guarded = (decided["route"], body["answer"]["rung"]) == ("BASE", "guarded")  # records corrected what the model said
    used = {each["name"] for each in body["used"]}
    ask(size is None or guarded or used == set(serving), "a proof for each record served wanted")
    for name, each in weighed.items():
        ask(each["partition"] in decided["chain"], f"{name} is of {each['partition']}, outside the chain")
        ask(each["reason"] != "BELOW_THRESHOLD" or each["score_u6"] <= decided["cut_u6"], f"{name} is not below the cut")
    for name in serving:
        ask(weighed[name]["score_u6"] >= decided["cut_u6"], f"{name} is below the cut")
        ask(weighed[name]["reason"] == decided["reason"], f"{name} has another reason than the decision")


def verify_receipt(data, receipt_keys, ledger_keys, report, ledger=None, texts=()):
    """Refuse a receipt at the first step that does not hold, report each that does; ``texts``: (label, salt, content)."""
    ask(len(data) <= MAX_ENTRY, f"at most {MAX_ENTRY} bytes wanted")
    line, end, rest = data.partition(b"\n")
    ask(end, "a line of JSON and a proof below it wanted")
    index, path, note = read_proof(to_text(rest))
    report("form", f"{len(data)} bytes")
    origin, size, root = read_checkpoint(split_note(note)[0])
    check_inclusion(hash_leaf(line), index, size, path, root)
    report("inclusion", f"entry {index} of {size}")
    open_checkpoint(note, receipt_keys)
    report("signature", origin)
    body = read_body(line)
    report("body", body["id"])
    base = open_checkpoint(body["ledger"], ledger_keys) if body["ledger"] else None
    report("ledger head", f"{base[0]}, {base[1]} entries" if base else "none is named")
    for each in body["used"] if base else ():
        check_inclusion(each["leaf"], each["index"], base[1], each["path"], base[2])
    report("records", ", ".join(f"{each['name']} at {each['index']}" for each in body["used"]) or "none was used")
    check_coherent(body, base[1] if base else None)
    report("coherence", f"{body['decided']['route']}, {body['decided']['reason']}")
    if ledger is not None and base:
        if base[1] not in ledger.roots:
            ledger.roots[base[1]] = root_of(ledger.hashes[: base[1]])
        ask(ledger.size >= base[1] and ledger.roots[base[1]] == base[2], "the ledger has another history")
        for each in body["used"]:
            ask(ledger.hashes[each["index"]] == each["leaf"], f"entry {each['index']} is another one")
            subjects = ledger.entries[each["index"]][1]
            ask((each["name"], each["content"]) in subjects, f"entry {each['index']} is not about {each['name']} as served")
        signed = {blob[:4] for _, blob in split_note(note)[1]}
        for _, announced, public in receipt_keys:
            since = ledger.keyring.lines.get("ed25519:" + public.hex(), [None] * 4)[3]
            believed = announced not in signed or since is None or since > body["asked"]["known_at"]
            ask(believed, f"the key that signed the receipt is not believed since entry {since}")
        report("ledger", ", ".join(f"{e['name']}: {ledger.entries[e['index']][0]}" for e in body["used"]) or "same history")
    named = {"question": body["asked"]["question"], "turns": body["asked"]["turns"], "answer": body["answer"]["commitment"]}
    for label, salt, content in texts:
        ask(len(salt) == 32, "a salt of 32 bytes wanted")
        found = "sha256:" + hashlib.sha256(f"rag-edit/{label}/v1\0".encode() + salt + content).hexdigest()
        ask(hmac.compare_digest(found, named.get(label, "")), f"the {label} is not the one that was committed to")
        report("text", f"{label} is the one that was committed to")
    return body


# --- the command -------------------------------------------------------------------------------------------------------------
def read_keys(given):
    """Return the note keys of arguments: each a key, or a file with one a line."""
    several = [to_text(read_file(each)).splitlines() if os.path.exists(each) else [each] for each in given]
    return [read_note_key(line) for lines in several for line in lines if line.strip()]


def main(argv=None):
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.set_defaults(files=[], ledger=None, text=[], first_key=None)
    commands = parser.add_subparsers(dest="command", required=True)
    receipt = commands.add_parser("receipt", help="verify receipts")
    receipt.add_argument("files", nargs="+", metavar="FILE")
    receipt.add_argument("--ledger", metavar="DIR", help="the exported ledger, to look the records up in")
    receipt.add_argument("--text", action="append", nargs=3, default=[], metavar=("LABEL", "SALT", "FILE"))
    ledger = commands.add_parser("ledger", help="verify an exported ledger")
    ledger.add_argument("--first-key", metavar="KEY", help="the note key whose public key must have opened the ledger")
    receipts = commands.add_parser("receipts", help="verify an exported log of receipts: none is dropped or another")
    for each in (ledger, receipts):
        each.add_argument("directory", metavar="DIR")
    for each in (receipt, ledger, receipts):
        each.add_argument("--receipts-key", action="append", default=[], required=each is not ledger, metavar="KEY")
        each.add_argument("--ledger-key", action="append", default=[], metavar="KEY")
        each.add_argument("--old", action="append", default=[], metavar="FILE", help="a checkpoint obtained before")
    args = parser.parse_args(argv)

    def report(step, found):
        print(f"ok    {step}: {found}")

    failed, opened = False, None
    try:
        keys, receipt_keys = read_keys(args.ledger_key), read_keys(args.receipts_key)
        texts = [(label, bytes.fromhex(salt), read_file(path)) for label, salt, path in args.text]
        directory = args.ledger if args.command == "receipt" else args.directory
        leaves, note = read_tiles(directory) if directory else ([], "")
        old = [to_text(read_file(each)) for each in args.old]
        if args.command == "receipts":
            open_log(leaves, note, receipt_keys, report, old)
            report("receipts", f"{len([read_body(leaf) for leaf in leaves])} of the one form")
        elif directory:
            opened = Ledger(leaves, note, keys, report, old, read_note_key(args.first_key) if args.first_key else None)
    except (Refused, ValueError) as error:
        print(f"FAIL  {error}")
        return 1
    for path in args.files:
        print(path)
        try:
            verify_receipt(read_file(path), receipt_keys, keys, report, opened, texts)
        except Refused as error:
            print(f"FAIL  {error}")
            failed = True
    print("does not hold" if failed else "holds")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
