from __future__ import annotations

import numpy as np
import pytest

from napari_unet_seg.correct.interpolation import interpolate


def disc(radius: float, column: int = 20) -> np.ndarray:
    rows, columns = np.indices((41, 41))
    return np.asarray((rows - 20) ** 2 + (columns - column) ** 2 <= radius**2)


def volume(**planes: np.ndarray) -> np.ndarray:
    """Make nine slices: `z0=disc(4)` is the first of them."""
    filled = np.zeros((9, 41, 41), bool)
    for name, plane in planes.items():
        filled[int(name[1:])] = plane
    return filled


def radius(plane: np.ndarray) -> float:
    return float(np.sqrt(plane.sum() / np.pi))


def test_radii_go_evenly_from_one_disc_to_the_other() -> None:
    filled = interpolate(volume(z0=disc(4), z8=disc(8)), (0, 8))
    found = [radius(plane) for plane in filled]
    assert found == pytest.approx(np.linspace(4, 8, 9).tolist(), abs=0.4)
    assert radius(filled[4]) == pytest.approx(6, abs=0.25)


def test_a_disc_that_moves_is_in_the_middle_halfway() -> None:
    middle = interpolate(volume(z2=disc(6, 17), z6=disc(6, 23)), (2, 6))[4]
    assert np.nonzero(middle)[1].mean() == pytest.approx(20, abs=0.01)
    assert middle[20, 20]


def test_what_was_between_is_replaced_and_keys_stay() -> None:
    before = volume(z1=disc(5), z2=disc(18), z3=disc(5), z7=disc(2))
    filled = interpolate(before, (3, 1))
    assert radius(filled[2]) == pytest.approx(5, abs=0.2)
    for index in (0, 1, 3, 4, 7, 8):
        np.testing.assert_array_equal(filled[index], before[index])


@pytest.mark.parametrize("keys", [(), (4,), (0, 4), (0, 4, 8), (4, 5)], ids=str)
def test_empty_keys_end_the_object(keys: tuple[int, ...]) -> None:
    before = volume(z0=disc(4), z2=disc(3), z8=disc(8))
    np.testing.assert_array_equal(interpolate(before, keys), before)


def test_a_full_slice_is_a_key_as_any_other() -> None:
    full = interpolate(volume(z0=np.ones((41, 41), bool), z4=disc(3)), (0, 4))
    assert full[2][disc(3)].all()
