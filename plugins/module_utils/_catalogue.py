# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue, compiled: which kind a file is, how its lines look, what a profile leaves out."""

from __future__ import annotations

import copy
import re
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils._catalogue_data import CATALOGUE, CATALOGUE_SCHEMA, FIELDS

try:
    import jsonschema
except ImportError:
    HAS_JSONSCHEMA = False
else:
    HAS_JSONSCHEMA = True

_SUFFIX = re.compile(r"(.+)\.([0-9]{1,3})")
_INFIX = re.compile(r"(.+)\.([0-9]{1,3})(\.[a-z]+)")
_PART = re.compile(r"\{([a-z_]+)\}")
_OLD = "old/"
# What Python's re and Ruby's Regexp read differently, or what only one of them knows.
_ESCAPE = re.compile(r"\\.")
_FOREIGN_ESCAPES = frozenset("\\" + letter for letter in "hHRXKGpPZzkgN")
_NOT_PORTABLE = re.compile(r"\(\?[^:=]|[*+?}]\+|\[\^?\]?[^\]]*\[|&&|(?<!\[)\^")
_REGEX_KEYS = frozenset({"pattern", "escapes", "progress", "mask", "begin", "go_on", "chained", "last_line"})
FULL = "full"
NEVER = "never"
PROFILES: tuple[str, ...] = ("lean", "standard", FULL)


class CatalogueError(ValueError):
    """The catalogue, or what a user added to it, is not as it must be."""


class Format(t.NamedTuple):
    """One format of a line: the match and what its groups are."""

    name: str
    match: t.Callable[[bytes], re.Match[bytes] | None]
    groups: dict[str, int]


class Kind(t.NamedTuple):
    """One kind of file; the fields are the catalogue's."""

    id: str
    path: str
    regex: re.Pattern[str]
    class_: str
    dataset: str
    component: str
    framing: str
    formats: tuple[str, ...]
    record: str
    magic: bool
    identity: str
    rotation: tuple[str, ...]
    store: str

    def globs(self) -> list[str]:
        """Return the shell patterns of the kind's files below `logs/`, without rotated pieces."""
        streams = ("out", "err") if "{stream}" in self.path else ("",)
        return [_PART.sub("*", self.path.replace("{stream}", stream)) for stream in streams]


class Classified(t.NamedTuple):
    """What the name of one file says: kind, canonical name, number of the piece, and what the name carries."""

    kind: Kind
    name: str
    number: int
    old: bool
    parts: dict[str, str]


class Omission(t.NamedTuple):
    """What a profile leaves out of one kind."""

    id: str
    levels: frozenset[str]
    message: t.Callable[[str], object] | None

    def covers(self, level: str | None, message: str) -> bool:
        """Tell whether an event of this level and message is left out."""
        if self.levels and level not in self.levels:
            return False
        return self.message is None or bool(self.message(message))


class Detail(t.NamedTuple):
    """Fields that the message of a dataset holds."""

    search: t.Callable[[str], re.Match[str] | None]
    groups: tuple[tuple[str, str], ...]


class Copy(t.NamedTuple):
    """A rule for lines, or whole files, that repeat another file."""

    id: str
    kinds: frozenset[str]
    format: str
    original: str
    marked: bool
    same_line: tuple[str, ...]


