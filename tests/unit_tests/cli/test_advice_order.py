"""What is shown first of much advice is what cannot wait."""

import pandas as pd

from chw_tools.cli.care import _by_rule, _urgent_first


def test_emergencies_stand_first_and_each_persons_advice_keeps_its_order():
    advice = pd.DataFrame(
        {
            "person_id": ["a", "a", "a", "b", "c"],
            "urgency": ["same_day", "same_day", "routine", "emergency", "within_days"],
            "rank": [2, 1, 3, 1, 1],
        }
    )
    shown = _urgent_first(advice)
    assert shown["person_id"].tolist() == ["b", "a", "a", "c", "a"]
    assert shown["rank"].tolist() == [1, 1, 2, 1, 3]
    assert list(shown.columns) == list(advice.columns)


def test_rules_stand_by_urgency_and_then_by_how_often_they_speak():
    advice = pd.DataFrame(
        {
            "urgency": ["routine"] * 3 + ["emergency"] + ["same_day"] * 3,
            "rule_id": ["often"] * 3 + ["first"] + ["rare", "more", "more"],
        }
    )
    assert _by_rule(advice).to_numpy().tolist() == [
        ["emergency", "first", 1],
        ["same_day", "more", 2],
        ["same_day", "rare", 1],
        ["routine", "often", 3],
    ]
