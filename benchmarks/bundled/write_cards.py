"""Write the cards of the automatic models from the records and from the headers of their files.

    python -m benchmarks.bundled.write_cards [--smoke]

The scripts that put a model into the package write its card too; this one follows where the text
of a card was changed, or a record. `--smoke` writes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.bundled import any_sequence_card, brain_card, model_card
from benchmarks.bundled.train_bundled import HEALTHY
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import read_records
from napari_unet_seg.models import OWN
from napari_unet_seg.models.header import read_header
from napari_unet_seg.nn.build import build_net

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_unet_seg.models.header import CheckpointInfo


def bundled() -> str:
    """The bundled model's card."""
    figures = _record("brisc", "bundled")
    return model_card.render(*_described("bundled"), figures, HEALTHY, figures["machine"])


def any_sequence() -> str:
    """The any-sequence model's card."""
    before, found = (_record("sequences", name) for name in ("bundled", "any-sequence"))
    on_brisc = _record("brisc", "any-sequence")
    return any_sequence_card.render(*_described("any-sequence"), on_brisc, before, found)


def brain() -> str:
    """The brain model's card."""
    return brain_card.render(*_described("brain"), _record("brain", "brain"))


CARDS: dict[str, Callable[[], str]] = {
    "bundled": bundled,
    "any-sequence": any_sequence,
    "brain": brain,
}


def _record(kind: str, name: str) -> dict[str, Any]:
    return next(record for record in read_records(kind) if record.get("name") == name)


def _described(name: str) -> tuple[CheckpointInfo, int]:
    """A model's header, and the number of its weights."""
    info = read_header(OWN[name].file)
    return info, sum(weights.numel() for weights in build_net(info.model).parameters())


def main() -> None:
    with given_to(parser_of(__doc__)) as given:
        for name, text in CARDS.items():
            written = text()
            if not given.smoke:
                OWN[name].card.write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
