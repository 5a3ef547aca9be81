from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.core.conversation import BranchMark, Conversation
from tui.core.items import Turn, user_message


def tree(*parents: tuple[str, str | None]) -> Conversation:
    """A conversation of turns (id, parent id), in this order; the tip is the last."""
    conversation = Conversation("c", 0.0)
    for number, (name, parent) in enumerate(parents):
        conversation = conversation.append(Turn(name, parent, (user_message(name),), float(number)))
    return conversation


# a - b - c
#   \ d - e
#       \ f
FORKED = tree(("a", None), ("b", "a"), ("c", "b"), ("d", "a"), ("e", "d"), ("f", "d"))


def test_a_path_that_is_the_only_one_has_no_mark() -> None:
    alone = tree(("a", None), ("b", "a"))
    assert alone.branch is None
    assert alone.branch_marks() == {}
    assert Conversation("c", 0.0).branch is None


def test_turns_with_siblings_are_marked_and_the_last_place_counts() -> None:
    assert FORKED.branch_marks() == {"d": BranchMark(2, 2), "f": BranchMark(2, 2)}
    assert FORKED.at("e").branch_marks() == {"d": BranchMark(2, 2), "e": BranchMark(1, 2)}
    assert str(FORKED.at("e").branch) == "1/2"
    assert str(FORKED.at("c").branch) == "1/2"


def test_the_turn_that_would_be_sent_from_an_inner_turn_is_a_new_branch() -> None:
    assert FORKED.at("d").branch_marks() == {"d": BranchMark(2, 2), None: BranchMark(3, 3)}
    assert FORKED.at("a").branch == BranchMark(3, 3)
    assert FORKED.at(None).branch == BranchMark(2, 2)


def test_walking_goes_to_the_newest_leaf_and_ends_at_the_edges() -> None:
    assert FORKED.at("c").beside("b", 1) == "f"
    assert FORKED.beside("d", -1) == "c"
    assert FORKED.beside("f", -1) == "e"
    assert FORKED.beside("f", 1) is None
    assert FORKED.beside("a", -1) is None
    assert FORKED.at("a").beside(None, -1) == "f"
    assert FORKED.at("a").beside(None, 1) is None
    assert FORKED.newest_leaf("b") == "c"
    assert FORKED.newest_leaf("f") == "f"


@given(st.lists(st.integers(-1, 30), min_size=1, max_size=30), st.data())
def test_every_turn_can_be_reached_by_walking(choices: list[int], data: st.DataObject) -> None:
    names = [f"t{number}" for number in range(len(choices))]
    conversation = tree(
        *(
            (name, names[choice % number] if number and choice >= 0 else None)
            for number, (name, choice) in enumerate(zip(names, choices, strict=True))
        )
    )
    wanted = data.draw(st.sampled_from(names))
    here = conversation.at(data.draw(st.sampled_from([None, *names])))
    for _ in range(1000):
        path = here.path()
        way = conversation.path(wanted)
        common = sum(1 for mine, theirs in zip(path, way, strict=False) if mine.id == theirs.id)
        if common == len(way):
            break
        mine = path[common].id if common < len(path) else None
        rows = [turn.id for turn in conversation.children(way[common].parent_id)]
        at = len(rows) if mine is None else rows.index(mine)
        tip = here.beside(mine, -1 if rows.index(way[common].id) < at else 1)
        assert tip is not None
        here = here.at(tip)
    else:
        raise AssertionError("the walk did not end")
