"""What is shown first of much advice is what cannot wait."""

import pandas as pd

from chw_tools.cli.care import _urgent_first


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
