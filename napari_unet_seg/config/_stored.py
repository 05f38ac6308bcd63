"""What every description that the package writes into a file is built on."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import BaseModel

from napari_unet_seg.config._base import Config
from napari_unet_seg.config._version import Version, is_newer, major


class Stored(Config):
    """What a file holds, with the version of its layout.

    Unknown keys of a newer minor version are kept, and written back; at any other version an
    unknown key is a mistake. The default of the version's field is the newest version that is
    known; a file that states none is of the first.
    """

    version_key: ClassVar[str] = "format"
    """Field that holds the version of the layout."""

    @classmethod
    def parse(cls, values: Any, source: str) -> Self:
        """Validate the content of a file; `source` names it in the error message.

        Raises
        ------
        NewerVersionError
            If the file is of a newer major version.
        ConfigError
            If the content is not what it should be.
        """
        if not isinstance(values, dict):
            return cls.validated(values, source)
        stated, known = values.get(cls.version_key, 1), cls._known_version()
        newer = is_newer(stated, known, source)
        if major(stated, source) < major(known, source):
            values = cls.upgraded(values)
        if not newer:
            values = {**values, cls.version_key: known}
        return cls.validated(values, source, "allow" if newer else "forbid")

    @classmethod
    def upgraded(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Bring the content of a file of an earlier major version to the present layout."""
        return values

    def content(self) -> dict[str, Any]:
        """Return what to write, with the keys of a newer version that were kept."""
        values = self.model_dump(mode="json")
        newer = is_newer(getattr(self, self.version_key), self._known_version(), "")
        return _with_unknown(self, values) if newer else values

    @classmethod
    def _known_version(cls) -> Version:
        known: Version = cls.model_fields[cls.version_key].default
        return known


def _with_unknown(kept: Any, dumped: Any) -> Any:
    """Add the unknown keys of a model, and of the models in it, to what it was dumped as."""
    if isinstance(kept, tuple):
        return [_with_unknown(*pair) for pair in zip(kept, dumped, strict=True)]
    if not isinstance(kept, BaseModel):
        return dumped
    known = {name: _with_unknown(getattr(kept, name), value) for name, value in dumped.items()}
    return {**known, **(kept.model_extra or {})}
