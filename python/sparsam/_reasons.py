"""Why a parameter has the structure that it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


class Reasons:
    """The reasons of one compiled step.

    structure  glob -> text, as asked for; globs: path -> the glob that decides it
    chosen     path -> text, as compiled
    groups     path -> the coupled groups by which it is sliced
    remarks    what the compiler said
    """

    def __init__(
        self,
        structure: Mapping[str, str],
        globs: Mapping[str, str],
        chosen: Mapping[str, str],
        groups: Mapping[str, Sequence[str]],
        remarks: Iterable[str],
    ):
        self._structure, self._globs, self._chosen = structure, globs, chosen
        asked = [path for path in globs if self._text(path) != "dense"]
        remarks = list(remarks)
        coupled = {
            (path, group)
            for path, names in groups.items()
            for group in names
            if path not in asked or _is_coupled(path, group, remarks)
        }
        first: dict[str, str] = {}
        for path in asked:
            for group in groups.get(path, ()):
                if (path, group) not in coupled:
                    first.setdefault(group, path)
        self._coupled = {
            path: [(g, first[g]) for g in names if (path, g) in coupled and g in first]
            for path, names in groups.items()
        }

    def of(self, path: str) -> str:
        """The reason of one parameter."""
        coupled = " and ".join(
            f"coupled by group '{group}', which '{other}' asks to slice"
            for group, other in self._coupled.get(path, ())
        )
        glob = self._globs.get(path)
        if glob is None:
            if coupled:
                return coupled
            return "no glob matches" if self._structure else 'structure="dense"'
        if coupled and self._text(path) == "dense":
            return f"'{glob}' asks for dense, but it is {coupled}"
        reason = f"asked for by '{glob}'"
        if coupled:
            return f"{reason}, and {coupled}"
        if path not in self._chosen and self._text(path) != "dense":
            reason += ", but the compiler kept it dense; see the step's remarks"
        return reason

    def _text(self, path: str) -> str:
        return self._structure[self._globs[path]].strip()


def _is_coupled(path: str, group: str, remarks: list[str]) -> bool:
    """Whether a parameter that asks for a slice has this group because another asks for it."""
    text = f'{path} is sliced too: it is coupled by group "{group}"'
    return any(remark == text or remark.endswith(f": {text}") for remark in remarks)