class Catalogue:
    """Everything that is known of Ray's files, compiled from catalogue/ray_logs.yml and the user's additions."""

    def __init__(self, data: dict[str, t.Any]) -> None:
        """Compile the catalogue's data."""
        self.data = data
        self.event_bytes: int = data["limits"]["event_bytes"]
        self.head_bytes: int = data["limits"]["head_bytes"]
        self.levels: dict[str, str] = data["levels"]
        self.kinds = [_compile_kind(kind, data["name_parts"]) for kind in data["kinds"]]
        self.formats = {name: _compile_format(name, value) for name, value in data["formats"].items()}
        self.copies = [_compile_copy(rule) for rule in data["copies"]]
        self.escapes = re.compile(data["escapes"].encode())
        self.progress = re.compile(data["progress"].encode())
        self.mask = re.compile(data["pattern"]["mask"], re.ASCII)

    def classify(self, name: str) -> Classified:
        """Tell what the file `name`, relative to `logs/`, is; what no other kind knows is of the last one."""
        old = name.startswith(_OLD)
        bare = name[len(_OLD) :] if old else name
        readings = _readings(bare)
        for reading, number, rotation in readings:
            for kind in self.kinds[:-1]:
                match = kind.regex.fullmatch(reading)
                if match and (not rotation or rotation in kind.rotation):
                    return Classified(kind, reading, number, old, match.groupdict())
        rest = self.kinds[-1]
        reading, number, _rotation = [read for read in readings if not read[2] or read[2] in rest.rotation][-1]
        return Classified(rest, reading, number, old, {"rest": reading})

    def omissions(self, kind: Kind, profile: str) -> list[Omission]:
        """Return what the profile leaves out of a kind."""
        return [
            Omission(
                rule["id"],
                frozenset(rule.get("levels", ())),
                re.compile(rule["message"], re.ASCII).match if "message" in rule else None,
            )
            for rule in self.data["omissions"]
            if profile in rule["profiles"]
            and ("classes" not in rule or kind.class_ in rule["classes"])
            and ("kinds" not in rule or kind.id in rule["kinds"])
        ]

    def stored(self, kind: Kind, profile: str) -> bool:
        """Tell whether the profile stores a kind of file at all."""
        return kind.store != NEVER and PROFILES.index(profile) >= PROFILES.index(kind.store)

    def details(self, dataset: str) -> list[Detail]:
        """Return the patterns that find more fields in the messages of a dataset."""
        return [
            Detail(
                re.compile(rule["pattern"], re.ASCII).search,
                tuple((group["field"], group["type"]) for group in rule["groups"]),
            )
            for rule in self.data.get("details", ())
            if dataset in rule["datasets"]
        ]


def load(extra: dict[str, t.Any] | None = None) -> Catalogue:
    """Compile the catalogue with what a user adds to it or overrides.

    Kinds and rules with an `id` replace those of the same id and else come first; everything else is merged by key.

    :raises CatalogueError: when the addition does not fit the schema, names what does not exist, or holds a regular
        expression that Python and Ruby do not read alike.
    """
    if not extra:
        return Catalogue(CATALOGUE)
    data = merge(CATALOGUE, extra)
    check(data)
    return Catalogue(data)


