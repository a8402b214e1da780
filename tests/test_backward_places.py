"""Places over all steps, and what a piece of generated code reads."""

from __future__ import annotations

import pytest

from symgrad.generate.backward.places import Place, assigned, reads, unpacked


@pytest.mark.parametrize(
    ("place", "whole", "step", "block"),
    [
        (Place("r_all"), "r_all", "r_all[t]", "r_all[block]"),
        (Place("gates", 2), "gates[2]", "gates[2, t]", "gates[2, block]"),
        (Place("h_all", first=0), "h_all[:-1]", "h_all[t]", "h_all[block]"),
        (Place("h_all", first=1), "h_all[1:]", "h_all[t + 1]", "h_all[start + 1:stop + 1]"),
    ],
)
def test_a_place_over_all_steps_at_one_and_in_a_block(place: Place, whole: str, step: str, block: str) -> None:
    assert (str(place), str(place.at("t")), str(place.at("block"))) == (whole, step, block)


def test_names_are_those_of_the_code_alone() -> None:
    code = ["# z is no name here", "np.add(a, b, out=h_t)  # nor is c", 'x = params["W"]', "if mask is not None:", "    y.z += one"]
    assert reads(code) == {"np", "a", "b", "h_t", "x", "params", "mask", "y", "one"}
    assert assigned(["K = 3", "u, v = d[0:2]", "h_all[0] = x"]) == {"K", "u", "v"}


def test_views_that_are_read_are_made_once_and_in_order() -> None:
    views = {
        "z": Place("gates", 0).at("t"), "r": Place("gates", 1).at("t"), "n": Place("gates", 3).at("t"), "h": Place("h_all", first=0).at("t"),
        "part": "whole[0:2]", "whole": "array[t]", "unread": Place("gates", 2).at("t"), "made": Place("gates", 4).at("t"),
    }  # fmt: skip
    body = ["np.multiply(r, z, out=part)  # unread", "h += made"]
    assert unpacked(views, body, {"made"}) == ["z, r = gates[0:2, t]", "whole = array[t]", "h = h_all[t]", "part = whole[0:2]"]
    assert "n = gates[3, t]" in unpacked(views, [*body, "n += 1"], {"made"})
