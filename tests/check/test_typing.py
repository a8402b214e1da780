"""Sizes: what is unified is one size, and no size is a part of itself."""

from symgrad.check.defined.typing import Size, numbered, occurs, unify


def test_a_size_is_no_part_of_itself():
    h, x = Size(), Size()
    h.number, x.number = 3, 2
    both = Size((h, x))
    unify(h, both)
    assert numbered(both) == 5
    assert not occurs(h, h.find())


def test_concatenations_of_each_other():
    a, b = Size(), Size()
    one, other = Size((a, b)), Size((b, a))
    unify(one, other)
    assert a.find() is b.find()
    a.find().number = 4
    assert numbered(one) == numbered(other) == 8
    unify(a, one)
    assert numbered(one) == 8