def merge(base: dict[str, t.Any], extra: dict[str, t.Any]) -> dict[str, t.Any]:
    """Lay an addition over a catalogue; neither is changed."""
    merged = copy.deepcopy(base)
    for key, value in extra.items():
        current = merged.get(key)
        if isinstance(current, dict) and isinstance(value, dict):
            merged[key] = merge(current, value)
        elif (
            isinstance(current, list)
            and isinstance(value, list)
            and all(isinstance(item, dict) and "id" in item for item in value)
        ):
            merged[key] = _merge_by_id(current, value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def check(data: dict[str, t.Any]) -> None:
    """Check a catalogue against its schema and against what a schema cannot say.

    :raises CatalogueError: with the place and what is wrong there.
    """
    if not HAS_JSONSCHEMA:
        raise CatalogueError(
            "raylogs_catalogue_extra cannot be checked: the Python library jsonschema is missing where this runs. "
            "Install it with `pip install jsonschema`, or remove raylogs_catalogue_extra."
        )
    validator = jsonschema.Draft202012Validator(CATALOGUE_SCHEMA)
    for error in sorted(validator.iter_errors(data), key=lambda error: error.json_path):
        raise CatalogueError(
            f"The catalogue is wrong at {error.json_path.replace('$', '', 1).lstrip('.') or 'its top level'}: "
            f"{error.message}. Mend raylogs_catalogue_extra; docs/ray_log_files.md shows what the catalogue holds."
        )
    for place, pattern in regexes(data):
        _check_regex(place, pattern)
    _check_names(data)


def regexes(data: t.Any, place: str = "") -> t.Iterator[tuple[str, str]]:
    """Yield every regular expression of a catalogue with its place."""
    if isinstance(data, dict):
        for key, value in data.items():
            where = f"{place}.{key}" if place else str(key)
            anchored = key == "message" and isinstance(value, str) and value.startswith("\\A")
            if anchored or (key in _REGEX_KEYS and isinstance(value, str)):
                yield where, value
            elif key == "name_parts":
                yield from ((f"{where}.{name}", part) for name, part in value.items())
            else:
                yield from regexes(value, where)
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from regexes(value, f"{place}[{value.get('id', number) if isinstance(value, dict) else number}]")


def schema_fields() -> list[dict[str, t.Any]]:
    """Return the fields of an event as catalogue/fields.yml lists them."""
    fields: list[dict[str, t.Any]] = FIELDS["fields"]
    return fields


def _merge_by_id(current: list[dict[str, t.Any]], extra: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    known = {item.get("id") for item in current}
    by_id = {item["id"]: item for item in extra}
    added = [copy.deepcopy(item) for item in extra if item["id"] not in known]
    return added + [merge(item, by_id[item["id"]]) if item.get("id") in by_id else item for item in current]


def _check_regex(place: str, pattern: str) -> None:
    foreign = [escape for escape in _ESCAPE.findall(pattern) if escape in _FOREIGN_ESCAPES]
    foreign += _NOT_PORTABLE.findall(_ESCAPE.sub("x", pattern))
    if foreign:
        raise CatalogueError(
            f"The regular expression at {place} holds '{foreign[0]}', which Python and Ruby do not read alike. "
            "Use numbered groups, (?:...), (?=...), character classes and plain quantifiers only."
        )
    try:
        re.compile(pattern.encode())
    except re.error as error:
        raise CatalogueError(f"The regular expression at {place} does not compile: {error}.") from error


def _check_names(data: dict[str, t.Any]) -> None:
    for kind in data["kinds"]:
        unknown = [part for part in _PART.findall(kind["path"]) if part not in data["name_parts"]]
        unknown += [name for name in kind.get("formats", ()) if name != "json" and name not in data["formats"]]
        if kind["framing"] == "record" and kind["record"] not in data["records"]:
            unknown.append(kind["record"])
        if unknown:
            raise CatalogueError(
                f"Kind {kind['id']} of the catalogue names what the catalogue does not hold: {', '.join(unknown)}."
            )


def _readings(name: str) -> list[tuple[str, int, str]]:
    """Return the ways to read a name: as it stands, as X.out.1, as X.1.log."""
    readings = [(name, 0, "")]
    suffix = _SUFFIX.fullmatch(name)
    if suffix:
        readings.append((suffix[1], int(suffix[2]), "suffix"))
    infix = _INFIX.fullmatch(name)
    if infix:
        readings.append((infix[1] + infix[3], int(infix[2]), "infix"))
    return readings


def _compile_kind(kind: dict[str, t.Any], name_parts: dict[str, str]) -> Kind:
    pattern = ""
    for number, text in enumerate(_PART.split(kind["path"])):
        pattern += f"(?P<{text}>{name_parts[text]})" if number % 2 else re.escape(text)
    return Kind(
        id=kind["id"],
        path=kind["path"],
        regex=re.compile(pattern, re.ASCII),
        class_=kind["class"],
        dataset=kind.get("dataset", ""),
        component=kind.get("component", ""),
        framing=kind["framing"],
        formats=tuple(kind.get("formats", ())),
        record=kind.get("record", ""),
        magic=kind.get("magic", False),
        identity=kind.get("identity", "node"),
        rotation=tuple(kind.get("rotation", ())),
        store=kind.get("store", PROFILES[0]),
    )


def _compile_format(name: str, value: dict[str, t.Any]) -> Format:
    groups = {group: number for number, group in enumerate(value["groups"], start=1)}
    return Format(name, re.compile(value["pattern"].encode()).match, groups)


def _compile_copy(rule: dict[str, t.Any]) -> Copy:
    return Copy(
        id=rule["id"],
        kinds=frozenset(rule.get("kinds", ())),
        format=rule.get("format", ""),
        original=rule["original"],
        marked=rule.get("marked", False),
        same_line=tuple(rule.get("same_line", ())),
    )
